//! A new file under a temporary name, until it is whole.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use rustix::fs::{Mode, fchmod};

use crate::array::npy;
use crate::error::{DiskRoom, Error, Reason, reason};
use crate::route::ReceiveRouteChoice;
use crate::route::receive::takes_splice;
use crate::transfer::limits::promise::Promise;
use crate::transfer::plan::SinkSpec;

use super::folder::Folder;
use super::holes::Holes;
use super::name::file_name;
use super::on_record::OnRecord;
use super::opened_part::{OpenedPart, Resumed, head_of};
use super::removal;
use super::reservation::{NoSpace, Reservation};
use super::{Content, SinkRequest, final_name, unwritable};

/// Less than this is received sooner without a pipe.
const SPLICE_BYTES_MIN: u64 = 1 << 20;

/// A new file under a temporary name beside its final one; removed unless it is published.
pub(crate) struct PartFile {
    pub(crate) file: Arc<File>,
    /// Where it has its names.
    folder: Arc<Folder>,
    /// Its temporary name.
    name: PathBuf,
    /// Its final one, unless that is taken.
    wanted: PathBuf,
    pub(crate) data_offset: u64,
    /// Its length: from the first moment to the last, or so far where it grows.
    len: AtomicU64,
    grows: bool,
    /// Some of it was there before.
    is_resumed: bool,
    /// The memory that it takes, where it is shared memory.
    shared: Option<Shared>,
    /// The disk that it takes, where it is no shared memory and its length is known.
    space: Option<Reservation>,
    /// What is written down of it while it grows, where it could be gone on with.
    record: Option<OnRecord>,
    /// What is to be known of how it was made.
    note: Option<String>,
    /// It is not removed with this value: it has its name, or is kept where it is.
    stays: AtomicBool,
}

/// What is special about shared memory: it is known by a name, and every byte that lands costs memory.
struct Shared {
    name: String,
    promise: Promise,
}

impl PartFile {
    /// Makes the file for what is offered, or opens the one that an earlier transfer of the same has left half received:
    /// then also what is there of it.
    ///
    /// # Errors
    /// The disk has no room for it, or does not take it.
    pub(super) fn create(request: &SinkRequest) -> Result<(Self, Option<Resumed>), Error> {
        let SinkRequest { offer, content, .. } = request;
        let mut shared = None;
        let (wanted, plain) = match &request.spec {
            SinkSpec::Shm(name) => {
                let (path, name) = (name.path(), name.to_string());
                if path.symlink_metadata().is_ok() {
                    return Err(Error::ShmExists(name));
                }
                let promise = Promise::of_memory(offer.meta.byte_len())?;
                shared = Some(Shared { name, promise });
                (path, true)
            }
            SinkSpec::Folder(folder) => (folder.join(file_name(offer)), offer.plain),
            SinkSpec::File(path) if path.symlink_metadata().is_ok() => {
                return Err(Error::SinkExists(path.clone()));
            }
            SinkSpec::File(path) => (path.clone(), false),
            SinkSpec::Memory | SinkSpec::Discard | SinkSpec::Within { .. } => (PathBuf::new(), false),
        };
        let is_npy = wanted.extension().is_some_and(|extension| extension == "npy");
        let header = if is_npy && *content == Content::Array && !plain && !offer.has_npy_header() {
            npy::write_header(&offer.meta)
        } else {
            Vec::new()
        };
        let data_offset = header.len() as u64;
        let needed = data_offset + offer.meta.byte_len();
        check_folder(folder_of(&wanted))?;
        let refused = |error: io::Error| unwritable(wanted.clone(), &error, 0);
        let folder = Folder::open(wanted.parent().unwrap_or(Path::new(""))).map_err(refused)?;
        let wanted_name = PathBuf::from(wanted.file_name().unwrap_or_default());
        final_name::check(&folder, &wanted_name).map_err(refused)?;
        let head = head_of(request, &wanted_name, data_offset).filter(|_| shared.is_none());
        let opened = OpenedPart::open(&folder, &wanted_name, head.as_ref(), request)?;
        let mut part = Self {
            file: Arc::new(opened.file),
            folder,
            name: opened.name,
            wanted: wanted_name,
            data_offset,
            len: AtomicU64::new(needed),
            grows: *content == Content::Growing,
            is_resumed: opened.resumed.is_some(),
            shared,
            space: None,
            record: opened.record,
            note: opened.note,
            stays: AtomicBool::new(false),
        };
        if let Err(error) = part.make_ready(request, &header) {
            if part.is_resumed {
                // There may be room for the rest of it later.
                part.keep();
            }
            return Err(error);
        }
        Ok((part, opened.resumed))
    }

