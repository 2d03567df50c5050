//! A file of several blocks on its way out.

use std::sync::OnceLock;

use rustix::io::{Errno, pread};

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::transfer::source::walk::{OpenedFile, ReadFault};
use crate::wire::Grain;
use crate::wire::native::{Message, OutgoingBlock, OutgoingBlocks, OutgoingTask};

/// The longest blocks of files in a tree. They pass through memory at both ends, where longer ones leave the caches.
pub(super) const GRAIN_MAX: Grain = Grain::MIB;

/// The blocks of a file of so many bytes.
pub(super) fn grain(bytes: u64) -> Grain {
    Grain::for_array(bytes, GRAIN_MAX.bytes())
}

/// The length of a file's blocks, and those that the receiver says that it has: in order, each with the value of its
/// checksum.
pub(super) type Blocks = (Grain, Vec<(u32, u64)>);

/// A file that was opened, and whose blocks are sent over one connection or several, but for those that the receiver has.
pub(super) struct SentFile {
    item: u32,
    opened: OpenedFile,
    kind: ChecksumKind,
    blocks: OutgoingBlocks,
    /// Why one of its blocks could not be read.
    fault: OnceLock<ReadFault>,
}

/// What was done with the next block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It had so many bytes.
    Block(u64),
    /// Nothing: the receiver has it.
    Kept,
    /// There is none.
    Nothing,
}

/// What is said when every block was sent, or need not be.
pub(super) struct Ending {
    pub(super) bytes: u64,
    /// Of all bytes.
    pub(super) checksum: Option<u64>,
    /// So many of them were not sent.
    pub(super) kept_bytes: u64,
}

impl SentFile {
    pub(super) fn new(item: u32, opened: OpenedFile, bytes: u64, (grain, claimed): Blocks, kind: ChecksumKind) -> Self {
        Self {
            item,
            opened,
            kind,
            blocks: OutgoingBlocks::of_file(bytes, kind, grain, claimed),
            fault: OnceLock::new(),
        }
    }

    pub(super) fn item(&self) -> u32 {
        self.item
    }

    /// Appends the next block to `out` unless the receiver has it.
    ///
    /// # Errors
    /// It is not what was offered, or cannot be read; `out` is then as it was.
    pub(super) fn send(&self, out: &mut Vec<u8>) -> Result<Sent, ReadFault> {
        if let Some(fault) = self.fault.get() {
            return Err(fault.clone());
        }
        let Some(task) = self.blocks.give_out(u32::MAX) else {
            return Ok(Sent::Nothing);
        };
        let before = out.len();
        let sent = self.append(task, out).inspect_err(|fault| {
            // The first one counts.
            let _ = self.fault.set(fault.clone());
        });
        if !matches!(sent, Ok(Sent::Block(_))) {
            out.truncate(before);
        }
        sent
    }

    /// What is said at the end, once nobody has a block to send any more, and if the file is still what was offered.
    ///
    /// # Errors
    /// It is not, or one of its blocks could not be read.
    pub(super) fn ending(&self) -> Result<Option<Ending>, ReadFault> {
        if let Some(fault) = self.fault.get() {
            return Err(fault.clone());
        }
        if !self.blocks.all_sent() {
            return Ok(None);
        }
        self.opened.check()?;
        Ok(Some(Ending {
            bytes: self.blocks.total_bytes(),
            checksum: self.blocks.checksum().map(Checksum::value),
            kept_bytes: self.blocks.kept_bytes(),
        }))
    }

    /// Whether nothing more of it is to be sent, or can be.
    pub(super) fn is_over(&self) -> bool {
        self.fault.get().is_some() || self.blocks.all_sent()
    }

    fn append(&self, task: OutgoingTask, out: &mut Vec<u8>) -> Result<Sent, ReadFault> {
        let (OutgoingTask::Send(block) | OutgoingTask::Compare(block, _)) = task;
        let OutgoingBlock { index, at, len } = block;
        Message::Block {
            item: self.item,
            index,
            len,
            ends: false,
        }
        .encode(out);
        let begin = out.len();
        // Blocks of files are far shorter than memory.
        out.resize(begin + len as usize, 0);
        let mut to = begin;
        while to < out.len() {
            match pread(self.opened.as_fd(), &mut out[to..], at + (to - begin) as u64) {
                // It has become shorter.
                Ok(0) => return Err(ReadFault::Changed),
                Ok(read) => to += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut digest = Digest::new(self.kind);
        digest.update(&out[begin..]);
        let value = digest.value();
        if let OutgoingTask::Compare(_, claimed) = task
            && value == Some(claimed)
        {
            self.blocks.kept(block, &digest);
            return Ok(Sent::Kept);
        }
        out.extend_from_slice(&value.unwrap_or_default().to_le_bytes());
        self.blocks.sent(at, len.into(), &digest);
        Ok(Sent::Block(len.into()))
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
            let file = SentFile::new(9, opened, BYTES, (Grain::MIN, claimed.clone()), ChecksumKind::Crc32);
            let (mut out, mut indices) = (Vec::new(), Vec::new());
            loop {
                out.clear();
                assert!(file.is_over() || file.ending().expect("unchanged").is_none());
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
                    Sent::Nothing => {
                        let ending = file.ending().expect("unchanged").expect("all is sent");
                        let Ending {
                            bytes: all,
                            checksum: whole,
                            kept_bytes,
                        } = ending;
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
