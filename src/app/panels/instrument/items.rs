//! The items of a tree of files, in the place of an array's values: how many arrived, were there already and failed; which
//! one moves; and which ones failed, with their reasons.

use eframe::egui::{Align2, Rect, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::layout::Array;
use super::text::{self, Piece};
use crate::app::action::Action;
use crate::app::model::format;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::app::widgets::{from_right, text_line, text_width, word_button};
use crate::app::words::say;
use crate::transfer::{ItemFailure, Items};

const LINE_HEIGHT: f32 = 20.0;
const HEADING_HEIGHT: f32 = 24.0;
const COUNTS_WIDTH: f32 = 248.0;
const GAP: f32 = 32.0;
/// The path of an item that failed has this part of its line, the reason the rest.
const PATH_SHARE: f32 = 0.45;

/// Draws what there is of the items in their place.
pub(super) fn ui(ui: &mut Ui, row: &Row, place: Array) -> Option<Action> {
    let nothing = Items::default();
    let items = row.items().unwrap_or(&nothing);
    let palette = theme::palette(ui);
    match place {
        Array::Row(rect) => {
            ui.painter().hline(rect.x_range(), rect.top(), (1.0, palette.hairline));
            let inner = Rect::from_min_max(rect.min + vec2(0.0, 10.0), rect.max - vec2(0.0, 16.0));
            counts_ui(ui, row, items, inner.with_max_x(inner.left() + COUNTS_WIDTH));
            list_ui(ui, row, items, inner.with_min_x(inner.left() + COUNTS_WIDTH + GAP))
        }
        Array::Column(rect) => {
            let inner = rect.with_max_y(rect.bottom() - 16.0);
            let bottom = counts_ui(ui, row, items, inner);
            list_ui(ui, row, items, inner.with_min_y(bottom + 24.0))
        }
        Array::Strip(rect) => {
            ui.painter().hline(rect.x_range(), rect.top(), (1.0, palette.hairline));
            let inner = Rect::from_min_max(rect.min + vec2(0.0, 6.0), rect.max - vec2(0.0, 6.0));
            strip_ui(ui, row, items, inner)
        }
    }
}

/// How many, and what became of them.
struct Count {
    name: &'static str,
    items: u64,
    is_bad: bool,
}

fn counts(row: &Row, items: &Items) -> Vec<Count> {
    let count = |name, items| Count {
        name,
        items,
        is_bad: false,
    };
    let left = items.known.saturating_sub(items.settled());
    let mut counts = vec![
        count(say!("items-name-stored"), items.stored),
        count(say!("items-name-had"), items.had),
        Count {
            is_bad: items.failed > 0,
            ..count(say!("items-name-failed"), items.failed)
        },
    ];
    if left > 0 || !row.is_over() {
        counts.push(count(say!("items-name-left"), left));
    }
    counts
}

/// A heading and a line for each count; returns where they end.
fn counts_ui(ui: &Ui, row: &Row, items: &Items, rect: Rect) -> f32 {
    let palette = theme::palette(ui);
    heading(ui, say!("items-heading"), rect);
    let mut top = rect.top() + HEADING_HEIGHT + 2.0;
    for Count {
        name,
        items: count,
        is_bad,
    } in counts(row, items)
    {
        let line = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), LINE_HEIGHT));
        ui.painter().hline(line.x_range(), top, (1.0, palette.grid));
        let unit = say!("items-unit", count = count);
        let colour = if is_bad { palette.failed } else { palette.text };
        text_line(ui, line, Align2::LEFT_CENTER, name, theme::label(12.0), palette.weak);
        let unit_width = text_width(ui, &unit, theme::label(12.0)).max(34.0);
        text_line(
            ui,
            line.with_min_x(line.right() - unit_width),
            Align2::LEFT_CENTER,
            &unit,
            theme::label(12.0),
            palette.weak,
        );
        let number = line.with_max_x(line.right() - unit_width - 4.0);
        text_line(
            ui,
            number,
            Align2::RIGHT_CENTER,
            &format::count(count),
            theme::value(13.0),
            colour,
        );
        text::said(ui, ("count", name), line, &said_count(name, count));
        top += LINE_HEIGHT;
    }
    top
}

fn said_count(name: &str, count: u64) -> String {
    let unit = say!("items-unit", count = count);
    say!(
        "labelled",
        name = name,
        value = format!("{} {unit}", format::count(count))
    )
}

fn heading(ui: &Ui, words: &str, rect: Rect) {
    let palette = theme::palette(ui);
    let piece = Piece::new(words, theme::value(13.0), palette.text);
    text::on_baseline(
        ui,
        pos2(rect.left(), rect.top() + HEADING_HEIGHT / 2.0 + 4.5),
        &[piece],
        0.0,
    );
}

/// What stands beside the counts where no list does.
fn instead(row: &Row, items: &Items) -> (&'static str, String) {
    let moving = row.main_end().items.as_ref().and_then(|items| items.moving.as_ref());
    match moving {
        _ if items.failed > 0 && row.is_over() => (say!("items-heading-failed"), say!("items-not-named").to_owned()),
        Some(path) if !row.is_over() => (say!("items-moving"), path.clone()),
        _ if !row.is_over() => (say!("items-moving"), say!("items-none-yet").to_owned()),
        _ if items.known == 0 => (say!("items-heading-failed"), say!("items-none").to_owned()),
        _ => (say!("items-heading-failed"), say!("items-none-failed").to_owned()),
    }
}

