//! Prepares where an array lands, before its first byte. Its end is in `publish.rs`.

pub(crate) mod abandoned;
pub(crate) mod block_receiver;
mod existing;
mod expiry;
mod fault_ahead;
pub(crate) mod file_system;
mod final_name;
mod folder;
mod holes;
pub(crate) mod incoming_array;
pub(crate) mod kept;
mod name;
mod on_record;
mod opened_part;
mod part_file;
pub(crate) mod part_log;
pub(crate) mod part_name;
mod publication;
mod publish;
pub(crate) mod publisher;
pub(crate) mod received;
mod regions;
pub(crate) mod removal;
mod reservation;
mod route_choice;
pub(crate) mod task;
pub(crate) mod tree;
mod within;
pub(crate) mod write_away;

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};

use crate::error::{Error, overwritten, reason};
use crate::ledger::Ledger;
use crate::route::ReceiveRouteChoice;
use crate::route::receive::{Discard, ReceiveRoute, RecvToMap, RecvToMemory};
use crate::sys::Filled;
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::plan::SinkSpec;
use crate::transfer::shm::ShmName;
use crate::wire::{Grain, Offer};

use existing::{ExistingPart, open_existing};
use fault_ahead::FaultAhead;
use file_system::{Effort, FileSystem};
pub(crate) use opened_part::Resumed;
use part_file::{PartFile, check_folder, folder_of};
use part_name::PartNumber;
pub(crate) use publication::{Publication, Published};
use publisher::{PublishContext, Publisher};
use regions::{Room, give_back, room_for};
pub(crate) use route_choice::ChosenRoute;
use route_choice::RouteChoice;
use write_away::WriteAway;

/// A sink that is ready for an array's bytes, over one connection or several. Dropping it before it is published
/// removes what was half received.
pub(crate) struct PreparedSink {
    /// Which bytes of the array are here.
    pub(crate) ledger: Arc<Ledger>,
    /// Bytes that were there already.
    pub(crate) resumed_bytes: u64,
    /// Nobody wants to go on with what has come.
    is_unwanted: AtomicBool,
    storage: Storage,
    choice: RouteChoice,
    /// Where a new file was made.
    part: Option<PathBuf>,
    /// What keeps the bytes.
    file_system: FileSystem,
    /// Its writes are not for a thread that must not wait.
    writes_may_last: bool,
    len: u64,
    chunk_bytes: usize,
    /// Who puts it on disk, where it is to be there before it is published.
    publisher: Option<Weak<Publisher>>,
}

/// What a sink is asked to take.
pub(crate) struct SinkRequest {
    pub(crate) spec: SinkSpec,
    pub(crate) offer: Offer,
    pub(crate) content: Content,
    /// By what bytes that can be gone on with are told from all others, as their source knows it.
    pub(crate) identity: Option<[u8; 32]>,
    /// That of what is offered.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) route: ReceiveRouteChoice,
    pub(crate) chunk_bytes: usize,
    /// What stays free of the disk of a new file.
    pub(crate) keep_free: Option<KeepFree>,
    /// The number of a new file until it is whole, where it was given out.
    pub(crate) part_number: Option<PartNumber>,
    /// Who puts what is kept in a file on disk before it is published, where it is to be there.
    pub(crate) publisher: Option<Weak<Publisher>>,
    /// Whoever wants the sink holds this: much may have to be read before it is ready. `None` where that is not asked.
    pub(crate) wanted: Option<Weak<()>>,
}

impl SinkRequest {
    /// Whether somebody still waits for the sink.
    fn is_wanted(&self) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.strong_count() > 0)
    }

    /// Whether much may have to be read before it is known what is there, while the sender has to hear that it is not
    /// forgotten.
    pub(crate) fn may_read_again(&self) -> bool {
        let grain = self.offer.grain.map_or(u64::MAX, Grain::bytes);
        matches!(self.spec, SinkSpec::Within { .. }) && self.offer.meta.byte_len() > grain
    }
}

/// What comes into a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// An array, which a `.npy` file has a header before.
    Array,
    /// Bytes as they are, whatever the file is called.
    Bytes,
    /// The same, and nobody knows how many: a file grows, and neither memory nor a part of a file can take them.
    Growing,
}

/// What the bytes are kept in.
enum Storage {
    Nowhere,
    /// Memory, which threads may fault in ahead of the bytes.
    Memory {
        room: Room,
        ahead: Option<FaultAhead>,
    },
    /// A new file under its temporary name.
    New(Box<PartFile>),
    /// A part of an existing file.
    Existing(Box<ExistingPart>),
}

