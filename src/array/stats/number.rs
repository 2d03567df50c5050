//! The types of numbers that have statistics: how each is read, ordered and added up.

use crate::array::dtype::Scalar;
use crate::array::dtype::scalar::Kind;
use crate::array::preview::{Value, shortest_half};

use super::histogram::Histogram;
use super::loops::{count, count_short, reduce_floats, reduce_whole};

/// Some values that were reduced to a few numbers. What is not finite is in no number but its own count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reduced {
    /// The keys of the smallest and of the largest value: of keys, the order is that of the values.
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) sum: f64,
    /// How many are numbers, and finite.
    pub(super) finite: u64,
    pub(super) nan: u64,
    pub(super) infinite: u64,
}

impl Reduced {
    /// Of no values.
    pub(super) const NONE: Self = Self {
        min: u64::MAX,
        max: 0,
        sum: 0.0,
        finite: 0,
        nan: 0,
        infinite: 0,
    };

    /// Adds other values.
    pub(super) fn add(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        self.finite += other.finite;
        self.nan += other.nan;
        self.infinite += other.infinite;
    }

    /// How many values there were.
    pub(super) fn seen(&self) -> u64 {
        self.finite + self.nan + self.infinite
    }
}

/// A type of numbers, with the loops that were made for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct NumberType {
    pub(super) size_bytes: usize,
    /// Whether a fraction cannot be.
    pub(super) is_whole: bool,
    /// Reduces the values that the bytes are, a whole number of them.
    pub(super) reduce: fn(&[u8]) -> Reduced,
    /// Counts every so many-th of them; the histogram covers them all.
    pub(super) count: fn(&mut Histogram, &[u8], usize),
    /// The value of a key, as near as an `f64` can be.
    pub(super) to_f64: fn(u64) -> f64,
    /// The value of a key.
    pub(super) to_value: fn(u64) -> Value,
}

impl NumberType {
    /// That of a scalar; `None` where it is not one number that can be computed with.
    pub(super) fn of(scalar: Scalar) -> Option<Self> {
        let big = scalar.big_endian;
        Some(match (scalar.kind, scalar.size_bytes) {
            (Kind::Bool, 1) => Self::short::<Truth>(big),
            (Kind::UInt, 1) => Self::short::<u8>(big),
            (Kind::UInt, 2) => Self::short::<u16>(big),
            (Kind::UInt, 4) => Self::short::<u32>(big),
            (Kind::UInt, 8) => Self::whole::<u64>(big),
            (Kind::Int, 1) => Self::short::<i8>(big),
            (Kind::Int, 2) => Self::short::<i16>(big),
            (Kind::Int, 4) => Self::short::<i32>(big),
            (Kind::Int, 8) => Self::whole::<i64>(big),
            (Kind::Float, 2) => Self::float::<Half>(big),
            (Kind::Float, 4) => Self::float::<f32>(big),
            (Kind::Float, 8) => Self::float::<f64>(big),
            _ => return None,
        })
    }

    fn whole<T: Whole>(big_endian: bool) -> Self {
        Self {
            size_bytes: T::SIZE,
            is_whole: true,
            reduce: if big_endian {
                reduce_whole::<T, true>
            } else {
                reduce_whole::<T, false>
            },
            count: if big_endian {
                count::<T, true>
            } else {
                count::<T, false>
            },
            to_f64: T::key_to_f64,
            to_value: T::key_to_value,
        }
    }

    /// One that an `f64` holds exactly.
    fn short<T: Whole + Into<i64>>(big_endian: bool) -> Self {
        Self {
            count: if big_endian {
                count_short::<T, true>
            } else {
                count_short::<T, false>
            },
            ..Self::whole::<T>(big_endian)
        }
    }

    fn float<T: Float>(big_endian: bool) -> Self {
        Self {
            size_bytes: T::SIZE,
            is_whole: false,
            reduce: if big_endian {
                reduce_floats::<T, true>
            } else {
                reduce_floats::<T, false>
            },
            count: if big_endian {
                count::<T, true>
            } else {
                count::<T, false>
            },
            to_f64: float_of,
            to_value: T::key_to_value,
        }
    }
}

