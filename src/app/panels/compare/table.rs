//! One row a contestant: its rate as a bar with its spread, and what it costs beside it.

use eframe::egui::{Align2, Id, Rect, Response, RichText, Role, Sense, Ui, pos2, vec2};

use crate::app::action::Action;
use crate::app::model::compare::{COLUMNS, cells, highest_rate, rows, spread_in_words, way_in_words};
use crate::app::model::contestant_text;
use crate::app::model::format;
use crate::app::theme;
use crate::app::widgets::{MenuItem, Walk, context_menu, focus_ring, say_selected, table_copies, text_line};
use crate::app::words::say;
use crate::compare::{Comparison, Pair};

const ROW_HEIGHT: f32 = 28.0;
/// With an older result there are two bars.
const TALL_ROW_HEIGHT: f32 = 36.0;
const GAP: f32 = 12.0;

/// Draws the table; returns what was asked for by a menu. A click picks a contestant whose line stands out, a second one
/// lets go of it.
pub(super) fn ui(
    ui: &mut Ui,
    shown: &Comparison,
    beside: Option<&Comparison>,
    is_running: bool,
    picked: &mut Option<String>,
) -> Option<Action> {
    let mut asked = None;
    let rows = rows(shown, beside, is_running);
    let top = highest_rate(&rows).max(1.0);
    ui.spacing_mut().item_spacing.y = 0.0;
    head_ui(ui);
    let ids = rows.iter().map(|row| Id::unique(("contestant", &row.contestant.id)));
    let picked_at = rows.iter().position(|row| picked.as_ref() == Some(&row.contestant.id));
    let mut walk = Walk::new(ui, ids.collect(), picked_at.unwrap_or(0));
    for (at, row) in rows.iter().enumerate() {
        let height = if beside.is_some() { TALL_ROW_HEIGHT } else { ROW_HEIGHT };
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
        let response = ui.interact(rect, walk.id(at), walk.sense(at));
        walk.take_keys(ui, at, &response);
        asked = context_menu(ui, &response, || copies(row, &rows)).or(asked);
        row_ui(ui, row, shown, top, beside.is_some(), response, picked);
    }
    walk.end(ui);
    ui.spacing_mut().item_spacing.y = theme::STEP;
    asked
}

/// What can be copied of a row.
fn copies(row: &Pair<'_>, rows: &[Pair<'_>]) -> Vec<MenuItem<Action>> {
    let heads = [
        String::new(),
        say!("compare-median").to_owned(),
        say!("compare-spread-head").to_owned(),
    ];
    let heads: Vec<String> = heads
        .into_iter()
        .chain(COLUMNS.map(|(title, _)| title.say().to_owned()))
        .collect();
    let all: Vec<Vec<String>> = rows.iter().map(in_cells).collect();
    table_copies(&in_cells(row), &heads, &all)
}

/// The name of a contestant and its numbers, where it has any.
fn in_cells(row: &Pair<'_>) -> Vec<String> {
    let name = contestant_text::name(row.contestant).to_owned();
    let Some(summary) = row.new else {
        return vec![name];
    };
    let rate = &summary.rate_bytes_per_s;
    let numbers = [format::rate(rate.median).to_string(), spread_in_words(rate)];
    std::iter::once(name).chain(numbers).chain(cells(summary)).collect()
}

fn head_ui(ui: &mut Ui) {
    let weak = theme::palette(ui).weak;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let columns = Columns::of(rect);
    text_line(
        ui,
        columns.rate,
        Align2::RIGHT_CENTER,
        say!("compare-median"),
        theme::small(),
        weak,
    );
    for (cell, (title, hover)) in columns.cells.iter().zip(COLUMNS) {
        let (title, hover) = (title.say(), hover.say());
        text_line(ui, *cell, Align2::RIGHT_CENTER, title, theme::small(), weak);
        ui.interact(*cell, ui.scope_id().with(title), Sense::hover())
            .on_hover_text(hover);
    }
    ui.painter()
        .hline(rect.x_range(), rect.bottom(), (1.0, theme::palette(ui).hairline));
}

