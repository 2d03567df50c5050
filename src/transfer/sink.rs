//! Prepares where an array lands, before its first byte, and publishes it after its last.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate, fstatvfs, ftruncate, renameat_with};
use rustix::io::Errno;

use crate::array::{ArrayMeta, npy};
use crate::error::{Error, reason};
use crate::route::ReceiveRouteChoice;
use crate::route::receive::{Discard, ReceiveRoute, RecvToFile, RecvToMemory, Splice};
use crate::sys::{Memory, Populator};
use crate::wire::Offer;

use super::plan::SinkSpec;
use super::source::check_memory;

/// Pages are faulted in so many bytes at a time, so that whoever waits for the first ones waits briefly.
const POPULATE_BYTES: usize = 16 << 20;
/// Below this a thread costs more than it saves.
const POPULATE_BYTES_MIN: usize = 8 << 20;
/// How many numbered names are tried beside one that is taken.
const NAMES_TRIED_MAX: u32 = 10_000;

/// A sink that is ready for an array's bytes. Dropping it before it is published removes what was half received.
pub(super) struct Landing {
    pub(super) route: Box<dyn ReceiveRoute>,
    pub(super) reason: &'static str,
    place: Place,
}

enum Place {
    /// Memory or nowhere; the thread, if any, faults the memory in.
    Transient { _ahead: Option<FaultAhead> },
    /// A new file under its temporary name.
    New(PartFile),
    /// A part of an existing file.
    Existing(PathBuf),
}

impl SinkSpec {
    /// What the sink is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Memory => "memory".into(),
            Self::Discard => "discard".into(),
            Self::File(path) | Self::Folder(path) => path.display().to_string(),
            Self::Within { path, at_bytes } => format!("{} from byte {at_bytes}", path.display()),
        }
    }

    /// Finds what is wrong with the sink before any peer is asked to wait for it.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Memory | Self::Discard => Ok(()),
            Self::File(path) if path.is_dir() => Err(Error::SinkUnwritable {
                path: path.clone(),
                reason: "it is a folder".into(),
            }),
            Self::File(path) if path.symlink_metadata().is_ok() => Err(Error::SinkExists(path.clone())),
            Self::File(path) => check_folder(folder_of(path)),
            Self::Folder(path) => check_folder(path),
            Self::Within { path, .. } => open_existing(path).map(|_| ()),
        }
    }
}

impl Landing {
    /// Makes room for what is offered: memory or disk that is not there is refused here, before anything is sent.
    pub(super) fn prepare(
        spec: &SinkSpec,
        offer: &Offer,
        choice: ReceiveRouteChoice,
        chunk_bytes: usize,
    ) -> Result<Self, Error> {
        let splice = choice == ReceiveRouteChoice::Splice;
        let len = offer.meta.byte_len();
        if splice && matches!(spec, SinkSpec::Memory | SinkSpec::Discard) {
            return Err(Error::Usage(
                "the splice route leads into a file: choose a file as sink, or another route".into(),
            ));
        }
        let reason = match (choice, spec) {
            (ReceiveRouteChoice::Recv | ReceiveRouteChoice::Splice, _) => "asked for",
            (_, SinkSpec::Memory) => "the socket's bytes land where they belong",
            (_, SinkSpec::Discard) => "nothing is kept",
            (_, _) => "bytes pass through a buffer in cache, where they are checked, to the file",
        };
        let (route, place): (Box<dyn ReceiveRoute>, _) = match spec {
            SinkSpec::Discard => (Box::new(Discard::new(chunk_bytes)), Place::Transient { _ahead: None }),
            SinkSpec::Memory => {
                check_memory(len)?;
                let memory = usize::try_from(len)
                    .map_err(|_| io::ErrorKind::OutOfMemory.into())
                    .and_then(Memory::zeroed);
                let memory = memory.map_err(|error| Error::system("cannot reserve memory for the array", &error))?;
                let ahead = FaultAhead::start(memory.populator());
                (Box::new(RecvToMemory::new(memory)), Place::Transient { _ahead: ahead })
            }
            SinkSpec::File(_) | SinkSpec::Folder(_) => {
                let part = PartFile::create(spec, offer)?;
                (
                    file_route(splice, &part.file, part.data_offset, chunk_bytes, &part.path)?,
                    Place::New(part),
                )
            }
            SinkSpec::Within { path, at_bytes } => {
                let (file, base) = part_of_existing(path, *at_bytes, &offer.meta)?;
                (
                    file_route(splice, &Arc::new(file), base, chunk_bytes, path)?,
                    Place::Existing(path.clone()),
                )
            }
        };
        Ok(Self { route, reason, place })
    }

