//! Whether a file is still what it was.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// What changes when someone writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    /// Of its status, which a write changes as well as a new name or mode. No program can set it back.
    status_changed: (i64, i64),
}

/// What has happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Its name, mode or owner are others; or it was written to, and its modification time was set back.
    Status,
    /// Someone has written to it.
    Content,
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            status_changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// What has happened to the file since.
    pub(super) fn change(self, now: &Metadata) -> Change {
        let now = Self::of(now);
        let (status_changed, written) = (
            self.status_changed != now.status_changed,
            self.identity() != now.identity(),
        );
        match (written, status_changed) {
            (true, _) => Change::Content,
            (false, true) => Change::Status,
            (false, false) => Change::None,
        }
    }

    /// Whether that is the same file, whatever is in it.
    pub(super) fn is_of(self, metadata: &Metadata) -> bool {
        (self.device, self.inode) == (metadata.dev(), metadata.ino())
    }

    /// What a receiver knows the file by that was half received.
    pub(super) fn identity(self) -> Vec<u8> {
        let (seconds, nanos) = self.modified;
        [
            self.device.to_le_bytes(),
            self.inode.to_le_bytes(),
            self.len.to_le_bytes(),
            seconds.to_le_bytes(),
            nanos.to_le_bytes(),
        ]
        .concat()
    }
}