fn row_ui(
    ui: &Ui,
    row: &Pair<'_>,
    shown: &Comparison,
    top: f64,
    is_tall: bool,
    response: Response,
    picked: &mut Option<String>,
) {
    let palette = theme::palette(ui);
    let (id, rect) = (&row.contestant.id, response.rect);
    let is_picked = picked.as_ref() == Some(id);
    let said = in_words(row);
    say_selected(&response, Role::ListItem, is_picked, || said.clone());
    if response.clicked() {
        *picked = (!is_picked).then(|| id.clone());
    }
    let columns = Columns::of(rect);
    let response = response.on_hover_ui(|ui| tooltip_ui(ui, row, shown, columns.cells.len()));
    if is_picked || response.hovered() {
        let fill = palette.selected_row.gamma_multiply(if is_picked { 1.0 } else { 0.6 });
        ui.painter().rect_filled(rect.expand2(vec2(8.0, 0.0)), 0.0, fill);
    }
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    focus_ring(ui, &response, rect.expand2(vec2(8.0, -1.0)));

    let colour = if row.new.is_some() { palette.text } else { palette.weak };
    let name = contestant_text::name(row.contestant);
    text_line(ui, columns.name, Align2::LEFT_CENTER, name, theme::body(), colour);
    let half =
        |rect: Rect, offset: f32| Rect::from_center_size(rect.center() + vec2(0.0, offset), vec2(rect.width(), 16.0));
    let shift = if is_tall { 8.0 } else { 0.0 };
    match row.new {
        Some(summary) => {
            bar_ui(ui, half(columns.bar, -shift * 0.6), 8.0, summary, top, palette.neutral);
            let rate = format::rate(summary.rate_bytes_per_s.median).to_string();
            let at = half(columns.rate, -shift);
            text_line(ui, at, Align2::RIGHT_CENTER, &rate, theme::strong(), palette.text);
            for (cell, text) in columns.cells.iter().zip(cells(summary)) {
                text_line(ui, *cell, Align2::RIGHT_CENTER, &text, theme::small(), palette.text);
            }
        }
        None if !is_tall => {
            let text = if shown.entry(id).is_some_and(|entry| !entry.lost.is_empty()) {
                say!("compare-none-went-well")
            } else {
                say!("compare-to-come")
            };
            text_line(ui, columns.bar, Align2::LEFT_CENTER, text, theme::small(), palette.weak);
        }
        None => {}
    }
    if let Some(older) = row.old {
        let fill = palette.neutral.gamma_multiply(0.4);
        bar_ui(ui, half(columns.bar, shift * 0.8), 5.0, older, top, fill);
        let rate = format::rate(older.rate_bytes_per_s.median);
        let text = row
            .rate_ratio()
            .map_or_else(|| rate.to_string(), |ratio| format!("{ratio:.2} × {}", rate.number));
        let at = half(columns.rate, shift);
        text_line(ui, at, Align2::RIGHT_CENTER, &text, theme::small(), palette.weak);
    }
}

/// The median as a bar, and a thin line from the slowest to the fastest round.
fn bar_ui(
    ui: &Ui,
    area: Rect,
    thickness: f32,
    summary: &crate::compare::Summary,
    top: f64,
    fill: eframe::egui::Color32,
) {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let at = |rate: f64| area.left() + area.width() * (rate / top).clamp(0.0, 1.0) as f32;
    let rate = &summary.rate_bytes_per_s;
    let bar = Rect::from_min_max(
        pos2(area.left(), area.center().y - thickness / 2.0),
        pos2(
            at(rate.median).max(area.left() + 1.0),
            area.center().y + thickness / 2.0,
        ),
    );
    ui.painter().rect_filled(bar, 2.0, fill);
    let palette = theme::palette(ui);
    let whisker = (1.0, palette.text.gamma_multiply(0.7));
    if rate.median > top {
        // Far beyond the others: a break says that it is not drawn to scale.
        for x in [bar.right() - 16.0, bar.right() - 10.0] {
            let (from, to) = (pos2(x - 2.0, bar.bottom() + 2.0), pos2(x + 2.0, bar.top() - 2.0));
            ui.painter().line_segment([from, to], (2.5, palette.background));
        }
    } else if rate.max > rate.min {
        ui.painter()
            .hline(at(rate.min)..=at(rate.max), area.center().y, whisker);
        for x in [at(rate.min), at(rate.max)] {
            ui.painter()
                .vline(x, area.center().y - 3.0..=area.center().y + 3.0, whisker);
        }
    }
}

