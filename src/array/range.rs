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
mod tests;
