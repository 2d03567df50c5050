//! From a series to what a plot draws: at most so many points as there is room for, whatever the length.

use super::row::Pause;
use crate::telemetry::Series;

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Seconds since the transfer's clock began.
    pub t_s: f64,
    /// What is drawn: a rate in bytes a second, or bytes.
    pub value: f64,
}

/// A part of a time axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeSpan {
    /// Its beginning, in seconds.
    pub from_s: f64,
    /// Its end, in seconds.
    pub to_s: f64,
}

/// A curve of a rate has at most about so many spans.
pub(crate) const BINS: f64 = 120.0;

/// A span that a rate is drawn with has at least so many chunks: of fewer, the last one that fell into it or not would
/// be what is seen.
const CHUNKS_A_BIN: f64 = 10.0;

/// The length of the spans that a rate is drawn with where `length_s` seconds are seen, never below `least_s`: a
/// millisecond times a power of two, so that it rarely changes while a transfer runs, and who looks closer sees the
/// spans of before divided in two.
#[must_use]
pub(crate) fn bin_s(length_s: f64, least_s: f64) -> f64 {
    let wanted_s = (length_s / BINS).max(least_s).max(1e-6);
    1e-3 * (wanted_s * 1e3 * 0.999_999).log2().ceil().exp2()
}

/// The shortest span that the rate of a series from `from_s` on says anything about: of so many chunks, and from one
/// sample to the next. It depends on what part of it is looked at only where that is within the last minute or so, of
/// which more is known.
#[must_use]
pub(crate) fn finest_bin_s(series: &Series, chunk_bytes: u64, from_s: f64) -> f64 {
    let sample_s = series.spacing_s(from_s);
    let mean = series.mean();
    let chunks_s = if mean > 0.0 {
        CHUNKS_A_BIN * chunk_bytes as f64 / mean
    } else {
        0.0
    };
    // A transfer of a few chunks still has a beginning and an end.
    sample_s.max(chunks_s.min(series.active_s() / 4.0))
}

/// From when to when there is a rate to draw, at both ends of a transfer alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent {
    /// The first point.
    begin_s: f64,
    /// The last point.
    end_s: f64,
    /// Whether more is to come.
    grows: bool,
}

impl Extent {
    /// That of several series together.
    #[must_use]
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a Series>, grows: bool) -> Self {
        let ends = all
            .into_iter()
            .filter_map(|series| Some((series.points().first()?.t_s, series.end_s())));
        let (begin_s, end_s) = ends.fold(
            (f64::INFINITY, 0.0),
            |(begin_s, end_s): (f64, f64), (first_s, last_s)| (begin_s.min(first_s), end_s.max(last_s)),
        );
        Self { begin_s, end_s, grows }
    }

    /// The parts of it between pauses. Only the last one grows, and none does during a pause.
    fn between(self, pauses: &[Pause]) -> Vec<Self> {
        let mut runs = Vec::with_capacity(pauses.len() + 1);
        let mut begin_s = self.begin_s;
        for pause in pauses {
            let end_s = pause.from_s.min(self.end_s);
            runs.push(Self {
                begin_s,
                end_s,
                grows: false,
            });
            begin_s = pause.to_s.map_or(f64::INFINITY, |to_s| to_s.max(begin_s));
        }
        runs.push(Self { begin_s, ..self });
        runs.retain(|run| run.end_s > run.begin_s);
        runs
    }
}

/// The rate between `from_s` and `to_s`: the bytes of each span of `bin_s` seconds over its length without the pauses in
/// it, drawn at its end.
/// Spans begin at multiples of `bin_s`, so that what is drawn keeps its shape while the series grows; one that has not
/// ended is left out while it grows, and what is left over at either end belongs to the span beside it: alone it would
/// be a spike.
#[must_use]
pub(crate) fn rate_curve(series: &Series, extent: Extent, (from_s, to_s): (f64, f64), bin_s: f64) -> Vec<CurvePoint> {
    let mut curve = Vec::new();
    let Extent { begin_s, end_s, grows } = extent;
    if series.points().len() < 2 {
        return curve;
    }
    if end_s <= begin_s || bin_s <= 0.0 || to_s < from_s {
        return curve;
    }
    let mut first_bin = (begin_s / bin_s).floor() + 1.0;
    if first_bin * bin_s - begin_s < bin_s / 2.0 {
        first_bin += 1.0;
    }
    let mut last_bin = (end_s / bin_s + 1e-6).floor();
    if !grows && end_s - last_bin * bin_s >= bin_s / 2.0 {
        last_bin += 1.0;
    }
    if !grows {
        last_bin = last_bin.max(first_bin);
    }
    // One span more on either side, so that the curve leaves the plot rather than ends.
    let shown_from = first_bin.max((from_s / bin_s).floor() - 1.0);
    let shown_to = last_bin.min((to_s / bin_s).ceil() + 1.0);
    let boundary = |bin: f64| match bin {
        bin if bin < first_bin => begin_s,
        bin if bin >= last_bin && !grows => end_s,
        bin => bin * bin_s,
    };
    let mut span_from_s = boundary(shown_from - 1.0);
    let mut before = Moved::until(series, span_from_s);
    let mut bin = shown_from;
    while bin <= shown_to {
        let t_s = boundary(bin);
        let now = Moved::until(series, t_s);
        let value = before.rate_to(now);
        // A curve begins level.
        if curve.is_empty() {
            curve.push(CurvePoint {
                t_s: span_from_s,
                value,
            });
        }
        curve.push(CurvePoint { t_s, value });
        (span_from_s, before) = (t_s, now);
        bin += 1.0;
    }
    curve
}

