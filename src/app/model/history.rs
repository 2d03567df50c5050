//! From a series to what a plot draws: at most so many points as there is room for, whatever the length.

use crate::telemetry::{Point, Series};

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// Seconds since the transfer's clock began.
    pub t_s: f64,
    /// What is drawn: a rate in bytes a second, or bytes.
    pub value: f64,
}

/// The rate between `from_s` and `to_s`, with spans shorter than a `buckets`-th of that drawn as one: bytes over time,
/// so that the area under the curve stays the bytes moved. At most `2 * buckets + 4` points.
#[must_use]
pub fn rate_curve(series: &Series, from_s: f64, to_s: f64, buckets: usize) -> Vec<Drawn> {
    let width_s = (to_s - from_s) / buckets.max(1) as f64;
    let mut curve = Vec::with_capacity(2 * buckets + 4);
    let visible = visible(series, from_s, to_s);
    let Some((mut begin, rest)) = visible.split_first() else {
        return curve;
    };
    let long_s = 4.0 * width_s.max(typical_span_s(visible));
    let mut before = begin;
    for (i, point) in rest.iter().enumerate() {
        let is_last = i + 1 == rest.len();
        if point.t_s - begin.t_s < width_s && !is_last {
            continue;
        }
        // What is left over at the end belongs to the span before it: alone it would be a spike.
        if is_last && point.t_s - begin.t_s < width_s * 0.75 && begin.t_s - before.t_s <= long_s && curve.len() > 2 {
            curve.pop();
            begin = before;
        }
        let span_s = point.t_s - begin.t_s;
        let value = if span_s > 0.0 {
            (point.bytes - begin.bytes) as f64 / span_s
        } else {
            point.rate
        };
        // A curve begins level, and a long span (a pause, a stall) is drawn as long as it was.
        if curve.is_empty() || span_s > long_s {
            curve.push(Drawn { t_s: begin.t_s, value });
        }
        curve.push(Drawn { t_s: point.t_s, value });
        (before, begin) = (begin, point);
    }
    curve
}

/// The mean since the first point, at the times of the points of `curve`.
#[must_use]
pub fn mean_curve(series: &Series, curve: &[Drawn]) -> Vec<Drawn> {
    let Some(first) = series.points().first() else {
        return Vec::new();
    };
    curve
        .iter()
        .filter(|drawn| drawn.t_s > first.t_s)
        .map(|drawn| Drawn {
            t_s: drawn.t_s,
            value: (series.bytes_at(drawn.t_s) - first.bytes as f64) / (drawn.t_s - first.t_s),
        })
        .collect()
}

/// The bytes moved between `from_s` and `to_s`: at most `2 * buckets + 4` points, the last one exact.
#[must_use]
pub fn bytes_curve(series: &Series, from_s: f64, to_s: f64, buckets: usize) -> Vec<Drawn> {
    let width_s = (to_s - from_s) / buckets.max(1) as f64;
    let mut curve: Vec<Drawn> = Vec::with_capacity(2 * buckets + 4);
    let visible = visible(series, from_s, to_s);
    let mut skipped: Option<Drawn> = None;
    for point in visible {
        let drawn = Drawn {
            t_s: point.t_s,
            value: point.bytes as f64,
        };
        if curve.last().is_some_and(|last| drawn.t_s - last.t_s < width_s) {
            skipped = Some(drawn);
            continue;
        }
        // The corner before a long level stretch.
        if let (Some(corner), Some(last)) = (skipped.take(), curve.last())
            && drawn.t_s - last.t_s > 2.0 * width_s
        {
            curve.push(corner);
        }
        curve.push(drawn);
    }
    curve.extend(skipped);
    curve
}