/// A number in memory.
pub(super) trait Read: Copy {
    const SIZE: usize;

    /// Of that many bytes.
    fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self;

    fn to_f64(self) -> f64;

    fn key_to_value(key: u64) -> Value;
}

/// A whole number.
pub(super) trait Whole: Read + Ord {
    const MIN: Self;
    const MAX: Self;

    /// In which as many as are reduced at once are added up.
    type Sum: Copy + std::ops::Add<Output = Self::Sum>;
    const ZERO: Self::Sum;

    fn widen(self) -> Self::Sum;
    fn sum_to_f64(sum: Self::Sum) -> f64;
    fn key(self) -> u64;
    fn key_to_f64(key: u64) -> f64;
}

pub(super) trait Float: Read {}

impl Float for f64 {}
impl Float for f32 {}
impl Float for Half {}

/// The bit by which keys of signed numbers are in order.
const SIGN: u64 = 1 << 63;

macro_rules! read_whole {
    ($number:ty, $to_f64:expr, $value:expr) => {
        impl Read for $number {
            const SIZE: usize = size_of::<Self>();

            fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self {
                let mut of_number = [0; size_of::<Self>()];
                of_number.copy_from_slice(bytes);
                if BIG_ENDIAN {
                    Self::from_be_bytes(of_number)
                } else {
                    Self::from_le_bytes(of_number)
                }
            }

            fn to_f64(self) -> f64 {
                $to_f64(self)
            }

            fn key_to_value(key: u64) -> Value {
                $value(key)
            }
        }
    };
}

macro_rules! unsigned {
    ($($number:ty: $to_f64:expr, $sum:ty: $sum_to_f64:expr;)*) => {$(
        read_whole!($number, $to_f64, Value::UInt);

        impl Whole for $number {
            const MIN: Self = Self::MIN;
            const MAX: Self = Self::MAX;
            type Sum = $sum;
            const ZERO: $sum = 0;

            fn widen(self) -> $sum {
                self.into()
            }

            fn sum_to_f64(sum: $sum) -> f64 {
                $sum_to_f64(sum)
            }

            fn key(self) -> u64 {
                self.into()
            }

            fn key_to_f64(key: u64) -> f64 {
                key as f64
            }
        }
    )*};
}

macro_rules! signed {
    ($($number:ty: $to_f64:expr, $sum:ty: $sum_to_f64:expr;)*) => {$(
        read_whole!($number, $to_f64, |key: u64| Value::Int((key ^ SIGN).cast_signed()));

        impl Whole for $number {
            const MIN: Self = Self::MIN;
            const MAX: Self = Self::MAX;
            type Sum = $sum;
            const ZERO: $sum = 0;

            fn widen(self) -> $sum {
                self.into()
            }

            fn sum_to_f64(sum: $sum) -> f64 {
                $sum_to_f64(sum)
            }

            fn key(self) -> u64 {
                i64::from(self).cast_unsigned() ^ SIGN
            }

            fn key_to_f64(key: u64) -> f64 {
                (key ^ SIGN).cast_signed() as f64
            }
        }
    )*};
}

// Wide enough for a piece of which `REDUCED_BYTES_MAX` are reduced at once.
unsigned! {
    u8: f64::from, u32: f64::from;
    u16: f64::from, u32: f64::from;
    u32: f64::from, u64: |sum| sum as f64;
    u64: |number| number as f64, u128: |sum| sum as f64;
}
signed! {
    i8: f64::from, i32: f64::from;
    i16: f64::from, i32: f64::from;
    i32: f64::from, i64: |sum| sum as f64;
    i64: |number| number as f64, i128: |sum| sum as f64;
}

/// At most so many bytes are reduced at once, for whose values the sums are wide enough.
pub(super) const REDUCED_BYTES_MAX: usize = 64 << 10;

/// A bool: whatever is not 0 is true.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Truth(u8);

impl From<Truth> for i64 {
    fn from(truth: Truth) -> Self {
        truth.0.into()
    }
}