/// The row for assistive technology.
fn in_words(row: &Pair<'_>) -> String {
    let name = contestant_text::name(row.contestant);
    let Some(summary) = row.new else {
        return say!("compare-no-numbers", name = name);
    };
    let median = format::rate(summary.rate_bytes_per_s.median);
    let spread = spread_in_words(&summary.rate_bytes_per_s);
    let cells = COLUMNS
        .iter()
        .zip(cells(summary))
        .filter(|(_, cell)| !cell.is_empty())
        .map(|((title, _), cell)| format!("{} {cell}", title.say()));
    let older = row
        .rate_ratio()
        .map(|ratio| say!("compare-ratio", ratio = format!("{ratio:.2}")));
    let words: Vec<String> = [name.to_owned(), median.to_string(), spread]
        .into_iter()
        .chain(cells)
        .chain(older)
        .collect();
    words.join(say!("comma"))
}

fn tooltip_ui(ui: &mut Ui, row: &Pair<'_>, shown: &Comparison, columns_shown: usize) {
    ui.set_max_width(360.0);
    ui.label(RichText::new(contestant_text::name(row.contestant)).font(theme::strong()));
    ui.label(contestant_text::shows(row.contestant));
    ui.label(way_in_words(row.contestant));
    let entry = shown.entry(&row.contestant.id);
    if let Some((entry, summary)) = entry.and_then(|entry| Some((entry, entry.summary.as_ref()?))) {
        let rounds = entry.rounds.len();
        let spread = spread_in_words(&summary.rate_bytes_per_s);
        ui.label(say!("compare-in-rounds", spread = spread, count = rounds));
        // What the row has no room for.
        for ((title, _), cell) in COLUMNS.iter().zip(cells(summary)).skip(columns_shown) {
            ui.label(say!("compare-cell", title = title.say(), cell = cell));
        }
        let cold = entry.rounds.iter().filter(|round| round.cold).count();
        if cold > 0 {
            ui.label(say!("compare-cold", cold = cold, count = rounds));
        }
    }
    if let Some(note) = entry.and_then(|entry| entry.note.as_ref()) {
        ui.label(note);
    }
}

/// Where the parts of a row stand.
struct Columns {
    name: Rect,
    bar: Rect,
    rate: Rect,
    /// As many as there is room for.
    cells: Vec<Rect>,
}

impl Columns {
    const CELL_WIDTHS: [f32; 6] = [66.0, 76.0, 52.0, 66.0, 84.0, 56.0];

    fn of(row: Rect) -> Self {
        let name_width = if row.width() > 700.0 { 158.0 } else { 136.0 };
        let column =
            |left: f32, width: f32| Rect::from_min_max(pos2(left, row.top()), pos2(left + width, row.bottom()));
        let rate_width = 76.0;
        let mut count = Self::CELL_WIDTHS.len();
        let width_of = |count: usize| Self::CELL_WIDTHS[..count].iter().map(|width| width + GAP).sum::<f32>();
        let fixed = name_width + GAP + rate_width + GAP;
        while count > 0 && row.width() - fixed - width_of(count) < 110.0 {
            count -= 1;
        }
        let mut left = row.right() - width_of(count) + GAP;
        let cells_from = left;
        let cells = Self::CELL_WIDTHS[..count]
            .iter()
            .map(|width| {
                let cell = column(left, *width);
                left += width + GAP;
                cell
            })
            .collect();
        let rate_left = cells_from - GAP - rate_width;
        let bar_left = row.left() + name_width + GAP;
        Self {
            name: column(row.left(), name_width),
            bar: column(bar_left, rate_left - GAP - bar_left),
            rate: column(rate_left, rate_width),
            cells,
        }
    }
}
