//! An arithmetic progression, exactly `numpy.arange`, made where it is needed and as fast as memory takes it.
//!
//! NumPy's algorithm (`PyArray_ArangeObj` and the `fill` function of each dtype): Python computes
//! `ceil((stop - start) / step)` and the first two elements; these are converted to the dtype; element `i` from the
//! third on is `first + i * (second - first)` in the arithmetic of the dtype, in which integers wrap. Bits are those of
//! NumPy where its compiler does not fuse that product and sum, as on `x86_64`.

// Start, stop and step are NumPy's words.
#![allow(clippy::similar_names)]

use super::dtype::scalar::Numeric;
use super::progression::{Ends, Progression};
use super::{ArrayMeta, Dtype, Number, NumberError};
use crate::units::{parse_whole, without_commas};

/// The elements of `numpy.arange(start, stop, step, dtype)`, not yet in memory.
///
/// ```
/// # use arraylift::Range;
/// let range = Range::parse("0:50e6", None)?;
/// assert_eq!(range.meta().to_string(), "f64 (50000000,)");
///
/// let mut bytes = [0; 16];
/// range.fill(1_000_000, &mut bytes);
/// assert_eq!(bytes[..8], 1_000_000_f64.to_le_bytes());
/// assert_eq!(bytes[8..], 1_000_001_f64.to_le_bytes());
/// # Ok::<(), arraylift::RangeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    start: Number,
    stop: Number,
    step: Number,
    meta: ArrayMeta,
    progression: Progression,
}

/// Why there is no such range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// Not two or three numbers with colons between them.
    #[error("{0:?} is not START:STOP or START:STOP:STEP")]
    Malformed(String),
    /// One of the numbers cannot be read.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Infinite or not a number.
    #[error("{0} is not finite")]
    NotFinite(Number),
    /// A step of zero.
    #[error("the step is zero: leave it out for 1")]
    ZeroStep,
    /// A fraction, where the dtype has whole numbers only.
    #[error("{number} is not a whole number, which {dtype} needs")]
    NotWhole {
        /// The number with the fraction.
        number: Number,
        /// The integer dtype.
        dtype: Dtype,
    },
    /// The first or the second element exceeds the dtype. NumPy refuses this for integers, and fills an `f32` array
    /// with infinities and NaN.
    #[error("{number} does not fit {dtype}")]
    OutOfBounds {
        /// The value of that element.
        number: Number,
        /// The dtype.
        dtype: Dtype,
    },
    /// More than `i64::MAX` bytes.
    #[error("the range has too many elements")]
    TooLong,
    /// Neither a little-endian integer nor `f32` or `f64`.
    #[error("a range of {0} is not possible, only of integers, f32 and f64, little-endian")]
    Dtype(Dtype),
}

impl Range {
    /// Reads `START:STOP` or `START:STOP:STEP`; the dtype is `f64` unless given.
    ///
    /// Numbers are read as Python reads them; for an integer dtype `1e6` is the integer 1000000.
    pub fn parse(text: &str, dtype: Option<Dtype>) -> Result<Self, RangeError> {
        let dtype = dtype.unwrap_or_else(Dtype::f64);
        let read = |text| Self::read(text, &dtype);
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        match *parts.as_slice() {
            [start, stop] => {
                let (start, stop) = (read(start)?, read(stop)?);
                Self::new(start, stop, Number::Int(1), dtype)
            }
            [start, stop, step] => {
                let (start, stop, step) = (read(start)?, read(stop)?, read(step)?);
                Self::new(start, stop, step, dtype)
            }
            _ => Err(RangeError::Malformed(text.to_owned())),
        }
    }

    /// Reads the start, stop or step of a range of this dtype: whole for integers, with commas between thousands or not.
    pub(crate) fn read(text: &str, dtype: &Dtype) -> Result<Number, RangeError> {
        let plain = without_commas(text.trim())?;
        Ok(match numeric_of(dtype)? {
            Numeric::F64 | Numeric::F32 => plain.parse()?,
            Numeric::Int { .. } | Numeric::UInt { .. } => Number::Int(parse_whole(&plain)?),
        })
    }