    /// Gives a new file its final name. Returns the file that the array is in now, and what should be known of it.
    pub(super) fn publish(&mut self) -> Result<(Option<PathBuf>, Option<String>), Error> {
        match &mut self.place {
            Place::Transient { .. } => Ok((None, None)),
            Place::Existing(path) => Ok((Some(path.clone()), None)),
            Place::New(part) => part.publish().map(|(path, note)| (Some(path), note)),
        }
    }

    /// The error for a write to the sink that the system refused.
    pub(super) fn write_error(&self, error: &io::Error, needed: u64) -> Error {
        let path = match &self.place {
            Place::Transient { .. } => return Error::system("cannot keep the array", error),
            Place::New(part) => part.wanted.clone(),
            Place::Existing(path) => path.clone(),
        };
        unwritable(path, error, needed)
    }
}

fn file_route(
    splice: bool,
    file: &Arc<File>,
    base: u64,
    chunk_bytes: usize,
    path: &Path,
) -> Result<Box<dyn ReceiveRoute>, Error> {
    if !splice {
        return Ok(Box::new(RecvToFile::new(Arc::clone(file), base, chunk_bytes)));
    }
    let route = Splice::new(Arc::clone(file), base, chunk_bytes);
    Ok(Box::new(route.map_err(|error| unwritable(path.into(), &error, 0))?))
}

/// A new file under a temporary name beside its final one; removed unless it is published.
struct PartFile {
    file: Arc<File>,
    path: PathBuf,
    wanted: PathBuf,
    data_offset: u64,
    published: bool,
}

impl PartFile {
    fn create(spec: &SinkSpec, offer: &Offer) -> Result<Self, Error> {
        let (wanted, plain) = match spec {
            SinkSpec::Folder(folder) => (folder.join(file_name(offer)), offer.plain),
            SinkSpec::File(path) if path.symlink_metadata().is_ok() => {
                return Err(Error::SinkExists(path.clone()));
            }
            SinkSpec::File(path) => (path.clone(), false),
            SinkSpec::Memory | SinkSpec::Discard | SinkSpec::Within { .. } => (PathBuf::new(), false),
        };
        let is_npy = !plain && wanted.extension().is_some_and(|extension| extension == "npy");
        let header = if is_npy {
            npy::write_header(&offer.meta)
        } else {
            Vec::new()
        };
        let data_offset = header.len() as u64;
        let needed = data_offset + offer.meta.byte_len();
        let (file, path) = create_part(&wanted)?;
        let part = Self {
            file: Arc::new(file),
            path,
            wanted,
            data_offset,
            published: false,
        };
        reserve(&part.file, needed).map_err(|error| unwritable(part.wanted.clone(), &error, needed))?;
        part.file
            .write_all_at(&header, 0)
            .map_err(|error| unwritable(part.wanted.clone(), &error, needed))?;
        Ok(part)
    }

