//! How what was looked at stands for the whole: an array is divided into strata, and each value of a stratum that was
//! looked at counts for as many as it has.
//!
//! So it makes no difference that much is looked at where a transfer is slow, and little where it is fast.

use super::grid::Grid;
use super::histogram::Histogram;
use super::number::Reduced;

/// So many strata at most. Of each there is a histogram.
const STRATA_MAX: usize = 32;

/// Neighbouring tiles of an array, so many a stratum, with the histogram of each.
#[derive(Clone, Debug)]
pub(super) struct Strata {
    tiles_each: usize,
    /// How many elements each has.
    elements: Vec<u64>,
    histograms: Vec<Histogram>,
}

/// What is known of all of an array's finite values.
#[derive(Debug, PartialEq)]
pub(super) struct Estimate {
    /// NaN where there are no values.
    pub(super) mean: f64,
    /// The beginning of the first bin, the width of each, and how many values each has.
    pub(super) histogram: Option<(f64, f64, Vec<u64>)>,
}

impl Strata {
    /// Of an array in these tiles, of which nothing was looked at.
    pub(super) fn of(grid: &Grid, is_whole: bool) -> Self {
        let (down, across) = grid.tiles();
        let tiles = down * across;
        let tiles_each = tiles.div_ceil(STRATA_MAX).max(1);
        let of_stratum = |first: usize| (first..tiles.min(first + tiles_each)).map(|tile| grid.elements_of(tile).1);
        let elements: Vec<u64> = (0..tiles)
            .step_by(tiles_each)
            .map(|first| of_stratum(first).sum())
            .collect();
        Self {
            tiles_each,
            histograms: vec![Histogram::new(is_whole); elements.len()],
            elements,
        }
    }

    /// The same of which nothing was looked at.
    pub(super) fn emptied(&self, is_whole: bool) -> Self {
        Self {
            tiles_each: self.tiles_each,
            elements: self.elements.clone(),
            histograms: vec![Histogram::new(is_whole); self.histograms.len()],
        }
    }

    /// The histogram that counts the values of a tile.
    pub(super) fn histogram(&mut self, tile: usize) -> Option<&mut Histogram> {
        self.histograms.get_mut(tile / self.tiles_each)
    }

    /// Adds what was counted elsewhere, in some tiles alone, and leaves nothing there.
    pub(super) fn take_from(&mut self, other: &mut Self, tiles: &std::ops::Range<usize>) {
        let strata = tiles.start / self.tiles_each..tiles.end.div_ceil(self.tiles_each);
        let pairs = self.histograms.iter_mut().zip(&mut other.histograms);
        for (own, other) in pairs.take(strata.end).skip(strata.start) {
            own.add(other);
            other.clear();
        }
    }

    /// What follows for all values from those of the tiles that were looked at.
    pub(super) fn estimate(&self, tiles: &[Reduced]) -> Estimate {
        let of_stratum = |tiles: &[Reduced]| {
            let mut reduced = Reduced::NONE;
            for tile in tiles {
                reduced.add(tile);
            }
            reduced
        };
        let reduced = tiles.chunks(self.tiles_each).map(of_stratum);
        let strata: Vec<(u64, Reduced)> = self.elements.iter().copied().zip(reduced).collect();
        let counts: Vec<(u64, u64)> = strata
            .iter()
            .map(|(elements, reduced)| (*elements, reduced.seen()))
            .collect();
        let weights = weights(&counts);
        // Below 1, so that no sum grows beyond an `f64` for its weight.
        let most = weights.iter().copied().fold(0.0, f64::max);
        let (mut sum, mut finite) = (0.0, 0.0);
        for ((_, reduced), weight) in strata.iter().zip(&weights) {
            sum += reduced.sum * (weight / most);
            finite += reduced.finite as f64 * (weight / most);
        }
        let weighed: Vec<(&Histogram, f64)> = self.histograms.iter().zip(weights).collect();
        Estimate {
            mean: sum / finite,
            histogram: Histogram::shown_together(&weighed),
        }
    }
}

/// For how many values of the array each one stands that was looked at, stratum by stratum, of which there are `(elements,
/// seen)`.
///
/// A stratum of which nothing was looked at is taken to be like its nearest neighbours; what comes after the last look is
/// left out, as it may not have come yet.
fn weights(strata: &[(u64, u64)]) -> Vec<f64> {
    let mut stands_for = vec![0.0; strata.len()];
    let (mut unseen, mut last) = (0.0, None);
    for (index, (elements, seen)) in strata.iter().enumerate() {
        if *seen == 0 {
            unseen += *elements as f64;
            continue;
        }
        stands_for[index] = *elements as f64;
        match last {
            Some(last) => {
                stands_for[last] += unseen / 2.0;
                stands_for[index] += unseen / 2.0;
            }
            None => stands_for[index] += unseen,
        }
        (unseen, last) = (0.0, Some(index));
    }
    for (weight, (_, seen)) in stands_for.iter_mut().zip(strata) {
        *weight /= (*seen).max(1) as f64;
    }
    stands_for
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_stands_for_its_stratum_and_for_what_nobody_looked_at_beside_it() {
        assert_eq!(weights(&[(10, 10), (10, 10)]), [1.0, 1.0]);
        assert_eq!(weights(&[(10, 5), (10, 2), (4, 4)]), [2.0, 5.0, 1.0]);
        assert_eq!(
            weights(&[(10, 0), (10, 10), (10, 0), (10, 5), (10, 0)]),
            [0.0, 2.5, 0.0, 3.0, 0.0]
        );
        assert_eq!(weights(&[(10, 0)]), [0.0]);
    }
}
