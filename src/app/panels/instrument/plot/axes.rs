//! The lines across a plot and the numbers along it.

use eframe::egui::{Align2, Painter, Rect, Ui, pos2};

use super::frame::{Frame, x_of};
use crate::app::model::axes::{Tick, TimeAxis};
use crate::app::theme::{self, Palette};
use crate::app::widgets::text_width;

/// From one number of the value axis to the next there are at least so many points, and there are at most so many lines.
const LINE_HEIGHT: f32 = 34.0;
const LINES_MAX: f64 = 7.0;
/// From one time to the next.
const TIME_WIDTH: f32 = 104.0;
/// From a number to the plot.
const GAP: f32 = 10.0;

/// The numbers along a value axis of this height.
pub(super) fn ticks(frame: &Frame, scale: f64) -> Vec<Tick> {
    let count = f64::from((frame.rect.height() / LINE_HEIGHT).max(1.0));
    frame.axis.ticks(scale, count.min(LINES_MAX))
}

/// The width that numbers need to the left of a plot.
pub(super) fn width(ui: &Ui, ticks: &[Tick]) -> f32 {
    let widths = ticks.iter().map(|tick| text_width(ui, &tick.label, theme::label(12.0)));
    widths.fold(14.0, f32::max) + GAP
}

/// Lines across the plot with their numbers, and its axis.
pub(super) fn paint(painter: &Painter, frame: &Frame, ticks: &[Tick], palette: &Palette) {
    for tick in ticks {
        let y = frame.y(tick.value);
        if frame.axis.part(tick.value) > 0.0 {
            painter.hline(frame.rect.x_range(), y, (1.0, palette.grid));
        }
        let at = pos2(frame.rect.left() - GAP, y);
        painter.text(at, Align2::RIGHT_CENTER, &tick.label, theme::label(12.0), palette.faint);
    }
    painter.hline(frame.rect.x_range(), frame.rect.bottom(), (1.0, palette.edge));
}

/// The times along `rect`, at the height `y`.
pub(in super::super) fn times(painter: &Painter, rect: Rect, time: TimeAxis, y: f32, palette: &Palette) {
    let count = f64::from((rect.width() / TIME_WIDTH).max(1.0));
    for tick in time.ticks(count) {
        let x = x_of(rect, time, tick.value);
        painter.vline(x, rect.bottom()..=rect.bottom() + 3.0, (1.0, palette.edge));
        painter.text(
            pos2(x, y),
            Align2::CENTER_CENTER,
            &tick.label,
            theme::label(12.0),
            palette.faint,
        );
    }
}
