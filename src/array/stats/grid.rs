//! Into which tiles an array is divided: the cells of an image for one of two dimensions, else the pieces of a strip.

use crate::array::{ArrayMeta, Order};

/// A picture has at most so many tiles.
pub(super) const TILES_MAX: u64 = 4096;
/// An image has at most so many in either direction.
const SIDE_MAX: u64 = 64;
/// An array that is more times longer than wide is shown as a strip.
const ASPECT_MAX: u64 = 32;

/// How an array's elements, in the order of memory, are divided into tiles.
///
/// It is taken as rows of neighbours in memory. A tile is some rows high and some neighbours wide, and a strip has one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    rows: u64,
    row_elements: u64,
    tile_rows: u64,
    tile_row_elements: u64,
    /// Tiles across a row.
    across: u64,
}

impl Grid {
    /// That of an array.
    #[must_use]
    pub fn of(meta: &ArrayMeta) -> Self {
        let dimensions = meta.shape().dimensions();
        let is_image = |a: u64, b: u64| a.min(b) > 1 && a.max(b) / a.min(b) <= ASPECT_MAX;
        match (dimensions, meta.order()) {
            ([a, b], _) if !is_image(*a, *b) => Self::new(1, meta.element_count(), 1, TILES_MAX),
            ([a, b], Order::C) => Self::new(*a, *b, SIDE_MAX, SIDE_MAX),
            ([a, b], Order::Fortran) => Self::new(*b, *a, SIDE_MAX, SIDE_MAX),
            _ => Self::new(1, meta.element_count(), 1, TILES_MAX),
        }
    }

    /// That of one that is divided into so many pieces of memory at most, and not drawn.
    #[must_use]
    pub fn in_pieces(meta: &ArrayMeta, pieces: u64) -> Self {
        Self::new(1, meta.element_count(), 1, pieces.clamp(1, TILES_MAX))
    }

    fn new(rows: u64, row_elements: u64, down_max: u64, across_max: u64) -> Self {
        let tile_rows = rows.div_ceil(down_max).max(1);
        let tile_row_elements = row_elements.div_ceil(across_max).max(1);
        Self {
            rows,
            row_elements,
            tile_rows,
            tile_row_elements,
            across: row_elements.div_ceil(tile_row_elements).max(1),
        }
    }

    /// How many tiles there are in the direction of the rows' order, and how many across a row.
    #[must_use]
    pub fn tiles(&self) -> (usize, usize) {
        let count = |tiles: u64| usize::try_from(tiles).unwrap_or(0);
        (count(self.rows.div_ceil(self.tile_rows).max(1)), count(self.across))
    }

    /// Whether it is the image of an array of two dimensions.
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.rows > 1
    }

    /// How many rows, and how many elements of a row, a tile has at most.
    #[must_use]
    pub fn tile(&self) -> (u64, u64) {
        (self.tile_rows, self.tile_row_elements)
    }

    /// How many rows there are, and how many elements each has.
    #[must_use]
    pub fn extent(&self) -> (u64, u64) {
        (self.rows, self.row_elements)
    }

    /// The element, in the order of memory, at such a share of the rows and such a share of a row.
    #[must_use]
    pub fn element_at(&self, of_rows: f64, of_row: f64) -> u64 {
        let at = |share: f64, count: u64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "neither negative nor beyond the count"
            )]
            let index = (share.clamp(0.0, 1.0) * count as f64) as u64;
            index.min(count.saturating_sub(1))
        };
        at(of_rows, self.rows) * self.row_elements + at(of_row, self.row_elements)
    }

    /// The first element of a tile, in the order of memory, and how many elements it has.
    #[must_use]
    pub fn elements_of(&self, tile: usize) -> (u64, u64) {
        let (down, across) = (tile as u64 / self.across, tile as u64 % self.across);
        let (row, element) = (down * self.tile_rows, across * self.tile_row_elements);
        let rows = self.tile_rows.min(self.rows.saturating_sub(row));
        let elements = self.tile_row_elements.min(self.row_elements.saturating_sub(element));
        (row * self.row_elements + element, rows * elements)
    }

    /// The tile that has element `index`, and how many elements from there on lie in it without a gap.
    pub(super) fn run(&self, index: u64) -> (usize, u64) {
        let (row, element) = (index / self.row_elements.max(1), index % self.row_elements.max(1));
        let across = element / self.tile_row_elements;
        let end = ((across + 1) * self.tile_row_elements).min(self.row_elements);
        let tile = row / self.tile_rows * self.across + across;
        // There are at most `TILES_MAX`.
        (usize::try_from(tile).unwrap_or(0), end.saturating_sub(element).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{Dtype, Shape};
    use proptest::prelude::*;

    fn grid(shape: &[u64], order: Order) -> Grid {
        let shape = Shape::new(shape.to_vec()).expect("a shape");
        Grid::of(&ArrayMeta::new(Dtype::u8(), shape, order).expect("an array"))
    }

    #[test]
    fn two_dimensions_are_an_image_and_anything_else_a_strip() {
        assert_eq!(grid(&[1000, 500], Order::C).tiles(), (63, 63));
        assert_eq!(grid(&[1000, 500], Order::C).tile(), (16, 8));
        assert_eq!(grid(&[1000, 500], Order::Fortran).tile(), (8, 16));
        assert_eq!(grid(&[3, 4], Order::C).tiles(), (3, 4));
        for shape in [&[50_000_000][..], &[10_000_000, 3], &[1, 9], &[4, 5, 6], &[]] {
            assert_eq!(grid(shape, Order::C).tiles().0, 1, "{shape:?}");
        }
        assert_eq!(grid(&[0], Order::C).tiles(), (1, 1));
        assert_eq!(grid(&[0, 5], Order::C).tiles(), (1, 1));
    }

    proptest! {
        #[test]
        fn every_element_lies_in_one_tile(a in 1_u64..300, b in 1_u64..300, is_c: bool) {
            let grid = grid(&[a, b], if is_c { Order::C } else { Order::Fortran });
            let (down, across) = grid.tiles();
            prop_assert!((down * across) as u64 <= TILES_MAX);
            let mut counts = vec![0; down * across];
            let mut firsts = vec![None; down * across];
            let mut index = 0;
            while index < a * b {
                let (tile, run) = grid.run(index);
                firsts[tile].get_or_insert(index);
                counts[tile] += run;
                index += run;
            }
            prop_assert_eq!(index, a * b);
            for tile in 0..down * across {
                prop_assert_eq!(grid.elements_of(tile), (firsts[tile].unwrap_or(0), counts[tile]));
            }
        }
    }
}
