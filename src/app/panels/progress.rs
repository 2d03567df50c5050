//! The progress plot: how much has moved, on the time axis of the throughput plot.

use eframe::egui::Ui;
use egui_plot::{Line, PlotPoints};

use super::time_plot::{self, TimeAxis, ValueAxis};
use crate::app::action::Action;
use crate::app::model::format;
use crate::app::model::history::{bytes_curve, nice_step, nice_top};
use crate::app::model::row::Row;
use crate::app::theme;
use crate::transfer::Side;

/// Draws the plot.
pub fn ui(ui: &mut Ui, row: &Row, height: f32, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let time = TimeAxis::of(row);
    let buckets = time_plot::buckets(ui);
    let [sender, receiver] = [Side::Sender, Side::Receiver]
        .map(|side| time_plot::points(&bytes_curve(&row.end(side).series, time.from_s, time.to_s, buckets)));
    let values = axis(row);
    let plot = time_plot::show(
        ui,
        "progress",
        height,
        time,
        values,
        |t_s| hover(row, time, t_s),
        |plot| {
            for (name, points, colour) in [
                ("sender", &sender, palette.sender),
                ("receiver", &receiver, palette.receiver),
            ] {
                plot.line(
                    Line::new(name, PlotPoints::Borrowed(points))
                        .color(colour)
                        .width(1.5)
                        .allow_hover(false)
                        .allow_band(false),
                );
            }
        },
    );
    time_plot::interact(ui, &plot, row, time, actions);
}

/// Percent of the whole; where it repeats there is no whole, and it is bytes.
fn axis(row: &Row) -> ValueAxis {
    match row.started().map(|started| started.total_bytes.max(1)) {
        Some(total) if !row.recipe.repeat => ValueAxis {
            top: total as f64,
            step: total as f64 / 2.0,
            scale: total as f64 / 100.0,
            suffix: " %",
        },
        _ => {
            let (top, _) = nice_top((row.main_end().series.bytes() as f64).max(1e9));
            ValueAxis {
                top,
                step: top / 2.0,
                scale: 1e9,
                suffix: " GB",
            }
        }
    }
}

fn hover(row: &Row, time: TimeAxis, t_s: f64) -> String {
    let series = &row.main_end().series;
    if t_s < 0.0 || t_s > series.end_s() {
        return String::new();
    }
    // Between two points: an estimate, shown with three figures only.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    let moved = series.bytes_at(t_s) as u64;
    let at = time.label(t_s, nice_step((time.to_s - time.from_s) / 1000.0));
    match row.started().filter(|_| !row.recipe.repeat) {
        Some(started) => format!("{at}\n{}", format::done_of(moved, started.total_bytes)),
        None => format!("{at}\n{}", format::bytes(moved)),
    }
}
