//! Fills memory with an arithmetic progression, as fast as memory takes it.
//!
//! Element `i` is `first + i * (second - first)` in the arithmetic of the dtype, as in NumPy's `fill` functions. The
//! first two elements are given.

use std::array;

use bytemuck::Pod;

use crate::sys::{Vectorised, with_widest_vectors};

/// Wrapping integers have the same bits with and without a sign: one variant serves both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Progression {
    F64(Ends<f64>),
    F32(Ends<f32>),
    Bits8(Ends<u8>),
    Bits16(Ends<u16>),
    Bits32(Ends<u32>),
    Bits64(Ends<u64>),
}

/// The two elements that Python computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ends<T> {
    pub(super) first: T,
    pub(super) second: T,
}

impl Progression {
    /// Fills `out` with whole elements from `first_index` on, little-endian.
    pub(super) fn fill(self, first_index: u64, out: &mut [u8]) {
        match self {
            Self::F64(ends) => ends.fill(first_index, out),
            Self::F32(ends) => ends.fill(first_index, out),
            Self::Bits8(ends) => ends.fill(first_index, out),
            Self::Bits16(ends) => ends.fill(first_index, out),
            Self::Bits32(ends) => ends.fill(first_index, out),
            Self::Bits64(ends) => ends.fill(first_index, out),
        }
    }
}

/// A number in whose arithmetic NumPy fills an array.
pub(super) trait Element: Pod {
    /// Sets each of `out` to `first + i * (second - first)`, with `i` counted from `from`.
    fn fill_from_third(ends: Ends<Self>, from: u64, out: &mut [Self]);

    fn to_le(self) -> Self;
}

/// Elements made at once where `out` is not aligned to them.
const BLOCK_ELEMENTS: usize = 256;

/// Elements made side by side: independent sums keep the adders busy, and the sums of more do not fit the sixteen
/// registers of x86-64 beside the rest.
const LANES: usize = 8;

/// Below it a `f64` counts exactly.
pub(super) const MAX_EXACT_INDEX: u64 = 1 << 53;

impl<T: Element> Ends<T> {
    fn fill(self, first_index: u64, out: &mut [u8]) {
        if cfg!(target_endian = "little")
            && let Ok(elements) = bytemuck::try_cast_slice_mut(out)
        {
            self.fill_elements(first_index, elements);
            return;
        }
        let mut block = [T::zeroed(); BLOCK_ELEMENTS];
        let mut index = first_index;
        for piece in out.chunks_mut(size_of_val(&block)) {
            let block = &mut block[..piece.len() / size_of::<T>()];
            self.fill_elements(index, block);
            for element in &mut *block {
                *element = element.to_le();
            }
            piece[..size_of_val(block)].copy_from_slice(bytemuck::cast_slice(block));
            index = index.wrapping_add(block.len() as u64);
        }
    }

    fn fill_elements(self, first_index: u64, out: &mut [T]) {
        with_widest_vectors(FromThird {
            ends: self,
            from: first_index,
            out: &mut *out,
        });
        // The formula need not give the first two: -0.0 becomes 0.0, and the difference was rounded.
        for (index, element) in (first_index..2).zip(out) {
            *element = if index == 0 { self.first } else { self.second };
        }
    }
}

/// Elements that the formula gives.
struct FromThird<'a, T> {
    ends: Ends<T>,
    from: u64,
    out: &'a mut [T],
}

impl<T: Element> Vectorised for FromThird<'_, T> {
    // The trait requires it, so that the compiler vectorises the loop.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn run(self) {
        T::fill_from_third(self.ends, self.from, self.out);
    }
}

macro_rules! impl_element_for_float {
    ($($float:ty),*) => {$(
        // NumPy too converts the index to the dtype. The conversion of a counter from `f64` vectorises, that from `u64`
        // does not, and while it counts exactly both round alike.
        #[allow(clippy::cast_possible_truncation)]
        impl Element for $float {
            #[inline(always)]
            fn fill_from_third(ends: Ends<Self>, from: u64, out: &mut [Self]) {
                let delta = ends.second - ends.first;
                let at = |index: f64| ends.first + index as $float * delta;
                let is_exact = from
                    .checked_add(out.len() as u64)
                    .is_some_and(|end| end <= MAX_EXACT_INDEX);
                if !is_exact {
                    for (offset, element) in (0..).zip(out) {
                        let index = from.wrapping_add(offset);
                        *element = ends.first + index as $float * delta;
                    }
                    return;
                }
                let mut index: [f64; LANES] = array::from_fn(|lane| (from + lane as u64) as f64);
                let mut rows = out.chunks_exact_mut(LANES);
                for row in &mut rows {
                    for (element, index) in row.iter_mut().zip(&mut index) {
                        *element = at(*index);
                        *index += LANES as f64;
                    }
                }
                for (element, index) in rows.into_remainder().iter_mut().zip(index) {
                    *element = at(index);
                }
            }

            fn to_le(self) -> Self {
                Self::from_bits(self.to_bits().to_le())
            }
        }
    )*};
}

macro_rules! impl_element_for_integer {
    ($($integer:ty),*) => {$(
        impl Element for $integer {
            // The index wraps to the width of the dtype, as the arithmetic does.
            #[allow(clippy::cast_possible_truncation)]
            #[inline(always)]
            fn fill_from_third(ends: Ends<Self>, from: u64, out: &mut [Self]) {
                let delta = ends.second.wrapping_sub(ends.first);
                let mut value = ends.first.wrapping_add(delta.wrapping_mul(from as $integer));
                for element in out {
                    *element = value;
                    value = value.wrapping_add(delta);
                }
            }

            fn to_le(self) -> Self {
                <$integer>::to_le(self)
            }
        }
    )*};
}

impl_element_for_float!(f32, f64);
impl_element_for_integer!(u8, u16, u32, u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn both<T: Element + PartialEq + std::fmt::Debug>(first: T, second: T) {
        let ends = Ends { first, second };
        for (from, len) in [(2, 1), (3, 1000), (MAX_EXACT_INDEX - 5, 40), (u64::MAX - 3, 9)] {
            let (mut plain, mut wide) = (vec![T::zeroed(); len], vec![T::zeroed(); len]);
            T::fill_from_third(ends, from, &mut plain);
            ends.fill_elements(from, &mut wide);
            assert_eq!(plain, wide, "{len} from {from}");
        }
    }

    #[test]
    fn with_wide_vectors_and_without_the_bits_are_the_same() {
        both(0.1_f64, 0.4);
        both(0.1_f32, 0.4);
        both(7_u8, 5);
        both(7_u16, 5);
        both(7_u32, 5);
        both(7_u64, 5);
    }
}
