//! What an array's values are, in numbers, from pieces of it that come in any order.
//!
//! [`Statistics`] is fed with pieces, [`ArrayStats`] is what they came to.

mod fragments;
mod grid;
mod histogram;
mod loops;
mod number;
mod strata;

use serde::{Deserialize, Serialize};

use super::dtype::Layout;
use super::{ArrayMeta, Value};
use fragments::Fragments;
use number::{NumberType, Reduced};
use strata::Strata;

pub use grid::Grid;

/// What has been looked at of an array, tile by tile and as a whole.
///
/// Statistics of the same array can be added up: what several connections have seen of it.
#[derive(Clone, Debug)]
pub struct Statistics {
    number: NumberType,
    grid: Grid,
    elements: u64,
    tiles: Vec<Reduced>,
    /// Tiles outside of it have seen nothing.
    touched: std::ops::Range<usize>,
    strata: Strata,
    fragments: Fragments,
}

/// The statistics of an array, as far as it has been looked at.
///
/// Minimum, maximum, mean and histogram are those of the finite values; what is NaN or infinite is counted apart. Where
/// not all values were looked at, minimum, maximum and the counts of what is not finite are those of the values that
/// were, and mean and histogram are estimates for all of the array up to the last look: each value that was looked at
/// stands for all of its 32nd part of the array.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArrayStats {
    /// How many values were looked at.
    pub seen: u64,
    /// Whether all of them were: then no number is an estimate.
    pub exact: bool,
    /// The smallest that was looked at; null where none was finite.
    pub min: Option<Value>,
    /// The largest that was looked at.
    pub max: Option<Value>,
    /// The mean of the array; null as well where a sum is beyond an `f64`.
    pub mean: Option<f64>,
    /// How many that were looked at are NaN.
    pub nan: u64,
    /// How many are infinite, of either sign.
    pub infinite: u64,
    /// Where the finite values lie; null where there are none.
    pub histogram: Option<HistogramCounts>,
}

/// How many values lie where: at most 256 bins of one width, from the first to the last one that has any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistogramCounts {
    /// Where the first bin begins.
    pub from: f64,
    /// The width of each bin, a power of two. A bin has its lower end and not its upper one.
    pub bin_width: f64,
    /// How many values of the array each has.
    pub counts: Vec<u64>,
}

/// What has been looked at of a tile.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TileStats {
    /// The smallest of its finite values; NaN where there are none.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// How many values were looked at.
    pub seen: u64,
    /// How many of them are NaN or infinite.
    pub not_finite: u64,
}

impl Statistics {
    /// Of nothing of an array yet. `None` where its elements are not numbers one by one: there are none for complex
    /// numbers, long doubles, times, texts, raw bytes and records.
    #[must_use]
    pub fn of(meta: &ArrayMeta) -> Option<Self> {
        Self::with_grid(meta, Grid::of(meta))
    }

    /// The same in tiles of another kind. The fewer there are, the less memory they take.
    #[must_use]
    pub fn with_grid(meta: &ArrayMeta, grid: Grid) -> Option<Self> {
        let Layout::Scalar(scalar) = meta.dtype().layout() else {
            return None;
        };
        let number = NumberType::of(*scalar)?;
        let (down, across) = grid.tiles();
        Some(Self {
            number,
            grid,
            elements: meta.element_count(),
            tiles: vec![Reduced::NONE; down * across],
            touched: 0..0,
            strata: Strata::of(&grid, number.is_whole),
            fragments: Fragments::default(),
        })
    }

