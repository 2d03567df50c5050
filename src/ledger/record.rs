//! What outlasts a session: blocks that an earlier one has left here, and blocks that this one adds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::checksum::{Checksum, ChecksumKind};
use crate::error::Error;
use crate::wire::Grain;

use super::recorded::Recorded;
use super::{Ledger, UNKNOWN, runs_over};

/// The part of a ledger's state that whoever keeps a record on disk has to do with.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// What was there from the start and has not come again.
    pub(super) recorded: Recorded,
    /// Verified in this session and not taken yet, in the order in which they were.
    newly_verified: Vec<(u32, u64)>,
    /// What has come again and is not void yet where records are kept.
    voids_due: BTreeSet<u32>,
    /// Of recorded and received blocks together, once it was asked for.
    whole: Option<Checksum>,
}

impl Ledger {
    /// As [`Ledger::new`], for someone who keeps a record: every block of a grid that is verified is queued for
    /// [`Ledger::take_newly_verified`].
    #[must_use]
    pub fn recording(total_bytes: u64, checksum: ChecksumKind, grain: Grain, streams: u16) -> Arc<Self> {
        Arc::new(Self::with(total_bytes, checksum, Some(grain), runs_over(streams)))
    }

    /// As [`Ledger::recording`], of an item some blocks of which are here from an earlier session: each with its number
    /// on the grid and the value of its checksum, in any order. They are landed and verified, unless they come again.
    ///
    /// # Errors
    /// A mistake of whoever kept the record: a block is none of the item's or is named twice, or no checksum of that kind
    /// has such a value, or the item has too many blocks.
    pub fn resumed(
        total_bytes: u64,
        checksum: ChecksumKind,
        grain: Grain,
        streams: u16,
        recorded: impl IntoIterator<Item = (u32, u64)>,
    ) -> Result<Arc<Self>, Error> {
        Self::resumed_within(total_bytes, checksum, grain, runs_over(streams), recorded)
    }

    /// As [`Ledger::resumed`], of a file whose blocks pass through memory and may leave any gaps: what is remembered of
    /// them is little beside what has come.
    ///
    /// # Errors
    /// As there.
    pub fn of_file(
        total_bytes: u64,
        checksum: ChecksumKind,
        grain: Grain,
        recorded: impl IntoIterator<Item = (u32, u64)>,
    ) -> Result<Arc<Self>, Error> {
        Self::resumed_within(total_bytes, checksum, grain, usize::MAX, recorded)
    }

    fn resumed_within(
        total_bytes: u64,
        checksum: ChecksumKind,
        grain: Grain,
        runs_max: usize,
        recorded: impl IntoIterator<Item = (u32, u64)>,
    ) -> Result<Arc<Self>, Error> {
        let (mut held, mut bytes) = (Recorded::default(), 0);
        for (index, value) in recorded {
            let len = grain.block_bytes(index, total_bytes);
            let is_new = Checksum::known(checksum, value, len).is_some()
                && grain.reaches_over(total_bytes)
                && len > 0
                && held.insert(index, value);
            if !is_new {
                return Err(Error::Bug(format!("a record of block {index} of {total_bytes} bytes")));
            }
            bytes += len;
        }
        let mut ledger = Self::with(total_bytes, checksum, Some(grain), runs_max);
        *ledger.verified_bytes.get_mut() = bytes;
        *ledger.recorded_bytes.get_mut() = bytes;
        // What came before is in doubt until the sender has said that it holds.
        *ledger.kept_bytes.get_mut() = if bytes == 0 { 0 } else { UNKNOWN };
        ledger.lock().record.recorded = held;
        Ok(Arc::new(ledger))
    }

    /// The length of blocks; `None` where no record is kept.
    #[must_use]
    pub fn grain(&self) -> Option<Grain> {
        self.grain
    }

    /// Bytes of recorded blocks that have not come again.
    #[must_use]
    pub fn recorded_bytes(&self) -> u64 {
        self.recorded_bytes.load(Ordering::Acquire)
    }

    /// The recorded blocks that have not come again, in order, each with the value of its checksum.
    #[must_use]
    pub fn recorded(&self) -> Vec<(u32, u64)> {
        self.lock().record.recorded.iter().collect()
    }

    /// Whether a block is recorded and has not come again.
    #[must_use]
    pub fn is_recorded(&self, index: u32) -> bool {
        self.lock().record.recorded.get(index).is_some()
    }

    /// No further block comes that is not on its way already, and so many bytes of recorded ones hold.
    ///
    /// # Errors
    /// The peer's fault: fewer are recorded.
    pub fn keep(&self, bytes: u64) -> Result<(), Error> {
        // Under the lock, so that a record is withdrawn before or not at all.
        let _state = self.lock();
        let recorded = self.recorded_bytes();
        if bytes > recorded {
            return Err(Error::Protocol(format!(
                "{bytes} bytes need not come again, where {recorded} are here from before"
            )));
        }
        self.kept_bytes.store(bytes, Ordering::Release);
        Ok(())
    }

