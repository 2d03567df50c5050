//! What the connections of one sender share: which blocks are given out and which are sent, and their checksum.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ledger::Runs;
use crate::wire::{Checksum, ChecksumKind, Digest, Grain, Offer};

/// The blocks of one array, or of a file of a tree, on their way out, over however many connections.
#[derive(Debug)]
pub struct OutgoingBlocks {
    total_bytes: u64,
    checksum: ChecksumKind,
    grain: Option<Grain>,
    /// The blocks of the grid that the receiver has from before, in order, each with the value of its checksum there.
    claimed: Vec<(u32, u64)>,
    state: Mutex<State>,
}

/// What one connection is to do with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Send it.
    Send(OutgoingBlock),
    /// Compare it, and send it where its checksum does not have this value.
    Compare(OutgoingBlock, u64),
}

/// A block that one connection sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct OutgoingBlock {
    /// Its number, from 0.
    pub(crate) index: u32,
    /// Its first byte.
    pub(crate) at: u64,
    /// Its bytes.
    pub(crate) len: u32,
}

#[derive(Debug, Default)]
struct State {
    /// Where the next block begins that is given out to be sent, and its number. It is none of the claimed ones.
    next: u64,
    index: u32,
    /// So many of the claimed blocks lie before it, and so many are given out to be compared.
    passed: usize,
    comparing: usize,
    sent_bytes: u64,
    /// Bytes that need not be sent.
    kept_bytes: u64,
    /// Given out is open, sent or kept is closed. There are few but for those that claims part: blocks are given out in
    /// order.
    runs: Runs,
}

impl OutgoingBlocks {
    /// Of an array that is offered, none of which has moved.
    #[must_use]
    pub(super) fn new(offer: &Offer) -> Arc<Self> {
        Self::of_array(offer, offer.grain, Vec::new())
    }

    /// Of a file of a tree of which the receiver has these blocks of this grid, in order, each with the value of its
    /// checksum.
    #[must_use]
    pub(crate) fn of_file(total_bytes: u64, checksum: ChecksumKind, grain: Grain, claimed: Vec<(u32, u64)>) -> Self {
        Self::with(total_bytes, checksum, Some(grain), claimed)
    }

    /// Of an array that is offered and of which the receiver has these blocks of this grid, in order, each with the value
    /// of its checksum.
    #[must_use]
    pub(super) fn resumed(offer: &Offer, grain: Grain, claimed: Vec<(u32, u64)>) -> Arc<Self> {
        Self::of_array(offer, Some(grain), claimed)
    }

    fn of_array(offer: &Offer, grain: Option<Grain>, claimed: Vec<(u32, u64)>) -> Arc<Self> {
        Arc::new(Self::with(offer.meta.byte_len(), offer.checksum, grain, claimed))
    }

    fn with(total_bytes: u64, checksum: ChecksumKind, grain: Option<Grain>, claimed: Vec<(u32, u64)>) -> Self {
        let blocks = Self {
            total_bytes,
            checksum,
            grain,
            claimed,
            state: Mutex::default(),
        };
        blocks.pass_claimed(&mut blocks.lock());
        blocks
    }

    /// Bytes of the whole array.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// What the blocks are checked with.
    pub(super) fn checksum_kind(&self) -> ChecksumKind {
        self.checksum
    }

    /// Gives out the next block: those that the receiver does not claim first, then those that it does. One is of at most
    /// `most` bytes, where no grid says how many. `None` where all are out.
    pub(crate) fn give_out(&self, most: u32) -> Option<Task> {
        let mut state = self.lock();
        let most = self.grain.map_or(most, Grain::get);
        let block = self.block(state.index, state.next, most);
        if block.len > 0 {
            state.next = block.end();
            // Without a grid a block can be of one byte: the count may run over, and nobody reckons with it.
            state.index = block.index.wrapping_add(1);
            state.runs.open(block.at, block.end());
            self.pass_claimed(&mut state);
            return Some(Task::Send(block));
        }
        let (index, checksum) = *self.claimed.get(state.comparing)?;
        let block = self.block(index, u64::from(index) * u64::from(most), most);
        state.comparing += 1;
        state.runs.open(block.at, block.end());
        Some(Task::Compare(block, checksum))
    }

    /// Whether every block is given out.
    pub(super) fn all_out(&self) -> bool {
        let state = self.lock();
        state.next == self.total_bytes && state.comparing == self.claimed.len()
    }

    /// The block of `len` bytes that begins at `at` is sent. `digest` is that of its bytes.
    pub(crate) fn sent(&self, at: u64, len: u64, digest: &Digest) {
        let checksum = digest.checksum();
        let mut state = self.lock();
        state.runs.close(at, checksum);
        state.sent_bytes += len;
    }

    /// The receiver has the block, whose bytes this is the checksum of.
    pub(crate) fn kept(&self, block: OutgoingBlock, digest: &Digest) {
        let checksum = digest.checksum();
        let mut state = self.lock();
        state.runs.close(block.at, checksum);
        state.kept_bytes += u64::from(block.len);
    }

