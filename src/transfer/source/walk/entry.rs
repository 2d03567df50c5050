//! What a walk knows of a file, a folder or a link, and how it is known again.

use rustix::fs::{FileType, Stat};

use crate::transfer::tree::path::RelativePath;

/// Bytes of the blocks in which the system counts a file's space. stat(2).
const BLOCK_BYTES: u64 = 512;
/// The bits of a mode that are sent: reading, writing and executing, for owner, group and others.
const MODE_BITS: u32 = 0o777;

/// A time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    /// Whole seconds since 1970, negative before it.
    pub(crate) seconds: i64,
    /// Nanoseconds after them, less than 1,000,000,000.
    pub(crate) nanoseconds: u32,
}

/// What tells whether a file is still the one that was offered. A write changes `changed`, which no program sets back;
/// but a store through a mapping may change none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The file's number in its file system.
    pub(crate) inode: u64,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    /// When its content was written last (mtime).
    pub(crate) modified: Time,
    /// When its content, mode, owner or names were changed last (ctime).
    pub(crate) changed: Time,
}

/// One file, folder or link of a tree, as it was when the walk came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it is, from the name of its root on.
    pub(crate) path: RelativePath,
    /// Its rwx bits, without those of its kind and without set-user-id and its kin.
    pub(crate) mode: u32,
    /// When it was written last.
    pub(crate) modified: Time,
    /// Its length in bytes; what this means for a folder is its file system's business.
    pub(crate) bytes: u64,
    /// Whether it takes less space than it has bytes: it has holes, or its file system compresses it.
    pub(crate) is_sparse: bool,
    /// Whether it is a file that has other names, too: it is sent once for each name in the tree.
    pub(crate) is_hard_linked: bool,
    /// What it is known by when it is opened.
    pub(crate) identity: Identity,
}

impl Entry {
    /// What the system says of the item at `path`.
    pub(super) fn of(path: RelativePath, stat: &Stat) -> Self {
        let identity = Identity::of(stat);
        let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Self {
            path,
            mode: stat.st_mode & MODE_BITS,
            modified: identity.modified,
            bytes: identity.bytes,
            is_sparse: is_file && blocks.saturating_mul(BLOCK_BYTES) < identity.bytes,
            is_hard_linked: is_file && stat.st_nlink > 1,
            identity,
        }
    }
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            inode: stat.st_ino,
            bytes: u64::try_from(stat.st_size).unwrap_or(0),
            modified: Time::of(stat.st_mtime, stat.st_mtime_nsec),
            changed: Time::of(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

impl Time {
    fn of(seconds: i64, nanoseconds: u64) -> Self {
        Self {
            seconds,
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        }
    }
}
