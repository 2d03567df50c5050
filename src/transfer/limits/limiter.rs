//! A rate limit as a bucket that fills with time, and what holds a side back by two of them: the limit, and the pace of
//! the program that the side stands for. Pure: the time is given.

use std::time::{Duration, Instant};

use crate::telemetry::Rest;

/// Unused time is kept for so long, so that short waits do not lower the rate.
const BURST: Duration = Duration::from_millis(50);
/// Bytes are let go at least this far apart, so that a low limit does not mean a system call a byte.
const STEP: Duration = Duration::from_millis(10);

/// Rounding must not turn a short wait into none.
const WAIT_MIN: Duration = Duration::from_micros(10);

/// Decides how many bytes may move now.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit_bytes_per_s: Option<u64>,
    allowed_bytes: f64,
    at: Instant,
}

/// What may move.
#[derive(Debug, PartialEq)]
pub(crate) enum Allowance {
    /// So many bytes, at least one.
    Bytes(u64),
    /// Nothing before then.
    NotBefore(Instant),
}

impl Limiter {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            limit_bytes_per_s: None,
            allowed_bytes: 0.0,
            at: now,
        }
    }

    /// How many of `wanted` bytes (at least one) may move at `now` under `limit`.
    pub(crate) fn allow(&mut self, limit: Option<u64>, wanted: u64, now: Instant) -> Allowance {
        let Some(rate) = limit else {
            self.limit_bytes_per_s = None;
            return Allowance::Bytes(wanted);
        };
        if self.limit_bytes_per_s != limit {
            (self.limit_bytes_per_s, self.allowed_bytes, self.at) = (limit, 0.0, now);
        }
        let rate = rate as f64;
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        let most = (rate * BURST.as_secs_f64()).max(1.0);
        self.allowed_bytes = (self.allowed_bytes + rate * passed).min(most);
        let step = (rate * STEP.as_secs_f64()).max(1.0).min(wanted as f64);
        if self.allowed_bytes >= step {
            return Allowance::Bytes(whole_bytes(self.allowed_bytes).clamp(1, wanted));
        }
        let seconds = ((step - self.allowed_bytes) / rate).min(3600.0);
        Allowance::NotBefore(now + Duration::from_secs_f64(seconds).max(WAIT_MIN))
    }

    /// So many of the allowed bytes have moved.
    pub(crate) fn spend(&mut self, bytes: u64) {
        self.allowed_bytes -= bytes as f64;
    }
}

/// The whole bytes in an amount: none in a negative one, and `u64::MAX` at most.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float's cast saturates"
)]
pub(crate) fn whole_bytes(bytes: f64) -> u64 {
    bytes as u64
}

/// A limit and a pace, each with what it has let go.
#[derive(Debug)]
pub(crate) struct Throttle {
    limit: Limiter,
    pace: Limiter,
}

impl Throttle {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            limit: Limiter::new(now),
            pace: Limiter::new(now),
        }
    }

    /// How many of `wanted` bytes (at least one) may move at `now`; or until when nothing may, and why.
    pub(crate) fn allow(
        &mut self,
        limit: Option<u64>,
        pace: Option<u64>,
        wanted: u64,
        now: Instant,
    ) -> Result<u64, (Instant, Rest)> {
        match (self.limit.allow(limit, wanted, now), self.pace.allow(pace, wanted, now)) {
            (Allowance::Bytes(limit), Allowance::Bytes(pace)) => Ok(limit.min(pace)),
            (Allowance::NotBefore(limit), Allowance::NotBefore(pace)) if pace > limit => Err((pace, Rest::Pace)),
            (Allowance::NotBefore(limit), _) => Err((limit, Rest::Limit)),
            (_, Allowance::NotBefore(pace)) => Err((pace, Rest::Pace)),
        }
    }

    /// So many of the allowed bytes have moved.
    pub(crate) fn spend(&mut self, bytes: u64) {
        self.limit.spend(bytes);
        self.pace.spend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that move within a second when as many as possible are taken at every chance.
    fn moved_in_a_second(limit: u64, wanted: u64) -> u64 {
        let start = Instant::now();
        let mut limiter = Limiter::new(start);
        let (mut now, mut moved) = (start, 0);
        while now < start + Duration::from_secs(1) {
            match limiter.allow(Some(limit), wanted, now) {
                Allowance::Bytes(bytes) => {
                    limiter.spend(bytes);
                    moved += bytes;
                }
                Allowance::NotBefore(then) => {
                    assert!(then > now, "a wait must end later than now");
                    now = then;
                }
            }
        }
        moved
    }

    #[test]
    fn a_limit_is_kept_within_a_burst() {
        for limit in [100, 10_000, 200_000_000, 40_000_000_000] {
            let moved = moved_in_a_second(limit, 1 << 20);
            let burst = limit / 20 + 1;
            assert!(moved.abs_diff(limit) <= burst, "{moved} of {limit}");
        }
    }

    #[test]
    fn no_limit_lets_everything_go_and_a_new_one_holds_from_then_on() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        assert_eq!(limiter.allow(None, 1 << 40, now), Allowance::Bytes(1 << 40));
        assert!(matches!(limiter.allow(Some(10), 1 << 40, now), Allowance::NotBefore(_)));
        assert_eq!(limiter.allow(None, 5, now), Allowance::Bytes(5));
    }

    #[test]
    fn a_limit_of_one_byte_a_second_moves_one_byte_a_second() {
        let now = Instant::now();
        let mut limiter = Limiter::new(now);
        limiter.allow(Some(1), 100, now);
        assert_eq!(
            limiter.allow(Some(1), 100, now + Duration::from_secs(1)),
            Allowance::Bytes(1)
        );
    }

    /// What moves in a second, and how often each was to blame for a rest.
    fn in_a_second(limit: Option<u64>, pace: Option<u64>) -> (u64, usize, usize) {
        let start = Instant::now();
        let mut throttle = Throttle::new(start);
        let (mut now, mut moved, mut limited, mut paced) = (start, 0, 0, 0);
        while now < start + Duration::from_secs(1) {
            match throttle.allow(limit, pace, 1 << 20, now) {
                Ok(bytes) => {
                    throttle.spend(bytes);
                    moved += bytes;
                    // Moving takes time, too.
                    now += Duration::from_millis(1);
                }
                Err((until, rest)) => {
                    limited += usize::from(rest == Rest::Limit);
                    paced += usize::from(rest == Rest::Pace);
                    now = until;
                }
            }
        }
        (moved, limited, paced)
    }

    #[test]
    fn the_slower_of_the_two_is_kept_to_and_named() {
        let (moved, limited, paced) = in_a_second(Some(1_000_000), Some(50_000_000));
        assert!(
            moved.abs_diff(1_000_000) < 100_000 && limited > 10 * paced,
            "{moved} {limited} {paced}"
        );
        let (moved, limited, paced) = in_a_second(Some(50_000_000), Some(1_000_000));
        assert!(
            moved.abs_diff(1_000_000) < 100_000 && paced > 10 * limited,
            "{moved} {limited} {paced}"
        );
        let (_, limited, paced) = in_a_second(None, None);
        assert_eq!((limited, paced), (0, 0));
    }
}
