//! Numbers as they stand on the screen: three figures, a unit always, and the way back from what is typed.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;

/// A number and its unit, apart because they are drawn apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// Three figures, such as `5.92`.
    pub number: String,
    /// Such as `GB/s`.
    pub unit: &'static str,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.unit)
    }
}

const SIZES: [(f64, &str); 5] = [(1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
const RATES: [(f64, &str); 4] = [(1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s")];

/// A rate in bytes a second: `5.92 GB/s`. Below 1 kB/s it is a plain 0 MB/s, so that figures do not jump at the end.
#[must_use]
pub fn rate(bytes_per_s: f64) -> Quantity {
    if !bytes_per_s.is_finite() || bytes_per_s < 1.0 {
        return Quantity {
            number: "0".to_owned(),
            unit: "MB/s",
        };
    }
    scaled(bytes_per_s, &RATES, "B/s")
}

/// A number of bytes: `400 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> Quantity {
    scaled(bytes as f64, &SIZES, if bytes == 1 { "byte" } else { "bytes" })
}

/// How much of how much: `19.0 of 28.0 GB`, both in the unit of the total.
#[must_use]
pub fn done_of(done: u64, total: u64) -> String {
    let whole = bytes(total);
    let scale = SIZES
        .iter()
        .find(|(_, unit)| *unit == whole.unit)
        .map_or(1.0, |(scale, _)| *scale);
    let decimals = whole.number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("{:.decimals$} of {whole}", done as f64 / scale)
}

/// A span of time: `80 ms`, `1.5 s`, `2 min 5 s`, `3 h 12 min`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    // Whole seconds from here on: a display never shows 1 min 60 s.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    let whole = seconds.max(0.0).round() as u64;
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s * 1e3),
        s if s < 9.95 => format!("{s:.1} s"),
        _ if whole < 60 => format!("{whole} s"),
        _ if whole < 3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ if whole < 48 * 3600 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} days {} h", whole / 86_400, whole / 3600 % 24),
    }
}

/// Time left: as a duration, but never below a tenth of a second, so that it does not flicker at the end.
#[must_use]
pub fn left(seconds: f64) -> String {
    if seconds < 0.9995 {
        format!("{:.1} s", seconds.max(0.1))
    } else {
        duration(seconds)
    }
}

