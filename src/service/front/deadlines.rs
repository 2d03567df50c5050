//! When each of many connections is due. Pure: the time is given.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// One deadline a connection, known by its key. Moving one later, as each byte that comes does, costs nothing until the
/// earlier time has passed.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    alarms: Vec<Alarm>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Alarm {
    due: Option<Instant>,
    /// The earliest entry of that key in the heap.
    armed: Option<Instant>,
}

impl Deadlines {
    /// Makes it due then, and not when it was before.
    pub(super) fn set(&mut self, key: usize, due: Instant) {
        if self.alarms.len() <= key {
            self.alarms.resize_with(key + 1, Alarm::default);
        }
        self.alarms[key].due = Some(due);
        if self.alarms[key].armed.is_none_or(|armed| due < armed) {
            self.arm(key, due);
        }
    }

    /// Makes it not due any more.
    pub(super) fn clear(&mut self, key: usize) {
        if let Some(alarm) = self.alarms.get_mut(key) {
            alarm.due = None;
        }
    }

    /// A time before which nothing is due; `None` where nothing is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// The next key that is due by `now`; each once.
    pub(super) fn pop(&mut self, now: Instant) -> Option<usize> {
        while let Some(Reverse((at, key))) = self.heap.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.heap.pop();
            let alarm = &mut self.alarms[key];
            if alarm.armed == Some(at) {
                alarm.armed = None;
            }
            match alarm.due {
                Some(due) if due <= now => {
                    alarm.due = None;
                    return Some(key);
                }
                Some(due) if alarm.armed.is_none() => self.arm(key, due),
                _ => {}
            }
        }
        None
    }

    fn arm(&mut self, key: usize, at: Instant) {
        self.alarms[key].armed = Some(at);
        self.heap.push(Reverse((at, key)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn due(deadlines: &mut Deadlines, now: Instant) -> Vec<usize> {
        let mut due: Vec<usize> = std::iter::from_fn(|| deadlines.pop(now)).collect();
        due.sort_unstable();
        due
    }

    #[test]
    fn a_key_is_due_once_and_at_its_latest_deadline() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(3, at(10));
        deadlines.set(0, at(20));
        deadlines.set(3, at(30));
        assert!(deadlines.next().is_some_and(|next| next <= at(20)));
        assert_eq!(due(&mut deadlines, at(15)), [0_usize; 0]);
        assert_eq!(due(&mut deadlines, at(25)), [0]);
        assert_eq!(due(&mut deadlines, at(30)), [3]);
        assert_eq!(due(&mut deadlines, at(99)), [0_usize; 0]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn an_earlier_deadline_counts_and_a_cleared_one_does_not() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut deadlines = Deadlines::default();
        deadlines.set(0, at(30));
        deadlines.set(0, at(10));
        deadlines.set(1, at(10));
        deadlines.clear(1);
        deadlines.clear(7);
        assert_eq!(due(&mut deadlines, at(10)), [0]);
        assert_eq!(due(&mut deadlines, at(40)), [0_usize; 0], "once is enough");
    }

    #[test]
    fn a_deadline_that_is_moved_with_every_byte_keeps_the_heap_small() {
        let start = Instant::now();
        let mut deadlines = Deadlines::default();
        for ms in 0..10_000 {
            deadlines.set(0, start + Duration::from_millis(1000 + ms));
            assert_eq!(deadlines.pop(start + Duration::from_millis(ms)), None);
        }
        assert!(deadlines.heap.len() <= 2, "{}", deadlines.heap.len());
    }
}