/// What had moved by an instant, and how long that was paused.
#[derive(Debug, Clone, Copy)]
struct Moved {
    t_s: f64,
    paused_s: f64,
    bytes: f64,
}

impl Moved {
    fn until(series: &Series, t_s: f64) -> Self {
        Self {
            t_s,
            paused_s: series.paused_until(t_s),
            bytes: series.bytes_at(t_s),
        }
    }

    /// The rate between this instant and a later one without the pauses. Of a span that is all but a pause, what little
    /// moved just before and after it is no rate.
    fn rate_to(self, later: Self) -> f64 {
        let span_s = later.t_s - self.t_s;
        let active_s = span_s - (later.paused_s - self.paused_s);
        (later.bytes - self.bytes) / active_s.max(span_s / 4.0)
    }
}

/// The rate between `from_s` and `to_s` in the runs between pauses: each is a curve of its own, as [`rate_curve`] has it,
/// so that none leads across a pause.
#[must_use]
pub(crate) fn rate_runs(
    series: &Series,
    extent: Extent,
    pauses: &[Pause],
    (from_s, to_s): (f64, f64),
    bin_s: f64,
) -> Vec<Vec<CurvePoint>> {
    let runs = extent.between(pauses).into_iter();
    let in_view = runs.filter(|run| run.begin_s <= to_s && run.end_s >= from_s);
    in_view
        .map(|run| rate_curve(series, run, (from_s, to_s), bin_s))
        .filter(|curve| !curve.is_empty())
        .collect()
}

/// The slowest and the fastest rate within the spans of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The end of the span, in seconds since the transfer's clock began.
    pub t_s: f64,
    /// The slowest rate of its parts, in bytes a second.
    pub least: f64,
    /// The fastest.
    pub most: f64,
}

/// A span whose slowest and fastest rate are told has at least so many parts.
const PARTS_MIN: f64 = 4.0;
/// And no more of them are looked at.
const PARTS_MAX: f64 = 8.0;

/// The slowest and the fastest rate within each span of `curve`, in parts of the span that are never shorter than
/// `least_s`, of which nothing shorter can be told. Empty where a span has too few of them.
#[must_use]
pub(crate) fn spread(series: &Series, curve: &[CurvePoint], least_s: f64) -> Vec<Spread> {
    let mut spreads = Vec::new();
    for pair in curve.windows(2) {
        let (from_s, to_s) = (pair[0].t_s, pair[1].t_s);
        let parts = ((to_s - from_s) / least_s * 1.000_001).floor().min(PARTS_MAX);
        // A curve begins with a point that no span leads to.
        if to_s <= from_s || parts < PARTS_MIN {
            continue;
        }
        let part_s = (to_s - from_s) / parts;
        let mut before = Moved::until(series, from_s);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        let mut part = 1.0;
        while part <= parts {
            let now = Moved::until(series, from_s + part * part_s);
            let rate = before.rate_to(now);
            (least, most, before) = (least.min(rate), most.max(rate), now);
            part += 1.0;
        }
        if spreads.is_empty() {
            spreads.push(Spread {
                t_s: from_s,
                least,
                most,
            });
        }
        spreads.push(Spread { t_s: to_s, least, most });
    }
    spreads
}

/// What a curve shows at an instant: its points are joined by straight lines. Nothing before and after it.
#[must_use]
pub(crate) fn shown_at(curve: &[CurvePoint], t_s: f64) -> Option<f64> {
    let after = curve.partition_point(|drawn| drawn.t_s < t_s);
    let right = curve.get(after)?;
    let Some(left) = after.checked_sub(1).map(|before| curve[before]) else {
        return (right.t_s <= t_s).then_some(right.value);
    };
    Some(left.value + (right.value - left.value) * (t_s - left.t_s) / (right.t_s - left.t_s))
}

