//! The first elements as both ends have them: none on the receiver until they arrive.

use eframe::egui::{Align2, Color32, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::Action;
use crate::app::model::format::python_shape;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::{caption, text_line};
use crate::transfer::Side;

const LINE_HEIGHT: f32 = 20.0;

/// Draws the table, as many lines of it as fit into `height`, and below it what the array is.
pub(crate) fn ui(ui: &mut Ui, row: &Row, height: f32) -> Option<Action> {
    let mut copied = None;
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
        let line = table_line(ui, &i.to_string(), &cells, &theme::body(), &[palette.text; 2]);
        let text = cells.join("\t");
        let line = line.on_hover_text(format!("{}\nA click copies it.", cells.join("\n")));
        if line.clicked() {
            copied = Some(Action::Copy(text));
        }
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
    copied
}

fn table_line(ui: &mut Ui, index: &str, cells: &[&str], font: &FontId, colours: &[Color32]) -> Response {
    // It can be clicked, and is no stop of the Tab key.
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::CLICK);
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
        let fits = |text: &str| {
            let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), *colour);
            galley.size().x <= width - 8.0
        };
        let text = fitting(text, fits);
        text_line(ui, cell(left + 8.0, left + width), right, &text, font.clone(), *colour);
        left += width;
    }
    response
}

/// A number with as many figures as fit. Its exponent is never cut off: without it the number is another one.
fn fitting(text: &str, fits: impl Fn(&str) -> bool) -> String {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    let Some(number) = number.filter(|_| !fits(text)) else {
        return text.to_owned();
    };
    // Below a million there is no exponent to be lost, and above a thousandth.
    let is_plain = !text.contains(['e', 'E']) && (1e-3..1e6).contains(&number.abs());
    let rounded = |digits: usize| {
        if is_plain {
            format!("{number:.digits$}")
        } else {
            format!("{number:.digits$e}")
        }
    };
    (0..16)
        .rev()
        .map(rounded)
        .find(|text| fits(text))
        .unwrap_or_else(|| text.to_owned())
}

/// The dtype and its byte order: `f64, little endian`.
fn dtype_in_words(dtype: &str) -> String {
    match dtype.strip_prefix("big-endian ") {
        Some(rest) => format!("{rest}, big endian"),
        None if matches!(dtype, "u8" | "int8" | "bool") || dtype.contains("record") => dtype.to_owned(),
        None => format!("{dtype}, little endian"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_loses_figures_and_never_its_exponent() {
        let fits = |text: &str| text.len() <= 11;
        for (text, shown) in [
            ("1.5", "1.5"),
            ("-3.4717481983746e-12", "-3.47175e-12"),
            ("-3.4717481983746e-9", "-3.47175e-9"),
            ("123456.78901234567", "123456.7890"),
            ("nan", "nan"),
            ("12345678901234567890", "1.234568e19"),
            ("(1.25+3.4717481983746e-12j)", "(1.25+3.4717481983746e-12j)"),
        ] {
            let wide = |text: &str| fits(text) || text == "-3.47175e-12";
            assert_eq!(fitting(text, wide), shown);
        }
    }

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
