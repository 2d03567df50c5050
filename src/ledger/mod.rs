//! Which bytes of an item are claimed, landed and verified: the only record of it, without I/O or a clock.
//!
//! A [`Claim`] takes a block through it. Whoever reads a block's header claims its bytes, which nobody else can claim
//! any more; whoever puts them where they belong counts them as landed; and with the last of them, and a checksum that
//! agrees, the block is verified. Counts are atomic loads; the record itself is locked twice a block, never a chunk.
//!
//! A session that goes on where an earlier one ended has [recorded](Ledger::resumed) blocks: they are verified from the
//! start, unless they come again.

mod record;
mod recorded;
#[cfg(test)]
mod resume_tests;
mod runs;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::error::Error;
use crate::wire::Grain;

use record::Record;
pub(crate) use runs::Runs;

/// Blocks may begin anywhere, so that gaps are remembered: as many as the connections of an honest sender can leave,
/// and so many more. In memory each may cost a huge page of 2 MiB, however few bytes lie in it.
const GAPS_MAX: usize = 32;

/// The record of one item, over however many connections it comes.
#[derive(Debug)]
pub struct Ledger {
    checksum: ChecksumKind,
    /// [`UNKNOWN`] until the end tells.
    total_bytes: AtomicU64,
    /// That have landed in this session.
    received_bytes: AtomicU64,
    /// Of recorded blocks that have not come again.
    recorded_bytes: AtomicU64,
    /// What the sender says that these come to in the end; [`UNKNOWN`] until it does, where any block is recorded.
    kept_bytes: AtomicU64,
    /// Of recorded blocks, and of those that were received whole.
    verified_bytes: AtomicU64,
    /// Where the blocks lie that are recorded, and those that are to be.
    grain: Option<Grain>,
    /// How many blocks wait to be taken by whoever keeps a record.
    newly_verified: AtomicUsize,
    /// How many records have been withdrawn and are not void yet where they are kept.
    voids_due: AtomicUsize,
    state: Mutex<State>,
    runs_max: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Claimed is open, verified is closed. Recorded blocks are none of them.
    runs: Runs,
    record: Record,
}

/// Nobody knows how many bytes there are.
const UNKNOWN: u64 = u64::MAX;

/// Bytes of an item that nobody else has or will have, from the moment that they are announced until they are verified.
#[derive(Debug)]
pub(crate) struct Claim {
    ledger: Arc<Ledger>,
    start: u64,
    end: u64,
    /// The first byte that has not landed.
    at: u64,
    is_span_taken: bool,
}

/// The proof that a claim's bytes have one owner. There is one of each claim, and it cannot be copied.
#[derive(Debug)]
pub(crate) struct Span {
    ledger: Arc<Ledger>,
    at: u64,
    len: u64,
}

impl Ledger {
    /// Of `total_bytes`, nothing of which is claimed, over at most so many connections.
    #[must_use]
    pub fn new(total_bytes: u64, checksum: ChecksumKind, streams: u16) -> Arc<Self> {
        Arc::new(Self::with(total_bytes, checksum, None, runs_over(streams)))
    }

    /// With nothing recorded, and blocks in so many separate runs at most.
    fn with(total_bytes: u64, checksum: ChecksumKind, grain: Option<Grain>, runs_max: usize) -> Self {
        Self {
            checksum,
            total_bytes: AtomicU64::new(total_bytes),
            received_bytes: AtomicU64::new(0),
            recorded_bytes: AtomicU64::new(0),
            kept_bytes: AtomicU64::new(0),
            verified_bytes: AtomicU64::new(0),
            grain,
            newly_verified: AtomicUsize::new(0),
            voids_due: AtomicUsize::new(0),
            state: Mutex::default(),
            runs_max,
        }
    }

    /// Of as many bytes as come, over one connection.
    pub(crate) fn growing(checksum: ChecksumKind) -> Arc<Self> {
        Self::new(UNKNOWN, checksum, 1)
    }

    /// Bytes of the whole item; `None` until that is known.
    pub(crate) fn total_bytes(&self) -> Option<u64> {
        let total = self.total_bytes.load(Ordering::Acquire);
        (total != UNKNOWN).then_some(total)
    }

    /// What blocks are checked with.
    pub(crate) fn checksum_kind(&self) -> ChecksumKind {
        self.checksum
    }

