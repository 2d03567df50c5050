//! The round trips page: how long bytes take to an echo service and back, a row a size, and a histogram of one of them.

use std::ops::RangeInclusive;

use eframe::egui::{Align, Align2, Id, Layout, Rect, RichText, Role, Sense, Ui, pos2, vec2};
use egui_plot::{AxisHints, Bar, BarChart, GridMark};

use super::still_plot::{still_plot, walk_ui};
use crate::app::action::{Action, RoundTripsAction};
use crate::app::model::format;
use crate::app::model::round_trips::Page;
use crate::app::model::view::View;
use crate::app::theme::{self, FIELD_HEIGHT, STEP};
use crate::app::widgets::{
    MAIN_BUTTON_HEIGHT, Walk, caption, context_menu, focus_ring, heading, main_button, plain_button, say_selected,
    table_copies, text_edit, text_line, word_button,
};
use crate::app::words::{Key, key, say};
use crate::ping::RoundTrips;

const ROW_HEIGHT: f32 = 26.0;
const PLOT_HEIGHT: f32 = 212.0;
/// A time on the axis is read from so many points to the next one on, and not shown where there are fewer.
const LABEL_SPACING: RangeInclusive<f32> = 52.0..=56.0;
const HEADS: [Key; 8] = [
    key!("ping-size"),
    key!("ping-count"),
    key!("ping-min"),
    key!("ping-p50"),
    key!("ping-p90"),
    key!("ping-p99"),
    key!("ping-max"),
    key!("ping-echoed"),
];

/// Draws the page.
pub(crate) fn ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    ui.spacing_mut().item_spacing.y = STEP;
    let back = ui.horizontal(|ui| {
        heading(ui, RichText::new(say!("rail-round-trips")).font(theme::strong()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let back = word_button(ui, say!("rail-transfers"), say!("compare-back"));
            back.on_hover_text(say!("compare-back")).clicked()
        })
        .inner
    });
    let controls = controls_ui(ui, page);
    let mut actions: Vec<Action> = controls.into_iter().map(Action::RoundTrips).collect();
    if let Some(trouble) = &page.trouble {
        let colour = theme::palette(ui).failed;
        ui.label(RichText::new(trouble).font(theme::small()).color(colour));
    }
    if !page.measured.is_empty() {
        ui.add_space(STEP);
        actions.extend(table_ui(ui, page));
        if let Some(picked) = page.picked() {
            histogram_ui(ui, picked);
        }
    } else if !page.is_running {
        empty_ui(ui);
    }
    let back = back.inner.then_some(Action::Show(View::Transfers));
    back.into_iter().chain(actions).collect()
}

fn controls_ui(ui: &mut Ui, page: &Page) -> Vec<RoundTripsAction> {
    let mut endpoint = page.endpoint.clone();
    let button = ui.horizontal(|ui| {
        ui.set_min_height(MAIN_BUTTON_HEIGHT);
        let label = caption(ui, say!("ping-to")).id;
        ui.allocate_ui(vec2(240.0, FIELD_HEIGHT), |ui| {
            ui.set_width(240.0);
            text_edit(ui, &mut endpoint, say!("form-endpoint-hint"), false).labelled_by(label);
        });
        if page.is_running {
            let cancel = plain_button(ui, say!("compare-cancel"));
            let cancel = cancel.clicked().then_some(RoundTripsAction::Cancel);
            let is_connected = page.peer.is_some();
            caption(
                ui,
                if is_connected {
                    say!("ping-measuring")
                } else {
                    say!("ping-connecting")
                },
            );
            return cancel;
        }
        let measure = ui.allocate_ui(vec2(120.0, MAIN_BUTTON_HEIGHT), |ui| {
            main_button(ui, say!("ping-measure"), "", true)
        });
        measure.inner.clicked().then_some(RoundTripsAction::Start)
    });
    let edit = (endpoint != page.endpoint).then_some(RoundTripsAction::SetEndpoint(endpoint));
    edit.into_iter().chain(button.inner).collect()
}

fn empty_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).max(STEP));
        ui.label(RichText::new(say!("ping-empty")).font(theme::strong()));
        ui.label(RichText::new(say!("ping-empty-text")).color(palette.weak));
        ui.label(RichText::new(say!("ping-empty-service")).color(palette.weak));
    });
}

fn table_ui(ui: &mut Ui, page: &Page) -> Option<Action> {
    let mut asked = None;
    let palette = theme::palette(ui);
    ui.spacing_mut().item_spacing.y = 0.0;
    let picked_bytes = page.picked().map(|one| one.size_bytes);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
    cells_ui(ui, rect, &HEADS.map(|head| head.say().to_owned()), palette.weak);
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    let ids = page
        .measured
        .iter()
        .map(|one| Id::unique(("round trips", one.size_bytes)));
    let picked_at = page
        .measured
        .iter()
        .position(|one| Some(one.size_bytes) == picked_bytes);
    let mut walk = Walk::new(ui, ids.collect(), picked_at.unwrap_or(0));
    for (at, one) in page.measured.iter().enumerate() {
        let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT));
        let response = ui.interact(rect, walk.id(at), walk.sense(at));
        walk.take_keys(ui, at, &response);
        let cells = cells(one);
        let is_picked = Some(one.size_bytes) == picked_bytes;
        say_selected(&response, Role::ListItem, is_picked, || {
            let named: Vec<String> = HEADS
                .iter()
                .zip(&cells)
                .map(|(head, cell)| format!("{} {cell}", head.say()))
                .collect();
            named.join(say!("comma"))
        });
        if response.clicked() {
            let size_bytes = one.size_bytes;
            asked = Some(Action::RoundTrips(RoundTripsAction::Pick { size_bytes }));
        }
        if is_picked {
            ui.painter().rect_filled(rect, 0.0, palette.selected_row);
        }
        focus_ring(ui, &response, rect.shrink(1.0));
        cells_ui(ui, rect, &cells, palette.text);
        let copies = || {
            let rows: Vec<Vec<String>> = page.measured.iter().map(|one| self::cells(one).into()).collect();
            table_copies(&cells, &HEADS.map(|head| head.say().to_owned()), &rows)
        };
        asked = context_menu(ui, &response, copies).or(asked);
    }
    walk.end(ui);
    ui.spacing_mut().item_spacing.y = STEP;
    asked
}