    /// Promises it room, and gives it its length and its header.
    fn make_ready(&mut self, request: &SinkRequest, header: &[u8]) -> Result<(), Error> {
        let (needed, array_at) = (self.len.load(Ordering::Relaxed), self.data_offset);
        // Memory and disk are only promised: an offer alone must not cost them.
        // Writing to a map of a file tells nobody that the disk is full.
        let in_any_case = request.route == ReceiveRouteChoice::Map;
        let keep_free = request.keep_free.filter(|_| self.shared.is_none());
        let space = if self.is_resumed {
            let bytes = array_at..needed;
            Holes::within(&self.file, bytes.clone())
                .map_err(NoSpace::from)
                .and_then(|holes| Reservation::of_part(&self.file, bytes, holes, keep_free, in_any_case))
        } else {
            Reservation::of_new(&self.file, needed, array_at, keep_free, in_any_case)
        };
        let space = space.map_err(|no| {
            let refused = |error: &io::Error| self.write_error(error, needed);
            let full = |room| self.full(needed, Some(room));
            let folder = self.folder.path_of(Path::new(""));
            no.error(needed - array_at, &folder, full, refused)
        })?;
        self.file
            .set_len(needed)
            .and_then(|()| self.file.write_all_at(header, 0))
            .map_err(|error| self.write_error(&error, needed))?;
        self.space = Some(space).filter(|_| self.shared.is_none() && !self.grows);
        Ok(())
    }

    /// What is written down of it.
    pub(super) fn record(&self) -> Option<&OnRecord> {
        self.record.as_ref().filter(|record| record.is_kept())
    }

    /// It stays with what is written down of it, so that it can be gone on with; not where anybody has cut or replaced it.
    pub(super) fn keep_to_resume(&self) {
        if self.check().is_ok() && self.is_still_there() {
            self.keep();
        }
    }

    /// The bytes around byte `at` of the array whose disk space is taken; `None` where it is not. Never waits for the disk.
    pub(crate) fn space_at(&self, at: u64) -> Option<Range<u64>> {
        self.space
            .as_ref()
            .map_or(Some(0..u64::MAX), |space| space.taken_at(at))
    }

    /// Takes the disk space of these bytes of the array before they come; `landed_bytes` have. Returns the bytes around
    /// them that need not be asked for again.
    pub(crate) fn take_space(&self, bytes: Range<u64>, landed_bytes: u64) -> Result<Range<u64>, Error> {
        self.taken(|space| space.take(&self.file, bytes, landed_bytes))
    }

    /// The same for what comes next, from byte `at` of the array on. Returns nothing where that were too much ahead.
    pub(crate) fn take_space_ahead(&self, at: u64, landed_bytes: u64) -> Result<Range<u64>, Error> {
        self.taken(|space| space.take_ahead(&self.file, at, landed_bytes))
    }

