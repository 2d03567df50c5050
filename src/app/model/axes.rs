//! The axes of a plot: where they begin and end, and what stands along them.

use super::curves::TimeSpan;
use super::plot_view::{Period, Scale};
use super::row::Row;

/// A time axis that grows is stretched once so much of it is full.
const FULL: f64 = 0.88;
/// By so much.
const STRETCH: f64 = 1.25;
/// A logarithmic axis has at most so many decades.
const DECADES_MAX: f64 = 4.0;
/// The highest line of an axis is so far below its end, so that its number is not cut off.
const HEADROOM: f64 = 1.06;

/// A line across a plot, and the number beside it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// Where it is.
    pub value: f64,
    /// What is written there.
    pub label: String,
}

/// The part of a row's time that is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "a unit is part of a name")]
pub(crate) struct TimeAxis {
    /// Its beginning, in seconds.
    pub from_s: f64,
    /// Its end, in seconds.
    pub to_s: f64,
    /// All that can be looked at ends there, in seconds.
    whole_to_s: f64,
}

impl TimeAxis {
    /// All of the time of something that is over, of so many seconds.
    #[must_use]
    pub(crate) fn until(to_s: f64) -> Self {
        Self {
            from_s: 0.0,
            to_s,
            whole_to_s: to_s,
        }
    }

    /// The axis of a row at `now_s` on the window's clock: what someone looks at closely, or else the period, which
    /// follows what runs.
    #[must_use]
    pub(crate) fn of(row: &Row, period: Period, now_s: f64) -> Self {
        let is_running = !row.is_over();
        let live_s = row.live_s(now_s);
        let end_s = time_end(live_s, is_running);
        let shown = match (row.zoom, period.length_s()) {
            (Some(zoom), _) => zoom,
            (None, Some(length_s)) if live_s > length_s * FULL => TimeSpan {
                from_s: live_s - length_s * FULL,
                to_s: live_s + length_s * (1.0 - FULL),
            },
            (None, _) => TimeSpan {
                from_s: 0.0,
                to_s: end_s,
            },
        };
        let shown = match shown {
            // Nothing is to come: the period is all of it.
            TimeSpan { from_s, to_s } if !is_running && to_s > end_s => TimeSpan {
                from_s: (from_s - (to_s - end_s)).max(0.0),
                to_s: end_s,
            },
            shown => shown,
        };
        Self {
            from_s: shown.from_s,
            to_s: shown.to_s,
            whole_to_s: end_s.max(shown.to_s),
        }
    }

    /// Its length, in seconds.
    #[must_use]
    pub(crate) fn length_s(&self) -> f64 {
        self.to_s - self.from_s
    }

    /// The part of the axis around `centre_s` that is `factor` times as long, kept inside of the whole; `None` is the
    /// whole.
    #[must_use]
    pub(crate) fn zoomed(&self, factor: f64, centre_s: f64, shift_s: f64) -> Option<TimeSpan> {
        let length_s = (self.length_s() * factor).clamp(self.whole_to_s * 1e-4, self.whole_to_s);
        let before = (centre_s - self.from_s) / self.length_s();
        let from_s = (centre_s - before * length_s + shift_s).clamp(0.0, self.whole_to_s - length_s);
        let to_s = from_s + length_s;
        (length_s < self.whole_to_s * 0.999).then_some(TimeSpan { from_s, to_s })
    }

    fn unit(&self) -> (f64, &'static str) {
        match self.to_s {
            s if s <= 1.0 => (1e-3, "ms"),
            s if s <= 300.0 => (1.0, "s"),
            s if s <= 3.0 * 3600.0 => (60.0, "min"),
            _ => (3600.0, "h"),
        }
    }

    /// A time on this axis, with its unit.
    #[must_use]
    pub(crate) fn label(&self, t_s: f64, step_s: f64) -> String {
        let (scale, unit) = self.unit();
        format!("{} {unit}", decimals(t_s / scale, step_s / scale))
    }

