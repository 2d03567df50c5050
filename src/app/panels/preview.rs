//! The first elements as both ends have them: zeros on the receiver until they arrive.

use eframe::egui::{Align2, Color32, FontId, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::model::format::python_shape;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::{caption, text_line};
use crate::transfer::Side;

const LINE_HEIGHT: f32 = 20.0;

/// Draws the table, as many lines of it as fit into `height`, and below it what the array is.
pub(crate) fn ui(ui: &mut Ui, row: &Row, height: f32) {
    let palette = theme::palette(ui);
    let [sent, received] = [Side::Sender, Side::Receiver].map(|side| &row.end(side).preview);
    ui.spacing_mut().item_spacing.y = 0.0;
    // An end that is elsewhere has no column.
    let (heads, colours): (Vec<&str>, Vec<Color32>) = row
        .sides()
        .iter()
        .map(|side| match side {
            Side::Sender => ("sent", palette.sender),
            Side::Receiver => ("received", palette.receiver),
        })
        .unzip();
    table_line(ui, "index", &heads, &theme::small(), &colours);
    let lines = sent.len().max(received.len());
    if lines == 0 {
        ui.add_space(6.0);
        let has_started = row.started().is_some_and(|started| started.total_bytes == Some(0));
        caption(
            ui,
            if has_started {
                "The array has no elements."
            } else {
                "The first values appear here."
            },
        );
    }
    // A height in points is neither negative nor large.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and not negative"
    )]
    let room = ((height - 2.6 * LINE_HEIGHT) / LINE_HEIGHT).max(1.0) as usize;
    for i in 0..lines.min(room) {
        let text = |values: &[crate::array::Value]| values.get(i).map_or_else(String::new, ToString::to_string);
        let cells: Vec<String> = row.sides().iter().map(|side| text(&row.end(*side).preview)).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        table_line(ui, &i.to_string(), &cells, &theme::body(), &[palette.text; 2]);
    }
    if let Some(started) = row.started() {
        ui.add_space(8.0);
        caption(
            ui,
            &format!(
                "{}, shape {}",
                dtype_in_words(&started.dtype),
                python_shape(&started.shape)
            ),
        );
    }
}

fn table_line(ui: &mut Ui, index: &str, cells: &[&str], font: &FontId, colours: &[Color32]) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{index}: {}", cells.join(", "))));
    let index_right = rect.left() + 38.0;
    let cell = |left, right| Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
    let right = Align2::RIGHT_CENTER;
    text_line(
        ui,
        cell(rect.left(), index_right),
        right,
        index,
        theme::small(),
        theme::palette(ui).weak,
    );
    // As wide as half of the room even where there is one only, so that the table keeps its shape.
    let width = (rect.right() - index_right) * 0.5;
    let mut left = rect.right() - width * cells.len() as f32;
    for (text, colour) in cells.iter().zip(colours) {
        text_line(ui, cell(left + 8.0, left + width), right, text, font.clone(), *colour);
        left += width;
    }
}

/// The dtype and its byte order: `f64, little endian`.
fn dtype_in_words(dtype: &str) -> String {
    match dtype.strip_prefix("big-endian ") {
        Some(rest) => format!("{rest}, big endian"),
        None if matches!(dtype, "u8" | "i8" | "bool") || dtype.contains("record") => dtype.to_owned(),
        None => format!("{dtype}, little endian"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_named_where_there_is_one() {
        for (dtype, words) in [
            ("f64", "f64, little endian"),
            ("big-endian f32", "f32, big endian"),
            ("u8", "u8"),
        ] {
            assert_eq!(dtype_in_words(dtype), words);
        }
    }
}