/// A whole number with its thousands apart: `50,000,000`.
#[must_use]
pub fn count(number: u64) -> String {
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

/// A shape for people: `1,200,000 × 768`.
#[must_use]
pub fn shape(lengths: &[u64]) -> String {
    if lengths.is_empty() {
        return "one element".to_owned();
    }
    lengths
        .iter()
        .map(|&length| count(length))
        .collect::<Vec<_>>()
        .join(" × ")
}

/// A shape as Python writes it: `(50000000,)`.
#[must_use]
pub fn python_shape(lengths: &[u64]) -> String {
    match lengths {
        [only] => format!("({only},)"),
        _ => format!(
            "({})",
            lengths.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A chunk size in powers of two, where it is one: `1 MiB`.
#[must_use]
pub fn binary_bytes(bytes: usize) -> String {
    match bytes {
        b if b >= 1 << 20 && b.is_multiple_of(1 << 20) => format!("{} MiB", b >> 20),
        b if b >= 1 << 10 && b.is_multiple_of(1 << 10) => format!("{} KiB", b >> 10),
        1 => "1 byte".to_owned(),
        b => format!("{} bytes", count(b as u64)),
    }
}

/// Reads `1 MiB`, `4096`, `1.5GB`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let plain: String = text.chars().filter(|c| !matches!(c, ',' | '_')).collect();
    match ByteSize::from_str(plain.trim()) {
        Ok(size) if size.0 > 0 => Ok(size.0),
        Ok(_) => Err("must be more than 0".to_owned()),
        Err(_) => Err("a size such as 1 MiB is needed".to_owned()),
    }
}

/// Reads `200 MB/s`; nothing at all, or `none`, is no limit.
pub fn parse_rate(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim().trim_end_matches("/s").trim_end();
    if text.is_empty() || text.eq_ignore_ascii_case("none") || text.eq_ignore_ascii_case("no limit") {
        return Ok(None);
    }
    parse_bytes(text)
        .map(Some)
        .map_err(|_| "a rate such as 200 MB/s is needed, or nothing for no limit".to_owned())
}

/// Reads `30 s`, `500 ms`, `2 min`, and a plain number as seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let units = [("ms", 1e-3), ("min", 60.0), ("m", 60.0), ("s", 1.0)];
    let (number, scale) = units
        .iter()
        .find_map(|(unit, scale)| text.strip_suffix(unit).map(|number| (number.trim_end(), *scale)))
        .unwrap_or((text, 1.0));
    match number.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds * scale < 1e9 => Ok(Duration::from_secs_f64(seconds * scale)),
        _ => Err("a time such as 30 s is needed".to_owned()),
    }
}

fn scaled(value: f64, units: &[(f64, &'static str)], smallest: &'static str) -> Quantity {
    // 999.5 MB rounds to 1.00 GB, not to 1000 MB.
    for &(scale, unit) in units {
        if value >= scale * 0.9995 {
            return Quantity {
                number: three_figures(value / scale),
                unit,
            };
        }
    }
    Quantity {
        number: format!("{value:.0}"),
        unit: smallest,
    }
}

fn three_figures(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_figures_and_a_unit() {
        for (value, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.00 kB"),
            (400_000_000, "400 MB"),
            (999_600_000, "1.00 GB"),
            (3_690_000_000, "3.69 GB"),
            (28_000_000_000, "28.0 GB"),
            (u64::MAX, "18447 PB"),
        ] {
            assert_eq!(bytes(value).to_string(), text);
        }
        assert_eq!(rate(5.918e9).to_string(), "5.92 GB/s");
        assert_eq!(rate(0.0).to_string(), "0 MB/s");
        assert_eq!(rate(f64::NAN).to_string(), "0 MB/s");
    }

    #[test]
    fn done_of_keeps_the_unit_and_the_figures_of_the_total() {
        assert_eq!(done_of(19_000_000_000, 28_000_000_000), "19.0 of 28.0 GB");
        assert_eq!(done_of(0, 400_000_000), "0 of 400 MB");
        assert_eq!(done_of(3, 8), "3 of 8 bytes");
    }

    #[test]
    fn durations_change_unit_without_a_gap() {
        for (seconds, text) in [
            (0.0804, "80 ms"),
            (0.9996, "1.0 s"),
            (1.53, "1.5 s"),
            (9.96, "10 s"),
            (59.7, "1 min 0 s"),
            (125.2, "2 min 5 s"),
            (11_520.0, "3 h 12 min"),
            (200_000.0, "2 days 7 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
        assert_eq!(duration(f64::INFINITY), "");
    }

    #[test]
    fn counts_and_shapes_are_readable() {
        assert_eq!(count(50_000_000), "50,000,000");
        assert_eq!(count(999), "999");
        assert_eq!(shape(&[1_200_000, 768]), "1,200,000 × 768");
        assert_eq!(python_shape(&[5]), "(5,)");
        assert_eq!(python_shape(&[2, 3]), "(2, 3)");
        assert_eq!(python_shape(&[]), "()");
        assert_eq!(binary_bytes(1 << 20), "1 MiB");
        assert_eq!(binary_bytes(1000), "1,000 bytes");
    }

    #[test]
    fn what_is_typed_is_read_with_its_unit() {
        assert_eq!(parse_bytes("1 MiB"), Ok(1 << 20));
        assert_eq!(parse_bytes("1,000,000"), Ok(1_000_000));
        assert!(parse_bytes("0").is_err() && parse_bytes("fast").is_err() && parse_bytes("").is_err());
        assert_eq!(parse_rate("200 MB/s"), Ok(Some(200_000_000)));
        assert_eq!(parse_rate(""), Ok(None));
        assert!(parse_rate("fast").is_err());
        assert_eq!(parse_duration("500 ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("2 min"), Ok(Duration::from_mins(2)));
        assert_eq!(parse_duration("30"), Ok(Duration::from_secs(30)));
        assert!(parse_duration("0 s").is_err() && parse_duration("-1").is_err() && parse_duration("nan").is_err());
    }
}
