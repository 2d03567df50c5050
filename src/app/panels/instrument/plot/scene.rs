//! What a plot of rates shows: all that is drawn, in seconds and bytes a second, before it is drawn.

use crate::app::model::axes::{TimeAxis, ValueAxis, nice_top};
use crate::app::model::curves::{CurvePoint, Spread, highest, shown_at, spread};
use crate::app::model::format::RateUnit;
use crate::app::model::plot_view::PlotView;
use crate::app::model::row::{Numbers, Pause, Phase, RateAxis, Row};
use crate::app::model::second_plot::LineOf;
use crate::app::words::say;
use crate::compare::ceilings::Ceilings;
use crate::transfer::{Side, State};

/// The rates of both ends between two times, in the runs between pauses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// What the sender moved a second.
    pub sender: Vec<Vec<CurvePoint>>,
    /// What the receiver moved a second.
    pub receiver: Vec<Vec<CurvePoint>>,
    /// The slowest and fastest rates within the spans of the end that counts.
    pub(crate) spread: Vec<Vec<Spread>>,
}

impl Curves {
    /// The curves of a row between two times.
    #[must_use]
    pub fn of(row: &Row, from_s: f64, to_s: f64) -> Self {
        let [sender, receiver] = [Side::Sender, Side::Receiver].map(|side| row.rate_runs(side, from_s, to_s));
        let main = if row.main_side() == Side::Receiver {
            &receiver
        } else {
            &sender
        };
        let (series, finest_s) = (&row.main_end().series, row.finest_bin_s(from_s, to_s));
        let spreads = main.iter().map(|run| spread(series, run, finest_s));
        let spread = spreads.filter(|spread| !spread.is_empty()).collect();
        Self {
            sender,
            receiver,
            spread,
        }
    }

    /// How many points are drawn.
    #[must_use]
    pub fn point_count(&self) -> usize {
        let points: usize = self.sender.iter().chain(&self.receiver).map(Vec::len).sum();
        points + self.spread.iter().map(Vec::len).sum::<usize>()
    }

    /// Those of an end.
    #[must_use]
    pub(crate) fn of_side(&self, side: Side) -> &[Vec<CurvePoint>] {
        match side {
            Side::Sender => &self.sender,
            Side::Receiver => &self.receiver,
        }
    }

    /// What the curve of an end shows at an instant.
    #[must_use]
    pub(crate) fn at(&self, side: Side, t_s: f64) -> Option<f64> {
        self.of_side(side).iter().find_map(|run| shown_at(run, t_s))
    }

    /// The slowest and the fastest rate in the span that an instant is in.
    #[must_use]
    pub(crate) fn spread_at(&self, t_s: f64) -> Option<Spread> {
        let within = |run: &Vec<Spread>| {
            let after = run.partition_point(|span| span.t_s < t_s);
            (after > 0).then(|| run.get(after).copied()).flatten()
        };
        self.spread.iter().find_map(within)
    }

    fn highest(&self) -> f64 {
        let rates = self.sender.iter().chain(&self.receiver).map(|run| highest(run));
        let spreads = self.spread.iter().flatten().map(|spread| spread.most);
        rates.chain(spreads).fold(0.0, f64::max)
    }

    fn lowest_above_zero(&self) -> f64 {
        let rates = self
            .sender
            .iter()
            .chain(&self.receiver)
            .flatten()
            .map(|drawn| drawn.value);
        rates.filter(|rate| *rate > 0.0).fold(f64::INFINITY, f64::min)
    }
}

/// What this machine can do at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ceiling {
    /// Its name.
    pub name: &'static str,
    /// In bytes a second.
    pub rate: f64,
}

/// All that is drawn over time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    /// The part of the time.
    pub time: TimeAxis,
    /// Where the rate axis of the row ends from now on.
    pub rate_axis: RateAxis,
    /// The rate axis as it is drawn.
    pub axis: ValueAxis,
    /// The unit of all rates.
    pub unit: RateUnit,
    /// The rates of both ends.
    pub curves: Curves,
    /// The end whose rates are the area.
    pub main: Side,
    /// The mean, pauses left out; where rounds repeat their median. Nothing before there is one.
    pub mean: Option<f64>,
    /// Where the curve has come to, while it runs and that is in view.
    pub live: Option<CurvePoint>,
    /// What could be reached, the lowest first.
    pub ceilings: Vec<Ceiling>,
    /// The pauses in view; one that lasts ends where the time has come to.
    pub pauses: Vec<Pause>,
}

