//! Numbers as people type them, taken apart exactly: `50_000_000`, `1,000,000`, `1.5e3`.

use std::borrow::Cow;

/// Why a text is not a number of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not a number at all.
    #[error("{0:?} is not a number")]
    NotANumber(String),
    /// A number, but with a fraction where a whole one is wanted.
    #[error("{0:?} is not a whole number")]
    NotWhole(String),
    /// Its magnitude is beyond what this program counts.
    #[error("{0:?} is too large")]
    TooLarge(String),
    /// Below zero, where only zero and above is valid.
    #[error("{0:?} is negative")]
    Negative(String),
    /// A comma that may be meant as a point.
    #[error("{0:?} has a comma that does not set thousands apart, as in 1,000,000: a fraction has a point, as in 1.5")]
    Comma(String),
}

/// Reads a count exactly: `50_000_000`, `50,000,000`, `50e6` and `1.5e3` are counts, `0.5` and `-1` are not.
pub(crate) fn parse_count(text: &str) -> Result<u64, NumberError> {
    let text = text.trim();
    let count = parse_whole(&without_commas(text)?)?;
    if count < 0 {
        return Err(NumberError::Negative(text.to_owned()));
    }
    u64::try_from(count).map_err(|_| NumberError::TooLarge(text.to_owned()))
}

/// Reads a whole number exactly. It never goes through a float, so `1e18` keeps all of its digits.
pub(crate) fn parse_whole(text: &str) -> Result<i128, NumberError> {
    let decimal = Decimal::parse(text)?;
    let too_large = || NumberError::TooLarge(text.to_owned());
    let mut digits = decimal.digits;
    let mut exponent = decimal.exponent;
    while exponent < 0 && digits.ends_with('0') {
        digits.pop();
        exponent += 1;
    }
    if digits.is_empty() {
        return Ok(0);
    }
    if exponent < 0 {
        return Err(NumberError::NotWhole(text.to_owned()));
    }
    // 10^38 does not fit, so that no more zeros than that are ever appended.
    let zeros = usize::try_from(exponent).map_or(MAX_WHOLE_DIGITS, |n| n.min(MAX_WHOLE_DIGITS));
    digits.extend(std::iter::repeat_n('0', zeros));
    let magnitude: i128 = digits.parse().map_err(|_| too_large())?;
    if magnitude > WHOLE_MAX {
        return Err(too_large());
    }
    Ok(if decimal.negative { -magnitude } else { magnitude })
}

/// The largest magnitude of a whole number: sums and differences of two fit an `i128`.
pub(crate) const WHOLE_MAX: i128 = 1 << 120;
const MAX_WHOLE_DIGITS: usize = 39;

/// The same text without the commas between thousands. Any other comma is refused: where people write `1,5` for one and
/// a half, fifteen would be read.
pub(crate) fn without_commas(text: &str) -> Result<Cow<'_, str>, NumberError> {
    if !text.contains(',') {
        return Ok(Cow::Borrowed(text));
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '_'))
        .unwrap_or(unsigned.len());
    let mut groups = unsigned[..end].split(',');
    let begins = groups.next().is_some_and(|first| (1..=3).contains(&first.len()));
    if begins && groups.all(|group| group.len() == 3) && !unsigned[end..].contains(',') {
        Ok(Cow::Owned(text.replace(',', "")))
    } else {
        Err(NumberError::Comma(text.to_owned()))
    }
}

/// A number in parts: `digits` times ten to the `exponent`, without leading zeros.
#[derive(Debug)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a finite number as Python writes one.
    pub(crate) fn parse(text: &str) -> Result<Self, NumberError> {
        Self::parts(text).ok_or_else(|| NumberError::NotANumber(text.to_owned()))
    }

    /// Whether it is below zero, or `-0`.
    pub(super) fn is_negative(&self) -> bool {
        self.negative
    }

    /// Its magnitude times `factor`, without what is left of a fraction; `None` beyond an `u128`.
    ///
    /// Exact to twenty digits, which is more than an `u64` has.
    pub(super) fn times(&self, factor: u64) -> Option<u128> {
        const DIGITS_MAX: usize = 20;
        let kept = self.digits.len().min(DIGITS_MAX);
        let dropped = i64::try_from(self.digits.len() - kept).ok()?;
        if kept == 0 {
            return Some(0);
        }
        let digits: u128 = self.digits[..kept].parse().ok()?;
        let product = digits.checked_mul(u128::from(factor))?;
        let exponent = self.exponent.checked_add(dropped)?;
        let power = u32::try_from(exponent.unsigned_abs())
            .ok()
            .and_then(|power| 10_u128.checked_pow(power));
        if exponent >= 0 {
            product.checked_mul(power?)
        } else {
            // Below any power that fits, nothing is left.
            Some(power.map_or(0, |power| product / power))
        }
    }

    fn parts(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let fraction = plain_digits(fraction)?;
        let digits = plain_digits(whole)? + &fraction;
        Some(Self {
            negative,
            digits: digits.trim_start_matches('0').to_owned(),
            exponent: exponent - i64::try_from(fraction.len()).ok()?,
        })
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = plain_digits(unsigned).filter(|digits| !digits.is_empty())?;
    // What does not fit an i32 is infinite or zero either way.
    let magnitude = digits.parse().unwrap_or(i32::MAX);
    Some(i64::from(if text.starts_with('-') { -magnitude } else { magnitude }))
}

/// Digits without their underscores, which Python allows only between two digits.
fn plain_digits(text: &str) -> Option<String> {
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    let valid = text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    (valid && !misplaced).then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact() {
        for (text, count) in [
            ("0", 0),
            ("007", 7),
            ("50_000_000", 50_000_000),
            ("1e6", 1_000_000),
            ("50E+6", 50_000_000),
            ("1.5e3", 1500),
            ("10.0", 10),
            ("1000e-3", 1),
            ("0e-99999999999999", 0),
            ("18446744073709551615", u64::MAX),
            ("1.8446744073709551615e19", u64::MAX),
            ("1,000,000", 1_000_000),
            ("12,345.0", 12_345),
        ] {
            assert_eq!(parse_count(text), Ok(count), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_count_is_named() {
        for (text, message) in [
            ("0.5", r#""0.5" is not a whole number"#),
            ("-1", r#""-1" is negative"#),
            ("1e20", r#""1e20" is too large"#),
            ("1e99999999999", r#""1e99999999999" is too large"#),
            ("1e-1", r#""1e-1" is not a whole number"#),
            ("", r#""" is not a number"#),
            ("1 000", r#""1 000" is not a number"#),
        ] {
            assert_eq!(parse_count(text).unwrap_err().to_string(), message, "{text}");
        }
        for text in [
            "_1",
            "1_",
            "1__0",
            "e6",
            ".",
            "1e",
            "1e+",
            "0x10",
            "--1",
            "nan",
            "1.2.3",
            "٣",
            "1,5",
            "1,",
            ",100",
            "1,0000",
            "1234,567",
            "1,000,00",
            "1.000,000",
            "1,000_000",
        ] {
            assert!(parse_count(text).is_err(), "{text}");
        }
    }
}
