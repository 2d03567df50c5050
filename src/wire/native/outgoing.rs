//! What the connections of one sender share: which blocks are given out and which are sent, and their checksum.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ledger::Runs;
use crate::wire::{Checksum, ChecksumKind, Digest};

/// The blocks of one array on their way out, over however many connections.
#[derive(Debug)]
pub struct OutgoingBlocks {
    total_bytes: u64,
    checksum: ChecksumKind,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where the next block begins that is given out.
    next: u64,
    sent_bytes: u64,
    /// Given out is open, sent is closed. There are few: blocks are given out in order.
    runs: Runs,
}

impl OutgoingBlocks {
    /// Of an array of `total_bytes`, none of which has moved.
    #[must_use]
    pub(super) fn new(total_bytes: u64, checksum: ChecksumKind) -> Arc<Self> {
        Arc::new(Self {
            total_bytes,
            checksum,
            state: Mutex::default(),
        })
    }

    /// Bytes of the whole array.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// What the blocks are checked with.
    pub(super) fn checksum_kind(&self) -> ChecksumKind {
        self.checksum
    }

    /// Gives out the next block, of at most `most` bytes: its first byte and its length. `None` where all are out.
    pub(super) fn give_out(&self, most: u32) -> Option<(u64, u32)> {
        let mut state = self.lock();
        let at = state.next;
        let left = self.total_bytes - at;
        let len = u32::try_from(left).unwrap_or(u32::MAX).min(most);
        if len == 0 {
            return None;
        }
        state.next += u64::from(len);
        let next = state.next;
        state.runs.open(at, next);
        Some((at, len))
    }

    /// Whether every block is given out.
    pub(super) fn all_out(&self) -> bool {
        self.lock().next == self.total_bytes
    }

    /// The block of `len` bytes that begins at `at` is sent. `digest` is that of its bytes.
    pub(super) fn sent(&self, at: u64, len: u64, digest: &Digest) {
        let checksum = digest.checksum();
        let mut state = self.lock();
        state.runs.close(at, checksum);
        state.sent_bytes += len;
    }

    /// The array is at the other end as a whole: no block is given out any more, and there is nothing that a checksum
    /// could be of.
    pub(super) fn handed_over(&self) {
        let mut state = self.lock();
        (state.next, state.sent_bytes) = (self.total_bytes, self.total_bytes);
    }

    /// Whether every block is sent.
    pub(in crate::wire) fn all_sent(&self) -> bool {
        self.lock().sent_bytes == self.total_bytes
    }

    /// The checksum of the whole array; `None` before every block is sent, and where none is taken.
    pub(super) fn checksum(&self) -> Option<Checksum> {
        match self.total_bytes {
            0 => Digest::new(self.checksum).checksum(),
            total => self.lock().runs.checksum(total),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(bytes: &[u8]) -> Digest {
        let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
        digest.update(bytes);
        digest
    }

    #[test]
    fn blocks_are_given_out_once_and_in_order() {
        let blocks = OutgoingBlocks::new(10, ChecksumKind::None);
        assert_eq!(
            [
                blocks.give_out(4),
                blocks.give_out(4),
                blocks.give_out(4),
                blocks.give_out(4)
            ],
            [Some((0, 4)), Some((4, 4)), Some((8, 2)), None]
        );
        assert!(blocks.all_out() && !blocks.all_sent());
    }

    #[test]
    fn an_array_of_nothing_is_whole_and_has_the_checksum_of_nothing() {
        let blocks = OutgoingBlocks::new(0, ChecksumKind::Crc64Nvme);
        assert!(blocks.all_out() && blocks.all_sent());
        assert_eq!(blocks.checksum().map(Checksum::value), Some(0));
    }

    proptest! {
        #[test]
        fn in_any_order_they_add_up_to_the_checksum_of_the_whole(
            bytes in prop::collection::vec(any::<u8>(), 1..200),
            most in 1_u32..40,
            seed in any::<u64>(),
        ) {
            let blocks = OutgoingBlocks::new(bytes.len() as u64, ChecksumKind::Crc64Nvme);
            let mut out: Vec<_> = std::iter::from_fn(|| blocks.give_out(most)).collect();
            out.sort_by_key(|(at, _)| at.wrapping_mul(seed | 1));
            for (index, (at, len)) in out.iter().enumerate() {
                prop_assert!(blocks.checksum().is_none() && !blocks.all_sent(), "after {index}");
                let begin = usize::try_from(*at).expect("small");
                let end = begin + usize::try_from(*len).expect("small");
                blocks.sent(*at, u64::from(*len), &digest(&bytes[begin..end]));
            }
            prop_assert!(blocks.all_sent());
            prop_assert_eq!(blocks.checksum(), digest(&bytes).checksum());
        }
    }
}
