//! From seconds and values to points of the screen, and back.

use eframe::egui::{Pos2, Rect, pos2};

use crate::app::model::axes::{TimeAxis, ValueAxis};

/// The place of a plot and what its edges stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Frame {
    /// The place.
    pub rect: Rect,
    /// What is along it.
    pub time: TimeAxis,
    /// What is up it.
    pub axis: ValueAxis,
}

impl Frame {
    /// Where an instant is.
    pub(in super::super) fn x(&self, t_s: f64) -> f32 {
        x_of(self.rect, self.time, t_s)
    }

    /// Where a value is.
    pub(in super::super) fn y(&self, value: f64) -> f32 {
        self.rect.bottom() - to_f32(self.axis.part(value)) * self.rect.height()
    }

    /// Where both are.
    pub(in super::super) fn at(&self, t_s: f64, value: f64) -> Pos2 {
        pos2(self.x(t_s), self.y(value))
    }
}

/// Where an instant is along a rectangle whose width is `time`.
pub(in super::super) fn x_of(rect: Rect, time: TimeAxis, t_s: f64) -> f32 {
    rect.left() + to_f32((t_s - time.from_s) / time.length_s()) * rect.width()
}

/// The instant that is at `x`.
pub(in super::super) fn t_of(rect: Rect, time: TimeAxis, x: f32) -> f64 {
    time.from_s + f64::from((x - rect.left()) / rect.width()) * time.length_s()
}

/// A coordinate: what is lost is far less than a pixel, and what is far outside stays there.
pub(in super::super) fn to_f32(value: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "a coordinate")]
    let value = value.clamp(-1e4, 1e4) as f32;
    value
}
