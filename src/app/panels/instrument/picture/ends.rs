//! The first tile in which both ends differ, where both are in this process: its mark, and its words.

use eframe::egui::{Rect, Stroke, StrokeKind, Ui, vec2};

use super::place_of;
use crate::app::model::picture;
use crate::app::model::row::Row;
use crate::app::model::values;
use crate::app::theme::Palette;
use crate::app::words::say;
use crate::transfer::{Side, TiledArray};

/// The mark of a tile is so wide and so high at least.
const MARK: f32 = 7.0;

/// The first tile of which both ends have seen all, and not the same.
pub(super) fn first_difference(row: &Row) -> Option<usize> {
    let tiles = |side| row.end(side).stats.as_ref()?.tiles.as_deref();
    picture::first_difference(tiles(Side::Sender)?, tiles(Side::Receiver)?)
}

/// From which value on they differ.
pub(super) fn in_words(tiles: &TiledArray, tile: usize) -> String {
    let (first, _) = tiles.grid.elements_of(tile);
    say!("picture-ends-differ", first = values::place(&tiles.meta, first))
}

/// Marks the tile.
pub(super) fn mark(ui: &Ui, tiles: &TiledArray, tile: usize, rect: Rect, palette: &Palette) {
    let place = place_of(tiles, tile, rect);
    let around = Rect::from_center_size(place.center(), place.size().max(vec2(MARK, MARK)));
    let stroke = Stroke::new(2.0, palette.failed);
    ui.painter().rect_stroke(around, 0.0, stroke, StrokeKind::Outside);
}
