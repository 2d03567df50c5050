//! Which of many connections has its turn, on one thread. Pure: the time is given.

use std::collections::VecDeque;
use std::time::Instant;

use super::deadlines::Deadlines;

/// Turns of connections, each known by its key: first come, first served.
#[derive(Debug, Default)]
pub(in crate::service) struct Turns {
    queue: VecDeque<usize>,
    /// By key: whether it is in the queue.
    is_queued: Vec<bool>,
    deadlines: Deadlines,
}

impl Turns {
    /// Gives it a turn; one turn where this is said twice.
    pub(in crate::service) fn ready(&mut self, key: usize) {
        if self.is_queued.len() <= key {
            self.is_queued.resize(key + 1, false);
        }
        if !std::mem::replace(&mut self.is_queued[key], true) {
            self.queue.push_back(key);
        }
    }

    /// Gives it a turn then, instead of at the time that was set before.
    pub(in crate::service) fn ready_at(&mut self, key: usize, at: Instant) {
        self.deadlines.set(key, at);
    }

    /// Forgets the time that was set.
    pub(in crate::service) fn clear_deadline(&mut self, key: usize) {
        self.deadlines.clear(key);
    }

    /// How many are ready now. One that becomes ready during their turns comes after the next wait.
    pub(in crate::service) fn round(&self) -> usize {
        self.queue.len()
    }

    /// The key of the next turn. Its connection may have gone since it became ready.
    pub(in crate::service) fn next(&mut self) -> Option<usize> {
        let key = self.queue.pop_front()?;
        self.is_queued[key] = false;
        Some(key)
    }

    /// Makes those ready that are due.
    pub(in crate::service) fn wake_due(&mut self, now: Instant) {
        while let Some(key) = self.deadlines.pop(now) {
            self.ready(key);
        }
    }

    /// When there is a turn to be had.
    pub(in crate::service) fn due(&self, now: Instant) -> Option<Instant> {
        if self.queue.is_empty() {
            self.deadlines.next()
        } else {
            Some(now)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_that_is_ready_or_due_gets_one_turn_in_order() {
        let start = Instant::now();
        let mut turns = Turns::default();
        turns.ready(2);
        turns.ready(0);
        turns.ready(2);
        assert_eq!((turns.round(), turns.due(start)), (2, Some(start)));
        assert_eq!((turns.next(), turns.next(), turns.next()), (Some(2), Some(0), None));
        let later = start + Duration::from_secs(1);
        turns.ready_at(1, later);
        turns.ready_at(2, later);
        turns.clear_deadline(2);
        turns.wake_due(start);
        assert_eq!((turns.round(), turns.due(start)), (0, Some(later)));
        turns.wake_due(later);
        assert_eq!((turns.next(), turns.next()), (Some(1), None));
    }
}