impl Scene {
    /// The scene of a row at `now_s` on the window's clock. Axes ease where it `moves`.
    #[must_use]
    pub(crate) fn of(
        row: &Row,
        numbers: &Numbers,
        view: PlotView,
        ceilings: Option<&Ceilings>,
        now_s: f64,
        moves: bool,
    ) -> Self {
        let time = TimeAxis::of(row, view.period, now_s);
        let curves = Curves::of(row, time.from_s, time.to_s);
        let live_s = row.live_s(now_s);
        let live = CurvePoint {
            t_s: live_s,
            value: numbers.now,
        };
        let is_live = row.phase == Phase::Is(State::Transferring) && row.rounds == 0 && numbers.now > 0.0;
        let live = Some(live).filter(|live| is_live && (time.from_s..=time.to_s).contains(&live.t_s));
        let highest = curves.highest().max(live.map_or(0.0, |live| live.value));
        let rate_axis = if highest > 0.0 {
            let bin_s = row.bin_between_s(time.from_s, time.to_s);
            row.rate_axis
                .follow(nice_top(highest).0, bin_s, now_s, moves && !row.is_over())
        } else {
            row.rate_axis
        };
        // Where nothing has a rate there is still a scale.
        let top = if rate_axis.shown > 0.0 {
            rate_axis.shown
        } else {
            numbers.unit.divisor
        };
        let axis = ValueAxis::new(view.scale, top, curves.lowest_above_zero());
        let pauses = row
            .pauses_between(time.from_s, time.to_s)
            .into_iter()
            .map(|pause| Pause {
                to_s: pause.to_s.or(Some(time.to_s.min(live_s).max(pause.from_s))),
                ..pause
            });
        Self {
            time,
            rate_axis,
            axis,
            unit: numbers.unit,
            main: row.main_side(),
            mean: Some(numbers.mean).filter(|mean| *mean > 0.0),
            live,
            ceilings: ceilings.map_or_else(Vec::new, |ceilings| ceilings_of(row, ceilings)),
            pauses: pauses.collect(),
            curves,
        }
    }

    /// What a screen reader says of the plot: the end of each line, the mean, and when that was.
    #[must_use]
    pub(crate) fn in_a_sentence(&self, row: &Row, numbers: &Numbers) -> String {
        use crate::app::model::format;
        let end_s = self.time.to_s.min(row.elapsed_end_s());
        let ends = [Side::Sender, Side::Receiver].into_iter().filter_map(|side| {
            let runs = self.curves.of_side(side);
            let last = runs.last()?.last()?;
            let most = runs.iter().map(|run| highest(run)).fold(0.0, f64::max);
            let (last, most) = (self.unit.quantity(last.value), self.unit.quantity(most));
            Some(say!(
                "plot-line-said",
                name = LineOf::End(side).name(),
                last = last,
                most = most
            ))
        });
        let mean = self
            .mean
            .map(|mean| format!("{} {}", row.mean_name(), self.unit.quantity(mean)));
        let moved = match numbers.total {
            Some(total) => format::done_of(numbers.done, total),
            None => format::bytes(numbers.done).to_string(),
        };
        let after = say!("plot-after", time = format::duration(end_s));
        let lines: Vec<String> = [after].into_iter().chain(ends).chain(mean).collect();
        say!("plot-said", lines = lines.join(say!("comma")), moved = moved)
    }
}

/// The ceilings that this transfer has not beaten: one that was kept and is beaten here is none.
fn ceilings_of(row: &Row, ceilings: &Ceilings) -> Vec<Ceiling> {
    let known = [
        (say!("plot-one-copy"), ceilings.memcpy_bytes_per_s),
        (say!("plot-loopback"), ceilings.sendfile_bytes_per_s),
    ];
    let beaten = row.beaten_bytes_per_s();
    let known = known.into_iter().map(|(name, rate)| Ceiling { name, rate });
    let mut kept: Vec<Ceiling> = known.filter(|ceiling| ceiling.rate >= beaten).collect();
    kept.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    kept
}
