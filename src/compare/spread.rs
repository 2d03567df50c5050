//! Medians with their spread, because machines are noisy.

use serde::{Deserialize, Serialize};

use super::measured::{Measured, Subject};

/// The median of several values, with the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The middle value, or the mean of the middle two if their number is even.
    pub median: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Spread {
    /// The spread of values in any order; `None` if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self { median, min, max })
    }
}

/// The summary of a contestant's rounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Bytes of the array / (verified - connect began), in bytes a second.
    pub rate_bytes_per_s: Spread,
    /// The time from when connecting began to verified, in seconds.
    pub seconds: Spread,
    /// CPU time of both sides' data threads, in seconds a GB (10^9 bytes).
    pub cpu_s_per_gb: Spread,
    /// Bytes that the CPU copied, for each byte of the array.
    pub copies_per_byte: Spread,
    /// System calls that moved bytes, of both sides.
    pub syscalls: Spread,
    /// Page faults of both sides' data threads.
    pub page_faults: Spread,
    /// The most memory in use, in bytes, beyond the array where it lies and where it lands.
    pub beyond_bytes: Spread,
    /// The time from when connecting began to when the first data landed, in seconds; `None` for an array of no bytes.
    pub first_byte_s: Option<Spread>,
}

impl Summary {
    /// The summary of rounds that all moved `subject`; `None` if there are none.
    #[must_use]
    pub fn of(rounds: &[Measured], subject: &Subject) -> Option<Self> {
        let bytes = subject.bytes.max(1) as f64;
        let spread = |value: fn(&Measured) -> f64| Spread::of(rounds.iter().map(value));
        let scaled =
            |value: fn(&Measured) -> f64, unit: f64| Spread::of(rounds.iter().map(|round| value(round) / unit));
        Some(Self {
            rate_bytes_per_s: spread(|round| round.rate_bytes_per_s)?,
            seconds: spread(|round| round.seconds)?,
            cpu_s_per_gb: scaled(|round| round.cpu_s, bytes / 1e9)?,
            copies_per_byte: scaled(|round| round.copied_bytes as f64, bytes)?,
            syscalls: spread(|round| round.syscalls as f64)?,
            page_faults: spread(|round| round.page_faults as f64)?,
            beyond_bytes: spread(|round| round.beyond_bytes as f64)?,
            first_byte_s: Spread::of(rounds.iter().filter_map(|round| round.first_byte_s)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_one_or_lies_between_the_middle_two() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied()).map(|s| (s.min, s.median, s.max));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0]), Some((3.0, 3.0, 3.0)));
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some((1.0, 2.0, 9.0)));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 100.0]), Some((1.0, 3.0, 100.0)));
    }

    #[test]
    fn a_summary_counts_by_byte_and_by_gb() {
        let subject = Subject {
            bytes: 2_000_000_000,
            ..Subject::default()
        };
        let round = |cpu_s, copied_bytes| Measured {
            cpu_s,
            copied_bytes,
            ..Measured::default()
        };
        let rounds = [round(0.5, 2_000_000_000), round(0.7, 4_000_000_000), round(0.6, 0)];
        let summary = Summary::of(&rounds, &subject).expect("rounds");
        assert!((summary.cpu_s_per_gb.median - 0.3).abs() < 1e-12);
        let copies = summary.copies_per_byte;
        assert_eq!((copies.min, copies.median, copies.max), (0.0, 1.0, 2.0));
        assert_eq!(summary.first_byte_s, None);
        assert_eq!(Summary::of(&[], &subject), None);
    }
}
