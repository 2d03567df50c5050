//! The first elements as both ends have them, none on the receiver until they arrive, and the checksum of all.

use eframe::egui::{Align2, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::facts::tick;
use super::layout::Array;
use super::text::{self, Piece};
use crate::app::action::Action;
use crate::app::model::format::python_shape;
use crate::app::model::row::{Phase, Row};
use crate::app::theme;
use crate::app::widgets::{caption, from_right, text_line, text_width, word_button};
use crate::app::words::say;
use crate::transfer::Side;

/// Ten values and their heading fit beside the plot where the window is 800 points high.
const LINE_HEIGHT: f32 = 20.0;
/// The table of values is at most so wide, and the column of the checksum is always.
const TABLE_WIDTH: f32 = 520.0;
const SIDE_WIDTH: f32 = 232.0;

/// Draws what there is of the array in its place.
pub(super) fn ui(ui: &mut Ui, row: &Row, place: Array) -> Vec<Action> {
    let palette = theme::palette(ui);
    match place {
        Array::Row(rect) => {
            ui.painter().hline(rect.x_range(), rect.top(), (1.0, palette.hairline));
            let inner = Rect::from_min_max(rect.min + vec2(0.0, 10.0), rect.max - vec2(0.0, 16.0));
            let width = (inner.width() - SIDE_WIDTH - 32.0).min(TABLE_WIDTH);
            let table = inner.with_max_x(inner.left() + width);
            let side = inner.with_min_x(inner.right() - SIDE_WIDTH);
            let copied = table_ui(ui, row, table);
            copied.into_iter().chain(checksum_ui(ui, row, side)).collect()
        }
        Array::Column(rect) => {
            let inner = rect.with_max_y(rect.bottom() - 16.0);
            let side = inner.with_min_y((inner.bottom() - 140.0).max(inner.top()));
            let table = inner.with_max_y(side.top() - 24.0);
            let copied = table_ui(ui, row, table);
            copied.into_iter().chain(checksum_ui(ui, row, side)).collect()
        }
        Array::Strip(rect) => {
            ui.painter().hline(rect.x_range(), rect.top(), (1.0, palette.hairline));
            strip_ui(ui, row, rect.with_min_y(rect.top() + 6.0))
                .into_iter()
                .collect()
        }
    }
}

/// The names of the ends that are here with what each has, and as many lines as there are.
fn previews(row: &Row) -> (Vec<Side>, usize) {
    // An end that is elsewhere has no column.
    let lines = row.sides().iter().map(|side| row.end(*side).preview.len()).max();
    (row.sides().to_vec(), lines.unwrap_or(0))
}

fn heading(ui: &mut Ui, row: &Row, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let piece = Piece::new(say!("values-first"), theme::value(13.0), palette.text);
    text::on_baseline(ui, pos2(rect.left(), rect.center().y + 4.5), &[piece], 0.0);
    let (sides, lines) = previews(row);
    if lines == 0 {
        return None;
    }
    let is_clicked = from_right(ui, "copy values", rect, |ui| {
        word_button(ui, say!("instrument-copy"), say!("values-copy-first")).clicked()
    });
    is_clicked.then(|| {
        let lines = (0..lines).map(|index| format!("{index}\t{}\n", cells(row, &sides, index).join("\t")));
        Action::Copy(lines.collect())
    })
}

fn cells(row: &Row, sides: &[Side], index: usize) -> Vec<String> {
    let of = |side: &Side| {
        row.end(*side)
            .preview
            .get(index)
            .map_or_else(String::new, ToString::to_string)
    };
    sides.iter().map(of).collect()
}

/// The table, as many lines of it as fit.
fn table_ui(ui: &mut Ui, row: &Row, rect: Rect) -> Option<Action> {
    let mut copied = heading(ui, row, rect.with_max_y(rect.top() + 24.0));
    let (sides, lines) = previews(row);
    let palette = theme::palette(ui);
    let mut top = rect.top() + 26.0;
    let line = |top: f32| Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), LINE_HEIGHT));
    if lines == 0 {
        let has_none = row.started().is_some_and(|started| started.total_bytes == Some(0));
        let words = if has_none {
            say!("values-none")
        } else {
            say!("values-to-come")
        };
        text::line(
            ui,
            "no values",
            line(top),
            &Piece::new(words, theme::label(12.0), palette.weak),
        );
        return copied;
    }
    if sides.len() > 1 {
        let names: Vec<String> = sides.iter().map(|side| heading_of(*side).to_owned()).collect();
        table_line(ui, line(top), say!("values-index"), &names, &theme::label(12.0), true);
        top += LINE_HEIGHT;
    }
    for index in 0..lines {
        if top + LINE_HEIGHT > rect.bottom() + 4.0 {
            break;
        }
        let cells = cells(row, &sides, index);
        ui.painter().hline(rect.x_range(), top, (1.0, palette.grid));
        let response = table_line(ui, line(top), &index.to_string(), &cells, &theme::value(13.0), false);
        let response = response.on_hover_ui(|ui| {
            for (side, cell) in sides.iter().zip(&cells) {
                ui.label(format!("{} {cell}", heading_of(*side)));
            }
            ui.label(say!("values-click"));
        });
        if response.clicked() {
            copied = Some(Action::Copy(cells.join("\t")));
        }
        top += LINE_HEIGHT;
    }
    copied
}

