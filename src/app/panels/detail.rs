//! Below the numbers: what was the limit, both plots on one time axis, and the first values beside them.

use eframe::egui::{Align, Layout, Rect, Ui, UiBuilder, pos2, vec2};

use super::throughput::Curves;
use super::time_plot::{PlotSize, TimeAxis};
use super::{bottleneck, compare, preview, progress, speed, throughput, time_plot};
use crate::app::action::Action;
use crate::app::model::row::Row;
use crate::app::theme::{self, STEP};
use crate::app::widgets::caption;
use crate::compare::ceilings::Ceilings;
use crate::transfer::Side;

/// What is known of the highest rates that this machine can reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CeilingsStatus<'a> {
    /// Where they were measured.
    pub known: Option<&'a Ceilings>,
    /// Whether they can be measured now: nothing else runs.
    pub can_measure: bool,
    /// Whether they are being measured.
    pub is_measuring: bool,
}

const LEGEND_HEIGHT: f32 = 26.0;
const PREVIEW_WIDTH: f32 = 232.0;

/// Both plots one below the other, and the first values beside them.
pub(crate) fn ui(ui: &mut Ui, row: &Row, ceilings: &CeilingsStatus<'_>) -> Vec<Action> {
    bottleneck::sentence_ui(ui, row);
    ui.add_space(4.0);
    let area = ui.available_rect_before_wrap();
    let area = Rect::from_min_size(area.min, vec2(area.width(), area.height().max(250.0)));
    let has_room = area.width() > 560.0;
    let plots_width = if has_room {
        area.width() - PREVIEW_WIDTH - 3.0 * STEP
    } else {
        area.width()
    };
    let plots = Rect::from_min_size(area.min, vec2(plots_width, area.height()));
    let plots = UiBuilder::new().max_rect(plots);
    let mut actions = ui.scope_builder(plots, |ui| plots_ui(ui, row, ceilings)).inner;
    if has_room {
        let side = Rect::from_min_max(pos2(area.right() - PREVIEW_WIDTH, area.top()), area.max);
        let copied = ui.scope_builder(UiBuilder::new().max_rect(side), |ui| {
            preview::ui(ui, row, side.height())
        });
        actions.extend(copied.inner);
    }
    actions
}

fn plots_ui(ui: &mut Ui, row: &Row, ceilings: &CeilingsStatus<'_>) -> Vec<Action> {
    let area = ui.max_rect();
    let progress_height = ((area.height() - LEGEND_HEIGHT) * 0.3).clamp(84.0, 150.0);
    let band = bottleneck::reserve(ui);
    let others = band.height() + STEP + LEGEND_HEIGHT + progress_height + STEP;
    let time = TimeAxis::of(row);
    let curves = Curves::of(row, time.from_s, time.to_s);
    let rate_axis = throughput::axis(row, time, &curves);
    let unit = row.rate_unit();
    let axis_width = time_plot::axis_width(ui, [throughput::value_axis(rate_axis, unit), progress::axis(row)]);
    let size = |height| PlotSize { height, axis_width };
    let rates = size(area.height() - others);
    let (plot, mut actions) = throughput::ui(ui, row, &curves, (rate_axis, unit), ceilings.known, rates);
    bottleneck::band_ui(ui, row, band, plot.x_range(), time);
    let legend = vec2(area.width(), LEGEND_HEIGHT);
    let legend = ui.allocate_ui_with_layout(legend, Layout::left_to_right(Align::Center), |ui| {
        legend_ui(ui, row, unit.name, ceilings)
    });
    actions.extend(legend.inner);
    actions.extend(progress::ui(ui, row, size(progress_height)));
    actions
}

/// Between the plots: which line is what, the unit, the ceilings, and how fast it may go.
fn legend_ui(ui: &mut Ui, row: &Row, unit: &str, ceilings: &CeilingsStatus<'_>) -> Vec<Action> {
    ui.add_space(4.0);
    let palette = theme::palette(ui);
    for side in row.sides() {
        let (name, colour) = match side {
            Side::Sender => ("sender", palette.sender),
            Side::Receiver => ("receiver", palette.receiver),
        };
        time_plot::legend(ui, name, colour);
    }
    time_plot::legend(ui, "mean", palette.neutral);
    caption(ui, unit);
    let measure = ceilings_ui(ui, row, ceilings);
    let speed = ui.with_layout(Layout::right_to_left(Align::Center), |ui| speed::ui(ui, row));
    measure.into_iter().chain(speed.inner).collect()
}

/// What lies above the plot's end, or how to find out.
fn ceilings_ui(ui: &mut Ui, row: &Row, ceilings: &CeilingsStatus<'_>) -> Option<Action> {
    match ceilings.known {
        Some(known) => {
            let out_of_sight = throughput::ceilings_out_of_sight(known, row.rate_axis.top);
            if !out_of_sight.is_empty() && row.is_over() {
                caption(ui, &format!("above: {}", out_of_sight.join(", ")));
            }
        }
        None if ceilings.is_measuring => {
            caption(ui, "measuring this machine, some 5 s");
        }
        None if ceilings.can_measure => return compare::measure_ceilings_ui(ui),
        None => {}
    }
    None
}
