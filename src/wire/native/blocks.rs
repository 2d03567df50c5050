//! What the connections of one transfer share: which blocks are given out, which are done, and their checksum.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::{ChecksumKind, Digest};

/// The blocks of one array, over however many connections they move.
#[derive(Debug)]
pub struct Blocks {
    total_bytes: u64,
    checksum: ChecksumKind,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where the next block begins that is given out.
    next: u64,
    done_bytes: u64,
    /// The whole array is at the other end, and none of it moved.
    is_handed_over: bool,
    /// What is done, by its first byte; neighbours are one run.
    runs: BTreeMap<u64, Run>,
}

#[derive(Debug)]
struct Run {
    end: u64,
    digest: Digest,
}

impl Blocks {
    /// Of an array of `total_bytes`, none of which has moved.
    #[must_use]
    pub fn new(total_bytes: u64, checksum: ChecksumKind) -> Arc<Self> {
        Arc::new(Self {
            total_bytes,
            checksum,
            state: Mutex::default(),
        })
    }

    /// Bytes of the whole array.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// What the blocks are checked with.
    #[must_use]
    pub fn checksum_kind(&self) -> ChecksumKind {
        self.checksum
    }

    /// Gives out the next block, of at most `most` bytes: its first byte and its length. `None` where all are out.
    pub fn give_out(&self, most: u32) -> Option<(u64, u32)> {
        let mut state = self.lock();
        let left = self.total_bytes - state.next;
        let len = u32::try_from(left).unwrap_or(u32::MAX).min(most);
        let at = state.next;
        state.next += u64::from(len);
        (len > 0).then_some((at, len))
    }

    /// Whether every block is given out.
    #[must_use]
    pub fn all_out(&self) -> bool {
        self.lock().next == self.total_bytes
    }

    /// A block is done: sent, or verified. `digest` is that of its bytes.
    pub fn done(&self, at: u64, len: u64, digest: &Digest) {
        if len == 0 {
            return;
        }
        let mut state = self.lock();
        state.done_bytes += len;
        let end = at + len;
        let before = state.runs.range(..at).next_back().filter(|(_, run)| run.end == at);
        let (start, mut run) = match before.map(|(start, _)| *start) {
            Some(start) => {
                let mut run = state.runs.remove(&start).unwrap_or_else(|| Run {
                    end: at,
                    digest: Digest::new(self.checksum),
                });
                run.digest.append(digest);
                (start, run)
            }
            None => (
                at,
                Run {
                    end,
                    digest: digest.clone(),
                },
            ),
        };
        run.end = end;
        if let Some(next) = state.runs.remove(&end) {
            run.digest.append(&next.digest);
            run.end = next.end;
        }
        state.runs.insert(start, run);
    }

    /// The array is at the other end as a whole: no block is given out any more, and there is nothing that a checksum
    /// could be of.
    pub fn handed_over(&self) {
        let mut state = self.lock();
        (state.next, state.done_bytes) = (self.total_bytes, self.total_bytes);
        state.is_handed_over = true;
        state.runs.clear();
    }

    /// Bytes of the blocks that are done.
    #[must_use]
    pub fn done_bytes(&self) -> u64 {
        self.lock().done_bytes
    }

    /// Whether every byte is done.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let state = self.lock();
        // Not by the sum of lengths: blocks that come twice make up for none that is missing.
        let reaches_end = |run: &Run| run.end == self.total_bytes;
        state.is_handed_over || self.total_bytes == 0 || state.runs.get(&0).is_some_and(reaches_end)
    }

    /// The checksum of the whole array; `None` before it is whole.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let state = self.lock();
        if self.total_bytes == 0 {
            return Some(Digest::new(self.checksum));
        }
        let run = state.runs.get(&0)?;
        (run.end == self.total_bytes).then(|| run.digest.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
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
        let blocks = Blocks::new(10, ChecksumKind::None);
        assert_eq!(
            [
                blocks.give_out(4),
                blocks.give_out(4),
                blocks.give_out(4),
                blocks.give_out(4)
            ],
            [Some((0, 4)), Some((4, 4)), Some((8, 2)), None]
        );
        assert!(blocks.all_out() && !blocks.is_whole());
    }

    #[test]
    fn an_array_of_nothing_is_whole_and_has_the_checksum_of_nothing() {
        let blocks = Blocks::new(0, ChecksumKind::Crc64Nvme);
        assert!(blocks.all_out() && blocks.is_whole());
        assert_eq!(blocks.digest().and_then(|digest| digest.value()), Some(0));
    }

    proptest! {
        #[test]
        fn in_any_order_they_add_up_to_the_checksum_of_the_whole(
            bytes in prop::collection::vec(any::<u8>(), 1..200),
            most in 1_u32..40,
            seed in any::<u64>(),
        ) {
            let blocks = Blocks::new(bytes.len() as u64, ChecksumKind::Crc64Nvme);
            let mut out: Vec<_> = std::iter::from_fn(|| blocks.give_out(most)).collect();
            out.sort_by_key(|(at, _)| at.wrapping_mul(seed | 1));
            for (index, (at, len)) in out.iter().enumerate() {
                prop_assert!(blocks.digest().is_none() && !blocks.is_whole(), "after {index}");
                let begin = usize::try_from(*at).expect("small");
                let end = begin + usize::try_from(*len).expect("small");
                blocks.done(*at, u64::from(*len), &digest(&bytes[begin..end]));
            }
            prop_assert!(blocks.is_whole());
            prop_assert_eq!(blocks.digest().and_then(|digest| digest.value()), digest(&bytes).value());
        }
    }
}
