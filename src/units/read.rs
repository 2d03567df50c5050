//! Reads bytes, rates and times by the grammar of [`units`](super).

use std::time::Duration;

use super::number::{Decimal, NumberError, parse_count, without_commas};

/// Why a text is not the value wanted: one line that says what is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnitError {
    /// Not a number of bytes.
    #[error("a size is a whole number of bytes or has a unit, such as 1MiB, 200MB, 1e6 or 50_000_000")]
    Bytes,
    /// Not a part of the whole.
    #[error("a part of the disk is a whole number from 0% to 100%")]
    Share,
    /// Not a rate.
    #[error("a rate is so many bytes or bits a second, such as 200MB/s, 1.5GiB/s or 800Mbit/s")]
    Rate,
    /// A rate whose unit was forgotten.
    #[error("that is {0} B/s: add a unit, such as {0}MB/s")]
    BareRate(u64),
    /// A rate at which nothing moves.
    #[error("a rate of 0 moves nothing: leave it out for no limit")]
    NoRate,
    /// Not a time.
    #[error("a time is a number with ms, s, m, h or d, such as 200ms, 30s or 2m")]
    Time,
    /// A unit that some take for bytes and some for bits.
    #[error("{0} may mean bytes or bits: say {1}B for bytes, {1}bit for bits")]
    BytesOrBits(String, String),
    /// A number that is none, or one that is too large.
    #[error(transparent)]
    Number(#[from] NumberError),
}

/// Reads a number of bytes: `1.5 GiB`, `200MB`, `4096`, `800 Mbit`.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    read_bytes(text.trim(), UnitError::Bytes)
}

/// A lower rate is taken for a number whose unit was forgotten.
const BARE_RATE_MIN_BYTES_PER_S: u64 = 1000;

/// Reads a number of bytes, or `auto` or nothing at all where the program chooses.
pub(crate) fn parse_bytes_or_auto(text: &str) -> Result<Option<u64>, UnitError> {
    let text = text.trim();
    let is_auto = text.is_empty() || text.eq_ignore_ascii_case("auto");
    if is_auto { Ok(None) } else { parse_bytes(text).map(Some) }
}

/// Reads a rate in bytes a second, which is never 0: `200 MB/s`, `800 Mbit/s`, `1e6`. Without a unit it is 1000 or more.
pub(crate) fn parse_rate(text: &str) -> Result<u64, UnitError> {
    let text = text.trim();
    let text = text.strip_suffix("/s").unwrap_or(text).trim_end();
    let is_bare = number_len(text) == text.len();
    match read_bytes(text, UnitError::Rate)? {
        0 => Err(UnitError::NoRate),
        rate if is_bare && rate < BARE_RATE_MIN_BYTES_PER_S => Err(UnitError::BareRate(rate)),
        bytes_per_s => Ok(bytes_per_s),
    }
}

/// Reads a rate, or `none`, `no limit` or nothing at all for none.
pub(crate) fn parse_limit(text: &str) -> Result<Option<u64>, UnitError> {
    let text = text.trim();
    let is_none = text.is_empty() || ["none", "no limit"].iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_none { Ok(None) } else { parse_rate(text).map(Some) }
}

/// Reads a time: `1.5s`, `200 ms`, `2m`, `1h`, `2 min 5 s`; a bare number is seconds.
pub(crate) fn parse_time(text: &str) -> Result<Duration, UnitError> {
    let too_large = || NumberError::TooLarge(text.to_owned());
    let mut rest = text.trim();
    let mut sum_ns: u128 = 0;
    let mut longest_ns = u64::MAX;
    loop {
        let (number, unit) = number_and_unit(rest, &UnitError::Time)?;
        let end = unit.find(|c: char| !c.is_alphabetic()).unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let unit_ns = match unit {
            "" if longest_ns == u64::MAX => 1_000_000_000,
            _ => nanoseconds(unit).filter(|ns| *ns < longest_ns).ok_or(UnitError::Time)?,
        };
        let part_ns = number.times(unit_ns).ok_or_else(too_large)?;
        sum_ns = sum_ns.checked_add(part_ns).ok_or_else(too_large)?;
        (rest, longest_ns) = (after.trim_start(), unit_ns);
        if rest.is_empty() {
            break;
        }
    }
    let seconds = u64::try_from(sum_ns / 1_000_000_000).map_err(|_| too_large())?;
    let below_ns = u64::try_from(sum_ns % 1_000_000_000).map_err(|_| too_large())?;
    Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(below_ns)))
}

