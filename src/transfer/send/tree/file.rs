//! A file of several blocks on its way out.

use std::collections::VecDeque;

use rustix::io::{Errno, pread};

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::transfer::source::walk::{OpenedFile, ReadFault};
use crate::wire::Grain;
use crate::wire::native::Message;

/// The longest blocks of files in a tree. They pass through memory at both ends, where longer ones leave the caches.
pub(super) const GRAIN_MAX: Grain = Grain::MIB;

/// The blocks of a file of so many bytes.
pub(super) fn grain(bytes: u64) -> Grain {
    Grain::for_array(bytes, GRAIN_MAX.bytes())
}

/// The length of a file's blocks, and those that the receiver says that it has: in order, each with the value of its
/// checksum.
pub(super) type Blocks = (Grain, Vec<(u32, u64)>);

/// A file that was opened, and whose blocks are sent in order, but for those that the receiver has.
pub(super) struct SentFile {
    item: u32,
    opened: OpenedFile,
    bytes: u64,
    grain: Grain,
    at: u64,
    index: u32,
    kind: ChecksumKind,
    /// The blocks from here on that the receiver says that it has, in order, each with the value of its checksum.
    claimed: VecDeque<(u32, u64)>,
    /// Bytes of those that were not sent.
    kept_bytes: u64,
    /// Of all before `at`.
    whole: Option<Checksum>,
}

/// What was sent.
pub(super) enum Sent {
    /// A block of so many bytes.
    Block(u64),
    /// Nothing: the receiver has the block.
    Kept,
    /// Nothing: all was before.
    Last {
        bytes: u64,
        /// Of all bytes.
        checksum: Option<u64>,
        /// So many of them were not sent.
        kept_bytes: u64,
    },
}

impl SentFile {
    pub(super) fn new(item: u32, opened: OpenedFile, bytes: u64, (grain, claimed): Blocks, kind: ChecksumKind) -> Self {
        Self {
            item,
            opened,
            bytes,
            grain,
            at: 0,
            index: 0,
            kind,
            claimed: claimed.into(),
            kept_bytes: 0,
            whole: Digest::new(kind).checksum(),
        }
    }

    pub(super) fn item(&self) -> u32 {
        self.item
    }

    /// The bytes of the next block that are to be sent, as far as that is known; none where all are.
    pub(super) fn next_bytes(&self) -> u64 {
        match self.claimed.front() {
            Some((index, _)) if *index == self.index => 0,
            _ => self.block_bytes(),
        }
    }

    /// Appends the next block to `out` unless the receiver has it, or finds that all are sent and that the file is still
    /// what was offered.
    ///
    /// # Errors
    /// It is not, or cannot be read; `out` is then as it was.
    pub(super) fn send(&mut self, out: &mut Vec<u8>) -> Result<Sent, ReadFault> {
        let bytes = self.block_bytes();
        if bytes == 0 {
            self.opened.check()?;
            return Ok(Sent::Last {
                bytes: self.bytes,
                checksum: self.whole.map(Checksum::value),
                kept_bytes: self.kept_bytes,
            });
        }
        let before = out.len();
        let appended = self.append(bytes, out);
        if !matches!(appended, Ok(Sent::Block(_))) {
            out.truncate(before);
        }
        appended
    }

    fn block_bytes(&self) -> u64 {
        (self.bytes - self.at).min(self.grain.bytes())
    }

    fn append(&mut self, bytes: u64, out: &mut Vec<u8>) -> Result<Sent, ReadFault> {
        Message::Block {
            item: self.item,
            index: self.index,
            // At most a block's.
            len: u32::try_from(bytes).unwrap_or(u32::MAX),
            ends: false,
        }
        .encode(out);
        let begin = out.len();
        out.resize(begin + usize::try_from(bytes).unwrap_or(usize::MAX), 0);
        let mut at = begin;
        while at < out.len() {
            let offset = self.at + (at - begin) as u64;
            match pread(self.opened.as_fd(), &mut out[at..], offset) {
                // It has become shorter.
                Ok(0) => return Err(ReadFault::Changed),
                Ok(read) => at += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut digest = Digest::new(self.kind);
        digest.update(&out[begin..]);
        let claimed = self.claimed.pop_front_if(|(index, _)| *index == self.index);
        let is_kept = claimed.is_some_and(|(_, value)| digest.value() == Some(value));
        out.extend_from_slice(&digest.value().unwrap_or_default().to_le_bytes());
        self.whole = self
            .whole
            .zip(digest.checksum())
            .map(|(whole, block)| whole.followed_by(block));
        self.at += bytes;
        self.index += 1;
        if is_kept {
            self.kept_bytes += bytes;
            return Ok(Sent::Kept);
        }
        Ok(Sent::Block(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::source::walk::{Roots, Selection, Step, TreeReader, Walk};
    use crate::wire::native::Parsed;
    use std::sync::Arc;

    /// Two blocks, and half a one.
    const BYTES: u64 = 5 << 15;

    fn checksum(bytes: &[u8]) -> u64 {
        let mut digest = Digest::new(ChecksumKind::Crc32);
        digest.update(bytes);
        digest.value().expect("a kind that verifies")
    }

    #[test]
    fn blocks_that_the_receiver_has_are_left_out_unless_they_are_other_ones_now() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a");
        let bytes: Vec<u8> = (0..BYTES).map(|at| u8::try_from(at % 251).expect("small")).collect();
        std::fs::write(&path, &bytes).expect("room");
        let roots = Arc::new(Roots::new([path]).expect("there"));
        let Some(Step::File(entry)) = Walk::new(Arc::clone(&roots), Selection::everything()).next() else {
            panic!("a file");
        };
        let value = |index: u32| checksum(bytes.chunks(64 << 10).nth(index as usize).expect("a block"));
        for (claimed, sent, kept) in [
            (vec![], vec![0, 1, 2], 0),
            (vec![(0, value(0)), (2, value(2))], vec![1], (64 << 10) + (32 << 10)),
            (vec![(0, 7), (1, value(1)), (2, 7)], vec![0, 2], 64 << 10),
            ((0..3).map(|index| (index, value(index))).collect(), vec![], BYTES),
        ] {
            let opened = TreeReader::new(Arc::clone(&roots)).open(&entry.path, entry.identity);
            let opened = opened.expect("unchanged");
            let mut file = SentFile::new(9, opened, BYTES, (Grain::MIN, claimed.clone()), ChecksumKind::Crc32);
            let (mut out, mut indices) = (Vec::new(), Vec::new());
            loop {
                out.clear();
                match file.send(&mut out).expect("unchanged") {
                    Sent::Kept => assert!(out.is_empty()),
                    Sent::Block(len) => {
                        let Ok(Parsed::Message(Message::Block { item: 9, index, .. }, at)) = Message::parse(&out)
                        else {
                            panic!("a block");
                        };
                        let data = &out[at..out.len() - 8];
                        assert_eq!(data.len() as u64, len);
                        assert_eq!(out[out.len() - 8..], value(index).to_le_bytes());
                        indices.push(index);
                    }
                    Sent::Last {
                        bytes: all,
                        checksum: whole,
                        kept_bytes,
                    } => {
                        assert_eq!(
                            (all, whole, kept_bytes),
                            (BYTES, Some(checksum(&bytes)), kept),
                            "{claimed:?}"
                        );
                        break;
                    }
                }
            }
            assert_eq!(indices, sent, "{claimed:?}");
        }
    }
}
