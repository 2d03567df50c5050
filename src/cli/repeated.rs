//! What transfers came to that were repeated, however many.

use std::fmt::Display;

use crate::rounds::RoundSpread;
use crate::transfer::Finished;
use crate::units;

use super::lines::seconds_of;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    /// Bytes a second.
    rates: RoundSpread,
    /// Seconds, of those that had bytes.
    seconds: RoundSpread,
}

impl Repeated {
    /// One more is done.
    pub(super) fn push(&mut self, finished: &Finished) {
        self.rates.push(finished.rate_bytes_per_s);
        if let Some(seconds) = seconds_of(finished) {
            self.seconds.push(seconds);
        }
    }

    /// How many are done.
    pub(super) fn count(&self) -> u64 {
        self.rates.count()
    }

    /// `5 transfers: median 5.10 GB/s, 4.80 GB/s to 5.50 GB/s`. The median of an even number is the mean of the middle
    /// two, and that of more than a thousand is of an even part of them.
    pub(super) fn in_words(&self) -> String {
        self.words("transfers", &self.rates, units::rate)
    }

    /// `5 handoffs: median 59.6 µs, 51.2 µs to 80.1 µs`.
    pub(super) fn handoffs_in_words(&self) -> String {
        self.words("handoffs", &self.seconds, units::duration)
    }

    fn words<T: Display>(&self, what: &str, spread: &RoundSpread, write: impl Fn(f64) -> T) -> String {
        let zeros_of_nothing = [0.0; 3];
        let numbers = spread
            .spread()
            .map_or(zeros_of_nothing, |spread| [spread.median, spread.min, spread.max]);
        let [median, least, most] = numbers.map(write);
        format!("{} {what}: median {median}, {least} to {most}", self.count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(all: &[Finished]) -> Repeated {
        let mut repeated = Repeated::default();
        for finished in all {
            repeated.push(finished);
        }
        repeated
    }

    #[test]
    fn repeated_transfers_are_summed_up_by_their_median() {
        let of = |rates: &[f64]| {
            let finished = |rate_bytes_per_s: &f64| Finished {
                rate_bytes_per_s: *rate_bytes_per_s,
                ..Finished::default()
            };
            repeated(&rates.iter().map(finished).collect::<Vec<_>>()).in_words()
        };
        assert_eq!(
            of(&[3e9, 1e9, 2e9]),
            "3 transfers: median 2.00 GB/s, 1.00 GB/s to 3.00 GB/s"
        );
        assert_eq!(of(&[2e9, 1e9]), "2 transfers: median 1.50 GB/s, 1.00 GB/s to 2.00 GB/s");
    }

    #[test]
    fn what_is_handed_over_has_a_time_and_no_rate() {
        let finished = Finished {
            bytes: 400_000_000,
            rate_bytes_per_s: 4e8 / 59.6e-6,
            ..Finished::default()
        };
        assert_eq!(
            repeated(&[finished.clone(), finished]).handoffs_in_words(),
            "2 handoffs: median 59.6 µs, 59.6 µs to 59.6 µs"
        );
    }
}
