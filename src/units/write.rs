//! Writes bytes, rates, times and counts in the form that [`units`](super) describes.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A number and its unit, apart because they are drawn apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity {
    /// Three significant digits, such as `5.92`.
    pub number: String,
    /// Such as `GB/s`.
    pub unit: &'static str,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As one text, so that a column's width holds for both.
        f.pad(&format!("{} {}", self.number, self.unit))
    }
}

const BYTES: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const RATES: [&str; 7] = ["B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s", "EB/s"];
const BINARY_RATES: [&str; 7] = ["B/s", "KiB/s", "MiB/s", "GiB/s", "TiB/s", "PiB/s", "EiB/s"];
const BIT_RATES: [&str; 7] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"];
/// Below, a span has three digits; from here on it would be shown as 60.0 s.
const MINUTES_FROM_S: f64 = 59.95;

/// A number of bytes: `999 B`, `400 MB`.
#[must_use]
pub(crate) fn bytes(bytes: u64) -> Quantity {
    mean_bytes(bytes as f64)
}

/// Bytes that are a mean or a median: whole ones are written.
#[must_use]
pub(crate) fn mean_bytes(bytes: f64) -> Quantity {
    scaled(bytes, &BYTES).1
}

/// A rate in bytes a second: `5.92 GB/s`. Below 1 B/s it is a plain 0 MB/s, so that figures do not jump at the end.
#[must_use]
pub(crate) fn rate(bytes_per_s: f64) -> Quantity {
    if bytes_per_s.is_finite() && bytes_per_s >= 1.0 {
        scaled(bytes_per_s, &RATES).1
    } else {
        Quantity {
            number: "0".to_owned(),
            unit: "MB/s",
        }
    }
}

/// What rates are counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RateScale {
    /// Bytes, with prefixes of 1000: `GB/s`.
    #[default]
    Bytes,
    /// Bytes, with prefixes of 1024: `GiB/s`.
    BinaryBytes,
    /// Bits, with prefixes of 1000: `Gbit/s`.
    Bits,
}

impl RateScale {
    /// The unit in which the highest rate of a view is written.
    #[must_use]
    pub(crate) fn unit(self, highest_bytes_per_s: f64) -> RateUnit {
        let (names, step, in_byte) = match self {
            Self::Bytes => (RATES, 1000.0, 1.0),
            Self::BinaryBytes => (BINARY_RATES, 1024.0, 1.0),
            Self::Bits => (BIT_RATES, 1000.0, 8.0),
        };
        let (mut at, mut units) = (0, 1.0);
        if highest_bytes_per_s.is_finite() && highest_bytes_per_s >= 1.0 {
            // What would be shown as 1000 is 1.00 of the next unit.
            while highest_bytes_per_s * in_byte / units >= 999.5 && at + 1 < names.len() {
                (at, units) = (at + 1, units * step);
            }
        } else {
            (at, units) = (2, step * step);
        }
        RateUnit {
            divisor: units / in_byte,
            name: names[at],
            scale: self,
        }
    }

    /// A rate in the unit that suits it.
    #[must_use]
    pub(crate) fn rate(self, bytes_per_s: f64) -> Quantity {
        match self {
            Self::Bytes => rate(bytes_per_s),
            Self::BinaryBytes | Self::Bits => self.unit(bytes_per_s).quantity(bytes_per_s),
        }
    }
}

/// A unit that the rates of one view share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RateUnit {
    /// In bytes a second.
    pub divisor: f64,
    /// Such as `GB/s`.
    pub name: &'static str,
    /// What it counts.
    pub scale: RateScale,
}

impl Default for RateUnit {
    fn default() -> Self {
        Self::of(0.0)
    }
}

impl RateUnit {
    /// The unit of bytes in which the highest rate of the view is written.
    #[must_use]
    pub(crate) fn of(highest_bytes_per_s: f64) -> Self {
        RateScale::Bytes.unit(highest_bytes_per_s)
    }

    /// A rate in this unit. One that is far lower than the highest keeps two digits: `0.0042 GB/s`.
    #[must_use]
    pub(crate) fn quantity(self, bytes_per_s: f64) -> Quantity {
        let value = bytes_per_s / self.divisor;
        let number = match value {
            v if !v.is_finite() || v < 1e-6 => "0".to_owned(),
            v if v >= 0.0995 => three_digits(v),
            v => {
                // The first digit that is not zero, and the one after it.
                let zeros = (1..6).find(|zeros| v * 10_f64.powi(*zeros) >= 0.995).unwrap_or(6);
                let decimals = usize::try_from(zeros + 1).unwrap_or(2);
                format!("{v:.decimals$}")
            }
        };
        Quantity {
            number,
            unit: self.name,
        }
    }
}

/// How much of how much: `19.0 of 28.0 GB`, both in the unit of the total.
#[must_use]
pub(crate) fn done_of(done: u64, total: u64) -> String {
    let (done, total) = done_and_total(done, total);
    format!("{done} of {total}")
}