/// A unit of time. `m` is a minute: months have no length.
fn nanoseconds(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000_000;
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter look the same.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" | "min" => 60 * SECOND,
        "h" => 3600 * SECOND,
        "d" => 86_400 * SECOND,
        _ => return None,
    })
}

fn read_bytes(text: &str, wrong: UnitError) -> Result<u64, UnitError> {
    let (number, unit) = number_and_unit(text, &wrong)?;
    if unit.is_empty() {
        return parse_count(text).map_err(|error| match error {
            NumberError::NotWhole(_) => wrong,
            error => error.into(),
        });
    }
    let too_large = || NumberError::TooLarge(text.to_owned());
    let (factor, per_byte) = bytes_unit(unit, wrong)?;
    let bytes = number.times(factor).ok_or_else(too_large)? / per_byte;
    Ok(u64::try_from(bytes).map_err(|_| too_large())?)
}

/// What a unit multiplies by, and how many of it are a byte.
fn bytes_unit(unit: &str, wrong: UnitError) -> Result<(u64, u128), UnitError> {
    let (prefix, per_byte) = if let Some(prefix) = unit.strip_suffix("bit") {
        (prefix, 8)
    } else if let Some(prefix) = unit.strip_suffix('b') {
        (prefix, 8)
    } else {
        (unit.strip_suffix('B').unwrap_or(unit), 1)
    };
    let Some(factor) = prefix_factor(prefix) else {
        return Err(wrong);
    };
    // Whoever writes megabytes in small letters may write kilobytes so, too: the case says nothing there.
    let is_careless = unit.ends_with('b') && prefix.starts_with(|c: char| c.is_ascii_lowercase());
    if is_careless {
        // The k of kilo is small by right.
        let right = match prefix {
            "k" => prefix.to_owned(),
            _ => prefix[..1].to_ascii_uppercase() + &prefix[1..],
        };
        return Err(UnitError::BytesOrBits(unit.to_owned(), right));
    }
    Ok((factor, per_byte))
}

fn prefix_factor(prefix: &str) -> Option<u64> {
    let mut letters = prefix.chars();
    let power = match letters.next().map(|letter| letter.to_ascii_lowercase()) {
        None => return Some(1),
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        Some('p') => 5,
        Some('e') => 6,
        Some(_) => return None,
    };
    match letters.as_str() {
        "" => Some(1000_u64.pow(power)),
        "i" | "I" => Some(1024_u64.pow(power)),
        _ => None,
    }
}

/// A number that is not negative, and what stands after it.
fn number_and_unit<'a>(text: &'a str, wrong: &UnitError) -> Result<(Decimal, &'a str), UnitError> {
    let (number, unit) = text.split_at(number_len(text));
    let number = without_commas(number)?;
    let number = Decimal::parse(&number).map_err(|_| wrong.clone())?;
    if number.is_negative() {
        return Err(NumberError::Negative(text.to_owned()).into());
    }
    Ok((number, unit.trim_start()))
}

