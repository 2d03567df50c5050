//! What the limit is, in two sentences: for now, and for the whole.

use eframe::egui::{Align2, Rect, Ui, pos2, vec2};

use super::band;
use super::layout::Body;
use super::text::{self, Piece};
use crate::app::action::Action;
use crate::app::model::row::Row;
use crate::app::theme;

/// From the left edge to the sentences.
const INDENT: f32 = 52.0;
const LINE_HEIGHT: f32 = 24.0;
/// The key to the band, at the right of the sentences.
const KEY_WIDTH: f32 = 248.0;

/// Draws both, and the key to the band beside them.
pub(super) fn ui(ui: &mut Ui, row: &Row, body: &Body) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = body.sentences;
    let key = Rect::from_min_size(
        pos2(rect.right() - KEY_WIDTH, rect.top()),
        vec2(KEY_WIDTH, 2.0 * LINE_HEIGHT),
    );
    let now = row.limit_now_in_words();
    let whole = row.limit_in_words().unwrap_or_default();
    let strong = |text: String| Piece::new(text, theme::value(13.0), palette.text);
    let weak = |text: String| Piece::new(text, theme::label(13.0), palette.weak);
    let rows = if now.is_empty() && body.has_whole { 2 } else { 1 };
    let lines = if now.is_empty() {
        vec![("Whole", strong(whole))]
    } else {
        vec![("Now", strong(now)), ("Whole", weak(whole))]
    };
    let shown = if body.has_whole { 2 } else { 1 };
    for (index, (name, piece)) in lines.into_iter().take(shown).enumerate() {
        let line = Rect::from_min_max(
            pos2(rect.left(), rect.top() + index as f32 * LINE_HEIGHT),
            pos2(key.left() - 24.0, rect.top() + index as f32 * LINE_HEIGHT + 20.0),
        );
        if !piece.text.is_empty() {
            let at = line.left_center();
            ui.painter()
                .text(at, Align2::LEFT_CENTER, name, theme::label(13.0), palette.faint);
            text::lines(ui, name, line.with_min_x(line.left() + INDENT), &piece, rows);
        }
    }
    band::key_ui(ui, row, key, shown)
}