/// Those that failed, or the one that moves.
fn list_ui(ui: &mut Ui, row: &Row, items: &Items, rect: Rect) -> Option<Action> {
    let failures = &items.failures;
    let below = rect.with_min_y(rect.top() + HEADING_HEIGHT + 2.0);
    if failures.is_empty() {
        let (title, words) = instead(row, items);
        heading(ui, title, rect);
        let mut line = below.with_max_y(below.top() + LINE_HEIGHT);
        said_line(ui, line, &words);
        if items.failed > 0 && !row.is_over() {
            line = line.translate(vec2(0.0, LINE_HEIGHT));
            said_line(ui, line, say!("items-named-at-the-end"));
        }
        return None;
    }
    heading(ui, say!("items-heading-failed"), rect);
    let copied = copy_ui(ui, items, rect.with_max_y(rect.top() + HEADING_HEIGHT));
    copied.or(failures_ui(ui, items, below))
}

fn said_line(ui: &mut Ui, line: Rect, words: &str) {
    let palette = theme::palette(ui);
    text::line(ui, words, line, &Piece::new(words, theme::label(12.0), palette.weak));
}

fn copy_ui(ui: &mut Ui, items: &Items, rect: Rect) -> Option<Action> {
    let is_clicked = from_right(ui, "copy failures", rect, |ui| {
        word_button(ui, say!("instrument-copy"), say!("items-copy")).clicked()
    });
    is_clicked.then(|| Action::Copy(items.failures.iter().map(|failure| line_of(failure) + "\n").collect()))
}

fn line_of(failure: &ItemFailure) -> String {
    format!("{}\t{}", failure.path, failure.reason)
}

/// A line for each that failed, as far as they are in sight; a click copies it.
fn failures_ui(ui: &mut Ui, items: &Items, rect: Rect) -> Option<Action> {
    let mut copied = None;
    let unnamed = items.failed.saturating_sub(items.failures.len() as u64);
    let lines = items.failures.len() + usize::from(unnamed > 0);
    let mut child = ui.new_child(UiBuilder::new().id_salt("failures").max_rect(rect));
    child.spacing_mut().item_spacing.y = 0.0;
    child.set_clip_rect(rect.intersect(ui.clip_rect()));
    let list = ScrollArea::vertical()
        .id_salt("failures")
        .auto_shrink(false)
        .max_height(rect.height());
    list.show_rows(&mut child, LINE_HEIGHT, lines, |ui, visible| {
        for index in visible {
            let line = ui
                .allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover())
                .0;
            match items.failures.get(index) {
                Some(failure) => copied = failure_ui(ui, index, failure, line).or(copied.take()),
                None => said_line(ui, line, &say!("items-more-failed", count = unnamed)),
            }
        }
    });
    copied
}

fn failure_ui(ui: &Ui, index: usize, failure: &ItemFailure, line: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    ui.painter().hline(line.x_range(), line.top(), (1.0, palette.grid));
    let response = ui.interact(line, ui.scope_id().with(("failure", index)), Sense::CLICK);
    response.widget_info(|| {
        let said = say!("form-remark", name = &failure.path, why = &failure.reason);
        WidgetInfo::labeled(Role::Label, true, said)
    });
    let middle = line.left() + line.width() * PATH_SHARE;
    let path = text_line(
        ui,
        line.with_max_x(middle - 8.0),
        Align2::LEFT_CENTER,
        &failure.path,
        theme::label(12.0),
        palette.text,
    );
    let left = (path.right() + 16.0).min(middle).max(line.left() + line.width() * 0.25);
    text_line(
        ui,
        line.with_min_x(left).with_max_x(line.right() - 12.0),
        Align2::LEFT_CENTER,
        &failure.reason,
        theme::label(12.0),
        palette.weak,
    );
    let response = response.on_hover_ui(|ui| {
        ui.label(&failure.path);
        ui.label(&failure.reason);
        ui.label(say!("values-click"));
    });
    response.clicked().then(|| Action::Copy(line_of(failure)))
}

/// The counts in one line; below it those that failed, or the one that moves.
fn strip_ui(ui: &mut Ui, row: &Row, items: &Items, rect: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    heading(ui, say!("items-heading"), rect);
    let y = rect.top() + HEADING_HEIGHT / 2.0 + 4.5;
    let mut x = rect.left() + text_width(ui, say!("figure-items"), theme::value(13.0)) + 24.0;
    for Count {
        name,
        items: count,
        is_bad,
    } in counts(row, items)
    {
        let colour = if is_bad { palette.failed } else { palette.text };
        let number = Piece::new(format::count(count), theme::value(13.0), colour);
        let piece = Piece::new(name, theme::label(12.0), palette.weak);
        let said = said_count(name, count);
        let placed = text::on_baseline(ui, pos2(x, y), &[number, piece], 5.0);
        text::said(ui, ("count", name), placed, &said);
        x = placed.right() + 20.0;
    }
    let below = rect.with_min_y(rect.top() + HEADING_HEIGHT);
    if items.failures.is_empty() {
        said_line(ui, below.with_max_y(below.top() + LINE_HEIGHT), &instead(row, items).1);
        return None;
    }
    copy_ui(ui, items, rect.with_max_y(rect.top() + HEADING_HEIGHT)).or(failures_ui(ui, items, below))
}