    fn publish(&mut self) -> Result<(PathBuf, Option<String>), Error> {
        let mut number = 0;
        loop {
            let name = numbered(&self.wanted, number);
            match rename_new(&self.path, &name) {
                Ok(()) => {
                    self.published = true;
                    let note = (number > 0).then(|| {
                        format!(
                            "{} existed, so the array is in {}",
                            self.wanted.display(),
                            name.display()
                        )
                    });
                    return Ok((name, note));
                }
                Err(Errno::EXIST) if number < NAMES_TRIED_MAX => number += 1,
                Err(error) => return Err(unwritable(name, &error.into(), 0)),
            }
        }
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.published {
            // Gone already is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Faults an array's memory in, ahead of its bytes, on a thread that ends with this value.
struct FaultAhead {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FaultAhead {
    /// `None` where it is not worth a thread, or there is none to be had.
    fn start(populator: Populator) -> Option<Self> {
        if populator.len() < POPULATE_BYTES_MIN {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("arraylift-fault".into())
            .spawn(move || {
                let mut at = 0;
                while at < populator.len() && !stopped.load(Ordering::Relaxed) {
                    if populator.populate(at, POPULATE_BYTES).is_err() {
                        return;
                    }
                    at += POPULATE_BYTES;
                }
            });
        Some(Self {
            stop,
            thread: Some(thread.ok()?),
        })
    }
}

impl Drop for FaultAhead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it only asks the kernel for pages.
            let _ = thread.join();
        }
    }
}

/// The file name for an offer: the sender's, made safe, or one that says what it is.
fn file_name(offer: &Offer) -> String {
    let name = offer.name.as_deref().and_then(safe_file_name);
    let is_npy = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "npy");
    match name {
        // Without a header its dtype and shape would be lost.
        Some(name) if !offer.plain && !is_npy(&name) => format!("{name}.npy"),
        Some(name) => name,
        None if offer.plain => "file.bin".into(),
        None => "array.npy".into(),
    }
}

/// What is left of a peer's name when it may neither leave a folder nor hide in it.
fn safe_file_name(name: &str) -> Option<String> {
    const BYTES_MAX: usize = 200;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).collect();
    let kept = kept.trim().trim_start_matches('.');
    if kept.is_empty() {
        return None;
    }
    if kept.len() <= BYTES_MAX {
        return Some(kept.into());
    }
    // The ending says what kind of file it is, so the middle goes.
    let (stem, ending) = kept
        .rsplit_once('.')
        .filter(|(_, ending)| ending.len() < 20)
        .unwrap_or((kept, ""));
    let stem = &stem[..stem.floor_char_boundary(BYTES_MAX)];
    Some(if ending.is_empty() {
        stem.into()
    } else {
        format!("{stem}.{ending}")
    })
}

/// `name`, `name-1`, `name-2` with the ending kept.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.into();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn check_folder(folder: &Path) -> Result<(), Error> {
    let unwritable = |reason: String| Error::SinkUnwritable {
        path: folder.into(),
        reason,
    };
    if !folder.is_dir() {
        return Err(unwritable("there is no such folder: create it first".into()));
    }
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|error| unwritable(reason(&error.into())))
}

fn create_part(wanted: &Path) -> Result<(File, PathBuf), Error> {
    check_folder(folder_of(wanted))?;
    let name = wanted.file_name().unwrap_or_default().to_string_lossy();
    let process = std::process::id();
    for number in 0..NAMES_TRIED_MAX {
        let path = wanted.with_file_name(format!("{name}.{process}-{number}.part"));
        match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(wanted.into(), &error, 0)),
        }
    }
    Err(Error::SinkUnwritable {
        path: wanted.into(),
        reason: "thousands of .part files are in the way".into(),
    })
}

/// Takes the disk space before the first byte comes.
fn reserve(file: &File, len: u64) -> io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    let disk = fstatvfs(file)?;
    if len > disk.f_bavail.saturating_mul(disk.f_frsize) {
        return Err(io::ErrorKind::StorageFull.into());
    }
    match fallocate(file, FallocateFlags::empty(), 0, len) {
        Ok(()) => Ok(()),
        // A file system that cannot reserve: the check above has to do.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(ftruncate(file, len)?),
        Err(error) => Err(error.into()),
    }
}

/// Renames and never replaces.
fn rename_new(from: &Path, to: &Path) -> Result<(), Errno> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // A file system without that flag: a link never replaces either.
        Err(Errno::INVAL | Errno::NOSYS) => {
            rustix::fs::link(from, to)?;
            rustix::fs::unlink(from)
        }
        result => result,
    }
}

