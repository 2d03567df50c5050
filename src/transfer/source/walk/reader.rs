//! Opens the files of a walk again when it is their turn, and tells whether they are still what was offered.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec, read};

use super::below;
use super::entry::{Entry, Identity};
use super::failure::Failure;
use super::roots::{Root, Roots};
use crate::transfer::tree::path::RelativePath;

/// Bytes of a file that is read in one piece, at most: the largest block of the wire.
pub(crate) const SMALL_FILE_BYTES_MAX: u64 = 4 << 20;

/// Opens files of a tree by their paths, following no link below a root. It keeps up to two folders open: the root and
/// the folder of the last file, as the next one is mostly there, too.
pub(crate) struct TreeReader {
    roots: Arc<Roots>,
    root: Option<Kept>,
    parent: Option<Kept>,
}

/// An open folder and where it is.
struct Kept {
    path: RelativePath,
    folder: OwnedFd,
}

/// Why a file cannot be read as it was offered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadFault {
    /// It is another file, or was written to: it may be offered once more.
    #[error("it was changed or replaced after it was offered")]
    Changed,
    /// It cannot be read.
    #[error(transparent)]
    Failed(Failure),
}

/// A file that was the offered one when it was opened.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    file: OwnedFd,
    identity: Identity,
}

impl TreeReader {
    /// A reader of the files below these roots. It opens nothing yet.
    pub(crate) fn new(roots: Arc<Roots>) -> Self {
        Self {
            roots,
            root: None,
            parent: None,
        }
    }

    /// Opens the file at `path`, which was offered as `identity`. An open and an fstat, where it lies beside the last one.
    pub(crate) fn open(&mut self, path: &RelativePath, identity: Identity) -> Result<OpenedFile, ReadFault> {
        let file = self.open_any(path)?;
        let opened = OpenedFile { file, identity };
        opened.check()?;
        Ok(opened)
    }

    /// What the file at `path` is now, for a new offer of one that was [changed](ReadFault::Changed).
    pub(crate) fn look_again(&mut self, path: &RelativePath) -> Result<Entry, Failure> {
        let file = match self.open_any(path) {
            Err(Errno::LOOP | Errno::NXIO) => return Err(Failure::NoFileNow),
            opened => opened?,
        };
        let stat = fstat(file)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Entry::of(path.clone(), &stat)),
            _ => Err(Failure::NoFileNow),
        }
    }

    /// Appends what is in the file of `entry` to `content`, whole and as it was offered: looked at before and after.
    /// Five system calls where it lies beside the last one: openat, fstat, read, fstat, close.
    ///
    /// # Errors
    /// It is not what was offered, cannot be read, or has more than [`SMALL_FILE_BYTES_MAX`] bytes. `content` is then as
    /// it was.
    pub(crate) fn read_small(&mut self, entry: &Entry, content: &mut Vec<u8>) -> Result<(), ReadFault> {
        let before = content.len();
        let done = self.try_read_small(entry, content);
        if done.is_err() {
            content.truncate(before);
        }
        done
    }

    fn try_read_small(&mut self, entry: &Entry, content: &mut Vec<u8>) -> Result<(), ReadFault> {
        let bytes = entry.identity.bytes;
        let len = match usize::try_from(bytes) {
            Ok(len) if bytes <= SMALL_FILE_BYTES_MAX => len,
            _ => return Err(Failure::NotSmall(bytes).into()),
        };
        let opened = self.open(&entry.path, entry.identity)?;
        let end = content.len() + len;
        content.reserve(len);
        while content.len() < end {
            match read(&opened.file, spare_capacity(content)) {
                // It has become shorter.
                Ok(0) => return Err(ReadFault::Changed),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // It may have become longer, and there may have been room for that.
        if content.len() > end {
            return Err(ReadFault::Changed);
        }
        opened.check()
    }

    fn open_any(&mut self, path: &RelativePath) -> Result<OwnedFd, Errno> {
        let Some(parent) = path.parent() else {
            let root = self.roots.named(path.as_bytes()).ok_or(Errno::NOENT)?;
            return open_root(root, OFlags::NONBLOCK | OFlags::NOCTTY);
        };
        // A folder that was moved away since still gives its file: then it is the one that was offered, or none is.
        let kept = match self.parent.take().filter(|kept| kept.path == parent) {
            Some(kept) => kept,
            None => Kept {
                folder: self.open_parent(&parent)?,
                path: parent,
            },
        };
        let Kept { folder, .. } = self.parent.insert(kept);
        below::open_file(folder, path.name())
    }

    fn open_parent(&mut self, parent: &RelativePath) -> Result<OwnedFd, Errno> {
        let mut halves = parent.as_bytes().splitn(2, |byte| *byte == b'/');
        let name = halves.next().unwrap_or_default();
        let root = self.roots.named(name).ok_or(Errno::NOENT)?;
        let kept = match self.root.take().filter(|kept| kept.path == root.name) {
            Some(kept) => kept,
            None => Kept {
                folder: open_root(root, OFlags::DIRECTORY)?,
                path: root.name.clone(),
            },
        };
        let Kept { folder, .. } = self.root.insert(kept);
        match halves.next() {
            Some(inside) => below::open_folder_below(folder.as_fd(), inside),
            None => fcntl_dupfd_cloexec(folder, 0),
        }
    }
}

/// Opens a root, which may be a link.
fn open_root(root: &Root, flags: OFlags) -> Result<OwnedFd, Errno> {
    open(&root.path, OFlags::RDONLY | OFlags::CLOEXEC | flags, Mode::empty())
}

impl OpenedFile {
    /// Whether the file is still as it was offered; to be asked again after its last byte was read.
    pub(crate) fn check(&self) -> Result<(), ReadFault> {
        let stat = fstat(&self.file)?;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        if is_file && Identity::of(&stat) == self.identity {
            Ok(())
        } else {
            Err(ReadFault::Changed)
        }
    }

    /// The file, to be read.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl From<Failure> for ReadFault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Errno> for ReadFault {
    fn from(error: Errno) -> Self {
        match error {
            // What was there is gone, or is a link or something else now; ENXIO: a socket.
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO => Self::Changed,
            other => Self::Failed(other.into()),
        }
    }
}