    /// A time on this axis with as many decimals as tell one pixel from the next, with its unit.
    #[must_use]
    pub(crate) fn exact_label(&self, t_s: f64) -> String {
        self.label(t_s, self.step_s(1000.0))
    }

    /// The step of at most `count` times along it, in seconds: a nice one in the unit that is written.
    fn step_s(&self, count: f64) -> f64 {
        let (scale, _) = self.unit();
        nice_step(self.length_s() / count.max(1.0) / scale) * scale
    }

    /// At most `count` times along it. The first one has the unit.
    #[must_use]
    pub(crate) fn ticks(&self, count: f64) -> Vec<Tick> {
        let (scale, _) = self.unit();
        let step_s = self.step_s(count);
        let mut ticks = Vec::new();
        let mut index = (self.from_s / step_s - 1e-6).ceil();
        while index * step_s <= self.to_s + step_s * 1e-6 {
            let value = index * step_s;
            let label = if ticks.is_empty() {
                self.label(value, step_s)
            } else {
                decimals(value / scale, step_s / scale)
            };
            ticks.push(Tick { value, label });
            index += 1.0;
        }
        ticks
    }
}

/// The value axis of a plot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ValueAxis {
    /// What the highest line stands for.
    top: f64,
    /// What a logarithmic axis begins with; `None` on a linear one, which begins with zero.
    bottom: Option<f64>,
}

impl ValueAxis {
    /// An axis with its highest line at `top`. One that is logarithmic begins below `lowest`, the lowest value above
    /// zero, as far as a few decades go.
    #[must_use]
    pub(crate) fn new(scale: Scale, top: f64, lowest: f64) -> Self {
        let bottom = match scale {
            Scale::Linear => None,
            Scale::Log => {
                let wanted = if lowest > 0.0 { lowest.min(top) } else { top };
                let decade = 10_f64.powf(wanted.log10().floor());
                let least = 10_f64.powf(top.log10().ceil() - DECADES_MAX);
                Some(decade.min(top / 10.0).max(least))
            }
        };
        Self { top, bottom }
    }

    /// The value at the upper end of the plot, a little above the highest line.
    #[must_use]
    pub(crate) fn end(&self) -> f64 {
        self.value(1.0)
    }

    /// How high a value stands: 0 on the axis, 1 at the upper end. What a logarithmic axis cannot show is on the axis.
    #[must_use]
    pub(crate) fn part(&self, value: f64) -> f64 {
        match self.bottom {
            None => value / (self.top * HEADROOM),
            Some(bottom) if value <= bottom => 0.0,
            Some(bottom) => (value / bottom).ln() / ((self.top / bottom).ln() * HEADROOM),
        }
    }

    /// The value that stands so high.
    #[must_use]
    pub(crate) fn value(&self, part: f64) -> f64 {
        match self.bottom {
            None => part * self.top * HEADROOM,
            Some(bottom) => bottom * ((self.top / bottom).ln() * HEADROOM * part).exp(),
        }
    }

