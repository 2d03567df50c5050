//! Numbers as people type them and as Python reads them: `50_000_000`, `-3`, `0.1`, `1e6`.

use std::fmt;
use std::str::FromStr;

/// A number as Python sees its text: an `int`, exact, or a `float`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Without a point and without an exponent.
    Int(i128),
    /// With a point or an exponent, or `inf` or `nan`.
    Float(f64),
}

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
}

/// Reads a count exactly: `50_000_000`, `50e6` and `1.5e3` are counts, `0.5` and `-1` are not.
///
/// ```
/// # use arraylift::array::parse_count;
/// assert_eq!(parse_count("50e6"), Ok(50_000_000));
/// ```
pub fn parse_count(text: &str) -> Result<u64, NumberError> {
    let count = parse_whole(text)?;
    if count < 0 {
        return Err(NumberError::Negative(text.to_owned()));
    }
    u64::try_from(count).map_err(|_| NumberError::TooLarge(text.to_owned()))
}

/// Reads a whole number exactly. It never goes through a float, so `1e18` keeps all of its digits.
pub(super) fn parse_whole(text: &str) -> Result<i128, NumberError> {
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
    if magnitude > Number::MAX_INT {
        return Err(too_large());
    }
    Ok(if decimal.negative { -magnitude } else { magnitude })
}

const MAX_WHOLE_DIGITS: usize = 39;

impl Number {
    /// The largest magnitude of an `Int`: beyond every integer dtype, and sums and differences of two fit an `i128`.
    pub const MAX_INT: i128 = 1 << 120;

    /// The nearest `f64`, as Python's `float()`.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The same number as an integer; `None` where it has a fraction or is beyond [`Number::MAX_INT`].
    #[must_use]
    pub fn to_whole(self) -> Option<i128> {
        match self {
            Self::Int(int) => Some(int),
            Self::Float(float) => {
                let fits = float.abs() <= Self::MAX_INT as f64 && float.fract() == 0.0;
                // In bounds and without a fraction: the conversion is exact.
                #[allow(clippy::cast_possible_truncation)]
                fits.then_some(float as i128)
            }
        }
    }
}

/// Reads as Python does: an `int` unless there is a point or an exponent.
impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if let "inf" | "+inf" | "-inf" | "nan" = text {
            return parse_float(text, text);
        }
        Decimal::parse(text)?;
        if text.contains(['.', 'e', 'E']) {
            parse_float(text, &text.replace('_', ""))
        } else {
            parse_whole(text).map(Self::Int)
        }
    }
}

/// As Python prints it, and so that Python reads back the same number.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => write!(f, "{int}"),
            Self::Float(float) => f.write_str(&show_float(*float)),
        }
    }
}

/// A float as Python prints it: `0.0`, `1e+20`, `1e-05`, `nan`.
pub(super) fn show_float(float: f64) -> String {
    let magnitude = float.abs();
    if float.is_nan() {
        "nan".to_owned()
    } else if float.is_infinite() {
        float.to_string()
    } else if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        let plain = float.to_string();
        let point = if plain.contains('.') { "" } else { ".0" };
        plain + point
    } else {
        let scientific = format!("{float:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        format!("{digits}e{sign}{exponent:0>2}")
    }
}

fn parse_float(text: &str, plain: &str) -> Result<Number, NumberError> {
    plain
        .parse()
        .map(Number::Float)
        .map_err(|_| NumberError::NotANumber(text.to_owned()))
}

/// A number in parts: `digits` times ten to the `exponent`, without leading zeros.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Result<Self, NumberError> {
        Self::parts(text).ok_or_else(|| NumberError::NotANumber(text.to_owned()))
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
            "_1", "1_", "1__0", "e6", ".", "1e", "1e+", "0x10", "--1", "nan", "1.2.3", "٣",
        ] {
            assert!(parse_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn python_decides_between_int_and_float() {
        for (text, number) in [
            ("50_000_000", Number::Int(50_000_000)),
            ("-3", Number::Int(-3)),
            ("-0", Number::Int(0)),
            ("1e6", Number::Float(1e6)),
            ("1_0.5", Number::Float(10.5)),
            (".5", Number::Float(0.5)),
            ("5.", Number::Float(5.0)),
            ("1e999", Number::Float(f64::INFINITY)),
            ("-inf", Number::Float(f64::NEG_INFINITY)),
        ] {
            assert_eq!(text.parse(), Ok(number), "{text}");
        }
        assert!("infinity".parse::<Number>().is_err());
        assert!("1e40".parse::<Number>().is_ok());
        assert_eq!(
            "1_0000000000000000000000000000000000000".parse::<Number>(),
            Err(NumberError::TooLarge(
                "1_0000000000000000000000000000000000000".to_owned()
            ))
        );
    }

    #[test]
    fn only_floats_without_a_fraction_are_whole() {
        assert_eq!(Number::Float(1e6).to_whole(), Some(1_000_000));
        assert_eq!(Number::Float(-0.0).to_whole(), Some(0));
        for float in [0.5, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Number::Float(float).to_whole(), None, "{float}");
        }
    }

    #[test]
    fn floats_look_as_in_python() {
        for (float, shown) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e20, "1e+20"),
            (-1.5e300, "-1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(Number::Float(float).to_string(), shown);
        }
    }
}