/// How many bytes the number has that a text begins with. An `e` belongs to it where digits follow: `1e6`, but `1EB`.
fn number_len(text: &str) -> usize {
    let digits = |text: &str, others: &[char]| {
        text.find(|c: char| !c.is_ascii_digit() && !others.contains(&c))
            .unwrap_or(text.len())
    };
    let sign = usize::from(text.starts_with(['+', '-']));
    let mantissa = sign + digits(&text[sign..], &['.', ',', '_']);
    let Some(exponent) = text[mantissa..].strip_prefix(['e', 'E']) else {
        return mantissa;
    };
    let sign = usize::from(exponent.starts_with(['+', '-']));
    match digits(&exponent[sign..], &[]) {
        0 => mantissa,
        length => mantissa + 1 + sign + length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_type_them() {
        for (typed, bytes) in [
            ("0", 0),
            ("1MiB", 1 << 20),
            ("1 MiB", 1 << 20),
            ("200MB", 200_000_000),
            ("1.5kB", 1500),
            ("1e6", 1_000_000),
            ("1e6 B", 1_000_000),
            ("50_000_000", 50_000_000),
            ("1,000,000", 1_000_000),
            ("1_000MB", 1_000_000_000),
            ("512B", 512),
            ("2GiB", 2 << 30),
            ("64k", 64_000),
            ("64K", 64_000),
            ("64Ki", 64 << 10),
            ("1m", 1_000_000),
            ("200mB", 200_000_000),
            ("1mIB", 1 << 20),
            ("1EB", 1_000_000_000_000_000_000),
            ("4.35MB", 4_350_000),
            ("1.1 GiB", 1_181_116_006),
            ("9007199254740993B", 9_007_199_254_740_993),
            ("800Mbit", 100_000_000),
            ("8b", 1),
            ("8kbit", 1000),
            ("8Kb", 1000),
            ("1Mib", 131_072),
        ] {
            assert_eq!(parse_bytes(typed), Ok(bytes), "{typed}");
        }
        for wrong in [
            "",
            "MB",
            "-1",
            "-1MB",
            "nan",
            "inf",
            "1.5",
            "1e30",
            "99999999EB",
            "1e2EB",
            "1 apple",
            "1MB/s",
            "1MBit",
            "1MBB",
            "1,5MB",
            "1 000",
            "1e-1",
            "B1",
            "1iB",
            "1Zi",
        ] {
            assert!(parse_bytes(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_rate_is_bytes_or_bits_a_second_at_every_place() {
        for (typed, bytes_per_s) in [
            ("200MB/s", 200_000_000),
            ("200MB", 200_000_000),
            ("200 MB /s", 200_000_000),
            ("1000", 1000),
            ("1 B/s", 1),
            ("200 Mb/s", 25_000_000),
            ("200 Mbit/s", 25_000_000),
            ("200mbit/s", 25_000_000),
            ("1 Gibit/s", 1 << 27),
        ] {
            assert_eq!(parse_rate(typed), Ok(bytes_per_s), "{typed}");
        }
        for wrong in [
            "", "0", "0MB/s", "-5MB/s", "nan", "0.1B/s", "200MB/h", "7 bit/s", "200Mbps", "fast", "1", "999", "200/s",
        ] {
            assert!(parse_rate(wrong).is_err(), "{wrong:?}");
        }
        for none in ["", " ", "none", "No Limit"] {
            assert_eq!(parse_limit(none), Ok(None));
        }
        assert_eq!(parse_limit("1 kB/s"), Ok(Some(1000)));
        assert_eq!(parse_bytes_or_auto(" auto"), Ok(None));
        assert_eq!(parse_bytes_or_auto("1 kB"), Ok(Some(1000)));
        assert!(parse_limit("0").is_err());
    }

    #[test]
    fn what_may_mean_two_things_is_refused_with_both_spellings() {
        for (typed, message) in [
            ("200mb/s", "mb may mean bytes or bits: say MB for bytes, Mbit for bits"),
            ("64kib", "kib may mean bytes or bits: say KiB for bytes, Kibit for bits"),
            ("64kb", "kb may mean bytes or bits: say kB for bytes, kbit for bits"),
            ("1gb", "gb may mean bytes or bits: say GB for bytes, Gbit for bits"),
        ] {
            assert_eq!(parse_rate(typed).unwrap_err().to_string(), message);
        }
        assert!(parse_bytes("1,5 MB").unwrap_err().to_string().contains("as in 1.5"));
    }

    #[test]
    fn times_are_read_as_people_type_them() {
        for (typed, milliseconds) in [
            ("500ms", 500),
            ("500 ms", 500),
            ("30s", 30_000),
            ("30", 30_000),
            ("1e1", 10_000),
            ("2m", 120_000),
            ("2 min", 120_000),
            ("1.5s", 1500),
            ("1h", 3_600_000),
            ("2 min 5 s", 125_000),
            ("1d2h", 93_600_000),
            ("1500 µs", 1),
            ("0", 0),
        ] {
            let read = parse_time(typed).map(|time| u64::try_from(time.as_millis()));
            assert_eq!(read, Ok(Ok(milliseconds)), "{typed}");
        }
        for wrong in [
            "",
            "s",
            "-1s",
            "nan",
            "inf",
            "1e300s",
            "5 apples",
            "5 s 2 min",
            "2 min 5",
            "5 5",
            "1 M",
            "1,5 s",
            "soon",
        ] {
            assert!(parse_time(wrong).is_err(), "{wrong:?}");
        }
    }
}