    /// At most about `count` lines across the plot; their numbers are divided by `scale`.
    #[must_use]
    pub(crate) fn ticks(&self, scale: f64, count: f64) -> Vec<Tick> {
        let Some(bottom) = self.bottom else {
            // Round in the unit of the labels, of which a binary one has no round number of others.
            let top = self.top / scale;
            let step = nice_step(top / count.max(1.0) * 0.999);
            let mut ticks = Vec::new();
            let mut index = 0.0;
            while index * step <= top * 1.000_001 {
                let label = decimals(index * step, step);
                let value = index * step * scale;
                ticks.push(Tick { value, label });
                index += 1.0;
            }
            return ticks;
        };
        let decades = (self.top / bottom).log10();
        let factors: &[f64] = match count / decades {
            many if many >= 3.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let mut ticks = Vec::new();
        let is_on_axis = |value: f64| (bottom * 0.999_999..=self.top * 1.000_001).contains(&value);
        let mut decade = scale * 10_f64.powf((bottom / scale).log10().floor());
        while decade <= self.top * 1.000_001 {
            for value in factors
                .iter()
                .map(|factor| factor * decade)
                .filter(|value| is_on_axis(*value))
            {
                let label = decimals(value / scale, value / scale);
                ticks.push(Tick { value, label });
            }
            decade *= 10.0;
        }
        ticks
    }
}

/// A number with as many decimals as tell one step from the next.
#[must_use]
pub(crate) fn decimals(value: f64, step: f64) -> String {
    if value.abs() < step.abs() * 1e-6 {
        return "0".to_owned();
    }
    let mut digits = 0;
    let mut shown = step.abs();
    while digits < 6 && (shown - shown.round()).abs() > shown * 1e-6 {
        digits += 1;
        shown *= 10.0;
    }
    format!("{value:.digits$}")
}

/// The end of an axis and the step between its lines: 2, 4, 6, 8 rather than 1.7, 3.4.
#[must_use]
pub(crate) fn nice_top(highest: f64) -> (f64, f64) {
    if !highest.is_finite() || highest <= 0.0 {
        return (1.0, 0.25);
    }
    let step = nice_step(highest * 1.05 / 5.5);
    let steps = (highest * 1.05 / step).ceil().max(1.0);
    (steps * step, step)
}

/// The smallest of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `least`.
#[must_use]
pub(crate) fn nice_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= least * 0.999_999)
        .unwrap_or(10.0 * power)
}

