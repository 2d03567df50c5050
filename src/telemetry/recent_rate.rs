//! The rate of the last moments, as it is told to people: over at least a second where something has moved for so long.

/// Shorter spans show how bytes come in bursts, and not how many come.
const SPAN_S: f64 = 1.0;
/// At the beginning a rate is over at least so long: the first bytes come at once.
const FIRST_SPAN_S: f64 = 0.05;

/// Follows bytes over time. Takes no memory that grows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RecentRate {
    /// Times in seconds, and the bytes that had moved by then; a second apart, or the same at the beginning.
    older: (f64, u64),
    newer: (f64, u64),
    last: (f64, u64),
}

impl RecentRate {
    /// From when on nothing had moved but so many bytes.
    #[must_use]
    pub(crate) fn new(t_s: f64, bytes: u64) -> Self {
        let mark = (t_s, bytes);
        Self {
            older: mark,
            newer: mark,
            last: mark,
        }
    }

    /// So many bytes had moved by `t_s`. Where they are fewer than before, they come again.
    pub(crate) fn push(&mut self, t_s: f64, bytes: u64) {
        if bytes < self.last.1 || t_s < self.last.0 {
            *self = Self::new(t_s, bytes);
            return;
        }
        // After a rest it begins anew: what did not move then is not what moves now.
        if t_s - self.last.0 >= 2.0 * SPAN_S && bytes > self.last.1 {
            *self = Self::new(t_s - SPAN_S, self.last.1);
        }
        if t_s - self.newer.0 >= SPAN_S {
            self.older = self.newer;
            self.newer = (t_s, bytes);
        }
        self.last = (t_s, bytes);
    }

    /// The rate at `t_s`, in bytes a second: the mean of one or two seconds before, and 0 where nothing was told for
    /// longer.
    #[must_use]
    pub(crate) fn at(&self, t_s: f64) -> f64 {
        if t_s - self.last.0 >= 2.0 * SPAN_S {
            return 0.0;
        }
        let from = if t_s - self.newer.0 >= SPAN_S {
            self.newer
        } else {
            self.older
        };
        let span_s = t_s - from.0;
        if span_s > 0.0 {
            (self.last.1 - from.1) as f64 / span_s.max(FIRST_SPAN_S)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_have_the_rate_that_they_come_to_in_a_second() {
        // 400 kB ten times a second, told of twenty times.
        let mut rate = RecentRate::new(0.0, 0);
        for i in 1..=100_u32 {
            let t_s = f64::from(i) * 0.05;
            rate.push(t_s, u64::from(i / 2) * 400_000);
            let is_far = (rate.at(t_s) - 4e6).abs() > 0.5e6;
            assert!(t_s < 1.0 || !is_far, "{} at {t_s}", rate.at(t_s));
        }
    }

    #[test]
    fn what_has_come_to_rest_has_no_rate() {
        let mut rate = RecentRate::new(0.0, 0);
        for i in 1..=30_u32 {
            rate.push(f64::from(i) * 0.1, u64::from(i) * 100);
        }
        assert!((rate.at(3.0) - 1000.0).abs() < 1.0, "{}", rate.at(3.0));
        assert!(rate.at(4.5) < 600.0, "{}", rate.at(4.5));
        assert!(rate.at(5.0) <= 0.0);
        for i in 31..=60_u32 {
            rate.push(f64::from(i) * 0.1, 3000);
        }
        assert!(rate.at(6.0) <= 0.0, "it is told that nothing moves");
        // And goes on after a minute as fast as before.
        rate.push(66.0, 4000);
        assert!((rate.at(66.0) - 1000.0).abs() < 1.0, "{}", rate.at(66.0));
    }

    #[test]
    fn bytes_that_come_again_are_counted_from_there() {
        let mut rate = RecentRate::new(0.0, 0);
        rate.push(1.0, 5000);
        rate.push(1.5, 10);
        rate.push(2.5, 1010);
        assert!((rate.at(2.5) - 1000.0).abs() < 1.0, "{}", rate.at(2.5));
    }
}