/// The end of an axis and the step between its lines: 2, 4, 6, 8 rather than 1.7, 3.4.
#[must_use]
pub fn nice_top(highest: f64) -> (f64, f64) {
    if !highest.is_finite() || highest <= 0.0 {
        return (1.0, 0.25);
    }
    let step = nice_step(highest * 1.05 / 5.5);
    let steps = (highest * 1.05 / step).ceil().max(1.0);
    (steps * step, step)
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `least`.
#[must_use]
pub fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// The end of a time axis that has to hold `elapsed_s` and leaves room to grow into while it runs.
#[must_use]
pub fn time_end(elapsed_s: f64, is_running: bool) -> f64 {
    if !is_running {
        return elapsed_s.max(1e-3);
    }
    // Grows by a third at a time, so that the curve rarely jumps and never fills less than half of the width.
    let mut end_s = 0.1;
    while end_s < elapsed_s * 1.02 {
        end_s *= 4.0 / 3.0;
    }
    end_s
}

/// The points between two times, and one more on either side so that the curve leaves the plot rather than ends.
fn visible(series: &Series, from_s: f64, to_s: f64) -> &[Point] {
    let points = series.points();
    let first = points.partition_point(|point| point.t_s < from_s).saturating_sub(1);
    let last = (points.partition_point(|point| point.t_s <= to_s) + 1).min(points.len());
    points.get(first..last).unwrap_or_default()
}

fn typical_span_s(points: &[Point]) -> f64 {
    match points {
        [first, .., last] => (last.t_s - first.t_s) / (points.len() - 1) as f64,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ten_hours() -> Series {
        let mut series = Series::new();
        for i in 0..720_000_u64 {
            series.push(i as f64 * 0.05, i * 1_000_000);
        }
        series
    }

    #[test]
    fn ten_hours_draw_no_more_points_than_there_is_room_for() {
        let series = ten_hours();
        for buckets in [1, 100, 430] {
            let curve = rate_curve(&series, 0.0, 36_000.0, buckets);
            assert!(curve.len() <= 2 * buckets + 4, "{} of {buckets}", curve.len());
            assert!(bytes_curve(&series, 0.0, 36_000.0, buckets).len() <= 2 * buckets + 4);
            assert!(mean_curve(&series, &curve).len() <= curve.len());
        }
    }

    #[test]
    fn eighty_milliseconds_draw_a_real_curve() {
        let mut series = Series::new();
        for i in 0..=80_u32 {
            series.push(f64::from(i) * 0.001, u64::from(i * i) * 62_500);
        }
        let curve = rate_curve(&series, 0.0, 0.1, 430);
        assert_eq!(curve.len(), 81);
        assert!(curve.windows(2).skip(1).all(|pair| pair[0].value < pair[1].value));
        assert_eq!(
            bytes_curve(&series, 0.0, 0.1, 430).last().map(|drawn| drawn.value),
            Some(4e8)
        );
    }

    #[test]
    fn what_is_left_over_at_the_end_is_no_spike() {
        let mut series = Series::new();
        for i in 0..=100_u32 {
            series.push(f64::from(i) * 0.01, u64::from(i) * 1000);
        }
        series.push(1.000_1, 101_000);
        let curve = rate_curve(&series, 0.0, 1.000_1, 20);
        assert!(curve.iter().all(|drawn| drawn.value < 130_000.0), "{curve:?}");
        assert!((curve.last().unwrap().t_s - 1.000_1).abs() < 1e-9);
    }

    #[test]
    fn a_pause_is_drawn_as_long_as_it_was() {
        let mut series = Series::new();
        for i in 0..=100_u32 {
            series.push(f64::from(i) * 0.01, u64::from(i) * 1000);
        }
        series.push(4.0, 100_000);
        series.push(4.01, 101_000);
        let curve = rate_curve(&series, 0.0, 5.0, 100);
        assert!(
            curve.contains(&Drawn { t_s: 1.0, value: 0.0 }) && curve.contains(&Drawn { t_s: 4.0, value: 0.0 }),
            "{curve:?}"
        );
    }

    #[test]
    fn an_empty_series_and_an_empty_window_draw_nothing() {
        assert!(rate_curve(&Series::new(), 0.0, 1.0, 100).is_empty());
        assert!(rate_curve(&ten_hours(), 50_000.0, 60_000.0, 100).len() <= 2);
        assert!(bytes_curve(&Series::new(), 0.0, 1.0, 100).is_empty());
    }

    #[test]
    fn axes_end_at_a_whole_number_of_nice_steps() {
        for highest in [6.4e9, 5.0e9, 9.9e8, 3.9, 1.0, 0.98, 11.5, 74.6, 1e-3] {
            let (top, step) = nice_top(highest);
            assert!(top >= highest && top <= highest * 1.5, "{highest} {top}");
            let steps = top / step;
            assert!(
                (steps - steps.round()).abs() < 1e-9 && steps < 6.5,
                "{highest} {top} {step}"
            );
            let again = top / nice_step(top / 6.01);
            assert!((again - again.round()).abs() < 1e-9, "{highest} {top}");
        }
        assert_eq!(nice_top(0.0), (1.0, 0.25));
        assert_eq!(nice_top(6.4e9), (8e9, 2e9));
    }

    #[test]
    fn a_running_time_axis_leaves_room_and_a_finished_one_none() {
        for elapsed_s in [0.0, 0.05, 1.0, 12.0, 36_000.0] {
            let end_s = time_end(elapsed_s, true);
            assert!(
                end_s >= elapsed_s && end_s <= (elapsed_s * 1.5).max(0.1),
                "{elapsed_s} {end_s}"
            );
        }
        assert!((time_end(12.3, false) - 12.3).abs() < 1e-9);
    }
}
