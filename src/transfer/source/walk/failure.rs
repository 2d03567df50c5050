//! Why an item of a tree is not sent.

use std::io;

use rustix::fs::FileType;
use rustix::io::Errno;

use crate::error::{Reason, reason};
use crate::transfer::tree::path::{NameFault, PathFault, TargetFault};

/// One line that says why an item is not sent. It goes behind the item's path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Its name or path is none that a tree may have.
    #[error(transparent)]
    Path(#[from] PathFault),
    /// It is a link that leads where none may.
    #[error(transparent)]
    Target(#[from] TargetFault),
    /// It is neither a file nor a folder nor a link.
    #[error("it is {0}, and only files, folders and links are sent")]
    Kind(&'static str),
    /// The system refused to look at it or to read it.
    #[error("it cannot be read: {0}")]
    System(Reason),
    /// A folder was moved or replaced while the walk was in it; what was left in it is not sent.
    #[error("the folder was moved or replaced while it was read")]
    Moved,
    /// An ignore file of this folder cannot be obeyed, and nothing in the folder is sent: it might be what was to stay.
    #[error("nothing in it is sent, as its {name} cannot be obeyed: {reason}")]
    IgnoreFile {
        /// The ignore file's name.
        name: &'static str,
        /// What is wrong with it.
        reason: Reason,
    },
    /// It was a file when the walk came by.
    #[error("it is no file any more")]
    NoFileNow,
    /// The caller wanted a file whole that is none of the small ones.
    #[error("it has {0} bytes and is no small file")]
    NotSmall(u64),
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::System(reason(&io::Error::from(error)))
    }
}

impl From<NameFault> for Failure {
    fn from(fault: NameFault) -> Self {
        Self::Path(fault.into())
    }
}

impl Failure {
    /// For an item that is neither a file nor a folder nor a link.
    pub(super) fn of_kind(kind: FileType) -> Self {
        Self::Kind(match kind {
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            FileType::CharacterDevice | FileType::BlockDevice => "a device",
            _ => "of no known kind",
        })
    }
}