/// How much, as a number in the unit of the total, and the total.
#[must_use]
pub(crate) fn done_and_total(done: u64, total: u64) -> (String, Quantity) {
    let (divisor, total) = scaled(total as f64, &BYTES);
    let decimals = total.number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    (format!("{:.decimals$}", done as f64 / divisor), total)
}

/// A short time in seconds, as of a round trip: `500 ns`, `12.3 µs`, `80.4 ms`, `1.53 s`. Nothing where it is not finite.
#[must_use]
pub(crate) fn time(seconds: f64) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    match unit_of_time(seconds) {
        _ if seconds <= 0.0 => "0 s".to_owned(),
        (scale, unit @ "ns") => format!("{:.0} {unit}", seconds * scale),
        (scale, unit) => format!("{} {unit}", three_digits(seconds * scale)),
    }
}

/// A span in seconds, as of a transfer: a [`time`], or from a minute on `2 min 5 s`, `3 h 12 min`, `2 d 7 h`.
#[must_use]
pub(crate) fn duration(seconds: f64) -> String {
    if seconds.is_finite() && seconds >= MINUTES_FROM_S {
        whole_seconds(seconds.round())
    } else {
        time(seconds)
    }
}

/// How much of a span: `0.90 of 1.00 s`, both in the unit of the whole.
#[must_use]
pub(crate) fn time_of(part_s: f64, whole_s: f64) -> String {
    if whole_s >= MINUTES_FROM_S {
        return format!("{} of {}", duration(part_s), duration(whole_s));
    }
    let whole = time(whole_s);
    let decimals = whole
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.find(' ').unwrap_or(0));
    format!("{:.decimals$} of {whole}", part_s * unit_of_time(whole_s).0)
}

/// Seconds to come or gone, in whole ones, rounded up: `1 s`, `2 min 5 s`.
#[must_use]
pub(crate) fn left(seconds: f64) -> String {
    whole_seconds(seconds.ceil())
}

/// A whole number with its thousands apart: `50,000,000`.
#[must_use]
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes that someone has set, exactly: `64 MiB` where that is whole, `1500 B`.
#[must_use]
pub(crate) fn exact_bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let (mut count, mut unit) = (bytes, 0);
    while count > 0 && count.is_multiple_of(1024) && unit + 1 < units.len() {
        count /= 1024;
        unit += 1;
    }
    format!("{count} {}", units[unit])
}

/// A time that someone has set, exactly: `30 s`, `0.3 s`.
#[must_use]
pub(crate) fn exact_time(time: Duration) -> String {
    let text = format!("{}.{:09}", time.as_secs(), time.subsec_nanos());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A number that is not negative with three significant digits, or all digits of a whole part that has more, with their
/// thousands apart.
#[must_use]
pub(crate) fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => count(whole(v)),
    }
}