impl SinkSpec {
    /// What the sink is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Memory => "memory".into(),
            Self::Discard => "discard".into(),
            Self::File(path) | Self::Folder(path) => path.display().to_string(),
            Self::Shm(name) => name.to_string(),
            Self::Within { path, at_bytes } => format!("{} from byte {at_bytes}", path.display()),
        }
    }

    /// Whether the bytes go into a file, whose file system may take its time.
    pub(crate) fn is_in_file(&self) -> bool {
        match self {
            Self::Memory | Self::Discard => false,
            Self::File(_) | Self::Folder(_) | Self::Shm(_) | Self::Within { .. } => true,
        }
    }

    /// What keeps what lands in it, as far as that is known before the first file is made. The question may have to wait for
    /// an answer.
    pub(crate) fn file_system(&self) -> FileSystem {
        match self {
            Self::Memory | Self::Discard | Self::Shm(_) => FileSystem::Memory,
            Self::Folder(path) | Self::Within { path, .. } => FileSystem::at(path),
            Self::File(path) => FileSystem::at(folder_of(path)),
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
            Self::Shm(name) if name.path().symlink_metadata().is_ok() => Err(Error::ShmExists(name.to_string())),
            Self::Shm(_) => check_folder(ShmName::folder()),
            Self::Within { path, .. } => open_existing(path).map(|_| ()),
        }
    }
}

impl PreparedSink {
    /// Makes room for what is offered: memory or disk that is not there is refused here, before anything is sent. Where
    /// it [is in a file](SinkSpec::is_in_file) that takes as long as its disk does.
    pub(crate) fn prepare(request: SinkRequest) -> Result<Self, Error> {
        let (mut ledger, choice) = (Arc::clone(&request.ledger), request.route);
        let len = ledger.total_bytes().unwrap_or(u64::MAX);
        if choice.needs_file() && !request.spec.is_in_file() {
            return Err(Error::Usage(format!(
                "the {} route leads into a file: choose a file as sink, or another route",
                choice.name()
            )));
        }
        let storage = match &request.spec {
            SinkSpec::Discard => Storage::Nowhere,
            SinkSpec::Memory => {
                let room = room_for(&ledger)?;
                let ahead = FaultAhead::start(room.region.populator());
                Storage::Memory { room, ahead }
            }
            SinkSpec::File(_) | SinkSpec::Folder(_) | SinkSpec::Shm(_) => {
                let (part, resumed) = PartFile::create(&request)?;
                ledger = Resumed::ledger(resumed, part.record().is_some(), &request)?;
                Storage::New(Box::new(part))
            }
            SinkSpec::Within { path, at_bytes } => {
                let (part, resumed) = ExistingPart::open(path, *at_bytes, &request)?;
                ledger = Resumed::ledger(resumed, part.record().is_some(), &request)?;
                Storage::Existing(Box::new(part))
            }
        };
        let file_system = storage.file_system();
        let resumed_bytes = ledger.recorded_bytes();
        let is_through_buffer = matches!(choice, ReceiveRouteChoice::Auto | ReceiveRouteChoice::Recv);
        let writes_may_last = is_through_buffer && file_system.writes_may_last();
        Ok(Self {
            choice: RouteChoice::new(choice, &storage, len, writes_may_last),
            part: match &storage {
                Storage::New(part) => Some(part.path()),
                _ => None,
            },
            file_system,
            writes_may_last,
            ledger,
            resumed_bytes,
            is_unwanted: AtomicBool::new(false),
            storage,
            len,
            chunk_bytes: request.chunk_bytes,
            publisher: request.publisher.filter(|_| file_system.has_disk()),
        })
    }

    /// A route to it for one connection.
    pub(crate) fn route(&self) -> Result<ChosenRoute, Error> {
        let asked_for = |route: Box<dyn ReceiveRoute>| Ok(self.choice.chosen(route));
        let (path, file, base) = match &self.storage {
            Storage::Nowhere => return asked_for(Box::new(Discard::new(self.chunk_bytes))),
            Storage::Memory { room, .. } => return asked_for(Box::new(RecvToMemory::new(room.region.clone()))),
            Storage::New(part) => (self.part.as_deref(), &part.file, part.data_offset),
            Storage::Existing(part) => (Some(part.path.as_path()), &part.file, part.bytes.start),
        };
        let failed = |error: io::Error| unwritable(path.unwrap_or(Path::new("")).into(), &error, 0);
        if self.choice.is_map() {
            return asked_for(Box::new(RecvToMap::new(file, base, self.len).map_err(failed)?));
        }
        self.choice.to_file(file, base, self.chunk_bytes).map_err(failed)
    }