fn heading_of(side: Side) -> &'static str {
    match side {
        Side::Sender => say!("plot-sent"),
        Side::Receiver => say!("plot-received"),
    }
}

fn table_line(ui: &Ui, rect: Rect, index: &str, cells: &[String], font: &FontId, is_head: bool) -> Response {
    let palette = theme::palette(ui);
    // It can be clicked, and is no stop of the Tab key.
    let response = ui.interact(rect, ui.scope_id().with(("value", index)), Sense::CLICK);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{index}: {}", cells.join(", "))));
    let index_width = 64.0_f32.min(rect.width() * 0.2);
    let cell = |left, right| Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
    let index_cell = cell(rect.left(), rect.left() + index_width);
    text_line(
        ui,
        index_cell,
        Align2::LEFT_CENTER,
        index,
        theme::label(12.0),
        palette.weak,
    );
    let width = (rect.width() - index_width) / cells.len().max(1) as f32;
    let colour = if is_head { palette.weak } else { palette.text };
    for (column, text) in cells.iter().enumerate() {
        let left = rect.left() + index_width + column as f32 * width;
        let fits = |text: &str| text_width(ui, text, font.clone()) <= width - 8.0;
        let text = minus(&fitting(text, fits));
        let cell = cell(left + 8.0, left + width);
        text_line(ui, cell, Align2::RIGHT_CENTER, &text, font.clone(), colour);
    }
    response
}