    /// Bytes that the receiver says that it has, whether that is so or not.
    pub(in crate::wire) fn claimed_bytes(&self) -> u64 {
        self.bytes_of(&self.claimed)
    }

    /// Bytes that the receiver says that it has, as far as nothing else is known of them.
    pub(in crate::wire) fn there_bytes(&self) -> u64 {
        let state = self.lock();
        state.kept_bytes + self.bytes_of(self.claimed.get(state.comparing..).unwrap_or_default())
    }

    fn bytes_of(&self, claimed: &[(u32, u64)]) -> u64 {
        let bytes = |grain: Grain, index| grain.block_bytes(index, self.total_bytes);
        let each = claimed.iter();
        each.filter_map(|(index, _)| Some(bytes(self.grain?, *index))).sum()
    }

    /// Bytes that were not sent, as the receiver has them.
    pub(crate) fn kept_bytes(&self) -> u64 {
        self.lock().kept_bytes
    }

    /// The array is at the other end as a whole: no block is given out any more, and there is nothing that a checksum
    /// could be of.
    pub(super) fn handed_over(&self) {
        let mut state = self.lock();
        (state.next, state.sent_bytes) = (self.total_bytes, self.total_bytes);
    }

    /// Whether every block is sent, or need not be.
    pub(crate) fn all_sent(&self) -> bool {
        let state = self.lock();
        state.sent_bytes + state.kept_bytes == self.total_bytes
    }

    /// The checksum of the whole array; `None` before every block is sent, and where none is taken.
    pub(crate) fn checksum(&self) -> Option<Checksum> {
        match self.total_bytes {
            0 => Digest::new(self.checksum).checksum(),
            total => self.lock().runs.checksum(total),
        }
    }

    fn block(&self, index: u32, at: u64, most: u32) -> OutgoingBlock {
        let left = self.total_bytes.saturating_sub(at);
        let len = u32::try_from(left).unwrap_or(u32::MAX).min(most);
        OutgoingBlock { index, at, len }
    }

    /// Goes on to the next block that is not claimed.
    fn pass_claimed(&self, state: &mut State) {
        let grain = self.grain.map_or(0, Grain::get);
        while self
            .claimed
            .get(state.passed)
            .is_some_and(|(index, _)| *index == state.index)
        {
            state.next = self.block(state.index, state.next, grain).end();
            state.index += 1;
            state.passed += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutgoingBlock {
    /// The byte after its last one.
    fn end(self) -> u64 {
        self.at + u64::from(self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{ArrayMeta, Dtype};
    use proptest::prelude::*;

    fn block_of(task: Task) -> OutgoingBlock {
        match task {
            Task::Send(block) | Task::Compare(block, _) => block,
        }
    }

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
        let block = |index, at, len| Task::Send(OutgoingBlock { index, at, len });
        assert_eq!(out, [block(0, 0, 4), block(1, 4, 4), block(2, 8, 2)]);
        assert!(blocks.all_out() && !blocks.all_sent());
    }

    #[test]
    fn on_a_grid_every_block_but_the_last_is_as_long_as_it_says() {
        let blocks = OutgoingBlocks::new(&offer(200_000, Some(Grain::MIN), ChecksumKind::None));
        let lens: Vec<_> = std::iter::from_fn(|| blocks.give_out(7))
            .map(|task| block_of(task).len)
            .collect();
        assert_eq!(lens, [65_536, 65_536, 65_536, 3_392]);
    }

    #[test]
    fn what_is_claimed_is_given_out_last_to_be_compared_and_once() {
        let offer = offer(5 * 65_536 + 7, Some(Grain::MAX), ChecksumKind::Crc64Nvme);
        let blocks = OutgoingBlocks::resumed(&offer, Grain::MIN, vec![(0, 10), (1, 11), (3, 13), (5, 15)]);
        let block = |index: u32, len| OutgoingBlock {
            index,
            at: u64::from(index) * 65_536,
            len,
        };
        let send = |index| Some(Task::Send(block(index, 65_536)));
        assert_eq!([blocks.give_out(1), blocks.give_out(1)], [send(2), send(4)]);
        assert!(!blocks.all_out(), "some are to be compared");
        for (index, len, value) in [(0, 65_536, 10), (1, 65_536, 11), (3, 65_536, 13), (5, 7, 15)] {
            assert_eq!(blocks.give_out(1), Some(Task::Compare(block(index, len), value)));
        }
        assert!(blocks.all_out() && blocks.give_out(1).is_none());
        for index in [0, 2, 3, 4] {
            blocks.sent(index * 65_536, 65_536, &digest(&[1]));
        }
        blocks.kept(block(5, 7), &digest(&[1]));
        assert!(!blocks.all_sent() && blocks.kept_bytes() == 7);
        blocks.kept(block(1, 65_536), &digest(&[1]));
        assert!(blocks.all_sent() && blocks.checksum().is_some());
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
            let mut out: Vec<_> = std::iter::from_fn(|| blocks.give_out(most)).map(block_of).collect();
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
