//! The throughput plot: what the sender and the receiver move a second, and the mean.

use eframe::egui::{Align2, Rect, RichText, Role, Ui, WidgetInfo};
use egui_plot::{HLine, Line, LineStyle, PlotPoint, PlotPoints, Text};

use super::time_plot::{self, PlotSize, TimeAxis, ValueAxis};
use crate::app::action::{Action, TransferAction};
use crate::app::model::curves::{CurvePoint, highest, mean_curve, nice_step, nice_top, shown_at};
use crate::app::model::format::{self, Quantity, RateUnit};
use crate::app::model::row::{RateAxis, Row};
use crate::app::theme;
use crate::compare::ceilings::Ceilings;
use crate::transfer::Side;

/// The curves of a row as they are drawn.
#[derive(Debug, Default)]
pub struct Curves {
    /// What the sender moved a second.
    pub sender: Vec<CurvePoint>,
    /// What the receiver moved a second.
    pub receiver: Vec<CurvePoint>,
    /// The mean of the end that counts.
    pub mean: Vec<CurvePoint>,
}

impl Curves {
    /// The curves of a row between two times.
    #[must_use]
    pub fn of(row: &Row, from_s: f64, to_s: f64) -> Self {
        let [sender, receiver] = [Side::Sender, Side::Receiver].map(|side| row.rate_curve(side, from_s, to_s));
        let series = &row.main_end().series;
        let mean = mean_curve(series, if receiver.is_empty() { &sender } else { &receiver });
        Self { sender, receiver, mean }
    }

    /// How many points are drawn.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.sender.len() + self.receiver.len() + self.mean.len()
    }

    fn highest(&self) -> f64 {
        highest(&self.sender).max(highest(&self.receiver))
    }
}

/// Draws the plot with the axis that is [`axis`]; returns where its curves are, and what was asked for.
pub(crate) fn ui(
    ui: &mut Ui,
    row: &Row,
    curves: &Curves,
    (rate_axis, unit): (RateAxis, RateUnit),
    ceilings: Option<&Ceilings>,
    size: PlotSize,
) -> (Rect, Vec<Action>) {
    let palette = theme::palette(ui);
    let time = TimeAxis::of(row);
    let values = value_axis(rate_axis, unit);
    let [sender, receiver, mean] =
        [&curves.sender, &curves.receiver, &curves.mean].map(|curve| time_plot::points(curve));
    let plot = time_plot::show(
        ui,
        "throughput",
        size,
        time,
        values,
        |t_s| hover(row, curves, (time, unit), t_s),
        |plot| {
            let line = |name: &str, points, colour, width: f32| {
                Line::new(name, PlotPoints::Borrowed(points))
                    .color(colour)
                    .width(width)
                    .allow_hover(false)
                    .allow_band(false)
            };
            for (name, rate) in ceilings
                .into_iter()
                .flat_map(lines_of)
                // One that was kept and is beaten here is no ceiling.
                .filter(|(_, rate)| *rate <= values.top && *rate >= row.beaten_bytes_per_s())
            {
                plot.hline(
                    HLine::new(name, rate)
                        .color(palette.neutral.gamma_multiply(0.7))
                        .style(LineStyle::dashed_dense())
                        .allow_hover(false),
                );
                let at = PlotPoint::new(time.to_s, rate);
                let text = RichText::new(in_words(name, &unit.quantity(rate)))
                    .font(theme::small())
                    .color(palette.weak);
                plot.text(
                    Text::new(name, at, text)
                        .anchor(Align2::RIGHT_BOTTOM)
                        .allow_hover(false),
                );
            }
            plot.line(line("mean", &mean, palette.neutral, 1.0));
            plot.line(line("sender", &sender, palette.sender, 1.5));
            plot.line(line("receiver", &receiver, palette.receiver, 1.5));
        },
    );
    plot.response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, in_a_sentence(row, curves, (time, unit))));
    let new_axis =
        (rate_axis != row.rate_axis).then_some(Action::Transfer(row.key, TransferAction::SetRateAxis(rate_axis)));
    let actions = time_plot::zoom(ui, &plot, row, time).into_iter().chain(new_axis);
    (*plot.transform.frame(), actions.collect())
}

/// What a screen reader says of the plot: the end of each line, and when that was.
fn in_a_sentence(row: &Row, curves: &Curves, (time, unit): (TimeAxis, RateUnit)) -> String {
    let end_s = time.to_s.min(row.elapsed_end_s());
    let lines = [
        ("sender", &curves.sender),
        ("receiver", &curves.receiver),
        ("mean", &curves.mean),
    ];
    let ends = lines.into_iter().filter_map(|(name, curve)| {
        let last = curve.last()?;
        Some(format!(
            ", {name} {} and at most {}",
            unit.quantity(last.value),
            unit.quantity(highest(curve))
        ))
    });
    format!(
        "Rates over time: after {}{}",
        format::duration(end_s),
        ends.collect::<String>()
    )
}

/// What this machine can do at most, by name, in bytes a second.
fn lines_of(ceilings: &Ceilings) -> [(&'static str, f64); 2] {
    [
        ("one copy", ceilings.memcpy_bytes_per_s),
        ("loopback sendfile", ceilings.sendfile_bytes_per_s),
    ]
}

fn in_words(name: &str, rate: &Quantity) -> String {
    format!("{name}: {rate}")
}

/// The ceilings that a rate axis that ends at `top` does not reach: `one copy: 13.9 GB/s`.
#[must_use]
pub(crate) fn ceilings_out_of_sight(ceilings: &Ceilings, top: f64) -> Vec<String> {
    let above = lines_of(ceilings).into_iter().filter(|(_, rate)| *rate > top);
    above.map(|(name, rate)| in_words(name, &format::rate(rate))).collect()
}

/// The rate axis: as high as what is drawn, to the next nice step.
pub(crate) fn axis(row: &Row, time: TimeAxis, curves: &Curves) -> RateAxis {
    let highest = curves.highest();
    if highest > 0.0 {
        let bin_s = row.bin_between_s(time.from_s, time.to_s);
        row.rate_axis.follow(nice_top(highest).0, bin_s, row.is_over())
    } else {
        row.rate_axis
    }
}

/// The numbers along it.
pub(crate) fn value_axis(axis: RateAxis, unit: RateUnit) -> ValueAxis {
    // Where nothing has a rate there is still a scale.
    let top = if axis.top > 0.0 { axis.top } else { unit.divisor };
    ValueAxis {
        top,
        step: nice_step(top / 6.01),
        scale: unit.divisor,
        suffix: "",
    }
}

/// What the lines show at an instant: what is drawn there, not what lies behind it.
fn hover(row: &Row, curves: &Curves, (time, unit): (TimeAxis, RateUnit), t_s: f64) -> String {
    let lines = [
        ("sender", &curves.sender),
        ("receiver", &curves.receiver),
        ("mean", &curves.mean),
    ];
    let rates: String = lines
        .into_iter()
        .filter_map(|(name, curve)| Some(format!("\n{name} {}", unit.quantity(shown_at(curve, t_s)?))))
        .collect();
    if rates.is_empty() {
        return rates;
    }
    let at = time.label(t_s, nice_step((time.to_s - time.from_s) / 1000.0));
    let bin = format::duration(row.bin_between_s(time.from_s, time.to_s));
    format!("{at}, over {bin}{rates}")
}