    /// The range of these numbers. An empty range is valid.
    ///
    /// As in NumPy, the first two elements must fit an integer dtype and the ones after them wrap.
    pub fn new(start: Number, stop: Number, step: Number, dtype: Dtype) -> Result<Self, RangeError> {
        let numeric = numeric_of(&dtype)?;
        let start = accept(start, &dtype, numeric)?;
        let stop = accept(stop, &dtype, numeric)?;
        let step = accept(step, &dtype, numeric)?;
        let count = element_count(start, stop, step)?;
        // NumPy does not look at elements that are not there.
        let first = if count > 0 { start } else { Number::Int(0) };
        let second = if count > 1 { plus(start, step) } else { first };
        let progression = progression(first, second, &dtype, numeric)?;
        let meta = ArrayMeta::vector(dtype, count).map_err(|_| RangeError::TooLong)?;
        Ok(Self {
            start,
            stop,
            step,
            meta,
            progression,
        })
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.meta.element_count()
    }

    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The array that it makes: one dimension, C order.
    #[must_use]
    pub fn meta(&self) -> &ArrayMeta {
        &self.meta
    }

    /// The type of its elements.
    #[must_use]
    pub fn dtype(&self) -> &Dtype {
        self.meta.dtype()
    }

    /// Where it starts.
    #[must_use]
    pub fn start(&self) -> Number {
        self.start
    }

    /// What it does not reach.
    #[must_use]
    pub fn stop(&self) -> Number {
        self.stop
    }

    /// From one element to the next.
    #[must_use]
    pub fn step(&self) -> Number {
        self.step
    }

    /// Writes `out.len() / item_size` elements, beginning at `first_index`, as they lie in the array.
    ///
    /// Fastest where `out` is aligned to the element. Bytes after the last whole element of `out` stay as they are,
    /// and past the end of the range the progression goes on.
    pub fn fill(&self, first_index: u64, out: &mut [u8]) {
        self.progression.fill(first_index, out);
    }
}

fn numeric_of(dtype: &Dtype) -> Result<Numeric, RangeError> {
    dtype.numeric().ok_or_else(|| RangeError::Dtype(dtype.clone()))
}

/// The number as a range of this dtype takes it: finite, and whole for integers.
fn accept(number: Number, dtype: &Dtype, numeric: Numeric) -> Result<Number, RangeError> {
    if !number.to_f64().is_finite() {
        return Err(RangeError::NotFinite(number));
    }
    let number = match numeric {
        Numeric::F64 | Numeric::F32 => number,
        Numeric::Int { .. } | Numeric::UInt { .. } => {
            number.to_whole().map(Number::Int).ok_or_else(|| RangeError::NotWhole {
                number,
                dtype: dtype.clone(),
            })?
        }
    };
    match number {
        Number::Int(int) if int.unsigned_abs() > Number::MAX_INT.unsigned_abs() => {
            Err(NumberError::TooLarge(int.to_string()).into())
        }
        _ => Ok(number),
    }
}

/// `ceil((stop - start) / step)` in Python's arithmetic, and at least 0.
fn element_count(start: Number, stop: Number, step: Number) -> Result<u64, RangeError> {
    if step.to_f64() == 0.0 {
        return Err(RangeError::ZeroStep);
    }
    let span = minus(stop, start);
    let quotient = match (span, step) {
        (Number::Int(span), Number::Int(step)) => divide(span, step),
        _ => span.to_f64() / step.to_f64(),
    };
    // Too small for a float is still more than nothing.
    let underflowed = quotient == 0.0 && span.to_f64() != 0.0 && quotient.is_sign_positive();
    let count = if underflowed { 1.0 } else { quotient.ceil() };
    if count.abs() >= i64::MAX as f64 {
        // NumPy refuses so many in either direction.
        Err(RangeError::TooLong)
    } else if count <= 0.0 {
        Ok(0)
    } else {
        // Whole, and in bounds.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Ok(count as u64)
    }
}

