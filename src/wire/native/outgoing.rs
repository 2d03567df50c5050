//! What the connections of one sender share: which blocks are given out and which are sent, and their checksum.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ledger::Runs;
use crate::wire::{Checksum, ChecksumKind, Digest, Grain, Offer};

/// The blocks of one array on their way out, over however many connections.
#[derive(Debug)]
pub struct OutgoingBlocks {
    total_bytes: u64,
    checksum: ChecksumKind,
    grain: Option<Grain>,
    state: Mutex<State>,
}

/// A block that one connection sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutgoingBlock {
    /// Its number, from 0.
    pub(super) index: u32,
    /// Its first byte.
    pub(super) at: u64,
    /// Its bytes.
    pub(super) len: u32,
}

#[derive(Debug, Default)]
struct State {
    /// Where the next block begins that is given out, and its number.
    next: u64,
    index: u32,
    sent_bytes: u64,
    /// Given out is open, sent is closed. There are few: blocks are given out in order.
    runs: Runs,
}

impl OutgoingBlocks {
    /// Of an array that is offered, none of which has moved.
    #[must_use]
    pub(super) fn new(offer: &Offer) -> Arc<Self> {
        Arc::new(Self {
            total_bytes: offer.meta.byte_len(),
            checksum: offer.checksum,
            grain: offer.grain,
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

    /// Gives out the next block; of at most `most` bytes, where no grid says how many. `None` where all are out.
    pub(super) fn give_out(&self, most: u32) -> Option<OutgoingBlock> {
        let mut state = self.lock();
        let (index, at) = (state.index, state.next);
        let most = self.grain.map_or(most, Grain::get);
        let len = u32::try_from(self.total_bytes - at).unwrap_or(u32::MAX).min(most);
        if len == 0 {
            return None;
        }
        state.next += u64::from(len);
        // Without a grid a block can be of one byte: the count may run over, and nobody reckons with it.
        state.index = index.wrapping_add(1);
        let next = state.next;
        state.runs.open(at, next);
        Some(OutgoingBlock { index, at, len })
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
    use crate::array::{ArrayMeta, Dtype};
    use proptest::prelude::*;

    fn digest(bytes: &[u8]) -> Digest {
        let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
        digest.update(bytes);
        digest
    }

    fn offer(bytes: u64, grain: Option<Grain>, checksum: ChecksumKind) -> Offer {
        Offer {
            meta: ArrayMeta::vector(Dtype::u8(), bytes).expect("small"),
            name: None,
            plain: false,
            identity: Vec::new(),
            checksum,
            grain,
            streams: 1,
            handoff: None,
        }
    }

    #[test]
    fn blocks_are_given_out_once_and_in_order() {
        let blocks = OutgoingBlocks::new(&offer(10, None, ChecksumKind::None));
        let out: Vec<_> = std::iter::from_fn(|| blocks.give_out(4)).collect();
        let block = |index, at, len| OutgoingBlock { index, at, len };
        assert_eq!(out, [block(0, 0, 4), block(1, 4, 4), block(2, 8, 2)]);
        assert!(blocks.all_out() && !blocks.all_sent());
    }

    #[test]
    fn on_a_grid_every_block_but_the_last_is_as_long_as_it_says() {
        let blocks = OutgoingBlocks::new(&offer(200_000, Some(Grain::MIN), ChecksumKind::None));
        let lens: Vec<_> = std::iter::from_fn(|| blocks.give_out(7))
            .map(|block| block.len)
            .collect();
        assert_eq!(lens, [65_536, 65_536, 65_536, 3_392]);
    }

    #[test]
    fn an_array_of_nothing_is_whole_and_has_the_checksum_of_nothing() {
        let blocks = OutgoingBlocks::new(&offer(0, Some(Grain::MAX), ChecksumKind::Crc64Nvme));
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
            let blocks = OutgoingBlocks::new(&offer(bytes.len() as u64, None, ChecksumKind::Crc64Nvme));
            let mut out: Vec<_> = std::iter::from_fn(|| blocks.give_out(most)).collect();
            out.sort_by_key(|block| block.at.wrapping_mul(seed | 1));
            for (index, OutgoingBlock { at, len, .. }) in out.into_iter().enumerate() {
                prop_assert!(blocks.checksum().is_none() && !blocks.all_sent(), "after {index}");
                let begin = usize::try_from(at).expect("small");
                let end = begin + usize::try_from(len).expect("small");
                blocks.sent(at, u64::from(len), &digest(&bytes[begin..end]));
            }
            prop_assert!(blocks.all_sent());
            prop_assert_eq!(blocks.checksum(), digest(&bytes).checksum());
        }
    }
}