fn open_existing(path: &Path) -> Result<File, Error> {
    let mismatch = |reason: &str| Error::SinkMismatch {
        path: path.into(),
        reason: reason.into(),
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(mismatch("it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(mismatch(
                "there is no such file, and --at receives into an existing one",
            ));
        }
        Err(error) => return Err(unwritable(path.into(), &error, 0)),
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| unwritable(path.into(), &error, 0))
}

/// Opens an existing file and finds where in it the array goes. In a `.npy` file `at` counts from the first element.
fn part_of_existing(path: &Path, at_bytes: u64, meta: &ArrayMeta) -> Result<(File, u64), Error> {
    let mismatch = |reason: String| Error::SinkMismatch {
        path: path.into(),
        reason,
    };
    let mut file = open_existing(path)?;
    let file_bytes = file
        .metadata()
        .map_err(|error| unwritable(path.into(), &error, 0))?
        .len();
    let mut data_offset = 0;
    if path.extension().is_some_and(|extension| extension == "npy") {
        let mut head = Vec::new();
        file.by_ref()
            .take(128 << 10)
            .read_to_end(&mut head)
            .map_err(|error| unwritable(path.into(), &error, 0))?;
        match npy::read_header(&head) {
            Ok(npy::HeaderProgress::Done {
                meta: existing,
                data_offset: offset,
            }) => {
                if existing.dtype() != meta.dtype() {
                    let (has, comes) = (existing.dtype().name(), meta.dtype().name());
                    return Err(mismatch(format!("its elements are {has} and {comes} comes")));
                }
                data_offset = offset as u64;
            }
            Ok(npy::HeaderProgress::Need(_)) => {
                return Err(mismatch("it ends within its .npy header".into()));
            }
            Err(error) => return Err(mismatch(error.to_string())),
        }
    }
    let room = file_bytes.saturating_sub(data_offset);
    let end = at_bytes.checked_add(meta.byte_len());
    if end.is_none_or(|end| end > room) {
        return Err(mismatch(format!(
            "{} bytes from byte {at_bytes} on reach beyond its {room}",
            meta.byte_len()
        )));
    }
    Ok((file, data_offset + at_bytes))
}

