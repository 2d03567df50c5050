//! Times of round trips: a histogram, and the numbers that describe it.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// The number of significant digits that are kept of each time.
const DIGITS: u8 = 3;
/// An hour. Longer times count as this.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// Round trip times, in nanoseconds, each kept to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Latency {
    times_ns: Histogram<u64>,
    sum: Duration,
}

/// The times of the round trips of one size, in seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct RoundTrips {
    /// Bytes sent in each round trip, which the service sends back.
    pub size_bytes: u64,
    /// The number of round trips measured.
    pub count: u64,
    /// The shortest time.
    pub min_s: f64,
    /// The median: half of them took no longer.
    pub p50_s: f64,
    /// 90 % took no longer.
    pub p90_s: f64,
    /// 99 % took no longer.
    pub p99_s: f64,
    /// 99.9 % took no longer.
    pub p999_s: f64,
    /// The longest time.
    pub max_s: f64,
    /// The mean time.
    pub mean_s: f64,
    /// Bytes that came back a second. As many were sent in the same time.
    pub echoed_bytes_per_s: f64,
    /// The histogram for drawing, without gaps from the shortest to the longest time.
    #[serde(skip)]
    pub histogram: Vec<Bin>,
}

/// Round trips of about the same time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The lower bound, in seconds, which belongs to this bin.
    pub from_s: f64,
    /// The upper bound, in seconds, a tenth of a decade above. It belongs to the next bin.
    pub to_s: f64,
    /// The number of round trips.
    pub count: u64,
}

impl Latency {
    pub(super) fn new() -> Self {
        // The bounds are constants that a histogram accepts.
        #[allow(clippy::expect_used)]
        let times_ns = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).expect("bounds of a histogram");
        Self {
            times_ns,
            sum: Duration::ZERO,
        }
    }

    /// The number of times recorded.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.times_ns.len()
    }

    pub(super) fn add(&mut self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.times_ns.saturating_record(ns);
        self.sum += took;
    }

    pub(super) fn round_trips(&self, size_bytes: u64) -> RoundTrips {
        let seconds = |ns: u64| Duration::from_nanos(ns).as_secs_f64();
        let part = |part: f64| seconds(self.times_ns.value_at_quantile(part).min(self.times_ns.max()));
        let (count, sum_s) = (self.count(), self.sum.as_secs_f64());
        RoundTrips {
            size_bytes,
            count,
            min_s: seconds(self.times_ns.min()),
            p50_s: part(0.5),
            p90_s: part(0.9),
            p99_s: part(0.99),
            p999_s: part(0.999),
            max_s: seconds(self.times_ns.max()),
            mean_s: sum_s / count.max(1) as f64,
            echoed_bytes_per_s: size_bytes as f64 * count as f64 / sum_s.max(1e-9),
            histogram: self.histogram(),
        }
    }

    /// The histogram in ten bins a decade.
    fn histogram(&self) -> Vec<Bin> {
        let index = |ns: u64| (10.0 * (ns.max(1) as f64).log10()).floor();
        let (first, last) = (index(self.times_ns.min()), index(self.times_ns.max()));
        let edge_s = |index: f64| 1e-9 * 10_f64.powf(index / 10.0);
        let mut bins: Vec<Bin> = Vec::new();
        let mut at = first;
        while at <= last && self.count() > 0 {
            let (from_s, to_s) = (edge_s(at), edge_s(at + 1.0));
            bins.push(Bin { from_s, to_s, count: 0 });
            at += 1.0;
        }
        for value in self.times_ns.iter_recorded() {
            let at = index(
                value
                    .value_iterated_to()
                    .clamp(self.times_ns.min(), self.times_ns.max()),
            ) - first;
            // Between the first and the last bin, of which there are a few dozen.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small and not negative"
            )]
            if let Some(bin) = bins.get_mut(at.max(0.0) as usize) {
                bin.count += value.count_at_value();
            }
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_times_to_three_digits() {
        let mut latency = Latency::new();
        for us in 1..=1000 {
            latency.add(Duration::from_micros(us));
        }
        let told = latency.round_trips(1000);
        let near = |value: f64, wanted: f64| (value / wanted - 1.0).abs() < 2e-3;
        assert_eq!((told.size_bytes, told.count), (1000, 1000));
        assert!(
            near(told.min_s, 1e-6) && near(told.p50_s, 500e-6) && near(told.p90_s, 900e-6),
            "{told:?}"
        );
        assert!(
            near(told.p99_s, 990e-6) && near(told.p999_s, 999e-6) && near(told.max_s, 1e-3),
            "{told:?}"
        );
        assert!(
            near(told.mean_s, 500.5e-6) && near(told.echoed_bytes_per_s, 1000.0 / 500.5e-6),
            "{told:?}"
        );
    }

    #[test]
    fn the_histogram_has_every_round_trip_in_one_bin_and_no_gaps() {
        let mut latency = Latency::new();
        for us in [10, 11, 12, 50, 50, 900, 30_000] {
            latency.add(Duration::from_micros(us));
        }
        let bins = latency.round_trips(1).histogram;
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 7);
        assert!(
            bins.windows(2)
                .all(|pair| (pair[0].to_s / pair[1].from_s - 1.0).abs() < 1e-9),
            "{bins:?}"
        );
        let (first, last) = (bins.first().expect("bins"), bins.last().expect("bins"));
        assert!(
            first.count > 0 && first.from_s <= 10.01e-6 && first.to_s > 10e-6,
            "{first:?}"
        );
        assert!(
            last.count == 1 && last.from_s <= 30.1e-3 && last.to_s > 29.9e-3,
            "{last:?}"
        );
        assert!(Latency::new().round_trips(1).histogram.is_empty());
    }

    #[test]
    fn no_round_trip_at_all_gives_no_nonsense() {
        let told = Latency::new().round_trips(1);
        assert!(
            told.count == 0 && told.mean_s <= 0.0 && told.echoed_bytes_per_s <= 0.0,
            "{told:?}"
        );
    }
}
