//! The spread of a number of very many rounds, in bounded memory.

use crate::compare::Spread;

/// So many are kept at most.
const KEPT_MAX: usize = 1024;

/// A number of each round, such as its rate: all of them, or one in so many that a long run needs no more room than a
/// short one.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoundSpread {
    kept: Vec<f64>,
    /// One of `2^halved` is kept.
    halved: u32,
    seen: u64,
    /// The smallest and the largest of all.
    ends: Option<(f64, f64)>,
}

impl RoundSpread {
    /// Adds the number of a round.
    pub(crate) fn push(&mut self, value: f64) {
        if self.seen.trailing_zeros() >= self.halved {
            self.kept.push(value);
        }
        self.seen += 1;
        let (least, most) = self.ends.unwrap_or((value, value));
        self.ends = Some((least.min(value), most.max(value)));
        if self.kept.len() > KEPT_MAX {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.halved += 1;
        }
    }

    /// How many rounds there were.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.seen
    }

    /// The median, of an even part where there are very many, and the smallest and the largest of all; `None` before
    /// the first round has ended.
    #[must_use]
    pub(crate) fn spread(&self) -> Option<Spread> {
        let of_kept = Spread::of(self.kept.iter().copied())?;
        let (min, max) = self.ends?;
        Some(Spread { min, max, ..of_kept })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_that_of_all_rounds_and_of_an_even_part_of_very_many() {
        let mut rates = RoundSpread::default();
        assert_eq!(rates.spread(), None);
        for rate in [3.0, 1.0, 2.0] {
            rates.push(rate);
        }
        let spread = rates.spread().expect("three");
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 3.0));
        let mut rates = RoundSpread::default();
        for i in 0..1_000_000_u32 {
            rates.push(f64::from(i));
        }
        assert!(rates.kept.len() <= KEPT_MAX && rates.kept.len() >= KEPT_MAX / 2 - 1);
        let spread = rates.spread().expect("a million");
        assert!((spread.median - 500_000.0).abs() < 2500.0);
        assert_eq!((rates.count(), spread.min, spread.max), (1_000_000, 0.0, 999_999.0));
    }
}
