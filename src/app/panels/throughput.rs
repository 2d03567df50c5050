//! The throughput plot: what the sender and the receiver move a second, and the mean.

use eframe::egui::Ui;
use egui_plot::{Line, PlotPoints};

use super::time_plot::{self, TimeAxis, ValueAxis};
use crate::app::action::Action;
use crate::app::model::format;
use crate::app::model::history::{Drawn, mean_curve, nice_step, nice_top, rate_curve};
use crate::app::model::row::Row;
use crate::app::theme;
use crate::transfer::Side;

/// The curves of a row as they are drawn.
#[derive(Debug, Default)]
pub struct Curves {
    /// What the sender moved a second.
    pub sender: Vec<Drawn>,
    /// What the receiver moved a second.
    pub receiver: Vec<Drawn>,
    /// The mean of the end that counts.
    pub mean: Vec<Drawn>,
}

impl Curves {
    /// The curves of a row between two times, with at most `2 * buckets + 4` points each.
    #[must_use]
    pub fn of(row: &Row, from_s: f64, to_s: f64, buckets: usize) -> Self {
        let sender = rate_curve(&row.end(Side::Sender).series, from_s, to_s, buckets);
        let receiver = rate_curve(&row.end(Side::Receiver).series, from_s, to_s, buckets);
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
        self.sender
            .iter()
            .chain(&self.receiver)
            .map(|drawn| drawn.value)
            .fold(0.0, f64::max)
    }
}

/// Draws the plot.
pub fn ui(ui: &mut Ui, row: &Row, height: f32, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui);
    let time = TimeAxis::of(row);
    let curves = Curves::of(row, time.from_s, time.to_s, time_plot::buckets(ui) / 5);
    let values = axis(row, &curves, actions);
    let [sender, receiver, mean] =
        [&curves.sender, &curves.receiver, &curves.mean].map(|curve| time_plot::points(curve));
    let plot = time_plot::show(
        ui,
        "throughput",
        height,
        time,
        values,
        |t_s| hover(row, time, t_s),
        |plot| {
            let line = |name: &str, points, colour, width: f32| {
                Line::new(name, PlotPoints::Borrowed(points))
                    .color(colour)
                    .width(width)
                    .allow_hover(false)
                    .allow_band(false)
            };
            plot.line(line("mean", &mean, palette.neutral, 1.0));
            plot.line(line("sender", &sender, palette.sender, 1.5));
            plot.line(line("receiver", &receiver, palette.receiver, 1.5));
        },
    );
    time_plot::interact(ui, &plot, row, time, actions);
}

/// The rate axis. While a transfer runs it only ever grows; a spike leaves it at the top rather than flatten the rest.
fn axis(row: &Row, curves: &Curves, actions: &mut Vec<Action>) -> ValueAxis {
    let highest = curves.highest().min(2.0 * row.lasting_rate());
    let (wanted, _) = nice_top(highest);
    let top = if row.is_over() || wanted > row.rate_axis_top {
        wanted
    } else {
        row.rate_axis_top
    };
    if highest > 0.0 && top.total_cmp(&row.rate_axis_top).is_ne() {
        actions.push(Action::SetRateAxisTop(row.key, top));
    }
    let (scale, _) = unit(top);
    ValueAxis {
        top,
        step: nice_step(top / 6.01),
        scale,
        suffix: "",
    }
}

/// The unit of the rate axis: what its numbers are divided by, and its name.
#[must_use]
pub fn unit(top: f64) -> (f64, &'static str) {
    match top {
        t if t >= 0.9e9 => (1e9, "GB/s"),
        t if t >= 0.9e6 => (1e6, "MB/s"),
        _ => (1e3, "kB/s"),
    }
}

fn hover(row: &Row, time: TimeAxis, t_s: f64) -> String {
    let rates = row.sides().iter().filter_map(|side| {
        let name = if *side == Side::Sender { "sender" } else { "receiver" };
        let rate = row.end(*side).series.rate_at(t_s)?;
        Some(format!("\n{name} {}", format::rate(rate)))
    });
    let rates: String = rates.collect();
    if rates.is_empty() {
        return rates;
    }
    let mean = row.main_end().series.rate_before(t_s, f64::INFINITY);
    let length_s = time.to_s - time.from_s;
    format!(
        "{}{rates}\nmean {}",
        time.label(t_s, nice_step(length_s / 1000.0)),
        format::rate(mean)
    )
}