/// The nearest whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "not negative, and a float's cast saturates"
)]
fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// A value in the unit, each a thousand of the one before, in which it has at most three digits before the point; and
/// what it was divided by.
fn scaled(value: f64, units: &[&'static str; 7]) -> (f64, Quantity) {
    let mut divisor = 1.0;
    let mut unit = 0;
    // What would be shown as 1000 is 1.00 of the next unit.
    while value / divisor >= 999.5 && unit + 1 < units.len() {
        divisor *= 1000.0;
        unit += 1;
    }
    let number = match unit {
        0 => format!("{value:.0}"),
        _ => three_digits(value / divisor),
    };
    let unit = units[unit];
    (divisor, Quantity { number, unit })
}

/// How many of its unit a second has, and the unit.
fn unit_of_time(seconds: f64) -> (f64, &'static str) {
    let small = [(1e9, "ns"), (1e6, "µs"), (1e3, "ms")];
    small
        .into_iter()
        .find(|(scale, _)| seconds * scale < 999.5)
        .unwrap_or((1.0, "s"))
}

fn whole_seconds(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, not negative, and saturating"
    )]
    let seconds = seconds.max(0.0) as u64;
    match seconds {
        s if s < 60 => format!("{s} s"),
        s if s < 3600 => format!("{} min {} s", s / 60, s % 60),
        s if s < 48 * 3600 => format!("{} h {} min", s / 3600, s / 60 % 60),
        s => format!("{} d {} h", s / 86_400, s / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_one_view_have_the_unit_of_the_highest() {
        let gb = RateUnit::of(4.2e9);
        let shown = [4.2e9, 0.8e9, 42e6, 4.2e6, 420e3, 1.0, 0.0].map(|rate| gb.quantity(rate).to_string());
        let expected = [
            "4.20 GB/s",
            "0.80 GB/s",
            "0.042 GB/s",
            "0.0042 GB/s",
            "0.00042 GB/s",
            "0 GB/s",
            "0 GB/s",
        ];
        assert_eq!(shown, expected);
        assert_eq!(RateUnit::of(999.6e6).name, "GB/s");
        assert_eq!(RateUnit::of(420e6).quantity(13.9e9).to_string(), "13,900 MB/s");
        assert_eq!((RateUnit::of(0.0).name, RateUnit::of(f64::NAN).name), ("MB/s", "MB/s"));
    }

    #[test]
    fn rates_are_counted_in_what_someone_chose() {
        let shown = |scale: RateScale, rate| scale.rate(rate).to_string();
        for (rate, bytes, binary, bits) in [
            (4.2e9, "4.20 GB/s", "3.91 GiB/s", "33.6 Gbit/s"),
            (42e6, "42.0 MB/s", "40.1 MiB/s", "336 Mbit/s"),
            (0.0, "0 MB/s", "0 MiB/s", "0 Mbit/s"),
        ] {
            assert_eq!(shown(RateScale::Bytes, rate), bytes);
            assert_eq!(shown(RateScale::BinaryBytes, rate), binary);
            assert_eq!(shown(RateScale::Bits, rate), bits);
        }
        assert_eq!(RateScale::BinaryBytes.unit(1000.0 * 1024.0 * 1024.0).name, "GiB/s");
        assert_eq!(RateScale::Bits.unit(8e9).quantity(1e6).to_string(), "0.0080 Gbit/s");
    }

    #[test]
    fn quantities_have_three_digits_and_a_unit() {
        for (number, shown) in [
            (0, "0 B"),
            (1, "1 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (999_499, "999 kB"),
            (999_600, "1.00 MB"),
            (400_000_000, "400 MB"),
            (999_600_000, "1.00 GB"),
            (3_690_000_000, "3.69 GB"),
            (28_000_000_000, "28.0 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number).to_string(), shown);
        }
        assert_eq!(mean_bytes(1.5e6).to_string(), "1.50 MB");
        for (number, shown) in [
            (5.918e9, "5.92 GB/s"),
            (5.04e9, "5.04 GB/s"),
            (1.0, "1 B/s"),
            (0.0, "0 MB/s"),
            (f64::NAN, "0 MB/s"),
        ] {
            assert_eq!(rate(number).to_string(), shown);
        }
        assert_eq!(format!("{:>9}", bytes(1000)), "  1.00 kB");
    }

    #[test]
    fn done_of_keeps_the_unit_and_the_digits_of_the_total() {
        assert_eq!(done_of(19_000_000_000, 28_000_000_000), "19.0 of 28.0 GB");
        assert_eq!(done_of(0, 400_000_000), "0 of 400 MB");
        assert_eq!(done_of(3, 8), "3 of 8 B");
    }

    #[test]
    fn times_change_unit_without_a_gap() {
        for (seconds, shown) in [
            (0.0, "0 s"),
            (2e-9, "2 ns"),
            (12.34e-9, "12 ns"),
            (12.34e-6, "12.3 µs"),
            (0.000_001_5, "1.50 µs"),
            (0.000_999_8, "1.00 ms"),
            (0.5, "500 ms"),
            (0.0804, "80.4 ms"),
            (0.9996, "1.00 s"),
            (1.53, "1.53 s"),
            (9.96, "9.96 s"),
            (59.7, "59.7 s"),
            (59.96, "1 min 0 s"),
            (61.0, "1 min 1 s"),
            (125.2, "2 min 5 s"),
            (11_520.0, "3 h 12 min"),
            (200_000.0, "2 d 7 h"),
            (f64::INFINITY, ""),
        ] {
            assert_eq!(duration(seconds), shown);
        }
        for (seconds, shown) in [
            (0.2, "1 s"),
            (7.4, "8 s"),
            (59.7, "1 min 0 s"),
            (125.0, "2 min 5 s"),
            (11_050.0, "3 h 4 min"),
        ] {
            assert_eq!(left(seconds), shown, "{seconds}");
        }
        assert_eq!((time(61.0), time(999.9)), ("61.0 s".to_owned(), "1,000 s".to_owned()));
        assert_eq!(time_of(0.9, 1.0), "0.90 of 1.00 s");
        assert_eq!(time_of(0.0, 0.08), "0.0 of 80.0 ms");
        assert_eq!(time_of(30.0, 120.0), "30.0 s of 2 min 0 s");
    }

    #[test]
    fn what_someone_has_set_is_written_exactly() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1, "1 B"),
            (1500, "1500 B"),
            (4096, "4 KiB"),
            (64 << 20, "64 MiB"),
            (1 << 40, "1024 GiB"),
        ] {
            assert_eq!(exact_bytes(bytes), shown);
        }
        for (milliseconds, shown) in [
            (30_000, "30 s"),
            (300, "0.3 s"),
            (1500, "1.5 s"),
            (0, "0 s"),
            (100_000, "100 s"),
        ] {
            assert_eq!(exact_time(Duration::from_millis(milliseconds)), shown);
        }
        assert_eq!((count(50_000_000).as_str(), count(999).as_str()), ("50,000,000", "999"));
    }
}
