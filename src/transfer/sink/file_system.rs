//! What keeps a file, and so how long whoever asks for something there may have to wait.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{StatFs, fstatfs, statfs};

/// `f_type` of file systems whose files are memory of this machine and nothing else. `statfs(2)`.
const IN_MEMORY: [u64; 2] = [
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
];

/// `f_type` of file systems whose writes go to the page cache of this machine: where too much waits for the disk, the
/// kernel holds a writer for 200 ms at most (`MAX_PAUSE` of its `page-writeback.c`). All others may be served by a
/// program or over a network. `statfs(2)`.
const IN_PAGE_CACHE: [u64; 10] = [
    0x0000_ef53, // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // btrfs
    0xf2f5_2010, // F2FS
    0x2fc1_2fc1, // ZFS
    0xca45_1a4e, // bcachefs
    0x794c_7630, // overlayfs
    0x9584_58f6, // hugetlbfs
    0x0000_4d44, // FAT
    0x2011_bab0, // exFAT
];

/// A file of at most so many bytes in memory is given its space, or is removed, in no more time than a connection's turn
/// takes to move as many.
const BRIEF_BYTES_MAX: u64 = 2 << 20;

/// What keeps a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystem {
    /// The memory of this machine, and nothing else: there is no disk to wait for.
    Memory,
    /// A disk, behind the page cache of this machine.
    Disk,
    /// Anything else: a program or a network may stand behind it.
    Unknown,
}

/// How long it may take to make a file, to give it space, to name it, to close it or to remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// No longer than to move some bytes: whoever needs it does it.
    Brief,
    /// As long as its disk takes: others do it where somebody must not wait.
    MayLast,
}

impl FileSystem {
    /// What keeps an open file.
    pub(super) fn of(file: impl AsFd) -> Self {
        fstatfs(file).map_or(Self::Unknown, |found| Self::from_kind(&found))
    }

    /// What keeps the file or the folder of that path. The question may have to wait for an answer.
    pub(super) fn at(path: &Path) -> Self {
        statfs(path).map_or(Self::Unknown, |found| Self::from_kind(&found))
    }

    fn from_kind(found: &StatFs) -> Self {
        // Negative for some that are not among them, where it is a signed number of 32 bits.
        let kind = u64::try_from(found.f_type).unwrap_or(0);
        if IN_MEMORY.contains(&kind) {
            Self::Memory
        } else if IN_PAGE_CACHE.contains(&kind) {
            Self::Disk
        } else {
            Self::Unknown
        }
    }

    /// How long it may take to do something with a file of so many bytes.
    pub(crate) fn effort(self, bytes: u64) -> Effort {
        if self == Self::Memory && bytes <= BRIEF_BYTES_MAX {
            Effort::Brief
        } else {
            Effort::MayLast
        }
    }

    /// Whether a write may take as long as the file system likes.
    pub(super) fn writes_may_last(self) -> bool {
        self == Self::Unknown
    }

    /// Whether a file is more than memory by a name.
    pub(super) fn has_disk(self) -> bool {
        // One that does not say what it is has a disk.
        self != Self::Memory
    }
}