/// In one line as many values as fit, and in another one the checksum.
fn strip_ui(ui: &mut Ui, row: &Row, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let mut copied = heading(ui, row, rect.with_max_y(rect.top() + 24.0));
    let (sides, lines) = previews(row);
    let side = sides.iter().rev().find(|side| !row.end(**side).preview.is_empty());
    let mut x = rect.left() + 112.0;
    let y = rect.top() + 16.5;
    for index in 0..side.map_or(0, |_| lines) {
        let cells = cells(row, &sides, index);
        let shown = side.map_or_else(String::new, |side| {
            row.end(*side)
                .preview
                .get(index)
                .map_or_else(String::new, ToString::to_string)
        });
        let pieces = [
            Piece::new(index.to_string(), theme::label(11.0), palette.faint),
            Piece::new(minus(&shown), theme::value(13.0), palette.text),
        ];
        let width = text_width(ui, &shown, theme::value(13.0)) + 36.0;
        if x + width > rect.right() - 56.0 {
            break;
        }
        let placed = text::on_baseline(ui, pos2(x, y), &pieces, 5.0);
        let response = ui.interact(placed, ui.scope_id().with(("value", index)), Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{index}: {}", cells.join(", "))));
        if response
            .on_hover_text(format!("{}\n{}", cells.join("\n"), say!("values-click")))
            .clicked()
        {
            copied = Some(Action::Copy(cells.join("\t")));
        }
        x = placed.right() + 24.0;
    }
    let line = Rect::from_min_size(pos2(rect.left(), rect.top() + 28.0), vec2(rect.width(), 20.0));
    let words = [Some(what(row)), row.checksum()];
    let words: Vec<String> = words.into_iter().flatten().filter(|words| !words.is_empty()).collect();
    text::line(
        ui,
        "array",
        line,
        &Piece::new(words.join("   "), theme::label(12.0), palette.weak),
    );
    copied
}

/// What the array is: `f64, little endian, shape (5,)`.
fn what(row: &Row) -> String {
    row.started().map_or_else(String::new, |started| {
        let dtype = dtype_in_words(&started.dtype);
        say!("values-array", dtype = dtype, shape = python_shape(&started.shape))
    })
}

/// The checksum with its kind, whether both ends have it, and what the array is.
fn checksum_ui(ui: &mut Ui, row: &Row, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let mut copied = None;
    let title = rect.with_max_y(rect.top() + 24.0);
    let checksum = row.checksum();
    let (kind, digits) = checksum
        .as_deref()
        .and_then(|checksum| checksum.split_once(':'))
        .unwrap_or(("", ""));
    let piece = Piece::new(say!("values-checksum"), theme::value(13.0), palette.text);
    text::on_baseline(ui, pos2(title.left(), title.center().y + 4.5), &[piece], 0.0);
    if let Some(checksum) = &checksum {
        let is_clicked = from_right(ui, "copy checksum", title, |ui| {
            word_button(ui, say!("instrument-copy"), say!("values-copy-checksum")).clicked()
        });
        copied = is_clicked.then(|| Action::Copy(checksum.clone()));
    }
    let line = |index: f32| {
        Rect::from_min_size(
            pos2(rect.left(), rect.top() + 26.0 + index * LINE_HEIGHT),
            vec2(rect.width(), 20.0),
        )
    };
    let digits = if digits.is_empty() {
        say!("values-checksum-to-come").to_owned()
    } else {
        in_fours(digits)
    };
    let font = if checksum.is_some() {
        theme::value(13.0)
    } else {
        theme::label(12.0)
    };
    let colour = if checksum.is_some() { palette.text } else { palette.weak };
    text::line(ui, "checksum", line(0.0), &Piece::new(digits, font, colour));
    let mut next = 1.0;
    if !kind.is_empty() {
        text::line(
            ui,
            "kind",
            line(next),
            &Piece::new(kind, theme::label(12.0), palette.weak),
        );
        next += 1.0;
    }
    let verdict = match row.phase {
        Phase::Done { verified: Some(true) } => Some((say!("phase-verified"), palette.verified)),
        Phase::Done { verified: Some(false) } => Some((say!("values-checksums-differ"), palette.failed)),
        Phase::Done { verified: None } => Some((say!("values-not-verified"), palette.weak)),
        _ => None,
    };
    if let Some((words, colour)) = verdict {
        let mut place = line(next);
        if colour == palette.verified {
            tick(ui, place.left_center() + vec2(5.0, 0.0), colour);
            place.set_left(place.left() + 16.0);
        }
        text::line(ui, "verdict", place, &Piece::new(words, theme::label(12.0), colour));
        next += 1.0;
    }
    let rest = Rect::from_min_max(line(next).min, rect.max);
    let mut child = ui.new_child(eframe::egui::UiBuilder::new().id_salt("what").max_rect(rest));
    caption(&mut child, &what(row));
    copied
}

/// Digits in groups of four.
fn in_fours(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// With a minus as long as a plus.
fn minus(text: &str) -> String {
    if text.parse::<f64>().is_ok() {
        text.replace('-', "\u{2212}")
    } else {
        text.to_owned()
    }
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
        Some(rest) => say!("values-big-endian", dtype = rest),
        None if matches!(dtype, "u8" | "int8" | "bool") || dtype.contains("record") => dtype.to_owned(),
        None => say!("values-little-endian", dtype = dtype),
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