/// The first two elements in the dtype's own form.
fn progression(first: Number, second: Number, dtype: &Dtype, numeric: Numeric) -> Result<Progression, RangeError> {
    let out_of_bounds = |number| RangeError::OutOfBounds {
        number,
        dtype: dtype.clone(),
    };
    let whole = |number: Number| {
        number
            .to_whole()
            .filter(|&int| fits(int, numeric))
            .ok_or_else(|| out_of_bounds(number))
    };
    // Python rounds to f64 first, NumPy then to f32.
    #[allow(clippy::cast_possible_truncation)]
    let single = |number: Number| {
        Some(number.to_f64() as f32)
            .filter(|float| float.is_finite())
            .ok_or_else(|| out_of_bounds(number))
    };
    // In bounds: only a sign is reinterpreted.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let progression = match numeric {
        Numeric::F64 => Progression::F64(Ends {
            first: first.to_f64(),
            second: second.to_f64(),
        }),
        Numeric::F32 => Progression::F32(Ends {
            first: single(first)?,
            second: single(second)?,
        }),
        Numeric::Int { size_bytes } | Numeric::UInt { size_bytes } => {
            let (first, second) = (whole(first)?, whole(second)?);
            match size_bytes {
                1 => Progression::Bits8(Ends {
                    first: first as u8,
                    second: second as u8,
                }),
                2 => Progression::Bits16(Ends {
                    first: first as u16,
                    second: second as u16,
                }),
                4 => Progression::Bits32(Ends {
                    first: first as u32,
                    second: second as u32,
                }),
                _ => Progression::Bits64(Ends {
                    first: first as u64,
                    second: second as u64,
                }),
            }
        }
    };
    Ok(progression)
}

fn fits(int: i128, numeric: Numeric) -> bool {
    match numeric {
        Numeric::F64 | Numeric::F32 => true,
        Numeric::Int { size_bytes } => {
            let limit = 1_i128 << (size_bytes * 8 - 1);
            (-limit..limit).contains(&int)
        }
        Numeric::UInt { size_bytes } => (0..1_i128 << (size_bytes * 8)).contains(&int),
    }
}

/// Python's `a + b`: exact between ints, of floats otherwise.
fn plus(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => Number::Int(a + b),
        _ => Number::Float(a.to_f64() + b.to_f64()),
    }
}

/// Python's `a - b`.
fn minus(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => Number::Int(a - b),
        _ => Number::Float(a.to_f64() - b.to_f64()),
    }
}

/// Python's `a / b` of ints: the `f64` nearest to the exact quotient, which the quotient of two rounded floats is not.
fn divide(a: i128, b: i128) -> f64 {
    let (dividend, divisor) = (a.unsigned_abs(), b.unsigned_abs());
    let mut quotient = dividend / divisor;
    let mut rest = dividend % divisor;
    let mut scale = 1.0;
    // Two bits more than a float holds, and below them one that says whether anything is left, decide the rounding.
    while rest != 0 && quotient < 1 << 55 {
        rest *= 2;
        quotient = quotient * 2 + rest / divisor;
        rest %= divisor;
        scale /= 2.0;
    }
    let magnitude = (quotient | u128::from(rest != 0)) as f64 * scale;
    if (a < 0) == (b < 0) { magnitude } else { -magnitude }
}

#[cfg(test)]
mod tests {
    use super::super::progression::MAX_EXACT_INDEX;
    use super::*;
    use bytemuck::Pod;
    use proptest::prelude::*;

    #[test]
    fn fifty_million_floats_by_default() {
        let range = Range::parse("0:50e6", None).unwrap();
        assert_eq!(range.meta().to_string(), "f64 (50000000,)");
        assert_eq!(range.meta().byte_len(), 400_000_000);
        assert_eq!(elements::<f64>(&range, 49_999_998, 2), [49_999_998.0, 49_999_999.0]);
        assert_eq!(range.stop().to_string(), "50000000.0");
    }

