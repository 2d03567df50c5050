//! The progress plot: how much has moved, on the time axis of the throughput plot.

use eframe::egui::{Role, Ui, WidgetInfo};
use egui_plot::{Line, PlotPoints};

use super::time_plot::{self, PlotSize, TimeAxis, ValueAxis};
use crate::app::action::Action;
use crate::app::model::curves::{CurvePoint, bytes_curve, nice_step, nice_top, shown_at};
use crate::app::model::format;
use crate::app::model::row::Row;
use crate::app::theme;
use crate::transfer::Side;

/// Draws the plot.
pub(crate) fn ui(ui: &mut Ui, row: &Row, size: PlotSize) -> Option<Action> {
    let palette = theme::palette(ui);
    let time = TimeAxis::of(row);
    let buckets = time_plot::buckets(ui);
    let curves =
        [Side::Sender, Side::Receiver].map(|side| bytes_curve(&row.end(side).series, time.from_s, time.to_s, buckets));
    let [sender, receiver] = [&curves[0], &curves[1]].map(|curve| time_plot::points(curve));
    let values = axis(row);
    let plot = time_plot::show(
        ui,
        "progress",
        size,
        time,
        values,
        |t_s| hover(row, &curves, time, t_s),
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
    plot.response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, in_a_sentence(row)));
    time_plot::zoom(ui, &plot, row, time)
}

/// What a screen reader says of the plot.
fn in_a_sentence(row: &Row) -> String {
    let numbers = row.numbers(0.0);
    let moved = match numbers.total {
        Some(total) => format::done_of(numbers.done, total),
        None => format::bytes(numbers.done).to_string(),
    };
    format!(
        "Progress over time: {moved} after {}",
        format::duration(numbers.elapsed_s)
    )
}

/// Percent of the whole; where it repeats there is no whole, and it is bytes.
pub(crate) fn axis(row: &Row) -> ValueAxis {
    match row
        .started()
        .and_then(|started| started.total_bytes)
        .map(|total| total.max(1))
    {
        Some(total) if !row.repeats() => ValueAxis {
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

/// What the lines show at an instant.
fn hover(row: &Row, curves: &[Vec<CurvePoint>; 2], time: TimeAxis, t_s: f64) -> String {
    let total = row.started().and_then(|started| started.total_bytes);
    let total = total.filter(|_| !row.repeats());
    let lines: String = ["sender", "receiver"]
        .into_iter()
        .zip(curves)
        .filter_map(|(name, curve)| {
            // Between two points: an estimate, shown with three figures only.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and saturating"
            )]
            let moved = shown_at(curve, t_s)? as u64;
            Some(match total {
                Some(total) => format!("\n{name} {}", format::done_of(moved, total)),
                None => format!("\n{name} {}", format::bytes(moved)),
            })
        })
        .collect();
    if lines.is_empty() {
        return lines;
    }
    let at = time.label(t_s, nice_step((time.to_s - time.from_s) / 1000.0));
    format!("{at}{lines}")
}
