//! The mean rates of rounds, for their median.

use crate::compare::Spread;

/// So many are kept at most.
const KEPT_MAX: usize = 1024;

/// Rates of rounds: all of them, or one in so many that a long run needs no more room than a short one.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundRates {
    kept: Vec<f64>,
    /// One of `2^halved` is kept.
    halved: u32,
    seen: u64,
}

impl RoundRates {
    /// Adds the rate of a round, in bytes a second.
    pub(super) fn push(&mut self, rate_bytes_per_s: f64) {
        if self.seen.trailing_zeros() >= self.halved {
            self.kept.push(rate_bytes_per_s);
        }
        self.seen += 1;
        if self.kept.len() > KEPT_MAX {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.halved += 1;
        }
    }

    /// The median, in bytes a second; `None` before the first round has ended.
    pub(super) fn median(&self) -> Option<f64> {
        Spread::of(self.kept.iter().copied()).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_all_rounds_and_of_an_even_part_of_very_many() {
        let mut rates = RoundRates::default();
        assert_eq!(rates.median(), None);
        for rate in [3.0, 1.0, 2.0] {
            rates.push(rate);
        }
        assert_eq!(rates.median(), Some(2.0));
        let mut rates = RoundRates::default();
        for i in 0..1_000_000_u32 {
            rates.push(f64::from(i));
        }
        assert!(rates.kept.len() <= KEPT_MAX && rates.kept.len() >= KEPT_MAX / 2 - 1);
        assert!((rates.median().unwrap() - 500_000.0).abs() < 2500.0);
    }
}