    #[test]
    fn floats_are_multiples_and_not_sums() {
        let range = Range::parse("0:1:0.1", None).unwrap();
        let expected: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.1).collect();
        assert_eq!(elements::<f64>(&range, 0, 10), expected);
    }

    #[test]
    fn the_first_two_elements_are_given_and_not_computed() {
        let range = Range::parse("-0.0:3", None).unwrap();
        assert!(elements::<f64>(&range, 0, 1)[0].is_sign_negative());
        // 1e16 + 1 rounds to 1e16, so that all are equal.
        let range = Range::parse("1e16:10000000000000004", None).unwrap();
        assert_eq!(elements::<f64>(&range, 0, 4), [1e16; 4]);
    }

    #[test]
    fn integers_wrap_after_the_second_as_in_numpy() {
        let range = parse("254:258", "u8").unwrap();
        assert_eq!(elements::<u8>(&range, 0, 4), [254, 255, 0, 1]);
        let range = parse("5:0:-2", "i16").unwrap();
        assert_eq!(elements::<i16>(&range, 0, 3), [5, 3, 1]);
        let range = parse("18446744073709551613:18446744073709551616", "u64").unwrap();
        assert_eq!(elements::<u64>(&range, 2, 1), [u64::MAX]);
    }

    #[test]
    fn an_integer_dtype_takes_whole_numbers_however_written() {
        assert_eq!(parse("0:1e6", "i32").unwrap().len(), 1_000_000);
        let exact = parse("9007199254740993e0:9007199254740995", "i64").unwrap();
        assert_eq!(elements::<i64>(&exact, 0, 1), [9_007_199_254_740_993]);
        let whole = Range::new(Number::Int(0), Number::Float(3.0), Number::Int(1), i32()).unwrap();
        assert_eq!(whole.len(), 3);
    }

    #[test]
    fn empty_ranges_are_valid() {
        for text in ["0:0", "5:0", "0:5:-1", "300:0"] {
            for dtype in ["f64", "u8"] {
                assert!(parse(text, dtype).unwrap().is_empty(), "{text} {dtype}");
            }
        }
    }

    #[test]
    fn a_quotient_too_small_for_a_float_is_one_element() {
        assert_eq!(Range::parse("0:5e-324:1e300", None).unwrap().len(), 1);
        assert_eq!(Range::parse("0:5e-324:-1e300", None).unwrap().len(), 0);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, dtype, message) in [
            ("0", "f64", r#""0" is not START:STOP or START:STOP:STEP"#),
            ("0:1:2:x", "f64", r#""0:1:2:x" is not START:STOP or START:STOP:STEP"#),
            ("0:x", "f64", r#""x" is not a number"#),
            ("0:", "f64", r#""" is not a number"#),
            ("0:5:0", "f64", "the step is zero: leave it out for 1"),
            ("0:5:-0.0", "f64", "the step is zero: leave it out for 1"),
            ("0:nan", "f64", "nan is not finite"),
            ("0:1e999", "f64", "inf is not finite"),
            ("0:1:inf", "f32", "inf is not finite"),
            ("0:0.5", "i32", r#""0.5" is not a whole number"#),
            ("0:inf", "i32", r#""inf" is not a number"#),
            ("-1:5", "u8", "-1 does not fit u8"),
            ("0:400:200", "int8", "200 does not fit int8"),
            ("1e39:2e39:1e38", "f32", "1e+39 does not fit f32"),
            ("0:2e18", "f64", "the range has too many elements"),
            ("0:1e300", "f64", "the range has too many elements"),
            ("-1.7e308:1.7e308:1e308", "f64", "the range has too many elements"),
            (
                "0:5",
                ">f8",
                "a range of big-endian f64 is not possible, only of integers, f32 and f64, little-endian",
            ),
            (
                "0:5",
                "bool",
                "a range of bool is not possible, only of integers, f32 and f64, little-endian",
            ),
        ] {
            assert_eq!(parse(text, dtype).unwrap_err().to_string(), message, "{text}");
        }
        let half = Range::new(Number::Int(0), Number::Float(0.5), Number::Int(1), i32());
        assert_eq!(
            half.unwrap_err().to_string(),
            "0.5 is not a whole number, which i32 needs"
        );
        let huge = Range::new(Number::Int(i128::MIN), Number::Int(1), Number::Int(1), i32());
        assert!(matches!(huge, Err(RangeError::Number(NumberError::TooLarge(_)))));
    }

    #[test]
    fn the_quotient_of_ints_is_rounded_once() {
        for (a, b, quotient) in [
            ((1 << 53) + 1, 1, 9_007_199_254_740_992.0),
            ((1 << 53) + 1, 2, 4_503_599_627_370_496.5),
            (-7, 2, -3.5),
            (7, -2, -3.5),
            (0, 5, 0.0),
            (1, 3, 1.0 / 3.0),
            (3 * (1 << 60) + 1, 1 << 60, 3.0),
            (1 << 120, 1, 2_f64.powi(120)),
            (1, 1 << 120, 2_f64.powi(-120)),
        ] {
            assert_eq!(divide(a, b).to_bits(), f64::to_bits(quotient), "{a} / {b}");
        }
    }

    #[test]
    fn a_counter_beyond_exact_floats_is_still_right() {
        let range = parse("0:9e15", "f32").unwrap();
        let far = MAX_EXACT_INDEX - 3;
        let expected: Vec<f32> = (far..far + 40).map(|i| i as f32).collect();
        assert_eq!(elements::<f32>(&range, far, 40), expected);
        assert_eq!(elements::<f32>(&range, u64::MAX - 1, 1), [u64::MAX as f32]);
    }

    #[test]
    fn bytes_after_the_last_whole_element_stay() {
        let mut out = [7; 11];
        Range::parse("1:9", None).unwrap().fill(0, &mut out);
        assert_eq!(out[..8], 1_f64.to_le_bytes());
        assert_eq!(out[8..], [7; 3]);
    }

    proptest! {
        #[test]
        fn pieces_at_any_alignment_equal_the_whole(
            dtype in prop::sample::select(vec!["f64", "f32", "int8", "u16", "i32", "u64"]),
            start in -100_i32..100,
            step in prop::sample::select(vec!["1", "-3", "7", "1e2"]),
            cuts in prop::collection::vec(1_usize..700, 1..8),
            shift in 0_usize..8,
        ) {
            let numeric = parse("0:1", dtype).unwrap().dtype().numeric().unwrap();
            let start = if matches!(numeric, Numeric::UInt { .. }) { 100 + start } else { start };
            let stop = if step.starts_with('-') { -9_000_000 } else { 9_000_000 };
            let text = format!("{start}:{stop}:{step}");
            let range = match parse(&text, dtype) {
                Err(RangeError::OutOfBounds { .. }) => return Ok(()),
                range => range.unwrap(),
            };
            let size = range.dtype().item_size();
            let mut whole = vec![0; cuts.iter().sum::<usize>() * size];
            range.fill(0, &mut whole);

            let mut pieces = vec![0; shift];
            let mut index = 0;
            for count in cuts {
                let at = pieces.len();
                pieces.resize(at + count * size, 0);
                range.fill(index, &mut pieces[at..]);
                index += count as u64;
            }
            prop_assert!(pieces[shift..] == whole);
        }

        #[test]
        fn no_text_panics(text in "[-0-9.e:_+infa]{0,24}") {
            for dtype in ["f64", "f32", "int8", "u64"] {
                if let Ok(range) = parse(&text, dtype) {
                    range.fill(range.len(), &mut [0; 64]);
                }
            }
        }
    }

    fn parse(text: &str, dtype: &str) -> Result<Range, RangeError> {
        Range::parse(text, Some(Dtype::from_name(dtype).unwrap()))
    }

    fn i32() -> Dtype {
        Dtype::from_name("i32").unwrap()
    }

    fn elements<T: Pod>(range: &Range, first_index: u64, count: usize) -> Vec<T> {
        let mut elements = vec![T::zeroed(); count];
        range.fill(first_index, bytemuck::cast_slice_mut(&mut elements));
        elements
    }
}
