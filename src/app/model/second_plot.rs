//! What the second plot shows: its lines, on the time axis of the first one, and their values in words.

use super::axes::{TimeAxis, ValueAxis, nice_top};
use super::curves::{CurvePoint, highest, shown_at};
use super::format::{self, RateUnit};
use super::plot_view::{Scale, SecondPlot};
use super::row::{Measure, Row};
use crate::app::words::say;
use crate::transfer::Side;

/// What its values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// What the kernel counts of both ends.
    Measure(Measure),
    /// The rate of each connection.
    EachStream,
}

impl Shows {
    /// What was chosen for a second plot that is seen; nothing where there is to be none.
    #[must_use]
    pub(crate) fn of(chosen: SecondPlot) -> Option<Self> {
        match chosen {
            SecondPlot::Hidden => None,
            SecondPlot::WhereRoom => Some(Self::Measure(Measure::Cpu)),
            SecondPlot::Of(measure) => Some(Self::Measure(measure)),
            SecondPlot::EachStream => Some(Self::EachStream),
        }
    }

    /// Its name for people.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Measure(measure) => measure.name(),
            Self::EachStream => say!("plot-each-stream"),
        }
    }
}

/// Whose values a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineOf {
    /// An end's.
    End(Side),
    /// A connection's, by its number from 1.
    Stream(usize),
}

impl LineOf {
    /// What it is called.
    #[must_use]
    pub(crate) fn name(self) -> String {
        match self {
            Self::End(Side::Sender) => say!("plot-sender").to_owned(),
            Self::End(Side::Receiver) => say!("plot-receiver").to_owned(),
            Self::Stream(number) => say!("plot-stream", number = number.to_string()),
        }
    }
}

/// A line, in the runs between pauses.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SecondLine {
    /// Whose it is.
    pub of: LineOf,
    /// Its points.
    pub runs: Vec<Vec<CurvePoint>>,
}

impl SecondLine {
    /// What it shows at an instant.
    #[must_use]
    pub(crate) fn at(&self, t_s: f64) -> Option<f64> {
        self.runs.iter().find_map(|run| shown_at(run, t_s))
    }

    /// The last value, and the highest.
    #[must_use]
    pub(crate) fn last_and_highest(&self) -> (f64, f64) {
        let last = self.runs.last().and_then(|run| run.last());
        let most = self.runs.iter().map(|run| highest(run)).fold(0.0, f64::max);
        (last.map_or(0.0, |drawn| drawn.value), most)
    }
}

/// All that it draws.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SecondScene {
    /// What its values are.
    pub shows: Shows,
    /// Its lines.
    pub lines: Vec<SecondLine>,
    /// The axis of its values.
    pub axis: ValueAxis,
    /// The unit of its rates.
    unit: RateUnit,
}

impl SecondScene {
    /// That of a row between two times.
    #[must_use]
    pub(crate) fn of(row: &Row, shows: Shows, time: TimeAxis) -> Self {
        let lines = match shows {
            Shows::Measure(measure) => of_ends(row, measure, time),
            Shows::EachStream => of_streams(row, time),
        };
        let most = lines.iter().map(|line| line.last_and_highest().1).fold(0.0, f64::max);
        Self {
            shows,
            lines,
            axis: ValueAxis::new(Scale::Linear, nice_top(most).0, 0.0),
            unit: row.scale.unit(most),
        }
    }

    /// What the numbers along its axis are divided by, and their unit where they have one.
    #[must_use]
    pub(crate) fn scale(&self) -> (f64, &'static str) {
        let top = self.axis.end();
        match self.shows {
            Shows::EachStream | Shows::Measure(Measure::DeliveryRate) => (self.unit.divisor, self.unit.name),
            Shows::Measure(Measure::RoundTrip) if top < 1e-3 => (1e-6, "µs"),
            Shows::Measure(Measure::RoundTrip) => (1e-3, "ms"),
            Shows::Measure(Measure::CongestionWindow) if top < 1e6 => (1e3, "kB"),
            Shows::Measure(Measure::CongestionWindow) => (1e6, "MB"),
            Shows::Measure(Measure::PageFaults | Measure::Syscalls) if top >= 1e4 => (1e3, say!("plot-thousands")),
            Shows::Measure(_) => (1.0, ""),
        }
    }

    /// Its name, with the unit of its numbers.
    #[must_use]
    pub(crate) fn heading(&self) -> String {
        let (name, (_, unit)) = (self.shows.name(), self.scale());
        if unit.is_empty() {
            name.to_owned()
        } else {
            [name, unit].join(say!("comma"))
        }
    }

