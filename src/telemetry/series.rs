//! The history of one side of a transfer. It is thinned, so that it stays small for a transfer of any length.
//!
//! A [`Series`] takes `(t_s, bytes)` pairs and keeps at most [`Series::MAX_POINTS`] points. When it is full,
//! neighbours merge until the points are about evenly spaced in time, those of the last minute closer; the bytes of a
//! point stay exact, its rate is bytes over time of the merged span, and the slowest and fastest rate within it are
//! kept. The first and the last pair are never lost. Time that passes while it is paused counts in no mean.

use super::thinned::thinned;

/// What is known about the span of time from the point before to this one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the span ends, in seconds since the transfer's clock began.
    pub t_s: f64,
    /// Bytes that had moved by then.
    pub bytes: u64,
    /// The mean rate in the span, in bytes a second; 0 at the first point.
    pub rate: f64,
    /// The slowest rate seen within the span, in bytes a second.
    pub rate_min: f64,
    /// The fastest rate seen within the span, in bytes a second.
    pub rate_max: f64,
    /// Seconds from the first point to this one without the pauses.
    pub active_s: f64,
}

/// Bytes over time, thinned.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    points: Vec<Point>,
    max_points: usize,
    /// Pairs closer together than this merge at once.
    min_span_s: f64,
    /// Points from there on are closer to each other than those before.
    close_from_s: f64,
    is_paused: bool,
}

impl Series {
    /// A series never holds more points than this.
    pub const MAX_POINTS: usize = 4096;

