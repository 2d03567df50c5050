//! A histogram whose range nobody has to know before: its bins double in width as values come that lie beyond it.
//!
//! The width of a bin is a power of two, and bins begin at its multiples. So two bins become one without a rest, and the
//! same values give the same histogram in whatever order and in however many parts they came.

/// So many bins at most: each byte has its own.
pub(super) const BINS: usize = 256;

/// The widths are 2 to a power from here...
const EXPONENT_MIN: i32 = -1000;
/// ...to here, with which `f64` is covered from end to end.
const EXPONENT_MAX: i32 = 1017;
/// A bin is at least so many times narrower than the largest value: as narrow as an `f64` can tell apart.
const DIGITS: i32 = 50;

/// How many of a number of values lie where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Histogram {
    /// The width of a bin is 2 to this power.
    exponent: i32,
    /// No narrower bin is wanted.
    exponent_min: i32,
    /// The first bin begins at so many widths.
    first: i64,
    /// None before there is anything to be counted.
    counts: Vec<u64>,
    /// What it covers: from the smallest to the largest value.
    range: Option<(f64, f64)>,
}

impl Histogram {
    /// Of no values. Those that are whole have no bins for fractions.
    pub(super) fn new(is_whole: bool) -> Self {
        let exponent_min = if is_whole { 0 } else { EXPONENT_MIN };
        Self {
            exponent: exponent_min,
            exponent_min,
            first: 0,
            counts: Vec::new(),
            range: None,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.exponent = self.exponent_min;
        self.counts.fill(0);
        self.range = None;
    }

    /// Has bins for everything from `low` to `high`, both finite, beside what it covered before.
    pub(super) fn cover(&mut self, low: f64, high: f64) {
        let (low, high) = match self.range {
            Some((least, most)) if least <= low && high <= most => return,
            Some((least, most)) => (low.min(least), high.max(most)),
            None => (low, high),
        };
        self.range = Some((low, high));
        let fits =
            |exponent: &i32| bin_of(high, *exponent) < bin_of(low, *exponent).saturating_add_unsigned(BINS as u64);
        let narrowest = exponent_of(low.abs().max(high.abs())) - DIGITS;
        let from = narrowest.max(self.exponent);
        let exponent = (from..EXPONENT_MAX).find(fits).unwrap_or(EXPONENT_MAX);
        self.rebin(exponent, bin_of(low, exponent));
    }

    /// Counts so many values, all like this one, which it covers.
    pub(super) fn count(&mut self, value: f64, times: usize) {
        let bin = usize::try_from(bin_of(value, self.exponent) - self.first).unwrap_or(0);
        if let Some(count) = self.counts.get_mut(bin) {
            *count += times as u64;
        }
    }

    /// The same of one that is whole, where all are. An `f64` has to hold it exactly.
    pub(super) fn count_whole(&mut self, value: i64, times: usize) {
        let bin = usize::try_from((value >> self.exponent) - self.first).unwrap_or(0);
        if let Some(count) = self.counts.get_mut(bin) {
            *count += times as u64;
        }
    }

    /// Adds what another one has counted.
    pub(super) fn add(&mut self, other: &Self) {
        let Some((low, high)) = other.range else { return };
        self.cover(low, high);
        let doubled = self.exponent - other.exponent;
        for (bin, count) in other.bins() {
            self.counts[place(bin, doubled, self.first)] += count;
        }
    }

    /// What several of them come to, where each count of one stands for so many. Returns the beginning of the first bin
    /// that counts any, the width of a bin, and the counts up to the last such one.
    pub(super) fn shown_together(parts: &[(&Self, f64)]) -> Option<(f64, f64, Vec<u64>)> {
        let mut all = Self::new(parts.first()?.0.exponent_min == 0);
        for (part, _) in parts {
            if let Some((low, high)) = part.range {
                all.cover(low, high);
            }
        }
        let mut counts = [0.0; BINS];
        for (part, weight) in parts {
            for (bin, count) in part.bins() {
                counts[place(bin, all.exponent - part.exponent, all.first)] += count as f64 * weight;
            }
        }
        let from = counts.iter().position(|count| *count > 0.0)?;
        let to = counts.iter().rposition(|count| *count > 0.0)?;
        let width = power_of_two(all.exponent);
        let first = all.first.saturating_add_unsigned(from as u64);
        let begins = (first as f64 * width).max(-f64::MAX);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of values is neither negative nor beyond any count"
        )]
        let counts = counts[from..=to].iter().map(|count| count.round() as u64).collect();
        Some((begins, width, counts))
    }

    fn rebin(&mut self, exponent: i32, first: i64) {
        let doubled = exponent - self.exponent;
        if self.counts.is_empty() {
            self.counts = vec![0; BINS];
        } else if doubled != 0 || first != self.first {
            let mut counts = vec![0; BINS];
            for (bin, count) in self.bins() {
                counts[place(bin, doubled, first)] += count;
            }
            self.counts = counts;
        }
        (self.exponent, self.first) = (exponent, first);
    }

    /// The bins that count any, by how many widths from zero they begin.
    fn bins(&self) -> impl Iterator<Item = (i64, u64)> {
        let counts = self.counts.iter().copied().enumerate();
        let first = self.first;
        counts
            .filter(|(_, count)| *count > 0)
            .map(move |(index, count)| (first.saturating_add_unsigned(index as u64), count))
    }
}