impl Read for Truth {
    const SIZE: usize = 1;

    fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self {
        Self(u8::from(bytes[0] != 0))
    }

    fn to_f64(self) -> f64 {
        self.0.into()
    }

    fn key_to_value(key: u64) -> Value {
        Value::Bool(key != 0)
    }
}

impl Whole for Truth {
    const MIN: Self = Self(0);
    const MAX: Self = Self(1);
    type Sum = u32;
    const ZERO: u32 = 0;

    fn widen(self) -> u32 {
        self.0.into()
    }

    fn sum_to_f64(sum: u32) -> f64 {
        sum.into()
    }

    fn key(self) -> u64 {
        self.0.into()
    }

    fn key_to_f64(key: u64) -> f64 {
        key as f64
    }
}

/// A 16-bit float.
#[derive(Clone, Copy)]
struct Half(u16);

impl Read for Half {
    const SIZE: usize = 2;

    fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self {
        Self(u16::read::<BIG_ENDIAN>(bytes))
    }

    /// Exact. The exponent of a half is 15 above its own and that of an `f32` 127, which a product mends for subnormal
    /// numbers, too. The largest exponent of a half is that of what is not finite.
    fn to_f64(self) -> f64 {
        let bits = u32::from(self.0);
        let magnitude = (bits & 0x7fff) << 13;
        let is_finite = bits & 0x7c00 != 0x7c00;
        let scale = if is_finite {
            f32::from_bits((127 + 112) << 23)
        } else {
            1.0
        };
        let magnitude = if is_finite { magnitude } else { magnitude | 0x7f80_0000 };
        let float = f32::from_bits(magnitude) * scale;
        f64::from(f32::from_bits(float.to_bits() | (bits & 0x8000) << 16))
    }

    #[expect(clippy::cast_possible_truncation, reason = "it was one")]
    fn key_to_value(key: u64) -> Value {
        Value::Float32(shortest_half(float_of(key) as f32))
    }
}

impl Read for f32 {
    const SIZE: usize = 4;

    fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self {
        Self::from_bits(u32::read::<BIG_ENDIAN>(bytes))
    }

    fn to_f64(self) -> f64 {
        self.into()
    }

    #[expect(clippy::cast_possible_truncation, reason = "it was one")]
    fn key_to_value(key: u64) -> Value {
        Value::Float32(float_of(key) as Self)
    }
}

impl Read for f64 {
    const SIZE: usize = 8;

    fn read<const BIG_ENDIAN: bool>(bytes: &[u8]) -> Self {
        Self::from_bits(u64::read::<BIG_ENDIAN>(bytes))
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn key_to_value(key: u64) -> Value {
        Value::Float(float_of(key))
    }
}

/// A key of a float that is a number. Both zeros have the same.
pub(super) fn float_key(float: f64) -> u64 {
    let bits = (float + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The float of a key.
fn float_of(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key ^ SIGN })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_read_as_the_number_that_it_is() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (bits >> 10 & 0x1f, f64::from(bits & 0x3ff));
            let magnitude = match exponent {
                0 => fraction * 2_f64.powi(-24),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1024.0 + fraction) * 2_f64.powi(i32::from(exponent) - 25),
            };
            let value = if bits >> 15 == 0 { magnitude } else { -magnitude };
            let read = Half::read::<false>(&bits.to_le_bytes()).to_f64();
            let are_nan = read.is_nan() && value.is_nan();
            assert!(are_nan || read.total_cmp(&value).is_eq(), "{bits:x}: {read} {value}");
        }
    }

    #[test]
    fn keys_are_in_the_order_of_their_values() {
        let floats = [-f64::MAX, -1.0, -5e-324, 0.0, 5e-324, 1.0, f64::MAX];
        assert!(floats.map(float_key).is_sorted());
        assert_eq!(
            floats.map(|float| float_of(float_key(float)).to_bits()),
            floats.map(f64::to_bits)
        );
        assert_eq!(float_key(-0.0), float_key(0.0));
        assert!([i64::MIN, -1, 0, 1, i64::MAX].map(Whole::key).is_sorted());
    }
}