    /// An empty series.
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(Self::MAX_POINTS)
    }

    /// An empty series that never holds more than so many points, of which there are at least 8.
    #[must_use]
    pub(crate) fn with_room(max_points: usize) -> Self {
        Self {
            points: Vec::new(),
            max_points: max_points.max(8),
            min_span_s: 0.0,
            close_from_s: f64::NEG_INFINITY,
            is_paused: false,
        }
    }

    /// Adds the bytes that had moved by `t_s`. A time before the last one counts as the last one.
    pub fn push(&mut self, t_s: f64, bytes: u64) {
        if !t_s.is_finite() {
            return;
        }
        let Some(&last) = self.points.last() else {
            self.points.push(Point {
                t_s,
                bytes,
                rate: 0.0,
                rate_min: 0.0,
                rate_max: 0.0,
                active_s: 0.0,
            });
            return;
        };
        let bytes = bytes.max(last.bytes);
        let rate = (bytes - last.bytes) as f64 / (t_s - last.t_s);
        let next = Point {
            t_s,
            bytes,
            rate,
            rate_min: rate,
            rate_max: rate,
            active_s: last.active_s + if self.is_paused { 0.0 } else { t_s - last.t_s },
        };
        if t_s <= last.t_s {
            self.add_to_last(bytes);
        } else if self.last_span_s() + (t_s - last.t_s) <= self.min_span_s {
            self.merge_into_last(next);
        } else {
            self.points.push(next);
            if self.points.len() > self.max_points {
                self.thin();
            }
        }
    }

    /// Begins a pause at `t_s`, or ends it.
    pub fn set_paused(&mut self, t_s: f64, is_paused: bool) {
        // It shows at its beginning and at its end, though no sample came meanwhile.
        if !self.points.is_empty() {
            self.push(t_s, self.bytes());
        }
        self.is_paused = is_paused;
    }

    /// The points, oldest first.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// How far apart its points are on average in the part that `from_s` is in, without the pauses, in seconds. That is
    /// never more in the last minute than before it.
    #[must_use]
    pub(crate) fn spacing_s(&self, from_s: f64) -> f64 {
        let close_from = self.points.partition_point(|point| point.t_s < self.close_from_s);
        let mean = |points: &[Point]| match points {
            [first, .., last] => (last.active_s - first.active_s) / (points.len() - 1) as f64,
            _ => 0.0,
        };
        let close_s = mean(&self.points[close_from.saturating_sub(1)..]);
        if from_s >= self.close_from_s {
            close_s
        } else {
            mean(&self.points[..close_from]).max(close_s)
        }
    }

    /// The time of the last point, in seconds; 0 where there is none.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.points.last().map_or(0.0, |point| point.t_s)
    }

    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.points.last().map_or(0, |point| point.bytes)
    }

    /// Bytes that had moved at `t_s`, between two points by their mean rate.
    #[must_use]
    pub fn bytes_at(&self, t_s: f64) -> f64 {
        let after = self.points.partition_point(|point| point.t_s <= t_s);
        match (
            after.checked_sub(1).map(|before| self.points[before]),
            self.points.get(after),
        ) {
            (Some(before), Some(after)) => before.bytes as f64 + after.rate * (t_s - before.t_s),
            (Some(last), None) => last.bytes as f64,
            (None, _) => self.points.first().map_or(0.0, |first| first.bytes as f64),
        }
    }

    /// The mean rate of the `window_s` seconds before `t_s`, or of fewer at the beginning, in bytes a second.
    #[must_use]
    pub fn rate_before(&self, t_s: f64, window_s: f64) -> f64 {
        let Some(first) = self.points.first() else { return 0.0 };
        let from_s = (t_s - window_s).max(first.t_s);
        if t_s > from_s {
            (self.bytes_at(t_s) - self.bytes_at(from_s)) / (t_s - from_s)
        } else {
            0.0
        }
    }

    /// The mean rate from the first point to the last without the pauses, in bytes a second.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean_until(self.end_s())
    }

    /// The mean rate from the first point to `t_s` without the pauses, in bytes a second; 0 where that is no time.
    #[must_use]
    pub fn mean_until(&self, t_s: f64) -> f64 {
        let (Some(first), active_s) = (self.points.first(), self.active_until(t_s)) else {
            return 0.0;
        };
        if active_s > 0.0 {
            (self.bytes_at(t_s) - first.bytes as f64) / active_s
        } else {
            0.0
        }
    }

    /// Seconds from the first point to the last without the pauses.
    #[must_use]
    pub fn active_s(&self) -> f64 {
        self.points.last().map_or(0.0, |last| last.active_s)
    }

    /// Seconds of pauses between the first point and the last.
    #[must_use]
    pub fn paused_s(&self) -> f64 {
        let begin_s = self.points.first().map_or(0.0, |first| first.t_s);
        self.end_s() - begin_s - self.active_s()
    }

    /// Seconds of pauses between the first point and `t_s`.
    #[must_use]
    pub(crate) fn paused_until(&self, t_s: f64) -> f64 {
        // Sums of many short times are not exact.
        if self.paused_s() < 1e-6 {
            return 0.0;
        }
        let begin_s = self.points.first().map_or(0.0, |first| first.t_s);
        (t_s.min(self.end_s()) - begin_s).max(0.0) - self.active_until(t_s)
    }

    /// Seconds from the first point to `t_s` without the pauses; between two points they pass evenly.
    #[must_use]
    pub(crate) fn active_until(&self, t_s: f64) -> f64 {
        let after = self.points.partition_point(|point| point.t_s <= t_s);
        let before = after.checked_sub(1).map(|before| self.points[before]);
        match (before, self.points.get(after)) {
            (Some(before), Some(after)) => {
                let part = (t_s - before.t_s) / (after.t_s - before.t_s);
                before.active_s + (after.active_s - before.active_s) * part
            }
            (Some(last), None) => last.active_s,
            (None, _) => 0.0,
        }
    }

    fn last_span_s(&self) -> f64 {
        match self.points.as_slice() {
            [.., before, last] => last.t_s - before.t_s,
            // The first point is never merged into.
            _ => f64::INFINITY,
        }
    }

    /// Adds bytes to the last point.
    fn add_to_last(&mut self, bytes: u64) {
        if let [.., before, last] = self.points.as_mut_slice() {
            last.bytes = bytes;
            last.rate = (bytes - before.bytes) as f64 / (last.t_s - before.t_s);
            last.rate_max = last.rate_max.max(last.rate);
        } else if let Some(first) = self.points.first_mut() {
            first.bytes = bytes;
        }
    }

    fn merge_into_last(&mut self, next: Point) {
        if let [.., before, last] = self.points.as_mut_slice() {
            *last = merged(before, last, &next);
        }
    }

    /// Merges neighbours where there is no room for more.
    fn thin(&mut self) {
        if let Some(thinned) = thinned(&self.points, self.max_points, |point| point.t_s, merged) {
            self.points = thinned.kept;
            self.close_from_s = thinned.close_from_s;
            self.min_span_s = thinned.close_s;
        }
    }
}

