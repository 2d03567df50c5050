//! The loops over many values at once: they reduce them to a few numbers, and count where they lie.
//!
//! They keep a lane for each of several neighbours, of which the compiler makes SIMD.

use super::histogram::Histogram;
use super::number::{Float, REDUCED_BYTES_MAX, Read, Reduced, Whole, float_key};

/// So many neighbours are reduced side by side.
const LANES: usize = 8;
/// The same of whole numbers, of which more are in a register.
const WHOLE_LANES: usize = 16;

pub(super) fn reduce_whole<T: Whole, const BIG_ENDIAN: bool>(bytes: &[u8]) -> Reduced {
    let mut reduced = Reduced::NONE;
    for bytes in bytes.chunks(REDUCED_BYTES_MAX) {
        let (mut min, mut max) = ([T::MAX; WHOLE_LANES], [T::MIN; WHOLE_LANES]);
        let mut sum = [T::ZERO; WHOLE_LANES];
        let mut blocks = bytes.chunks_exact(WHOLE_LANES * T::SIZE);
        for block in &mut blocks {
            for lane in 0..WHOLE_LANES {
                let value = T::read::<BIG_ENDIAN>(&block[lane * T::SIZE..(lane + 1) * T::SIZE]);
                min[lane] = min[lane].min(value);
                max[lane] = max[lane].max(value);
                sum[lane] = sum[lane] + value.widen();
            }
        }
        for (lane, item) in blocks.remainder().chunks_exact(T::SIZE).enumerate() {
            let value = T::read::<BIG_ENDIAN>(item);
            min[lane] = min[lane].min(value);
            max[lane] = max[lane].max(value);
            sum[lane] = sum[lane] + value.widen();
        }
        let sum = sum.into_iter().fold(T::ZERO, std::ops::Add::add);
        reduced.add(&Reduced {
            min: min.into_iter().fold(T::MAX, T::min).key(),
            max: max.into_iter().fold(T::MIN, T::max).key(),
            sum: T::sum_to_f64(sum),
            finite: (bytes.len() / T::SIZE) as u64,
            ..Reduced::NONE
        });
    }
    reduced
}

pub(super) fn reduce_floats<T: Float, const BIG_ENDIAN: bool>(bytes: &[u8]) -> Reduced {
    let (mut min, mut max) = ([f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]);
    // What is not finite makes a NaN of nothing.
    let (mut sum, mut nothing) = ([0.0_f64; LANES], [0.0_f64; LANES]);
    let mut blocks = bytes.chunks_exact(LANES * T::SIZE);
    for block in &mut blocks {
        for lane in 0..LANES {
            let value = T::read::<BIG_ENDIAN>(&block[lane * T::SIZE..(lane + 1) * T::SIZE]).to_f64();
            min[lane] = if value < min[lane] { value } else { min[lane] };
            max[lane] = if value > max[lane] { value } else { max[lane] };
            sum[lane] += value;
            nothing[lane] += value * 0.0;
        }
    }
    let rest = blocks.remainder();
    let mut reduced = reduce_any::<T, BIG_ENDIAN>(rest);
    let done = bytes.len() - rest.len();
    if nothing.iter().sum::<f64>().is_nan() {
        reduced.add(&reduce_any::<T, BIG_ENDIAN>(&bytes[..done]));
    } else if done > 0 {
        reduced.add(&Reduced {
            min: float_key(min.into_iter().fold(f64::INFINITY, f64::min)),
            max: float_key(max.into_iter().fold(f64::NEG_INFINITY, f64::max)),
            sum: sum.iter().sum(),
            finite: (done / T::SIZE) as u64,
            ..Reduced::NONE
        });
    }
    reduced
}

/// The same where some may not be finite.
fn reduce_any<T: Float, const BIG_ENDIAN: bool>(bytes: &[u8]) -> Reduced {
    let mut reduced = Reduced::NONE;
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in bytes.chunks_exact(T::SIZE).map(T::read::<BIG_ENDIAN>) {
        let value = value.to_f64();
        let is_finite = value.abs() < f64::INFINITY;
        reduced.nan += u64::from(value.is_nan());
        reduced.finite += u64::from(is_finite);
        let value = if is_finite { value } else { 0.0 };
        reduced.sum += value;
        min = if is_finite && value < min { value } else { min };
        max = if is_finite && value > max { value } else { max };
    }
    let count = (bytes.len() / T::SIZE) as u64;
    reduced.infinite = count - reduced.nan - reduced.finite;
    if reduced.finite > 0 {
        (reduced.min, reduced.max) = (float_key(min), float_key(max));
    }
    reduced
}

/// Counts the first of each `every` values, for all of them: what is looked at in full and in samples weighs the same.
pub(super) fn count<T: Read, const BIG_ENDIAN: bool>(histogram: &mut Histogram, bytes: &[u8], every: usize) {
    for group in bytes.chunks(T::SIZE * every) {
        let value = T::read::<BIG_ENDIAN>(&group[..T::SIZE]).to_f64();
        if value.is_finite() {
            histogram.count(value, group.len() / T::SIZE);
        }
    }
}

/// The same of whole numbers that a shift puts into their bins.
pub(super) fn count_short<T: Whole + Into<i64>, const BIG_ENDIAN: bool>(
    histogram: &mut Histogram,
    bytes: &[u8],
    every: usize,
) {
    for group in bytes.chunks(T::SIZE * every) {
        histogram.count_whole(T::read::<BIG_ENDIAN>(&group[..T::SIZE]).into(), group.len() / T::SIZE);
    }
}
