//! Holds a side back to the limit and to the pace of the program that it stands for, and says which of them it was.

use std::time::Instant;

use crate::telemetry::Rest;

use crate::transfer::limits::limiter::{Allowance, Limiter};

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
    use std::time::Duration;

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