/// Where the counts of a bin belong after its width has doubled so many times.
fn place(bin: i64, doubled: i32, first: i64) -> usize {
    // What is covered lies in one of the bins.
    usize::try_from((bin >> doubled.clamp(0, 63)) - first).map_or(0, |place| place.min(BINS - 1))
}

/// By how many widths from zero the bin of a value begins, where those are 2 to the power `exponent`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent keeps it below 2 to the power 60"
)]
fn bin_of(value: f64, exponent: i32) -> i64 {
    let widths = value * power_of_two(-exponent);
    let towards_zero = widths as i64;
    // What is below zero stays so where it is too small to be told from zero.
    towards_zero - i64::from(towards_zero as f64 > widths || widths == 0.0 && value < 0.0)
}

/// The power of two that is not above a magnitude.
fn exponent_of(magnitude: f64) -> i32 {
    i32::try_from(magnitude.to_bits() >> 52 & 0x7ff).unwrap_or(0) - 1023
}

/// From 2 to the power -1017 to 2 to the power 1017.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::try_from(1023 + exponent).unwrap_or(1) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(histogram: &Histogram) -> Option<(f64, f64, Vec<u64>)> {
        Histogram::shown_together(&[(histogram, 1.0)])
    }

    fn of(values: &[f64]) -> Histogram {
        let mut histogram = Histogram::new(false);
        for value in values {
            histogram.cover(*value, *value);
            histogram.count(*value, 1);
        }
        histogram
    }

    #[test]
    fn each_byte_has_a_bin_of_its_own() {
        let mut histogram = Histogram::new(true);
        for byte in [0_u8, 255, 7, 7] {
            histogram.cover(byte.into(), byte.into());
            histogram.count(byte.into(), 1);
        }
        let (from, width, counts) = shown(&histogram).expect("values");
        assert_eq!((from, width, counts.len()), (0.0, 1.0, 256));
        assert_eq!((counts[0], counts[7], counts[255]), (1, 2, 1));
    }

    #[test]
    fn the_ends_of_f64_and_values_that_hardly_differ_are_covered() {
        for values in [
            &[f64::MAX, -f64::MAX, 0.0, 5e-324][..],
            &[5e-324, 1e-323],
            &[1e15, 1e15 + 0.125],
            &[0.0],
            &[f64::MAX],
            &[-1e-300, 1e300],
        ] {
            let (from, width, counts) = shown(&of(values)).expect("values");
            assert_eq!(counts.iter().sum::<u64>(), values.len() as u64, "{values:?}");
            let least = values.iter().copied().fold(f64::INFINITY, f64::min);
            assert!(from <= least && least - from <= width, "{values:?}: {from} {width}");
        }
    }

    proptest! {
        #[test]
        fn the_order_and_the_parts_in_which_values_come_make_no_difference(
            values in prop::collection::vec(prop_oneof![any::<f64>(), -1e3..1e3, -1e-3..1e-3], 1..60),
            cut in 0_usize..60,
        ) {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let whole = of(&values);
            let reversed: Vec<f64> = values.iter().rev().copied().collect();
            prop_assert_eq!(&of(&reversed), &whole);
            let (one, other) = values.split_at(cut.min(values.len()));
            let mut joined = of(one);
            joined.add(&of(other));
            prop_assert_eq!(&joined, &whole);
            let (from, width, counts) = shown(&whole).unwrap_or((0.0, 1.0, Vec::new()));
            for (index, count) in counts.into_iter().enumerate() {
                let ends = [0.0, 1.0].map(|more| from + (index as f64 + more) * width);
                let there = values.iter().filter(|value| (ends[0]..ends[1]).contains(*value)).count();
                let is_exact = values.iter().all(|value| value.abs() < 1e300);
                prop_assert!(!is_exact || there as u64 == count, "{there} of {count} in {ends:?}");
            }
        }
    }
}