    /// `bytes` more have landed.
    pub(crate) fn landed(&self, bytes: u64) {
        if self.grows {
            self.len.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Some(shared) = &self.shared {
            shared.promise.filled(bytes);
        }
        if let Some(space) = &self.space {
            space.landed(bytes);
        }
    }

    /// Fails where someone else has cut or grown it: what has landed may be gone, and zeros stand in its place.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.file.metadata() {
            Ok(metadata) if metadata.len() == self.len.load(Ordering::Relaxed) => Ok(()),
            _ => Err(Error::SinkChanged(self.path())),
        }
    }

    /// The error for a write that the system refused.
    pub(crate) fn write_error(&self, error: &io::Error, needed: u64) -> Error {
        // What was written a moment ago is read again, and is there no more.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Error::SinkChanged(self.path());
        }
        match unwritable(self.folder.path_of(&self.wanted), error, needed) {
            Error::DiskFull { needed, room, .. } => self.full(needed, room),
            error => error,
        }
    }

    fn full(&self, needed: u64, room: Option<DiskRoom>) -> Error {
        match &self.shared {
            Some(Shared { name, .. }) => Error::ShmFull {
                name: name.clone(),
                needed,
            },
            None => Error::DiskFull {
                path: self.folder.path_of(&self.wanted),
                needed,
                room,
            },
        }
    }

    /// Whether an array of `len` bytes had better come by a pipe: not a small one, for which making the pipe takes
    /// longer, and not into shared memory, whose pages a copy fills as fast.
    pub(crate) fn takes_splice(&self, len: u64) -> bool {
        // Whether it can is tried with its first byte, which must not be there yet.
        len >= SPLICE_BYTES_MIN
            && !self.is_resumed
            && self.shared.is_none()
            && takes_splice(&self.file, self.data_offset)
    }

    pub(crate) fn is_shared_memory(&self) -> bool {
        self.shared.is_some()
    }

    /// Its temporary name, where its folder is now.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path_of(&self.name)
    }

    pub(super) fn folder(&self) -> &Arc<Folder> {
        &self.folder
    }

    /// Looks a last time whether everything is there. From now on it may be seen as any other file of this user's.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        if !self.is_still_there() {
            return Err(Error::SinkChanged(self.path()));
        }
        if let Some(record) = &self.record
            && !record.is_ours(&self.file)
        {
            return Err(Error::SinkChanged(self.path()));
        }
        if self.shared.is_none() {
            // A file system without modes has its own.
            let _ = fchmod(&self.file, usual_mode());
        }
        Ok(())
    }

    /// Leaves it where it is, under its temporary name.
    pub(crate) fn keep(&self) {
        self.stays.store(true, Ordering::SeqCst);
    }

    /// Gives it its final name.
    pub(crate) fn publish(&self) -> Result<(PathBuf, Option<String>), Error> {
        // Whatever comes of it, what is whole is never removed.
        self.keep();
        let given = final_name::give(&self.folder, &self.file, &self.name, &self.wanted);
        let given = given.map_err(|error| {
            if let Some(record) = &self.record {
                // Nobody removes it one day as something that never became whole.
                record.remove();
            }
            Error::NotNamed {
                path: self.folder.path_of(&self.wanted),
                part: self.path(),
                reason: reason(&error),
            }
        })?;
        let path = self.folder.path_of(&given.name);
        let note = given.is_another.then(|| {
            let wanted = self.folder.path_of(&self.wanted);
            format!("{} existed, so this one is in {}", wanted.display(), path.display())
        });
        let notes: Vec<&str> = [&self.note, &note].into_iter().flatten().map(String::as_str).collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok((path, note))
    }
}

impl PartFile {
    fn taken(&self, take: impl FnOnce(&Reservation) -> io::Result<Range<u64>>) -> Result<Range<u64>, Error> {
        let Some(space) = &self.space else {
            return Ok(0..u64::MAX);
        };
        take(space).map_err(|error| self.write_error(&error, self.len.load(Ordering::Relaxed)))
    }

    /// Whether its temporary name leads to it, and not to something that took its place.
    fn is_still_there(&self) -> bool {
        self.folder.leads_to(&self.name, &self.file)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if *self.stays.get_mut() {
            return;
        }
        if let Some(record) = &self.record {
            record.remove();
        }
        if self.is_still_there() {
            // Gone already is as good. What cannot be removed has a name that says what it is, and the next service tells
            // of it.
            let _ = self.folder.unlink(&self.name);
            removal::close(Arc::clone(&self.file));
        }
    }
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    let unwritable = |reason: Reason| Error::SinkUnwritable {
        path: folder.into(),
        reason,
    };
    if !folder.is_dir() {
        return Err(unwritable("there is no such folder: create it first".into()));
    }
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|error| unwritable(reason(&error.into())))
}

/// The mode of a new file of this user's: `0666` without what the process masks. It is read and not asked for by
/// `umask(2)`, which would change it for every thread for a moment.
fn usual_mode() -> Mode {
    static USUAL: LazyLock<Mode> = LazyLock::new(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        let mask = mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok());
        // Where it is not told, a file stays its user's own.
        Mode::from_raw_mode(0o666 & !mask.unwrap_or(0o077))
    });
    *USUAL
}