impl Default for Series {
    fn default() -> Self {
        Self::new()
    }
}

/// Merges the spans of two neighbours into one point. The first span begins at the point `before`.
fn merged(before: &Point, first: &Point, second: &Point) -> Point {
    Point {
        rate: (second.bytes - before.bytes) as f64 / (second.t_s - before.t_s),
        rate_min: first.rate_min.min(second.rate_min),
        rate_max: first.rate_max.max(second.rate_max),
        ..*second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steady(samples: u32, step_s: f64, bytes_per_step: u64) -> Series {
        let mut series = Series::new();
        for i in 0..=samples {
            series.push(f64::from(i) * step_s, u64::from(i) * bytes_per_step);
        }
        series
    }

    #[test]
    fn an_empty_series_has_no_rate() {
        let series = Series::new();
        assert_eq!((series.mean(), series.bytes(), series.end_s()), (0.0, 0, 0.0));
    }

    #[test]
    fn a_few_samples_stay_as_they_are() {
        let series = steady(80, 0.001, 5_000_000);
        assert_eq!(series.points().len(), 81);
        assert_eq!(series.bytes(), 400_000_000);
        assert!((series.mean() - 5e9).abs() < 1.0);
    }

    #[test]
    fn ten_hours_fit_and_keep_their_ends() {
        let series = steady(720_000, 0.05, 1_000_000);
        assert!(series.points().len() <= Series::MAX_POINTS, "{}", series.points().len());
        assert!(
            series.points().len() > Series::MAX_POINTS / 8,
            "{}",
            series.points().len()
        );
        assert_eq!((series.points()[0].t_s, series.points()[0].bytes), (0.0, 0));
        assert_eq!((series.end_s(), series.bytes()), (36_000.0, 720_000_000_000));
        assert!((series.mean() - 20e6).abs() < 1.0);
        for pair in series.points().windows(2) {
            assert!(pair[0].t_s < pair[1].t_s && pair[0].bytes <= pair[1].bytes);
            assert!((pair[1].rate - 20e6).abs() < 1.0);
        }
    }

    #[test]
    fn merging_keeps_the_slowest_and_the_fastest_rate() {
        let mut series = Series::new();
        let (mut bytes, mut t_s) = (0, 0.0);
        series.push(t_s, bytes);
        for i in 0..100_000 {
            t_s += 0.001;
            bytes += match i {
                50_000 => 9_000_000,
                70_000 => 0,
                _ => 1_000_000,
            };
            series.push(t_s, bytes);
        }
        let fastest = series.points().iter().map(|point| point.rate_max).fold(0.0, f64::max);
        let slowest = series.points()[1..]
            .iter()
            .map(|point| point.rate_min)
            .fold(f64::MAX, f64::min);
        assert!((fastest - 9e9).abs() < 1e6, "{fastest}");
        assert!(slowest.abs() < 1e-6, "{slowest}");
    }

    #[test]
    fn a_stall_brings_the_rate_to_zero() {
        let series = steady(100, 0.01, 10_000_000);
        assert!((series.rate_before(1.0, 0.25) - 1e9).abs() < 1.0);
        assert!(series.rate_before(1.1, 0.25) < 0.7e9);
        assert!(series.rate_before(2.0, 0.25).abs() < 1e-9);
    }

    #[test]
    fn time_that_stands_still_or_runs_back_adds_bytes_only() {
        let mut series = Series::new();
        series.push(0.0, 0);
        series.push(1.0, 100);
        series.push(1.0, 300);
        series.push(0.5, 400);
        series.push(f64::NAN, 900);
        assert_eq!(series.points().len(), 2);
        assert_eq!(
            (series.bytes(), series.end_s(), series.points()[1].rate),
            (400, 1.0, 400.0)
        );
    }

    #[test]
    fn a_pause_is_in_no_mean_and_in_the_time() {
        let mut series = steady(100, 0.01, 10_000_000);
        series.set_paused(1.0, true);
        series.push(21.0, 1_000_000_000);
        series.set_paused(41.0, false);
        for i in 1..=100_u32 {
            series.push(41.0 + f64::from(i) * 0.01, 1_000_000_000 + u64::from(i) * 10_000_000);
        }
        assert!((series.mean() - 1e9).abs() < 1.0, "{}", series.mean());
        assert!((series.mean_until(30.0) - 1e9).abs() < 1.0);
        assert!((series.paused_s() - 40.0).abs() < 1e-9 && (series.end_s() - 42.0).abs() < 1e-9);
        assert!(series.rate_before(30.0, 1.0).abs() < 1e-9, "nothing moves");
    }

    proptest! {
        #[test]
        fn thinning_loses_neither_bytes_nor_time_nor_pauses(
            steps in prop::collection::vec((1_u32..2000, 0_u64..5_000_000, prop::bool::weighted(0.02)), 1..20_000)
        ) {
            let mut series = Series::new();
            let (mut t_s, mut bytes, mut paused, mut active_s) = (0.5, 0, false, 0.0);
            series.push(t_s, bytes);
            for (microseconds, more, toggles) in steps {
                if toggles {
                    paused = !paused;
                    series.set_paused(t_s, paused);
                }
                let step_s = f64::from(microseconds) * 1e-6;
                t_s += step_s;
                bytes += if paused { 0 } else { more };
                active_s += if paused { 0.0 } else { step_s };
                series.push(t_s, bytes);
            }
            prop_assert!(series.points().len() <= Series::MAX_POINTS);
            prop_assert_eq!(series.bytes(), bytes);
            prop_assert!((series.end_s() - t_s).abs() < 1e-9);
            prop_assert!((series.active_s() - active_s).abs() < 1e-6, "{} {}", series.active_s(), active_s);
            prop_assert!((series.active_s() + series.paused_s() - (t_s - 0.5)).abs() < 1e-6);
            let mean = if active_s > 0.0 { bytes as f64 / active_s } else { 0.0 };
            prop_assert!((series.mean() - mean).abs() <= mean * 1e-6 + 1e-6);
            for pair in series.points().windows(2) {
                prop_assert!(pair[0].active_s <= pair[1].active_s && pair[0].bytes <= pair[1].bytes);
            }
        }
    }

    #[test]
    fn bytes_between_two_points_follow_the_rate() {
        let series = steady(2, 1.0, 100);
        assert_eq!(
            (series.bytes_at(-1.0), series.bytes_at(0.5), series.bytes_at(9.0)),
            (0.0, 50.0, 200.0)
        );
    }

    #[test]
    fn a_dense_beginning_and_sparse_rest_become_even() {
        let mut series = Series::new();
        let mut t_s = 0.0;
        for i in 0..200_000_u64 {
            series.push(t_s, i * 1000);
            t_s += if t_s < 1.0 { 0.001 } else { 0.05 };
        }
        let within = |from_s: f64, to_s: f64| {
            let points = series.points().iter();
            points.filter(|point| (from_s..to_s).contains(&point.t_s)).count()
        };
        // The last minute is closer.
        let end_s = series.end_s() - 130.0;
        let (older, newer) = (within(0.0, end_s / 2.0), within(end_s / 2.0, end_s));
        assert!(older * 3 > newer && newer * 3 > older, "{older} {newer}");
        assert!(within(series.end_s() - 60.0, f64::INFINITY) > 500);
        assert!(series.spacing_s(end_s + 120.0) < 0.15 && series.spacing_s(0.0) > 5.0);
    }
}
