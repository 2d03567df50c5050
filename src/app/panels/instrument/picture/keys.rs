//! The picture of the array by the keyboard: the arrows walk its tiles, Enter reads the values from one on.

use eframe::egui::{
    EventFilter, Id, Key, Modifiers, PopupAnchor, Rect, Response, Stroke, StrokeKind, Tooltip, Ui, vec2,
};

use super::place_of;
use crate::app::model::row::RowKey;
use crate::app::theme;
use crate::app::words::say;
use crate::transfer::TiledArray;

/// The tile that the arrows have come to, where the picture has the focus.
pub(super) fn tile(ui: &Ui, row: RowKey, tiles: &TiledArray, response: &Response) -> Option<usize> {
    if !response.has_focus() {
        return None;
    }
    let filter = EventFilter {
        horizontal_arrows: true,
        vertical_arrows: tiles.grid.is_image(),
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let id = Id::unique("tile of the array");
    let kept = ui.data(|data| data.get_temp::<(RowKey, usize)>(id));
    let last = tiles.tiles.len().checked_sub(1)?;
    let before = kept.filter(|(of, _)| *of == row).map_or(0, |(_, tile)| tile.min(last));
    // Axis 0, or the strip, runs from left to right; the tiles lie along the rows.
    let across = if tiles.grid.is_image() {
        tiles.grid.tiles().1.max(1)
    } else {
        1
    };
    let (column, line) = (before / across, before % across);
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let mut to = before;
    if pressed(Key::ArrowRight) {
        to = (column + 1) * across + line;
    } else if pressed(Key::ArrowLeft) {
        to = column.saturating_sub(1) * across + line;
    } else if tiles.grid.is_image() && pressed(Key::ArrowDown) {
        to = column * across + (line + 1).min(across - 1);
    } else if tiles.grid.is_image() && pressed(Key::ArrowUp) {
        to = column * across + line.saturating_sub(1);
    }
    let to = if to > last { before } else { to };
    ui.data_mut(|data| data.insert_temp(id, (row, to)));
    Some(to)
}

/// Draws what the arrows have come to, and what is known of it.
pub(super) fn point_ui(ui: &Ui, tiles: &TiledArray, tile: usize, rect: Rect, words: &str) {
    let palette = theme::palette(ui);
    let place = place_of(tiles, tile, rect);
    let around = Rect::from_center_size(place.center(), place.size().max(vec2(5.0, 5.0)));
    let line = Stroke::new(1.5, palette.text);
    ui.painter().rect_stroke(around, 0.0, line, StrokeKind::Outside);
    let anchor = PopupAnchor::Position(place.right_bottom());
    let tooltip = Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), Id::unique("tile values"), anchor);
    tooltip
        .gap(8.0)
        .show(|ui| ui.label(format!("{words}\n{}", say!("picture-enter"))));
}