    /// A value in words.
    #[must_use]
    pub(crate) fn in_words(&self, value: f64) -> String {
        match self.shows {
            Shows::EachStream => self.unit.quantity(value).to_string(),
            Shows::Measure(Measure::Cpu) => say!("plot-value-cores", cores = format!("{value:.2}")),
            Shows::Measure(Measure::PageFaults) => say!("plot-value-faults", count = whole(value)),
            Shows::Measure(Measure::Syscalls) => say!("plot-value-calls", count = whole(value)),
            Shows::Measure(Measure::Retransmits) => say!("plot-value-again", count = whole(value)),
            Shows::Measure(Measure::RoundTrip) => say!("plot-value-round-trip", time = format::time(value)),
            Shows::Measure(Measure::CongestionWindow) => {
                say!("plot-value-window", bytes = format::mean_bytes(value))
            }
            Shows::Measure(Measure::DeliveryRate) => say!("plot-value-delivers", rate = self.unit.quantity(value)),
        }
    }

    /// What each line shows at an instant.
    #[must_use]
    pub(crate) fn at(&self, t_s: f64) -> Vec<(LineOf, f64)> {
        let values = self.lines.iter().filter_map(|line| Some((line.of, line.at(t_s)?)));
        values.collect()
    }

    /// What lies between two instants: what was counted, how far a reading has come, or what the connections moved.
    #[must_use]
    pub(crate) fn between(&self, row: &Row, from_s: f64, to_s: f64) -> Option<String> {
        let words: Vec<String> = match self.shows {
            Shows::Measure(measure) => {
                let of = |side: &Side| self.of_end_between(row, *side, measure, (from_s, to_s));
                row.sides().iter().filter_map(of).collect()
            }
            Shows::EachStream => {
                let moved = row.main_end().streams.moved();
                let moved = moved.map(|(_, series)| series.bytes_at(to_s) - series.bytes_at(from_s));
                let ends = moved.fold((f64::INFINITY, 0.0_f64), |(least, most), bytes| {
                    (least.min(bytes), most.max(bytes))
                });
                let (least, most) = Some(ends).filter(|(_, most)| *most > 0.0)?;
                let [least, most] = [least, most].map(format::mean_bytes);
                vec![say!("plot-between-streams", least = least, most = most)]
            }
        };
        (!words.is_empty()).then(|| words.join(say!("comma")))
    }

    fn of_end_between(&self, row: &Row, side: Side, measure: Measure, (from_s, to_s): (f64, f64)) -> Option<String> {
        let meters = &row.end(side).meters;
        let (from, to) = (meters.value_at(measure, from_s)?, meters.value_at(measure, to_s)?);
        let end = LineOf::End(side).name();
        Some(match measure {
            Measure::Cpu => say!("plot-between-cpu", end = end, time = format::duration(to - from)),
            Measure::PageFaults => say!("plot-between-faults", end = end, count = whole(to - from)),
            Measure::Syscalls => say!("plot-between-calls", end = end, count = whole(to - from)),
            Measure::Retransmits => say!("plot-between-again", end = end, count = whole(to - from)),
            Measure::RoundTrip | Measure::CongestionWindow | Measure::DeliveryRate => {
                let plain = |value: f64| match measure {
                    Measure::RoundTrip => format::time(value),
                    Measure::CongestionWindow => format::mean_bytes(value).to_string(),
                    _ => self.unit.quantity(value).to_string(),
                };
                say!("plot-between-change", end = end, from = plain(from), to = plain(to))
            }
        })
    }

    /// What a screen reader says of it.
    #[must_use]
    pub(crate) fn in_a_sentence(&self) -> String {
        let line = |line: &SecondLine| {
            let (last, most) = line.last_and_highest();
            let (last, most) = (self.in_words(last), self.in_words(most));
            say!("plot-line-said", name = line.of.name(), last = last, most = most)
        };
        let said: Vec<String> = self.lines.iter().map(line).collect();
        say!(
            "plot-second-said",
            name = self.shows.name(),
            lines = said.join(say!("comma"))
        )
    }
}

fn of_ends(row: &Row, measure: Measure, time: TimeAxis) -> Vec<SecondLine> {
    let bin_s = row.bin_between_s(time.from_s, time.to_s);
    let curve = |side: &Side| {
        let meters = &row.end(*side).meters;
        SecondLine {
            of: LineOf::End(*side),
            runs: vec![meters.curve(measure, (time.from_s, time.to_s), bin_s)],
        }
    };
    let mut lines: Vec<SecondLine> = row.sides().iter().map(curve).collect();
    lines.retain(|line| line.runs.iter().any(|run| !run.is_empty()));
    lines
}

fn of_streams(row: &Row, time: TimeAxis) -> Vec<SecondLine> {
    let runs = row.stream_runs(time.from_s, time.to_s).into_iter();
    let lines = runs.map(|(number, runs)| SecondLine {
        of: LineOf::Stream(number),
        runs,
    });
    lines.collect()
}

fn whole(value: f64) -> u64 {
    // What is beyond a u64 is beyond any counter.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and saturating"
    )]
    let value = value.round() as u64;
    value
}