    /// Claims `len` bytes from `at` on. A record of any of them is withdrawn.
    ///
    /// # Errors
    /// The peer's fault: they reach beyond the end, one of them comes a second time or was not to come, or blocks leave
    /// too many gaps.
    pub(crate) fn claim(self: &Arc<Self>, at: u64, len: u64) -> Result<Claim, Error> {
        let total = self.total_bytes.load(Ordering::Acquire);
        let end = at.checked_add(len).filter(|end| *end <= total);
        let beyond = || Error::Protocol(format!("bytes {at} and {len} more of {total}"));
        let end = end.ok_or_else(beyond)?;
        if len > 0 {
            let mut state = self.lock();
            // Where something is recorded nothing comes, and it leaves a gap that is nobody's fault.
            let most = self.runs_max.saturating_add(state.record.recorded.groups());
            if state.runs.count() >= most {
                return Err(Error::Protocol(format!(
                    "blocks with gaps between more than {most} runs"
                )));
            }
            if !state.runs.open(at, end) {
                return Err(Error::Protocol(format!("bytes {at} and {len} more came twice")));
            }
            self.withdraw(&mut state.record, at, end)?;
        }
        Ok(Claim {
            ledger: Arc::clone(self),
            start: at,
            end,
            at,
            is_span_taken: false,
        })
    }

    /// Bytes that have landed, in this session or before. They become fewer where a record is withdrawn.
    pub(crate) fn landed_bytes(&self) -> u64 {
        self.received_bytes() + self.recorded_bytes()
    }

    /// Bytes that have landed in this session. They never become fewer.
    #[must_use]
    pub fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the blocks that are verified. They become fewer where a record is withdrawn.
    pub(crate) fn verified_bytes(&self) -> u64 {
        self.verified_bytes.load(Ordering::Acquire)
    }

    /// Whether every byte is verified, and no recorded one can come again. No byte is claimed twice, so that their number
    /// tells. Once whole it stays so.
    pub(crate) fn is_whole(&self) -> bool {
        // In this order: once the two are equal no record is withdrawn any more, which would take from what is verified.
        let is_settled = self.recorded_bytes() == self.kept_bytes.load(Ordering::Acquire);
        is_settled && self.total_bytes() == Some(self.verified_bytes())
    }

    /// The checksum of the whole item; `None` before it is whole, and where none is taken.
    pub(crate) fn checksum(&self) -> Option<Checksum> {
        match self.total_bytes()? {
            0 => Digest::new(self.checksum).checksum(),
            total if self.is_whole() => self.checksum_of_parts(total),
            _ => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The separate runs that blocks may form over so many connections.
fn runs_over(streams: u16) -> usize {
    usize::from(streams) + GAPS_MAX
}

impl Claim {
    /// The first byte that it claims.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// The byte after the last one that it claims.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The first byte that has not landed.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes have not landed.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.at
    }

    /// The proof for whoever gives out the bytes' memory; `None` from the second time on.
    pub(crate) fn take_span(&mut self) -> Option<Span> {
        (!std::mem::replace(&mut self.is_span_taken, true)).then(|| Span {
            ledger: Arc::clone(&self.ledger),
            at: self.start,
            len: self.end - self.start,
        })
    }

    /// `bytes` more are where they belong.
    pub(crate) fn landed(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.left(), "more has landed than was claimed");
        let bytes = bytes.min(self.left());
        self.at += bytes;
        self.ledger.received_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The item ends with the bytes that have landed. This is how a growing one becomes known.
    pub(crate) fn ends_here(&mut self) {
        if self.ledger.total_bytes().is_none() {
            self.ledger.lock().runs.cut(self.start, self.at);
            self.end = self.at;
            self.ledger.total_bytes.store(self.at, Ordering::Release);
        }
    }

    /// All bytes have landed, and `digest`, which is theirs, is right as far as anybody can tell. A claim of which bytes
    /// are missing verifies nothing.
    pub(crate) fn verified(self, digest: &Digest) {
        if self.left() > 0 || self.start == self.end {
            return;
        }
        let checksum = digest.checksum();
        let mut state = self.ledger.lock();
        state.runs.close(self.start, checksum);
        self.ledger.queue(&mut state.record, self.start, self.end, checksum);
        drop(state);
        let bytes = self.end - self.start;
        self.ledger.verified_bytes.fetch_add(bytes, Ordering::AcqRel);
    }
}

impl Span {
    /// The first byte, counted from the item's first.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether it was claimed in that ledger and no other.
    pub(crate) fn is_of(&self, ledger: &Arc<Ledger>) -> bool {
        Arc::ptr_eq(&self.ledger, ledger)
    }
}
