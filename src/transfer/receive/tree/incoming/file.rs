//! A file of a tree that comes in, block by block in order: without I/O or a clock.

use std::collections::VecDeque;

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::error::Error;
use crate::transfer::receive::tree::disk::Task;
use crate::transfer::sink::Resumed;
use crate::transfer::sink::tree::FileBlock;
use crate::wire::Grain;
use crate::wire::native::TreeBlock;

/// A file whose blocks come in order, but for those that were there before and need not.
#[derive(Debug)]
pub(super) struct ComingFile {
    pub(super) bytes: u64,
    grain: Grain,
    kind: ChecksumKind,
    /// The blocks from here on that are there from before, in order, each with the value of its checksum.
    claimed: VecDeque<(u32, u64)>,
    /// Bytes of those that did not come.
    kept_bytes: u64,
    at: u64,
    index: u32,
    /// Of all before `at`.
    whole: Option<Checksum>,
    pub(super) is_wanted: bool,
    pub(super) is_whole: bool,
}

impl ComingFile {
    pub(super) fn new(bytes: u64, grain: Grain, kind: ChecksumKind) -> Self {
        Self {
            bytes,
            grain,
            kind,
            claimed: VecDeque::new(),
            kept_bytes: 0,
            at: 0,
            index: 0,
            whole: Digest::new(kind).checksum(),
            is_wanted: false,
            is_whole: false,
        }
    }

    /// Some of it is there from before, none of which has come. Returns how many bytes.
    pub(super) fn resume(&mut self, resumed: Resumed) -> u64 {
        self.grain = resumed.grain;
        self.claimed = resumed.blocks.into();
        let bytes = |(index, _): &(u32, u64)| self.grain.block_bytes(*index, self.bytes);
        self.claimed.iter().map(bytes).sum()
    }

    /// Takes the next block, behind those that need not come.
    pub(super) fn take(&mut self, block: TreeBlock) -> Result<Task, Error> {
        let number = block.item;
        while self.index < block.index && self.keep_next() {}
        let due = self.due_bytes();
        if block.index != self.index || block.data.len() as u64 != due || due == 0 || self.is_whole {
            return Err(Error::Protocol(format!(
                "block {} of item {number}, where block {} of {due} bytes was due",
                block.index, self.index
            )));
        }
        if !self.is_wanted && due != self.bytes {
            return Err(Error::Protocol(format!(
                "a block of item {number} before it was accepted"
            )));
        }
        let mut digest = Digest::new(self.kind);
        digest.update(&block.data);
        if digest.value().is_some_and(|value| value != block.checksum) {
            return Err(Error::DamagedBlock {
                index: block.index.into(),
                start: self.at,
                end: self.at + due,
            });
        }
        let at = self.at;
        let is_on_record = self.claimed.pop_front_if(|(index, _)| *index == block.index).is_some();
        self.pass(digest.checksum());
        if block.ends {
            if self.at != self.bytes || at != 0 {
                return Err(Error::Protocol(format!("an end within item {number}")));
            }
            self.is_whole = true;
            let data = block.data;
            return Ok(Task::Whole { number, data });
        }
        let block = FileBlock {
            index: block.index,
            at,
            data: block.data,
            checksum: block.checksum,
            is_on_record,
        };
        Ok(Task::Block { number, block })
    }

    /// All of it has come, but for so many bytes that were there before.
    pub(super) fn end(
        &mut self,
        number: u32,
        bytes: u64,
        checksum: Option<u64>,
        kept_bytes: u64,
    ) -> Result<Task, Error> {
        while self.keep_next() {}
        if self.at != self.bytes || bytes != self.bytes || self.is_whole {
            return Err(Error::Protocol(format!(
                "an end of item {number} after {} bytes of {}",
                self.at, self.bytes
            )));
        }
        if kept_bytes != self.kept_bytes {
            return Err(Error::Protocol(format!(
                "{kept_bytes} bytes of item {number} need not come again, where {} did not",
                self.kept_bytes
            )));
        }
        let ours = self.whole.map(Checksum::value);
        if ours.zip(checksum).is_some_and(|(ours, theirs)| ours != theirs) {
            return Err(Error::Protocol(format!(
                "its checksum of item {number} is not that of the blocks that it sent"
            )));
        }
        self.is_whole = true;
        Ok(match self.bytes {
            0 => Task::Whole {
                number,
                data: Vec::new(),
            },
            _ => Task::Publish { number },
        })
    }

    /// The next block is not to come. False where it was not there before.
    fn keep_next(&mut self) -> bool {
        let Some((_, value)) = self.claimed.pop_front_if(|(index, _)| *index == self.index) else {
            return false;
        };
        let bytes = self.due_bytes();
        self.kept_bytes += bytes;
        self.pass(Checksum::known(self.kind, value, bytes));
        true
    }

    /// Bytes of the next block; none behind the last one.
    fn due_bytes(&self) -> u64 {
        (self.bytes - self.at).min(self.grain.bytes())
    }

    /// The next block is there, with that checksum.
    fn pass(&mut self, block: Option<Checksum>) {
        self.whole = self.whole.zip(block).map(|(whole, block)| whole.followed_by(block));
        self.at += self.due_bytes();
        self.index += 1;
    }
}