    /// Who writes for a connection whose machine must not wait for this file system, where it is one to wait for.
    pub(crate) fn write_away(&self, disk: &PublishContext) -> Option<WriteAway> {
        if !self.writes_may_last || disk.may_wait() {
            return None;
        }
        match &self.storage {
            Storage::New(part) => Some(WriteAway::new(Arc::clone(&part.file), part.data_offset)),
            Storage::Existing(part) => Some(WriteAway::new(Arc::clone(&part.file), part.bytes.start)),
            Storage::Nowhere | Storage::Memory { .. } => None,
        }
    }

    /// What is to be known of the routes of its connections once all have come.
    pub(crate) fn note_on_routes(&self) -> Option<String> {
        self.choice.note()
    }

    /// Whether it is in a file, which may take its time to be published or removed.
    pub(crate) fn is_in_file(&self) -> bool {
        self.storage.file().is_some()
    }

    /// How long it may take to give it space, to publish it or to remove it.
    pub(crate) fn effort(&self) -> Effort {
        // A file that grows is as long as what has come.
        let bytes = self.ledger.total_bytes();
        self.file_system
            .effort(bytes.unwrap_or_else(|| self.ledger.landed_bytes()))
    }

    /// What kind of memory it is, where it is memory.
    pub(crate) fn memory(&self) -> Option<&'static str> {
        match &self.storage {
            Storage::Memory { room, .. } => Some(room.kind),
            _ => None,
        }
    }

    /// The bytes around byte `at` for which there is room; `None` where it has to be made. Never waits for a disk.
    pub(crate) fn room_at(&self, at: u64) -> Option<Range<u64>> {
        let room = match &self.storage {
            Storage::New(part) => part.space_at(at),
            Storage::Existing(part) => part.space_at(at),
            Storage::Nowhere | Storage::Memory { .. } => Some(0..u64::MAX),
        }?;
        match self.ledger.grain() {
            // Each block is asked for: another one may be on record.
            Some(grain) if self.is_resumed() => {
                let begin = at - at % grain.bytes();
                let is_void = !self.ledger.needs_void(at);
                is_void.then(|| room.start.max(begin)..room.end.min(begin + grain.bytes()))
            }
            _ => Some(room),
        }
    }

    /// Makes room for these bytes before they come. Returns the bytes around them that need not be asked for again.
    ///
    /// # Errors
    /// The disk is full.
    pub(crate) fn make_room(&self, bytes: Range<u64>) -> Result<Range<u64>, Error> {
        self.void(bytes.start)?;
        match &self.storage {
            Storage::New(part) => part.take_space(bytes, self.ledger.landed_bytes()),
            Storage::Existing(part) => part.take_space(bytes, self.ledger.landed_bytes()),
            Storage::Nowhere | Storage::Memory { .. } => Ok(0..u64::MAX),
        }
    }

    /// Makes room for what comes next, from byte `at` on. Returns where; nothing where that were too much ahead.
    ///
    /// # Errors
    /// The disk is full.
    pub(crate) fn make_room_ahead(&self, at: u64) -> Result<Range<u64>, Error> {
        match &self.storage {
            Storage::New(part) => part.take_space_ahead(at, self.ledger.landed_bytes()),
            Storage::Existing(part) => part.take_space_ahead(at, self.ledger.landed_bytes()),
            Storage::Nowhere | Storage::Memory { .. } => Ok(0..u64::MAX),
        }
        .map(|room| if self.is_resumed() { at..at } else { room })
    }

    /// `bytes` more are here, which are not in the ledger yet.
    pub(crate) fn landed(&self, bytes: u64) {
        match &self.storage {
            Storage::Memory { room, ahead } => {
                room.promise.filled(bytes);
                if let Some(ahead) = ahead {
                    let total = self.ledger.landed_bytes() + bytes;
                    // The memory has a length that fits.
                    ahead.landed(usize::try_from(total).unwrap_or(usize::MAX));
                }
            }
            Storage::New(part) => part.landed(bytes),
            Storage::Existing(part) => part.landed(bytes),
            Storage::Nowhere => {}
        }
        self.write_out(bytes);
    }

    /// `bytes` more are in the file: the kernel need not wait for the end to write them out.
    fn write_out(&self, bytes: u64) {
        /// So many bytes at a time.
        const WRITE_OUT_BYTES: u64 = 16 << 20;
        let (Some(publisher), Some(file)) = (&self.publisher, self.file_on_disk()) else {
            return;
        };
        let before = self.ledger.landed_bytes();
        if before / WRITE_OUT_BYTES != (before + bytes) / WRITE_OUT_BYTES
            && let Some(publisher) = publisher.upgrade()
        {
            publisher.write_out(file);
        }
    }

    /// Fails where someone else has cut the file, so that bytes that have landed are zeros now. Where it is asked
    /// before each write and once more at the end, a cut in between is seen, too: a write lengthens the file again,
    /// but only to its own end. Returns how many system calls that took.
    pub(crate) fn check(&self) -> Result<u64, Error> {
        match &self.storage {
            Storage::Nowhere | Storage::Memory { .. } => Ok(0),
            Storage::New(part) => part.check().map(|()| 1),
            Storage::Existing(part) => part.check().map(|()| 1),
        }
    }

    /// The name of a new file while it is not whole, as it was when it was made.
    pub(crate) fn part(&self) -> Option<&Path> {
        self.part.as_deref()
    }

    /// An error as it is, or with what it has left behind: bytes in a file that was there before.
    pub(crate) fn failure(&self, cause: Error) -> Error {
        match self.overwritten() {
            Some((path, bytes)) => Error::PartlyOverwritten {
                path: path.to_owned(),
                bytes,
                cause: Box::new(cause),
            },
            None => cause,
        }
    }

    /// What stays where this is dropped before everything has landed, in a line.
    pub(crate) fn left_behind(&self) -> Option<String> {
        self.overwritten().map(|(path, bytes)| overwritten(path, bytes))
    }

    /// Which existing file has how many other bytes now.
    fn overwritten(&self) -> Option<(&Path, u64)> {
        let bytes = self.ledger.landed_bytes();
        match &self.storage {
            Storage::Existing(part) if bytes > 0 => Some((&part.path, bytes)),
            _ => None,
        }
    }

    /// The memory of an array that is whole; `None` where it is elsewhere.
    pub(crate) fn into_memory(mut self) -> Option<Filled> {
        match std::mem::replace(&mut self.storage, Storage::Nowhere) {
            Storage::Memory { room, ahead } => {
                drop(ahead);
                room.region.into_filled()
            }
            other => {
                // Dropped with the sink, as it would have been.
                self.storage = other;
                None
            }
        }
    }

    /// The error for a write to the sink that the system refused.
    pub(crate) fn write_error(&self, error: &io::Error) -> Error {
        let needed = self.ledger.total_bytes().unwrap_or(0);
        match &self.storage {
            Storage::Nowhere | Storage::Memory { .. } => Error::system("cannot keep the array", error),
            Storage::New(part) => part.write_error(error, needed),
            Storage::Existing(part) => part.write_error(error),
        }
    }
}