/// The highest value of a curve; 0 where it is empty.
#[must_use]
pub(crate) fn highest(curve: &[CurvePoint]) -> f64 {
    curve.iter().map(|drawn| drawn.value).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ten_hours() -> Series {
        let mut series = Series::new();
        for i in 0..720_000_u64 {
            series.push(i as f64 * 0.05, i * 1_000_000);
        }
        series
    }

    fn extent(series: &Series, grows: bool) -> Extent {
        Extent::of([series], grows)
    }

    fn whole(series: &Series, bin_s: f64) -> Vec<CurvePoint> {
        rate_curve(series, extent(series, false), (0.0, series.end_s()), bin_s)
    }

    #[test]
    fn ten_hours_draw_no_more_points_than_there_is_room_for() {
        let series = ten_hours();
        let curve = whole(&series, bin_s(36_000.0, 0.05));
        assert!(curve.len() <= 124 && curve.len() >= 60, "{}", curve.len());
        assert!(spread(&series, &curve, 0.05).len() <= curve.len());
    }

    #[test]
    fn eighty_milliseconds_draw_a_real_curve() {
        let mut series = Series::new();
        for i in 0..=80_u32 {
            series.push(f64::from(i) * 0.001, u64::from(i * i) * 62_500);
        }
        let curve = whole(&series, bin_s(0.08, finest_bin_s(&series, 0, 0.0)));
        assert_eq!(curve.len(), 81);
        assert!(curve.windows(2).skip(1).all(|pair| pair[0].value < pair[1].value));
    }

    #[test]
    fn chunks_that_arrive_whole_are_no_spikes() {
        // 400 MB in 80 ms: a chunk of 2 MiB every 0.42 ms, a sample every millisecond.
        let (chunk_bytes, rate) = (2_u64 << 20, 5e9);
        let mut series = Series::new();
        for i in 0..=80_u32 {
            let t_s = f64::from(i) * 0.001;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small and not negative"
            )]
            let chunks = (t_s * rate / chunk_bytes as f64).floor() as u64;
            series.push(t_s, chunks * chunk_bytes);
        }
        let curve = whole(&series, bin_s(0.08, finest_bin_s(&series, chunk_bytes, 0.0)));
        assert!(curve.len() >= 8, "{}", curve.len());
        for drawn in &curve {
            assert!((drawn.value - rate).abs() < rate * 0.12, "{drawn:?}");
        }
    }

    proptest! {
        #[test]
        fn looking_closer_only_refines(
            steps in prop::collection::vec((1_u32..3000, 0_u64..9_000_000), 8..3000),
            chunk_bytes in 0_u64..4_000_000,
            at in 0.05_f64..0.95,
        ) {
            let mut series = Series::new();
            let (mut t_s, mut bytes) = (0.000_3, 0);
            series.push(t_s, bytes);
            for (microseconds, more) in steps {
                (t_s, bytes) = (t_s + f64::from(microseconds) * 1e-6, bytes + more);
                series.push(t_s, bytes);
            }
            let finest_s = bin_s(0.0, finest_bin_s(&series, chunk_bytes, 0.0));
            let at_s = at * series.end_s();
            let mut length_s = series.end_s();
            let mut before: Option<(f64, f64)> = None;
            for _ in 0..12 {
                let from_s = (at_s - length_s / 2.0).clamp(0.0, series.end_s() - length_s);
                let bin_s = bin_s(length_s, finest_bin_s(&series, chunk_bytes, 0.0));
                let curve = rate_curve(&series, extent(&series, false), (from_s, from_s + length_s), bin_s);
                let shown = shown_at(&curve, at_s).unwrap_or_default();
                if let Some((last_bin_s, last)) = before {
                    prop_assert!(bin_s <= last_bin_s, "never coarser");
                    let halvings = (last_bin_s / bin_s).log2();
                    prop_assert!((halvings - halvings.round()).abs() < 1e-9, "each span is divided in two");
                    if last_bin_s.total_cmp(&finest_s).is_eq() {
                        prop_assert!((shown - last).abs() <= last * 1e-6 + 1e-3, "{shown} {last}");
                    }
                }
                before = Some((bin_s, shown));
                length_s /= 2.0;
            }
        }
    }

    #[test]
    fn what_is_left_over_at_the_end_is_no_spike() {
        let mut series = Series::new();
        for i in 0..=100_u32 {
            series.push(0.004 + f64::from(i) * 0.01, u64::from(i) * 1000);
        }
        series.push(1.004_1, 101_000);
        let curve = whole(&series, 0.05);
        assert!(curve.iter().all(|drawn| drawn.value < 130_000.0), "{curve:?}");
        assert!((curve.last().unwrap().t_s - 1.004_1).abs() < 1e-9);
        assert!((curve[0].t_s - 0.004).abs() < 1e-9);
    }

    #[test]
    fn what_was_drawn_keeps_its_shape_while_more_comes() {
        let mut series = Series::new();
        let mut before: Vec<CurvePoint> = Vec::new();
        for i in 0..=400_u64 {
            series.push(i as f64 * 0.007, i * i % 97 * 3 + i * 1000);
            let now = rate_curve(&series, extent(&series, true), (0.0, 5.0), 0.05);
            assert!(now.starts_with(&before), "at {i}");
            assert!(now.last().is_none_or(|last| last.t_s <= series.end_s() + 1e-6));
            before = now;
        }
        assert!(before.len() > 50);
    }

    #[test]
    fn the_area_under_the_spans_is_what_moved() {
        let mut series = Series::new();
        for i in 0..=1000_u64 {
            series.push(i as f64 * 0.003, i * 100 + i % 7 * 50);
        }
        let curve = whole(&series, 0.1);
        let area: f64 = curve
            .windows(2)
            .map(|pair| pair[1].value * (pair[1].t_s - pair[0].t_s))
            .sum();
        assert!((area - series.bytes() as f64).abs() < 1.0, "{area}");
    }

    #[test]
    fn what_is_said_at_an_instant_is_what_is_drawn_there() {
        let at = |t_s: f64, value: f64| CurvePoint { t_s, value };
        let curve = [at(1.0, 10.0), at(2.0, 20.0), at(4.0, 0.0)];
        for (t_s, value) in [(1.0, 10.0), (1.5, 15.0), (2.0, 20.0), (3.0, 10.0), (4.0, 0.0)] {
            assert_eq!(shown_at(&curve, t_s), Some(value));
        }
        assert_eq!((shown_at(&curve, 0.9), shown_at(&curve, 4.1)), (None, None));
        assert_eq!(shown_at(&[], 1.0), None);
    }

    #[test]
    fn a_pause_is_drawn_as_long_as_it_was() {
        let mut series = Series::new();
        for i in 0..=100_u32 {
            series.push(f64::from(i) * 0.01, u64::from(i) * 1000);
        }
        series.push(4.0, 100_000);
        series.push(4.05, 105_000);
        let curve = whole(&series, 0.05);
        let still = curve.iter().filter(|drawn| drawn.value.abs() < 1.0).count();
        assert_eq!(still, 60, "{curve:?}");
    }

    #[test]
    fn an_empty_series_and_an_empty_window_draw_nothing() {
        assert!(whole(&Series::new(), 0.1).is_empty());
        let long = ten_hours();
        assert!(rate_curve(&long, extent(&long, false), (50_000.0, 60_000.0), 100.0).len() <= 2);
        let mut one = Series::new();
        one.push(0.5, 0);
        assert!(whole(&one, 0.1).is_empty());
    }

    #[test]
    fn a_curve_ends_where_a_pause_begins_and_a_new_one_begins_after_it() {
        let mut series = Series::new();
        for i in 0..=100_u32 {
            series.push(f64::from(i) * 0.01, u64::from(i) * 1000);
        }
        series.push(4.0, 100_000);
        for i in 1..=100_u32 {
            series.push(4.0 + f64::from(i) * 0.01, 100_000 + u64::from(i) * 1000);
        }
        let pause = |from_s, to_s| Pause { from_s, to_s };
        let runs = |pauses: &[Pause]| rate_runs(&series, extent(&series, true), pauses, (0.0, 5.0), 0.05);
        let [before, after] = &runs(&[pause(1.0, Some(4.0))])[..] else {
            panic!("two runs");
        };
        assert!((before.last().unwrap().t_s - 1.0).abs() < 1e-9 && (after[0].t_s - 4.0).abs() < 1e-9);
        for drawn in before.iter().chain(after) {
            assert!(
                (drawn.value - 1e5).abs() < 1.0,
                "no rate is thinned by the pause: {drawn:?}"
            );
        }
        assert_eq!(runs(&[pause(1.0, None)]).len(), 1, "it lasts");
    }

    #[test]
    fn the_spread_is_that_of_parts_of_a_span_and_unknown_where_they_are_too_short() {
        let mut series = Series::new();
        let mut bytes = 0;
        for i in 0..=400_u32 {
            bytes += if i % 8 < 4 { 500 } else { 1500 };
            series.push(f64::from(i) * 0.01, bytes);
        }
        let curve = whole(&series, 0.08);
        let spreads = spread(&series, &curve, 0.02);
        assert!(spreads.len() >= 45, "{}", spreads.len());
        for spread in &spreads {
            assert!(spread.least <= 1.0e5 && spread.most >= 1.0e5, "{spread:?}");
            assert!(spread.least > 4e4 && spread.most < 1.6e5, "{spread:?}");
        }
        assert!(spread(&series, &curve, 0.05).is_empty());
    }
}
