//! A file of a tree that comes in, block by block in any order: without I/O or a clock.

use std::sync::Arc;

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::transfer::receive::tree::disk::Task;
use crate::transfer::sink::Resumed;
use crate::transfer::sink::tree::FileBlock;
use crate::wire::Grain;
use crate::wire::native::TreeBlock;

/// A file whose blocks come, but for those that were there before and need not.
#[derive(Debug)]
pub(super) struct ComingFile {
    pub(super) bytes: u64,
    grain: Grain,
    kind: ChecksumKind,
    /// Over how many connections its blocks may come.
    streams: u16,
    /// Which of its blocks are there, once one is.
    ledger: Option<Arc<Ledger>>,
    /// What the sender told with the end.
    end: Option<End>,
    pub(super) is_wanted: bool,
    /// It counts as one of those of which not all has come.
    pub(super) has_begun: bool,
    pub(super) is_whole: bool,
}

#[derive(Debug, Clone, Copy)]
struct End {
    /// Of the whole, where it is checked.
    checksum: Option<u64>,
}

impl ComingFile {
    pub(super) fn new(bytes: u64, grain: Grain, kind: ChecksumKind, streams: u16) -> Self {
        Self {
            bytes,
            grain,
            kind,
            streams,
            ledger: None,
            end: None,
            is_wanted: false,
            has_begun: false,
            is_whole: false,
        }
    }

    /// Some of it is there from before, and nothing of it has come. Returns how many bytes.
    ///
    /// # Errors
    /// A mistake of ours: no file has such blocks.
    pub(super) fn resume(&mut self, resumed: Resumed) -> Result<u64, Error> {
        self.grain = resumed.grain;
        let ledger = Ledger::of_file(self.bytes, self.kind, self.grain, resumed.blocks)?;
        let bytes = ledger.recorded_bytes();
        self.ledger = Some(ledger);
        Ok(bytes)
    }

    /// Whether blocks of it may come on the connection on which its end comes.
    pub(super) fn is_open(&self) -> bool {
        !self.is_whole && self.end.is_none()
    }

    /// Takes a block.
    pub(super) fn take(&mut self, block: TreeBlock) -> Result<Task, Error> {
        let TreeBlock {
            item: number,
            index,
            ends,
            data,
            checksum,
        } = block;
        let (due, bytes) = (self.grain.block_bytes(index, self.bytes), data.len() as u64);
        if due == 0 || bytes != due || self.is_whole {
            return Err(Error::Protocol(format!(
                "block {index} of item {number} with {bytes} bytes, where one of {due} bytes was due"
            )));
        }
        if !self.is_wanted && due != self.bytes {
            return Err(Error::Protocol(format!(
                "a block of item {number} before it was accepted"
            )));
        }
        if ends && (due != self.bytes || self.ledger.is_some()) {
            return Err(Error::Protocol(format!("an end within item {number}")));
        }
        let at = u64::from(index) * self.grain.bytes();
        let mut digest = Digest::new(self.kind);
        digest.update(&data);
        if digest.value().is_some_and(|value| value != checksum) {
            return Err(Error::DamagedBlock {
                index: index.into(),
                start: at,
                end: at + due,
            });
        }
        if ends {
            self.is_whole = true;
            return Ok(Task::Whole { number, data });
        }
        let ledger = self.ledger()?;
        let mut claim = ledger.claim(at, due).map_err(|error| of_item(number, error))?;
        let is_on_record = ledger.needs_void(at);
        // Its part voids it, and keeps the record of what comes.
        ledger.voided(at);
        claim.landed(due);
        claim.verified(&digest);
        let _ = ledger.take_newly_verified();
        let block = FileBlock {
            index,
            at,
            data,
            checksum,
            is_on_record,
        };
        Ok(Task::Block { number, block })
    }

    /// All of it was sent, but for so many bytes that were there before. What is to be done, unless some of it still comes
    /// over another connection.
    pub(super) fn end(
        &mut self,
        number: u32,
        bytes: u64,
        checksum: Option<u64>,
        kept_bytes: u64,
    ) -> Result<Option<Task>, Error> {
        let early = |landed: u64| {
            Error::Protocol(format!(
                "an end of item {number} after {landed} bytes of {}",
                self.bytes
            ))
        };
        if bytes != self.bytes || !self.is_open() {
            return Err(early(self.ledger.as_ref().map_or(0, |ledger| ledger.landed_bytes())));
        }
        let streams = self.streams;
        let ledger = Arc::clone(self.ledger()?);
        ledger.keep(kept_bytes).map_err(|error| of_item(number, error))?;
        self.end = Some(End { checksum });
        let task = self.publish(number)?;
        if task.is_some() || streams > 1 {
            return Ok(task);
        }
        // Over this connection nothing of it comes after its end.
        let recorded = ledger.recorded_bytes();
        if recorded != kept_bytes {
            return Err(Error::Protocol(format!(
                "{kept_bytes} bytes of item {number} need not come again, where {recorded} did not"
            )));
        }
        Err(Error::Protocol(format!(
            "an end of item {number} after {} bytes of {bytes}",
            ledger.landed_bytes()
        )))
    }

    /// What is to be done with a file that had its end, if all of it is there.
    pub(super) fn publish(&mut self, number: u32) -> Result<Option<Task>, Error> {
        let (Some(End { checksum }), Some(ledger)) = (self.end, &self.ledger) else {
            return Ok(None);
        };
        if self.is_whole || !ledger.is_whole() {
            return Ok(None);
        }
        let ours = ledger.checksum().map(Checksum::value);
        if ours.zip(checksum).is_some_and(|(ours, theirs)| ours != theirs) {
            return Err(Error::Protocol(format!(
                "its checksum of item {number} is not that of the blocks that it sent"
            )));
        }
        self.is_whole = true;
        Ok(Some(match self.bytes {
            0 => Task::Whole {
                number,
                data: Vec::new(),
            },
            _ => Task::Publish { number },
        }))
    }

    fn ledger(&mut self) -> Result<&Arc<Ledger>, Error> {
        let ledger = match self.ledger.take() {
            Some(ledger) => ledger,
            None => Ledger::of_file(self.bytes, self.kind, self.grain, [])?,
        };
        Ok(self.ledger.insert(ledger))
    }
}

/// The peer's fault, of which item it is.
fn of_item(number: u32, error: Error) -> Error {
    match error {
        Error::Protocol(words) => Error::Protocol(format!("item {number}: {words}")),
        other => other,
    }
}