impl Storage {
    fn file(&self) -> Option<&Arc<File>> {
        match self {
            Self::New(part) => Some(&part.file),
            Self::Existing(part) => Some(&part.file),
            Self::Nowhere | Self::Memory { .. } => None,
        }
    }

    fn file_system(&self) -> FileSystem {
        match self {
            Self::New(part) if part.is_shared_memory() => FileSystem::Memory,
            _ => self.file().map_or(FileSystem::Memory, FileSystem::of),
        }
    }
}

impl Drop for PreparedSink {
    fn drop(&mut self) {
        self.keep_to_resume();
        if let Storage::Memory { room, ahead } = std::mem::replace(&mut self.storage, Storage::Nowhere) {
            // First of all nobody faults pages in any more.
            drop(ahead);
            give_back(room.region);
        }
    }
}

/// Whether this is what was found under a name: someone may have put something else there.
fn is_of(file: &File, found: io::Result<Metadata>) -> bool {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    file.metadata()
        .and_then(|ours| Ok(identity(ours) == identity(found?)))
        .unwrap_or(false)
}

fn unwritable(path: PathBuf, error: &io::Error, needed: u64) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Error::DiskFull {
            path,
            needed,
            room: None,
        },
        _ => Error::SinkUnwritable {
            path,
            reason: reason(error),
        },
    }
}

#[cfg(test)]
mod tests;
