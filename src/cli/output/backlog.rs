//! What waits to be written, within bounds: the oldest samples are left out first, and all that is left out is counted.

use std::collections::VecDeque;

use serde::Serialize;

/// Beyond so many bytes no samples wait, as with the viewers of a control socket.
const SAMPLES_BYTES_MAX: usize = 1 << 20;
/// So many bytes wait at most.
const BYTES_MAX: usize = 16 << 20;

/// What was left out since this was told before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Omitted {
    /// Samples, and moves of a bar: the next one tells as much.
    pub samples: u64,
    /// Anything else.
    pub events: u64,
}

/// What waits to be written, the oldest first.
#[derive(Debug)]
pub(super) struct Backlog<T> {
    samples: VecDeque<Waiting<T>>,
    others: VecDeque<Waiting<T>>,
    added: u64,
    bytes: usize,
    omitted: Omitted,
}

#[derive(Debug)]
struct Waiting<T> {
    /// How many were added before it.
    number: u64,
    bytes: usize,
    item: T,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Self {
            samples: VecDeque::new(),
            others: VecDeque::new(),
            added: 0,
            bytes: 0,
            omitted: Omitted::default(),
        }
    }
}

impl<T> Backlog<T> {
    /// Adds something of so many bytes. Where there is no room for it, the oldest goes.
    pub(super) fn push(&mut self, item: T, bytes: usize, is_sample: bool) {
        let waiting = Waiting {
            number: self.added,
            bytes,
            item,
        };
        self.added += 1;
        self.bytes += bytes;
        if is_sample {
            self.samples.push_back(waiting);
        } else {
            self.others.push_back(waiting);
        }
        while self.bytes > SAMPLES_BYTES_MAX
            && let Some(oldest) = self.samples.pop_front()
        {
            self.bytes -= oldest.bytes;
            self.omitted.samples += 1;
        }
        // What is larger than that all by itself stays: it is the last, and most of what there is to say.
        while self.bytes > BYTES_MAX
            && self.others.len() > 1
            && let Some(oldest) = self.others.pop_front()
        {
            self.bytes -= oldest.bytes;
            self.omitted.events += 1;
        }
    }

    /// Takes the oldest, and those after it that come to no more than so many bytes together.
    pub(super) fn pop_up_to(&mut self, bytes: usize) -> Vec<T> {
        let mut popped = Vec::new();
        let mut rest = bytes;
        while let Some(next) = self.oldest()
            && (popped.is_empty() || next.bytes <= rest)
        {
            rest = rest.saturating_sub(next.bytes);
            popped.extend(self.pop());
        }
        popped
    }

    /// Takes the oldest.
    fn pop(&mut self) -> Option<T> {
        let number = self.oldest()?.number;
        let is_sample = self.samples.front().is_some_and(|sample| sample.number == number);
        let queue = if is_sample { &mut self.samples } else { &mut self.others };
        let oldest = queue.pop_front()?;
        self.bytes -= oldest.bytes;
        Some(oldest.item)
    }

    fn oldest(&self) -> Option<&Waiting<T>> {
        let both = [self.samples.front(), self.others.front()];
        both.into_iter().flatten().min_by_key(|waiting| waiting.number)
    }

    /// What was left out since the last call.
    pub(super) fn take_omitted(&mut self) -> Omitted {
        std::mem::take(&mut self.omitted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.samples.is_empty() && self.others.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(backlog: &mut Backlog<usize>) -> Vec<usize> {
        std::iter::from_fn(|| backlog.pop()).collect()
    }

    #[test]
    fn what_fits_comes_out_as_it_came() {
        let mut backlog = Backlog::default();
        for item in 0..100 {
            backlog.push(item, 1, item % 3 == 0);
        }
        assert_eq!(all(&mut backlog), (0..100).collect::<Vec<_>>());
        assert_eq!(backlog.take_omitted(), Omitted::default());
        assert!(backlog.is_empty());
    }

    #[test]
    fn no_more_is_taken_at_once_than_was_asked_for_and_one_at_least() {
        let mut backlog = Backlog::default();
        for (item, bytes) in [10, 4, 3, 3, 5].into_iter().enumerate() {
            backlog.push(item, bytes, false);
        }
        let taken: Vec<_> =
            std::iter::from_fn(|| Some(backlog.pop_up_to(7)).filter(|taken| !taken.is_empty())).collect();
        assert_eq!(taken, [vec![0], vec![1, 2], vec![3], vec![4]]);
    }

    #[test]
    fn the_oldest_samples_go_first_and_are_counted_once() {
        let mut backlog = Backlog::default();
        backlog.push(0, SAMPLES_BYTES_MAX / 2, true);
        backlog.push(1, SAMPLES_BYTES_MAX / 2, false);
        backlog.push(2, 1, true);
        let omitted = Omitted { samples: 1, events: 0 };
        assert_eq!(backlog.take_omitted(), omitted);
        assert_eq!(backlog.take_omitted(), Omitted::default());
        assert_eq!(all(&mut backlog), [1, 2]);
    }

    #[test]
    fn others_are_kept_up_to_their_own_bound_and_the_last_one_always() {
        let mut backlog = Backlog::default();
        for item in 0..32 {
            backlog.push(item, BYTES_MAX / 16, false);
        }
        assert_eq!(backlog.take_omitted(), Omitted { samples: 0, events: 16 });
        assert_eq!(all(&mut backlog), (16..32).collect::<Vec<_>>());
        backlog.push(1, 1, false);
        backlog.push(2, 2 * BYTES_MAX, false);
        assert_eq!(backlog.take_omitted().events, 1);
        assert_eq!(all(&mut backlog), [2]);
        backlog.push(3, 1, true);
        assert_eq!(all(&mut backlog), [3], "nothing is held of what has gone");
    }
}
