//! Below the numbers: what was the limit, both plots on one time axis, and the first values beside them.

use eframe::egui::{Align, Layout, Rect, Ui, UiBuilder, pos2, vec2};

use super::time_plot::TimeAxis;
use super::{bottleneck, compare, preview, progress, speed, throughput, time_plot};
use crate::app::action::Action;
use crate::app::model::row::Row;
use crate::app::theme::{self, STEP};
use crate::app::widgets::caption;
use crate::compare::ceilings::Ceilings as Known;
use crate::transfer::Side;

/// What is known of the most that this machine can do.
#[derive(Debug, Clone, Copy)]
pub struct Ceilings<'a> {
    /// Where it was measured.
    pub known: Option<&'a Known>,
    /// Whether it can be measured now: nothing else runs.
    pub can_measure: bool,
    /// Whether it is being measured.
    pub is_measuring: bool,
}

const PREVIEW_WIDTH: f32 = 232.0;

/// Both plots one below the other, and the first values beside them.
pub fn ui(ui: &mut Ui, row: &Row, ceilings: &Ceilings<'_>, actions: &mut Vec<Action>) {
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
    ui.scope_builder(UiBuilder::new().max_rect(plots), |ui| {
        let legend_height = 26.0;
        let progress_height = ((area.height() - legend_height) * 0.3).clamp(84.0, 150.0);
        let band = bottleneck::reserve(ui);
        let others = band.height() + STEP + legend_height + progress_height + STEP;
        let plot = throughput::ui(ui, row, ceilings.known, area.height() - others, actions);
        bottleneck::band_ui(ui, row, band, plot.x_range(), TimeAxis::of(row));
        ui.allocate_ui_with_layout(
            vec2(plots_width, legend_height),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.add_space(4.0);
                let palette = theme::palette(ui);
                let entries = [
                    ("sender", palette.sender),
                    ("receiver", palette.receiver),
                    ("mean", palette.neutral),
                ];
                let shown: Vec<_> = entries
                    .into_iter()
                    .filter(|(name, _)| *name == "mean" || row.sides().iter().any(|side| side_name(*side) == *name))
                    .collect();
                time_plot::legend(ui, &shown);
                let unit = throughput::unit(row.rate_axis.top).1;
                caption(ui, unit);
                ceilings_ui(ui, row, ceilings, actions);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    speed::ui(ui, row, actions);
                });
            },
        );
        progress::ui(ui, row, progress_height, actions);
    });
    if has_room {
        let side = Rect::from_min_max(pos2(area.right() - PREVIEW_WIDTH, area.top()), area.max);
        ui.scope_builder(UiBuilder::new().max_rect(side), |ui| {
            preview::ui(ui, row, side.height());
        });
    }
}

/// What lies above the plot's end, or how to find out.
fn ceilings_ui(ui: &mut Ui, row: &Row, ceilings: &Ceilings<'_>, actions: &mut Vec<Action>) {
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
        None if ceilings.can_measure => compare::measure_ceilings_ui(ui, actions),
        None => {}
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Sender => "sender",
        Side::Receiver => "receiver",
    }
}
