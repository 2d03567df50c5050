//! When a transfer that broke is tried again, without a clock or a thread of its own.

use std::time::Duration;

use crate::error::Error;

/// After the first failure, and after one that came once bytes had moved.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Fewer are as good as none: whoever takes a few and goes away would be tried for ever.
const MOVED_BYTES_MIN: u64 = 1 << 20;
/// However often it failed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Waits that grow for as long as nothing moves, up to an end.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// For so long it is tried without bytes that move.
    patience: Duration,
    /// So much of that has passed.
    spent: Duration,
    next_wait: Duration,
}

impl Retry {
    /// Tries again until nothing has moved for `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            patience,
            spent: Duration::ZERO,
            next_wait: FIRST_WAIT,
        }
    }

    /// A try has failed after `took`, in which so many bytes moved: how long to wait before the next one. `None` where
    /// trying again is of no use, or the patience is over.
    pub(crate) fn after(&mut self, error: &Error, moved_bytes: u64, took: Duration) -> Option<Duration> {
        if !error.may_pass() {
            return None;
        }
        if moved_bytes >= MOVED_BYTES_MIN {
            (self.spent, self.next_wait) = (Duration::ZERO, FIRST_WAIT);
        } else {
            self.spent += took;
        }
        let left = self.patience.checked_sub(self.spent).filter(|left| !left.is_zero())?;
        let wait = self.next_wait.min(left);
        self.spent += wait;
        self.next_wait = (2 * self.next_wait).min(LONGEST_WAIT);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone() -> Error {
        Error::ClosedEarly {
            missing: 1,
            received: 1,
            total: 2,
        }
    }

    #[test]
    fn waits_double_up_to_half_a_minute_and_end_with_the_patience() {
        let mut retry = Retry::new(Duration::from_secs(100));
        let waits = std::iter::from_fn(|| retry.after(&gone(), 0, Duration::ZERO));
        let waits: Vec<f64> = waits.map(|wait| wait.as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 8.5]);
    }

    #[test]
    fn bytes_that_move_give_it_all_its_patience_back() {
        let mut retry = Retry::new(Duration::from_secs(2));
        let second = Duration::from_secs(1);
        assert_eq!(retry.after(&gone(), 0, second), Some(FIRST_WAIT));
        assert_eq!(retry.after(&gone(), MOVED_BYTES_MIN, 9 * second), Some(FIRST_WAIT));
        assert_eq!(retry.after(&gone(), MOVED_BYTES_MIN - 1, 9 * second), None);
    }

    #[test]
    fn what_no_second_try_can_change_is_tried_once() {
        let mut retry = Retry::new(Duration::from_secs(100));
        for error in [
            Error::SourceMissing("x".into()),
            Error::Refused("no".into()),
            Error::Protocol("x".into()),
        ] {
            assert_eq!(retry.after(&error, u64::MAX, Duration::ZERO), None, "{error}");
        }
    }
}
