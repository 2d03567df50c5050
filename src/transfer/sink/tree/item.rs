//! What is offered of a tree, what is decided about it, and what came of it.

use std::io;

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::error::{Reason, reason};
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::tree::path::{RelativePath, TargetFault};

use crate::wire::native::Timestamp;
use crate::wire::{ChecksumKind, Grain, Replace};

/// The bits of a mode that are kept: read, write and execute of the three classes. Never set-id, never sticky.
const KEPT_MODE: u32 = 0o777;

/// How a tree is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TreePolicy {
    /// What the sender asks for where something different has the name.
    pub(crate) replace: Replace,
    /// Whether the receiver lets anything be replaced.
    pub(crate) allow_replace: bool,
    /// Files of equal length are compared by their bytes, whatever their times say.
    pub(crate) checksum: bool,
    /// What is told as stored is on disk.
    pub(crate) sync: bool,
    /// What stays free of the disk.
    pub(crate) keep_free: Option<KeepFree>,
    /// The bits that no mode here gets. It has those of the process, which the kernel takes away anyway.
    pub(crate) umask: u32,
}

/// An item of a tree, as it is offered.
#[derive(Debug, Clone)]
pub(crate) struct TreeItem {
    pub(crate) path: RelativePath,
    pub(crate) kind: ItemKind,
    /// `st_mode` at the sender; only rwx of it counts.
    pub(crate) mode: u32,
    pub(crate) mtime: Timestamp,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// A plain file of so many bytes.
    File {
        bytes: u64,
    },
    Folder,
    /// A symbolic link.
    Link {
        target: Vec<u8>,
    },
}

/// How the bytes of a file come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileBlocks {
    /// It has holes at its source.
    pub(crate) is_sparse: bool,
    /// The length of its blocks.
    pub(crate) grain: Grain,
    /// What they are checked with.
    pub(crate) checksum: ChecksumKind,
}

/// A whole file in memory, to be stored with others.
#[derive(Debug)]
pub(crate) struct SmallFile {
    /// What was offered: a file of as many bytes as `data` has.
    pub(crate) item: TreeItem,
    pub(crate) data: Vec<u8>,
    /// What it may replace, as [`Decision::Replace`] said.
    pub(crate) replaces: Option<Seen>,
}

/// What is to be done with an offered item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is there already. Its mode is set.
    Had,
    /// Nothing has its name.
    Make,
    /// It may replace what has its name.
    Replace(Seen),
    /// A file of the same length has its name: their bytes are to be compared.
    Compare(Seen),
    /// It is not taken.
    Refused(Refusal),
    /// The system does not let its place be looked at.
    Failed(Reason),
}

/// What came of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It has its name. Durable: whether it outlasts a loss of power by now; nothing where it is kept on no disk.
    Stored { durable: Option<bool> },
    /// It was there already.
    Had,
    /// It was not taken.
    Refused(Refusal),
    /// The system did not take it.
    Failed(Reason),
}

/// Why an item of a tree is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// A folder has the name.
    #[error("a folder has its name")]
    FolderThere,
    /// A plain file has the name of a folder or of a link.
    #[error("a file has its name")]
    FileThere,
    /// A symbolic link has the name of a folder or of a file.
    #[error("a symbolic link has its name")]
    LinkThere,
    /// A FIFO, a socket or a device has the name.
    #[error("something that is no file has its name")]
    SpecialThere,
    /// It may not be replaced.
    #[error("a different one is there: to replace it {0}")]
    Different(MissingRight),
    /// The file system takes both names for one.
    #[error("a name that differs from it by the case of letters alone is there")]
    DiffersByCase,
    /// A part of its path is a symbolic link.
    #[error("a symbolic link is in its path, and none is followed")]
    LinkInPath,
    /// A part of its path is something else than a folder.
    #[error("a part of its path is no folder")]
    NoFolderInPath,
    /// A folder of its path is missing.
    #[error("the folder that it belongs in is not there")]
    FolderMissing,
    /// Its folder was not taken before it, or is finished.
    #[error("the folder that it belongs in was not taken")]
    FolderNotTaken,
    /// Its name is kept for files that are not whole.
    #[error("its name is one of those that files have here until they are whole")]
    NameOfPart,
    /// Its target leads out of the tree, say.
    #[error(transparent)]
    Target(TargetFault),
    /// What has its name was another one each time.
    #[error("the one that is there keeps changing")]
    Unsteady,
    /// The data are not as many bytes as were offered.
    #[error("it has another length than was offered")]
    OtherLength,
}

/// What it lacks to replace something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MissingRight {
    /// Nobody asked for that.
    #[error("the sender needs --update or --replace")]
    Wish,
    /// The receiver does not allow it.
    #[error("the receiver needs --allow-replace")]
    Leave,
    #[error("the sender needs --update or --replace, and the receiver --allow-replace")]
    Both,
}

/// A file or a link as it was when something was decided about it. Whoever changes it changes this, as far as its file
/// system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    device: u64,
    inode: u64,
    bytes: i64,
    mtime: Timestamp,
    ctime: Timestamp,
}

impl Seen {
    pub(super) fn of(status: &Stat) -> Self {
        Self {
            device: status.st_dev,
            inode: status.st_ino,
            bytes: status.st_size,
            mtime: Timestamp::modified(status),
            ctime: Timestamp::changed(status),
        }
    }

    /// Its length.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.unsigned_abs()
    }

    pub(super) fn mtime(&self) -> Timestamp {
        self.mtime
    }

    pub(super) fn is_same_inode(&self, status: &Stat) -> bool {
        (self.device, self.inode) == (status.st_dev, status.st_ino)
    }
}

impl TreeItem {
    /// The length of a file; of anything else 0.
    pub(super) fn file_bytes(&self) -> u64 {
        match self.kind {
            ItemKind::File { bytes } => bytes,
            ItemKind::Folder | ItemKind::Link { .. } => 0,
        }
    }
}

impl TreePolicy {
    /// The mode that something gets here.
    pub(super) fn mode(self, offered: u32) -> u32 {
        offered & KEPT_MODE & !self.umask
    }

    /// Whether what has a name is replaced, or stays as it is newer than what is offered.
    ///
    /// # Errors
    /// It may not be replaced.
    pub(super) fn replaces(self, is_newer: bool) -> Result<bool, Refusal> {
        match self.replace {
            Replace::Never if self.allow_replace => Err(Refusal::Different(MissingRight::Wish)),
            Replace::Never => Err(Refusal::Different(MissingRight::Both)),
            // It is to stay, for which nobody's leave is needed.
            Replace::Older if is_newer => Ok(false),
            Replace::Older | Replace::Always if !self.allow_replace => Err(Refusal::Different(MissingRight::Leave)),
            Replace::Older | Replace::Always => Ok(true),
        }
    }
}

/// Why something goes no further.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(Refusal),
    Failed(io::Error),
}

impl Stop {
    /// Too many descriptors are open in the process, or in the whole system.
    pub(super) fn is_for_descriptors(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Stop> for Decision {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Failed(error) => Self::Failed(reason(&error)),
        }
    }
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Refused(refusal),
            Stop::Failed(error) => Self::Failed(reason(&error)),
        }
    }
}
