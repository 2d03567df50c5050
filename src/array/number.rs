//! Numbers as people type them and as Python reads them: `50_000_000`, `-3`, `0.1`, `1e6`.

use std::fmt;
use std::str::FromStr;

use crate::units::{Decimal, NumberError, WHOLE_MAX, parse_whole};

/// A number as Python sees its text: an `int`, exact, or a `float`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Without a point and without an exponent.
    Int(i128),
    /// With a point or an exponent, or `inf` or `nan`.
    Float(f64),
}

impl Number {
    /// The largest magnitude of an `Int`: beyond every integer dtype, and sums and differences of two fit an `i128`.
    pub const MAX_INT: i128 = WHOLE_MAX;

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

#[cfg(test)]
mod tests {
    use super::*;

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