    /// The same without anything that was seen.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self {
            tiles: vec![Reduced::NONE; self.tiles.len()],
            touched: 0..0,
            strata: self.strata.emptied(self.number.is_whole),
            fragments: Fragments::default(),
            ..*self
        }
    }

    /// The bytes of an element: 1 to 8.
    #[must_use]
    pub fn item_bytes(&self) -> usize {
        self.number.size_bytes
    }

    /// How many elements the array has.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.elements
    }

    /// The tiles that the array is divided into.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Looks at the bytes of the array from `at` on, none of which was shown before. Of each so many values one is
    /// counted in the histogram, for all of them. What is beyond the array's end is left out.
    pub fn see(&mut self, at: u64, bytes: &[u8], histogram_one_in: usize) {
        let size = self.number.size_bytes;
        let end = self.elements.saturating_mul(size as u64);
        let room = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(room)];
        // Smaller than an element.
        let into = usize::try_from(at % size as u64).unwrap_or(0);
        let mut index = at / size as u64;
        let mut rest = bytes;
        if into > 0 {
            let (part, after) = rest.split_at(rest.len().min(size - into));
            self.see_part(index, into, part);
            (index, rest) = (index + 1, after);
        }
        let (whole, part) = rest.split_at(rest.len() - rest.len() % size);
        self.see_whole(index, whole, histogram_one_in.max(1));
        if !part.is_empty() {
            self.see_part(index + (whole.len() / size) as u64, 0, part);
        }
    }

    /// Adds what was seen elsewhere, and leaves nothing there. Both are of the same array.
    pub fn take_from(&mut self, other: &mut Self) {
        for index in other.touched.clone() {
            self.tiles[index].add(&other.tiles[index]);
            other.tiles[index] = Reduced::NONE;
        }
        self.touch(&other.touched);
        self.strata.take_from(&mut other.strata, &other.touched);
        other.touched = 0..0;
        for (index, element) in self.fragments.absorb(&mut other.fragments, self.number.size_bytes) {
            self.see_whole(index, &element[..self.number.size_bytes], 1);
        }
    }

    /// What all came to.
    #[must_use]
    pub fn stats(&self) -> ArrayStats {
        let mut all = Reduced::NONE;
        for tile in &self.tiles[self.touched.clone()] {
            all.add(tile);
        }
        let estimate = self.strata.estimate(&self.tiles);
        let value = |key| (all.finite > 0).then(|| (self.number.to_value)(key));
        ArrayStats {
            seen: all.seen(),
            exact: all.seen() == self.elements,
            min: value(all.min),
            max: value(all.max),
            mean: Some(estimate.mean).filter(|mean| mean.is_finite()),
            nan: all.nan,
            infinite: all.infinite,
            histogram: estimate.histogram.map(|(from, bin_width, counts)| HistogramCounts {
                from,
                bin_width,
                counts,
            }),
        }
    }

    /// What each tile came to, in the order of memory: all across the first rows, and so on.
    #[must_use]
    pub fn tiles(&self) -> Vec<TileStats> {
        let to_f64 = self.number.to_f64;
        let of_tile = |tile: &Reduced| {
            let value = |key| if tile.finite > 0 { to_f64(key) } else { f64::NAN };
            TileStats {
                min: value(tile.min),
                max: value(tile.max),
                mean: tile.sum / tile.finite as f64,
                seen: tile.seen(),
                not_finite: tile.nan + tile.infinite,
            }
        };
        self.tiles.iter().map(of_tile).collect()
    }

    /// Looks at whole elements, of which the first has that index.
    fn see_whole(&mut self, mut index: u64, bytes: &[u8], histogram_one_in: usize) {
        let size = self.number.size_bytes;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (tile, run) = self.grid.run(index);
            let run_bytes = usize::try_from(run.saturating_mul(size as u64)).unwrap_or(usize::MAX);
            let (bytes, after) = rest.split_at(rest.len().min(run_bytes));
            let reduced = (self.number.reduce)(bytes);
            if let Some(tile) = self.tiles.get_mut(tile) {
                tile.add(&reduced);
            }
            self.touch(&(tile..tile + 1));
            if reduced.finite > 0 {
                let to_f64 = self.number.to_f64;
                if let Some(histogram) = self.strata.histogram(tile) {
                    histogram.cover(to_f64(reduced.min), to_f64(reduced.max));
                    (self.number.count)(histogram, bytes, histogram_one_in);
                }
            }
            index += (bytes.len() / size) as u64;
            rest = after;
        }
    }

    fn see_part(&mut self, index: u64, at: usize, part: &[u8]) {
        let size = self.number.size_bytes;
        if let Some(element) = self.fragments.take(index, size, at, part) {
            self.see_whole(index, &element[..size], 1);
        }
    }

    fn touch(&mut self, tiles: &std::ops::Range<usize>) {
        self.touched = match (self.touched.is_empty(), tiles.is_empty()) {
            (_, true) => self.touched.clone(),
            (true, false) => tiles.clone(),
            (false, false) => self.touched.start.min(tiles.start)..self.touched.end.max(tiles.end),
        };
    }
}

#[cfg(test)]
mod tests;