fn cells(one: &RoundTrips) -> [String; 8] {
    [
        format::exact_bytes(one.size_bytes),
        format::count(one.count),
        format::time(one.min_s),
        format::time(one.p50_s),
        format::time(one.p90_s),
        format::time(one.p99_s),
        format::time(one.max_s),
        format::rate(one.echoed_bytes_per_s).to_string(),
    ]
}

fn cells_ui(ui: &mut Ui, row: Rect, cells: &[String; 8], colour: eframe::egui::Color32) {
    let width = row.width() / cells.len() as f32;
    for (index, cell) in cells.iter().enumerate() {
        let left = row.left() + index as f32 * width;
        let rect = Rect::from_min_max(pos2(left, row.top()), pos2(left + width - 14.0, row.bottom()));
        text_line(ui, rect, Align2::RIGHT_CENTER, cell, theme::small(), colour);
    }
}

/// How many took how long, the time logarithmic.
fn histogram_ui(ui: &mut Ui, one: &RoundTrips) {
    let palette = theme::palette(ui);
    ui.add_space(2.0 * STEP);
    let size = format::exact_bytes(one.size_bytes);
    let title = say!("ping-there-and-back", size = &size);
    ui.label(RichText::new(title).font(theme::strong()));
    ui.add_space(-4.0);
    caption(ui, say!("ping-histogram"));
    let bars: Vec<Bar> = one
        .histogram
        .iter()
        .map(|bin| {
            let (from, to) = (bin.from_s.log10(), bin.to_s.log10());
            Bar::new(f64::midpoint(from, to), bin.count as f64).width(0.9 * (to - from))
        })
        .collect();
    let from = one.histogram.first().map_or(-6.0, |bin| bin.from_s.log10());
    let to = one.histogram.last().map_or(-3.0, |bin| bin.to_s.log10());
    let most = one.histogram.iter().map(|bin| bin.count).max().unwrap_or(1) as f64;
    let seconds = |mark: GridMark, shown: &RangeInclusive<f64>| {
        let part = (mark.value - shown.start()) / (shown.end() - shown.start());
        // At the ends it would be cut off, or meet the other axis' first number.
        if (0.03..=0.965).contains(&part) {
            format::time(10_f64.powf(mark.value))
        } else {
            String::new()
        }
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts, and saturating"
    )]
    let counts = |mark: GridMark, _: &RangeInclusive<f64>| format::count(mark.value.max(0.0) as u64);
    let (x_axis, y_axis) = (AxisHints::new_x(), AxisHints::new_y());
    let (x_axis, y_axis) = (x_axis.formatter(seconds), y_axis.formatter(counts));
    let x_axis = x_axis.label_spacing(LABEL_SPACING);
    let plot = still_plot(ui, "round trips", PLOT_HEIGHT, x_axis, y_axis)
        .x_grid_spacer(|input| marks(input.bounds))
        .show(ui, |plot| {
            let margin = ((to - from) * 0.05).max(0.1);
            plot.set_plot_bounds_x(from - margin..=to + margin);
            plot.set_plot_bounds_y(0.0..=most * 1.08);
            plot.bar_chart(
                BarChart::new("round trips", bars)
                    .color(palette.sender)
                    .allow_hover(false),
            );
        });
    let points = one.histogram.iter().map(|bin| {
        let (from, to) = (format::time(bin.from_s), format::time(bin.to_s));
        let words = say!("ping-bin", from = from, to = to, count = bin.count);
        (f64::midpoint(bin.from_s.log10(), bin.to_s.log10()), words)
    });
    let (half, slowest) = (format::time(one.p50_s), format::time(one.p99_s));
    let sentence = say!("ping-plot", size = &size, half = half, slowest = slowest);
    walk_ui(
        ui,
        &plot.response,
        &plot.transform,
        &sentence,
        &points.collect::<Vec<_>>(),
    );
}

/// 1, 2 and 5 of each decade. Where all of them are too close, the decades keep their times.
fn marks((from, to): (f64, f64)) -> Vec<GridMark> {
    let mut marks = Vec::new();
    let mut decade = from.floor();
    while decade <= to {
        for (part, step_size) in [(1.0_f64, 1.0), (2.0, 0.3), (5.0, 0.3)] {
            let value = decade + part.log10();
            if (from..=to).contains(&value) {
                marks.push(GridMark { value, step_size });
            }
        }
        decade += 1.0;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_times_on_the_axis_are_too_close_those_of_whole_decades_stay() {
        let marks = marks((-6.2, -3.5));
        let stay = |points_a_decade: f64| -> Vec<f64> {
            let is_shown = |mark: &&GridMark| mark.step_size * points_a_decade >= f64::from(*LABEL_SPACING.start());
            marks.iter().filter(is_shown).map(|mark| mark.value).collect()
        };
        assert_eq!(stay(200.0).len(), 8);
        assert_eq!(stay(150.0), [-6.0, -5.0, -4.0]);
    }
}
