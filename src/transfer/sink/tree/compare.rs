//! The bytes of a file that is there, by their checksums or one by one.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags, fstat, openat};

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::transfer::sink::folder::Folder;

use super::TreeSink;
use super::item::{Outcome, Refusal, Seen, Stop, TreeItem};
use super::places::as_path;

/// So much is read at once.
const READ_BYTES: usize = 256 << 10;

/// The checksums of a file's blocks, from the first on. Ends after the last one, or after an error.
#[derive(Debug)]
pub(crate) struct BlockChecksums {
    file: File,
    seen: Seen,
    kind: ChecksumKind,
    block_bytes: u64,
    at: u64,
    buffer: Vec<u8>,
    is_over: bool,
}

impl TreeSink {
    /// The checksums of the blocks of a file that is there, as [`Decision::Compare`](super::Decision::Compare) saw it.
    /// All blocks have `block_bytes`, but for the last one.
    ///
    /// # Errors
    /// It is not there any more, or may not be read.
    pub(crate) fn block_checksums(
        &mut self,
        item: &TreeItem,
        seen: Seen,
        kind: ChecksumKind,
        block_bytes: u64,
    ) -> Result<BlockChecksums, Outcome> {
        let place = self.place_of(item)?;
        let name = as_path(item.path.name());
        Ok(BlockChecksums {
            file: open_seen(&place.folder, name, seen)?,
            seen,
            kind,
            block_bytes: block_bytes.max(1),
            at: 0,
            buffer: vec![0; READ_BYTES],
            is_over: false,
        })
    }
}

impl BlockChecksums {
    fn next_block(&mut self) -> io::Result<Option<Checksum>> {
        if self.at >= self.seen.bytes() {
            // What was read belongs together only if nobody wrote meanwhile.
            return if Seen::of(&fstat(&self.file)?) == self.seen {
                Ok(None)
            } else {
                Err(io::Error::other(Refusal::Unsteady))
            };
        }
        let end = self.at.saturating_add(self.block_bytes).min(self.seen.bytes());
        let mut digest = Digest::new(self.kind);
        while self.at < end {
            let wanted = usize::try_from(end - self.at).unwrap_or(READ_BYTES).min(READ_BYTES);
            let part = self.buffer.get_mut(..wanted).unwrap_or_default();
            self.file.read_exact_at(part, self.at)?;
            digest.update(part);
            self.at += wanted as u64;
        }
        Ok(digest.checksum())
    }
}

impl Iterator for BlockChecksums {
    type Item = io::Result<Checksum>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.next_block().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Whether a new file has the same bytes as one that has its name.
pub(super) fn have_same_bytes(new: &File, folder: &Folder, name: &Path, seen: Seen) -> Result<bool, Stop> {
    let there = open_seen(folder, name, seen)?;
    let (mut ours, mut theirs) = (vec![0; READ_BYTES], vec![0; READ_BYTES]);
    let mut at = 0;
    while at < seen.bytes() {
        let wanted = usize::try_from(seen.bytes() - at).unwrap_or(READ_BYTES).min(READ_BYTES);
        let (Some(ours), Some(theirs)) = (ours.get_mut(..wanted), theirs.get_mut(..wanted)) else {
            return Ok(false);
        };
        new.read_exact_at(ours, at)?;
        there.read_exact_at(theirs, at)?;
        if ours != theirs {
            return Ok(false);
        }
        at += wanted as u64;
    }
    Ok(true)
}

/// Opens a file that was seen, and nothing that stands in its place now.
fn open_seen(folder: &Folder, name: &Path, seen: Seen) -> Result<File, Stop> {
    // A FIFO would be waited for without the last but one.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    if Seen::of(&fstat(&file)?) == seen {
        Ok(file)
    } else {
        Err(Refusal::Unsteady.into())
    }
}