    /// How many blocks [`Ledger::take_newly_verified`] would give; costs next to nothing.
    #[must_use]
    pub fn newly_verified_count(&self) -> usize {
        self.newly_verified.load(Ordering::Acquire)
    }

    /// The blocks of the grid that were verified since this was last asked, each with the value of its checksum. None
    /// where no record is kept or no checksum is taken.
    #[must_use]
    pub fn take_newly_verified(&self) -> Vec<(u32, u64)> {
        let mut state = self.lock();
        self.newly_verified.store(0, Ordering::Release);
        std::mem::take(&mut state.record.newly_verified)
    }

    /// Whether the block in which byte `at` lies was recorded and comes again, and the record on disk does not say so yet.
    /// Data of it must not land before.
    #[must_use]
    pub fn needs_void(&self, at: u64) -> bool {
        self.voids_due.load(Ordering::Acquire) > 0
            && self
                .index_of(at)
                .is_some_and(|index| self.lock().record.voids_due.contains(&index))
    }

    /// The record on disk of the block in which byte `at` lies is void.
    pub fn voided(&self, at: u64) {
        if let Some(index) = self.index_of(at)
            && self.lock().record.voids_due.remove(&index)
        {
            self.voids_due.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Withdraws the records of all blocks that have a byte in `start..end`, which are not empty and come now.
    ///
    /// # Errors
    /// The peer's fault: it has said that one of them need not come.
    pub(super) fn withdraw(&self, record: &mut Record, start: u64, end: u64) -> Result<(), Error> {
        let (Some(first), Some(last)) = (self.index_of(start), self.index_of(end - 1)) else {
            return Ok(());
        };
        let total = self.total_bytes.load(Ordering::Acquire);
        while let Some(index) = record.recorded.remove_within(first, last) {
            let len = self.grain.map_or(0, |grain| grain.block_bytes(index, total));
            // In this order: whoever sees fewer recorded bytes sees fewer verified ones, too.
            self.verified_bytes.fetch_sub(len, Ordering::AcqRel);
            let left = self.recorded_bytes.fetch_sub(len, Ordering::AcqRel) - len;
            record.voids_due.insert(index);
            self.voids_due.fetch_add(1, Ordering::AcqRel);
            let kept = self.kept_bytes.load(Ordering::Acquire);
            if kept != UNKNOWN && left < kept {
                return Err(Error::Protocol(format!(
                    "block {index} came after its sender had said that it need not"
                )));
            }
        }
        Ok(())
    }

    /// Queues a block that was verified, where a record is kept and `start..end` is one of the grid.
    pub(super) fn queue(&self, record: &mut Record, start: u64, end: u64, checksum: Option<Checksum>) {
        let (Some(index), Some(grain), Some(checksum)) = (self.index_of(start), self.grain, checksum) else {
            return;
        };
        let total = self.total_bytes.load(Ordering::Acquire);
        let is_block = start.is_multiple_of(grain.bytes()) && end - start == grain.block_bytes(index, total);
        if is_block {
            record.newly_verified.push((index, checksum.value()));
            self.newly_verified
                .store(record.newly_verified.len(), Ordering::Release);
        }
    }

    /// The checksum of an item that is whole, of recorded and of received blocks.
    pub(super) fn checksum_of_parts(&self, total: u64) -> Option<Checksum> {
        let mut state = self.lock();
        let state = &mut *state;
        let recorded = &state.record.recorded;
        let Some(grain) = self.grain.filter(|_| !recorded.is_empty()) else {
            return state.runs.checksum(total);
        };
        if state.record.whole.is_none() {
            let mut whole: Option<Checksum> = None;
            let mut at = 0;
            while at < total {
                let index = self.index_of(at).filter(|_| at.is_multiple_of(grain.bytes()));
                let part = index.and_then(|index| {
                    let len = grain.block_bytes(index, total);
                    Some((at + len, Checksum::known(self.checksum, recorded.get(index)?, len)?))
                });
                let received = || state.runs.closed_at(at).and_then(|(end, part)| Some((end, part?)));
                let (end, part) = part.or_else(received)?;
                whole = Some(whole.map_or(part, |whole| whole.followed_by(part)));
                at = end;
            }
            state.record.whole = whole;
        }
        state.record.whole
    }

    /// The block of the grid in which byte `at` lies; `None` where there is no grid, or no such block on any.
    pub(crate) fn index_of(&self, at: u64) -> Option<u32> {
        u32::try_from(at / self.grain?.bytes()).ok()
    }
}
