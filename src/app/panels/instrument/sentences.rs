//! What the limit is, in two sentences: for now, and for the whole.

use eframe::egui::{Align2, Rect, Ui, pos2, vec2};

use super::band;
use super::layout::Body;
use super::text::{self, Piece};
use crate::app::action::Action;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::words::say;

/// From the left edge to the sentences.
const INDENT: f32 = 52.0;
const LINE_HEIGHT: f32 = 20.0;
/// There is room for so many lines where the whole has a sentence.
const LINES: usize = 3;

/// Draws both, and the key to the band beside them.
pub(super) fn ui(ui: &mut Ui, row: &Row, body: &Body) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = body.sentences;
    let room = if body.has_whole { LINES } else { 1 };
    let key = Rect::from_min_size(
        pos2(rect.right() - band::KEY_WIDTH, rect.top()),
        vec2(band::KEY_WIDTH, room as f32 * LINE_HEIGHT),
    );
    let right = rect.right() - band::key_width(row, room) - 24.0;
    let now = row.limit_now_in_words();
    let whole = row.limit_in_words().unwrap_or_default();
    let strong = |text: String| Piece::new(text, theme::value(13.0), palette.text);
    let weak = |text: String| Piece::new(text, theme::label(13.0), palette.weak);
    let sentences = if now.is_empty() {
        vec![(say!("band-whole"), strong(whole), room)]
    } else {
        vec![
            (say!("band-now"), strong(now), 1),
            (say!("band-whole"), weak(whole), room - 1),
        ]
    };
    let shown = sentences.into_iter().filter(|(_, _, lines)| *lines > 0);
    for (index, (name, piece, lines)) in shown.enumerate() {
        let line = Rect::from_min_max(
            pos2(rect.left(), rect.top() + index as f32 * LINE_HEIGHT),
            pos2(right, rect.top() + (index + 1) as f32 * LINE_HEIGHT),
        );
        if !piece.text.is_empty() {
            let at = line.left_center();
            ui.painter()
                .text(at, Align2::LEFT_CENTER, name, theme::label(13.0), palette.faint);
            text::lines(ui, name, line.with_min_x(line.left() + INDENT), &piece, lines);
        }
    }
    band::key_ui(ui, row, key, room)
}
