//! The second plot: what the kernel counts of both ends, on the time axis of the first one.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2};

use super::frame::Frame;
use super::lines::{colour_of, paint_thin};
use super::{axes, hatch};
use crate::app::model::axes::{TimeAxis, ValueAxis, nice_top};
use crate::app::model::curves::{CurvePoint, highest, shown_at};
use crate::app::model::format::{self, RateUnit};
use crate::app::model::plot_view::Scale;
use crate::app::model::row::{Measure, Row};
use crate::app::theme;
use crate::transfer::Side;

/// The curves of a measure, by end.
pub(in super::super) struct Second {
    measure: Measure,
    curves: Vec<(Side, Vec<CurvePoint>)>,
}

impl Second {
    /// Those of a row between two times.
    pub(in super::super) fn of(row: &Row, measure: Measure, time: TimeAxis) -> Self {
        let bin_s = row.bin_between_s(time.from_s, time.to_s);
        let curve = |side: &Side| {
            let meters = &row.end(*side).meters;
            (*side, meters.curve(measure, (time.from_s, time.to_s), bin_s))
        };
        let curves = row.sides().iter().map(curve).filter(|(_, curve)| !curve.is_empty());
        Self {
            measure,
            curves: curves.collect(),
        }
    }

    /// What it shows at an instant, by end.
    pub(super) fn at(&self, t_s: f64) -> Vec<(Side, String)> {
        let values = self.curves.iter().filter_map(|(side, curve)| {
            let value = shown_at(curve, t_s)?;
            Some((*side, self.in_words(value)))
        });
        values.collect()
    }

    fn in_words(&self, value: f64) -> String {
        match self.measure {
            Measure::Cpu => format!("{value:.2} cores"),
            Measure::PageFaults => format!("{} page faults a second", whole(value)),
            Measure::Syscalls => format!("{} calls a second", whole(value)),
            Measure::Retransmits => format!("{} sent again a second", whole(value)),
            Measure::RoundTrip => format!("round trip {}", format::time(value)),
            Measure::CongestionWindow => format!("window {}", format::mean_bytes(value)),
            Measure::DeliveryRate => format!("delivers {}", format::rate(value)),
        }
    }

    /// What the numbers along its axis are divided by, and the unit in its heading.
    fn scale(&self, top: f64) -> (f64, &'static str) {
        match self.measure {
            Measure::RoundTrip if top < 1e-3 => (1e-6, "µs"),
            Measure::RoundTrip => (1e-3, "ms"),
            Measure::CongestionWindow if top < 1e6 => (1e3, "kB"),
            Measure::CongestionWindow => (1e6, "MB"),
            Measure::DeliveryRate => {
                let unit = RateUnit::of(top);
                (unit.divisor, unit.name)
            }
            Measure::PageFaults | Measure::Syscalls if top >= 1e4 => (1e3, "thousands"),
            _ => (1.0, ""),
        }
    }

    /// Draws it.
    pub(super) fn ui(&self, ui: &Ui, rect: Rect, time: TimeAxis, pauses: &[crate::app::model::row::Pause]) {
        let palette = theme::palette(ui);
        let most = self.curves.iter().map(|(_, curve)| highest(curve)).fold(0.0, f64::max);
        let axis = ValueAxis::new(Scale::Linear, nice_top(most).0, 0.0);
        let frame = Frame { rect, time, axis };
        let (scale, unit) = self.scale(axis.end());
        let painter = ui.painter();
        for pause in pauses {
            let to_s = pause.to_s.unwrap_or(pause.from_s);
            let x = frame.x(pause.from_s)..=frame.x(to_s);
            let shown = Rect::from_x_y_ranges(x, rect.y_range()).intersect(rect);
            if shown.width() > 0.0 {
                painter.rect_filled(shown, 0.0, palette.field);
                hatch::paint(ui, shown, hatch::Hatch::Pause, palette.ghost.gamma_multiply(0.45));
            }
        }
        axes::paint(painter, &frame, &axes::ticks(&frame, scale), palette);
        let clipped = painter.with_clip_rect(rect.expand(2.0));
        for (side, curve) in &self.curves {
            paint_thin(&clipped, &frame, curve, colour_of(*side, palette));
        }
        let name = self.measure.name();
        let heading = if unit.is_empty() {
            name.to_owned()
        } else {
            format!("{name}, {unit}")
        };
        let at = pos2(rect.left(), rect.top() - 4.0);
        painter.text(at, Align2::LEFT_BOTTOM, heading, theme::label(12.0), palette.weak);
        let response = ui.interact(rect, ui.scope_id().with("second plot"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.in_a_sentence()));
    }

    /// What a screen reader says of it.
    fn in_a_sentence(&self) -> String {
        let ends = self.curves.iter().map(|(side, curve)| {
            let last = curve.last().map_or(0.0, |drawn| drawn.value);
            format!(
                ", {} {} and at most {}",
                side.name(),
                self.in_words(last),
                self.in_words(highest(curve))
            )
        });
        format!("{} over time{}", self.measure.name(), ends.collect::<String>())
    }
}

fn whole(value: f64) -> String {
    // What is beyond a u64 is beyond any counter.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    let value = value.round() as u64;
    format::count(value)
}
