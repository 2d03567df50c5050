//! The values that were read at a place of the array, below its picture, and the mark of that place.

use eframe::egui::{Rect, Stroke, StrokeKind, Ui, pos2, vec2};

use super::{LINE, THIN};
use crate::app::action::{Action, TransferAction};
use crate::app::model::row::RowKey;
use crate::app::model::values::{Compared, ValuesRead};
use crate::app::panels::instrument::text::{self, Piece};
use crate::app::theme::{self, Palette};
use crate::app::widgets::{from_right, word_button};
use crate::app::words::say;
use crate::transfer::TiledArray;

/// The mark of a place in an image is so wide.
const MARK: f32 = 7.0;

/// Draws them, a line each, with what can be done with them.
pub(super) fn ui(ui: &mut Ui, row: RowKey, values: &ValuesRead, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let lines = values.lines();
    let at = |index: usize| {
        let min = rect.min + vec2(0.0, index as f32 * LINE);
        Rect::from_min_size(min, vec2(rect.width(), LINE))
    };
    let (mut copies, mut closes) = (false, false);
    from_right(ui, "values read", at(0), |ui| {
        closes = word_button(ui, say!("values-close"), say!("values-close-hover")).clicked();
        copies = word_button(ui, say!("values-copy"), say!("values-copy-hover")).clicked();
    });
    for (index, line) in lines.iter().enumerate() {
        let (font, colour) = match (index, &values.compared) {
            (0, _) => (theme::value(13.0), palette.text),
            (3, Some(Compared::Differ { .. })) => (theme::label(12.0), palette.failed),
            (3, _) => (theme::label(12.0), palette.weak),
            _ => (theme::value(12.0), palette.text),
        };
        let place = match index {
            0 => at(0).with_max_x(rect.right() - rect.width() * 0.4),
            _ => at(index),
        };
        text::line(
            ui,
            &format!("values read {index}"),
            place,
            &Piece::new(line, font, colour),
        );
    }
    if copies {
        return Some(Action::Copy(lines.join("\n")));
    }
    closes.then_some(Action::Transfer(row, TransferAction::CloseValues))
}

/// Marks where the first of them lies.
pub(super) fn mark(ui: &Ui, tiles: &TiledArray, index: u64, rect: Rect, palette: &Palette) {
    let (rows, row_elements) = tiles.grid.extent();
    let (row, element) = (index / row_elements.max(1), index % row_elements.max(1));
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
    let share = |at: u64, count: u64| ((at as f64 + 0.5) / count.max(1) as f64) as f32;
    let stroke = Stroke::new(1.5, palette.sender);
    if tiles.grid.is_image() && rect.height() > THIN {
        let along = rect.left() + rect.width() * share(row, rows);
        let down = rect.top() + rect.height() * share(element, row_elements);
        let mark = Rect::from_center_size(pos2(along, down), vec2(MARK, MARK));
        ui.painter().rect_stroke(mark, 0.0, stroke, StrokeKind::Outside);
    } else {
        let along = rect.left() + rect.width() * share(index, rows * row_elements);
        ui.painter().vline(along, rect.y_range(), stroke);
    }
}