fn unwritable(path: PathBuf, error: &io::Error, needed: u64) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::DiskFull { path, needed }
        }
        _ => Error::SinkUnwritable {
            path,
            reason: reason(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Dtype;
    use crate::wire::ChecksumKind;

    fn offer(name: Option<&str>, plain: bool, count: u64) -> Offer {
        Offer {
            meta: ArrayMeta::vector(Dtype::u8(), count).expect("small"),
            name: name.map(Into::into),
            plain,
            identity: Vec::new(),
            checksum: ChecksumKind::None,
        }
    }

    fn prepared(spec: &SinkSpec, offer: &Offer) -> Result<Landing, Error> {
        Landing::prepare(spec, offer, ReceiveRouteChoice::Auto, 1 << 16)
    }

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_peers_name_neither_leaves_the_folder_nor_hides_in_it() {
        for (name, safe) in [
            ("../../x", Some("x")),
            ("/etc/passwd", Some("passwd")),
            ("..\\evil.exe", Some("evil.exe")),
            (".bashrc", Some("bashrc")),
            ("a\nb\u{7f}.npy", Some("ab.npy")),
            ("..", None),
            ("", None),
            ("a/", None),
        ] {
            assert_eq!(safe_file_name(name).as_deref(), safe, "{name:?}");
        }
        let long = safe_file_name(&format!("{}.npy", "é".repeat(300))).expect("a name");
        assert!(
            long.len() <= 205 && Path::new(&long).extension().is_some_and(|e| e == "npy"),
            "{long}"
        );
    }

    #[test]
    fn a_dropped_landing_leaves_nothing_and_a_published_one_only_its_file() {
        let folder = tempfile::tempdir().expect("folder");
        let spec = SinkSpec::Folder(folder.path().into());
        drop(prepared(&spec, &offer(Some("a.bin"), true, 10)).expect("prepared"));
        assert!(names_in(folder.path()).is_empty());
        for expected in ["a.bin", "a-1.bin"] {
            let mut landing = prepared(&spec, &offer(Some("a.bin"), true, 10)).expect("prepared");
            let (path, _) = landing.publish().expect("published");
            assert_eq!(path, Some(folder.path().join(expected)));
        }
        assert_eq!(names_in(folder.path()), ["a-1.bin", "a.bin"]);
    }

    #[test]
    fn a_file_that_appears_meanwhile_is_not_replaced_and_the_array_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.npy");
        let mut landing = prepared(&SinkSpec::File(path.clone()), &offer(None, false, 10)).expect("prepared");
        std::fs::write(&path, "precious").expect("write");
        let (published, note) = landing.publish().expect("published");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "precious");
        assert_eq!(published, Some(folder.path().join("a-1.npy")));
        assert!(note.is_some_and(|note| note.contains("existed")));
    }

    #[test]
    fn arrays_without_a_name_get_one_that_says_what_they_are() {
        assert_eq!(file_name(&offer(None, false, 1)), "array.npy");
        assert_eq!(file_name(&offer(None, true, 1)), "file.bin");
        assert_eq!(file_name(&offer(Some("../x.npy"), false, 1)), "x.npy");
        assert_eq!(file_name(&offer(Some("thing"), false, 1)), "thing.npy");
        assert_eq!(file_name(&offer(Some("thing"), true, 1)), "thing");
    }

    #[test]
    fn an_offer_larger_than_the_disk_or_the_memory_is_refused_before_anything_is_kept() {
        let folder = tempfile::tempdir().expect("folder");
        let huge = offer(Some("huge.bin"), true, 1 << 62);
        let error = prepared(&SinkSpec::Folder(folder.path().into()), &huge).err();
        assert!(
            matches!(error, Some(Error::DiskFull { needed, .. }) if needed == 1 << 62),
            "{error:?}"
        );
        assert!(names_in(folder.path()).is_empty());
        assert!(matches!(
            prepared(&SinkSpec::Memory, &huge).err(),
            Some(Error::NotEnoughMemory { .. })
        ));
    }

    #[test]
    fn an_existing_array_takes_what_fits_and_nothing_else() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.npy");
        let existing = ArrayMeta::vector(Dtype::u8(), 100).expect("small");
        let header = npy::write_header(&existing);
        std::fs::write(&path, [header.clone(), vec![0; 100]].concat()).expect("write");
        let within = |at_bytes| SinkSpec::Within {
            path: path.clone(),
            at_bytes,
        };
        let (_, base) = part_of_existing(&path, 40, &offer(None, false, 60).meta).expect("fits");
        assert_eq!(base, header.len() as u64 + 40);
        for (at, count) in [(41, 60), (u64::MAX, 1), (0, 101)] {
            assert!(matches!(
                prepared(&within(at), &offer(None, false, count)).err(),
                Some(Error::SinkMismatch { .. })
            ));
        }
        let mut floats = offer(None, false, 1);
        floats.meta = ArrayMeta::vector(Dtype::f64(), 1).expect("small");
        assert!(matches!(
            prepared(&within(0), &floats).err(),
            Some(Error::SinkMismatch { .. })
        ));
    }

    #[test]
    fn sinks_that_cannot_work_are_named_before_anyone_waits() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("there");
        std::fs::write(&file, "x").expect("write");
        assert_eq!(
            SinkSpec::File(file.clone()).check(),
            Err(Error::SinkExists(file.clone()))
        );
        assert!(matches!(
            SinkSpec::File(folder.path().into()).check(),
            Err(Error::SinkUnwritable { .. })
        ));
        assert!(matches!(
            SinkSpec::Folder(file).check(),
            Err(Error::SinkUnwritable { .. })
        ));
        let missing = folder.path().join("no/such");
        assert!(matches!(
            SinkSpec::File(missing.clone()).check(),
            Err(Error::SinkUnwritable { .. })
        ));
        assert!(matches!(
            SinkSpec::Within {
                path: missing,
                at_bytes: 0
            }
            .check(),
            Err(Error::SinkMismatch { .. })
        ));
        assert_eq!(SinkSpec::Folder(folder.path().into()).check(), Ok(()));
    }
}
