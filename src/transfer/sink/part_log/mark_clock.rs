//! When a log is to be marked again.

use std::time::{Duration, Instant};

/// So long what was recorded may wait for a mark.
const INTERVAL: Duration = Duration::from_secs(2);
/// So much of it may wait for a mark: it is read again where a transfer goes on.
const BYTES_MAX: u64 = 1 << 30;

/// Says when a mark is due: 2 s after the last one has ended, or once 1 GiB has been recorded since it began. It knows no
/// time but what it is told.
#[derive(Debug, Clone)]
pub(crate) struct MarkClock {
    /// When the last mark ended.
    ended: Instant,
    is_marking: bool,
    /// What was recorded since the last mark began.
    bytes: u64,
}

impl MarkClock {
    /// Nothing is recorded yet.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            ended: now,
            is_marking: false,
            bytes: 0,
        }
    }

    /// Blocks of so many bytes were recorded.
    pub(crate) fn recorded(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// When to mark; `None` while that is being done, and where there is nothing new to be marked.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.is_marking || self.bytes == 0 {
            None
        } else if self.bytes >= BYTES_MAX {
            Some(self.ended)
        } else {
            Some(self.ended + INTERVAL)
        }
    }

    /// Whether a mark is to begin now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| due <= now)
    }

    /// A mark begins: what is recorded from now on is for the next.
    pub(crate) fn begin(&mut self) {
        self.is_marking = true;
        self.bytes = 0;
    }

    /// The mark that began last has ended.
    pub(crate) fn end(&mut self, now: Instant) {
        self.is_marking = false;
        self.ended = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_where_nothing_was_recorded() {
        let start = Instant::now();
        let clock = MarkClock::new(start);
        assert!(clock.due().is_none() && !clock.is_due(start + 100 * INTERVAL));
    }

    #[test]
    fn a_mark_is_due_after_two_seconds_or_a_gibibyte() {
        let start = Instant::now();
        let mut clock = MarkClock::new(start);
        clock.recorded(1);
        assert!(!clock.is_due(start + Duration::from_millis(1999)));
        assert!(clock.is_due(start + Duration::from_secs(2)));
        clock.recorded((1 << 30) - 2);
        assert!(!clock.is_due(start));
        clock.recorded(1);
        assert!(clock.is_due(start));
    }

    #[test]
    fn what_is_recorded_while_a_mark_is_made_is_for_the_next_which_waits_for_its_end() {
        let start = Instant::now();
        let mut clock = MarkClock::new(start);
        clock.recorded(1 << 30);
        clock.begin();
        clock.recorded(1 << 30);
        let ended = start + Duration::from_mins(1);
        assert!(!clock.is_due(ended));
        clock.end(ended);
        assert!(clock.is_due(ended));
        clock.begin();
        clock.end(ended);
        assert_eq!(clock.due(), None);
        clock.recorded(1);
        assert_eq!(clock.due(), Some(ended + Duration::from_secs(2)));
    }
}