/// The end of a time axis that has to hold `elapsed_s` and leaves room to grow into while it runs.
#[must_use]
pub(crate) fn time_end(elapsed_s: f64, is_running: bool) -> f64 {
    if !is_running {
        return elapsed_s.max(1e-3);
    }
    // In steps, so that what is drawn keeps its place nearly always.
    let mut end_s = 0.1;
    while end_s * FULL < elapsed_s {
        end_s *= STRETCH;
    }
    end_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(from_s: f64, to_s: f64, whole_to_s: f64) -> TimeAxis {
        TimeAxis {
            from_s,
            to_s,
            whole_to_s,
        }
    }

    fn span(from_s: f64, to_s: f64) -> TimeSpan {
        TimeSpan { from_s, to_s }
    }

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn zooming_keeps_what_is_under_the_pointer_and_stays_inside() {
        let TimeSpan { from_s, to_s } = axis(0.0, 10.0, 10.0).zoomed(0.5, 4.0, 0.0).unwrap();
        assert!((from_s - 2.0).abs() < 1e-9 && (to_s - 7.0).abs() < 1e-9);
        assert_eq!(axis(2.0, 7.0, 10.0).zoomed(4.0, 4.0, 0.0), None, "all of it");
        assert_eq!(axis(8.0, 10.0, 10.0).zoomed(1.0, 8.0, 5.0), Some(span(8.0, 10.0)));
        assert_eq!(axis(0.0, 2.0, 10.0).zoomed(1.0, 0.0, -5.0), Some(span(0.0, 2.0)));
    }

    #[test]
    fn times_have_the_unit_that_suits_the_axis() {
        assert_eq!(axis(0.0, 0.08, 0.08).label(0.02, 0.02), "20 ms");
        assert_eq!(axis(0.0, 12.0, 12.0).label(2.5, 2.5), "2.5 s");
        assert_eq!(axis(0.0, 1200.0, 1200.0).label(300.0, 300.0), "5 min");
        assert_eq!(axis(0.0, 36_000.0, 36_000.0).label(7200.0, 7200.0), "2 h");
    }

    #[test]
    fn an_exact_time_has_the_decimals_of_its_unit() {
        for (to_s, t_s, label) in [
            (0.08, 0.012_34, "12.3 ms"),
            (12.0, 2.5, "2.50 s"),
            (1200.0, 500.0, "8.33 min"),
            (36_000.0, 12_345.0, "3.43 h"),
        ] {
            assert_eq!(axis(0.0, to_s, to_s).exact_label(t_s), label);
        }
    }

    #[test]
    fn the_first_time_along_an_axis_has_the_unit() {
        assert_eq!(
            labels(&axis(0.0, 3.2, 3.2).ticks(8.0)),
            ["0 s", "0.5", "1.0", "1.5", "2.0", "2.5", "3.0"]
        );
        assert_eq!(
            labels(&axis(12.3, 22.3, 30.0).ticks(4.0)),
            ["12.5 s", "15.0", "17.5", "20.0"]
        );
    }

    #[test]
    fn labels_have_the_decimals_of_their_step() {
        assert_eq!(decimals(2.0, 0.25), "2.00");
        assert_eq!(decimals(2.0, 1.0), "2");
        assert_eq!(decimals(-1e-12, 1.0), "0");
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

    #[test]
    fn a_value_stands_where_its_inverse_says_on_both_axes() {
        for scale in [Scale::Linear, Scale::Log] {
            let axis = ValueAxis::new(scale, 6e9, 3e7);
            for value in [3e7, 1e9, 6e9] {
                assert!((axis.value(axis.part(value)) / value - 1.0).abs() < 1e-9);
            }
            assert!(axis.part(0.0).abs() < 1e-9 && axis.part(axis.end()) > 0.999);
            assert!(axis.part(6e9) < 1.0, "its number has room");
        }
    }

    #[test]
    fn numbers_along_an_axis_are_round_in_their_unit_also_where_that_is_binary() {
        let gib = 1024.0_f64.powi(3);
        let ticks = ValueAxis::new(Scale::Linear, 8e9, 0.0).ticks(gib, 5.0);
        assert_eq!(labels(&ticks), ["0", "2", "4", "6"]);
        assert!((ticks[1].value - 2.0 * gib).abs() < 1.0);
        let ticks = ValueAxis::new(Scale::Log, 8e9, 2e8).ticks(gib, 5.0);
        assert!(labels(&ticks).contains(&"1"), "{:?}", labels(&ticks));
    }

    #[test]
    fn a_logarithmic_axis_has_its_decades_and_not_too_many() {
        let axis = ValueAxis::new(Scale::Log, 6e9, 3e7);
        assert_eq!(labels(&axis.ticks(1e9, 6.0)), ["0.01", "0.1", "1"]);
        let axis = ValueAxis::new(Scale::Log, 6e9, 7e8);
        assert_eq!(labels(&axis.ticks(1e9, 8.0)), ["0.1", "0.2", "0.5", "1", "2", "5"]);
        let axis = ValueAxis::new(Scale::Log, 6e9, 1.0);
        assert_eq!(axis.ticks(1e9, 5.0).len(), 4);
        for (top, lowest) in [(2e9, 1.9e9), (2e9, 3e8), (2.5e9, 1e9), (5e9, 4e9), (3e10, 1.0)] {
            let axis = ValueAxis::new(Scale::Log, top, lowest);
            let ticks = axis.ticks(1e9, 8.0);
            let parts: Vec<f64> = ticks.iter().map(|tick| axis.part(tick.value)).collect();
            assert!(parts.windows(2).all(|pair| pair[1] > pair[0] + 0.05), "{top} {ticks:?}");
            let first = ticks[0].value;
            assert!(
                axis.part(first) > 0.0 || first > axis.value(0.0) * 0.999,
                "{top} {ticks:?}"
            );
        }
        let linear = ValueAxis::new(Scale::Linear, 6e9, 1.0);
        assert_eq!(labels(&linear.ticks(1e9, 7.0)), ["0", "1", "2", "3", "4", "5", "6"]);
        assert_eq!(labels(&linear.ticks(1e9, 3.0)), ["0", "2", "4", "6"]);
    }
}
