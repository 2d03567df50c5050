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
}

impl FileStamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
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
