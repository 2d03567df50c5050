//! The figures of a transfer as they are drawn: rates, time left, and where the rate axis ends.

use super::super::axes::time_end;
use super::super::curves::{CurvePoint, Extent, bin_s, finest_bin_s, highest, rate_runs};
use super::super::format::RateUnit;
use super::{ItemNumbers, Pause, Phase, Row};
use crate::array::ArrayMeta;
use crate::transfer::Side;

/// CPU time is put in seconds a gigabyte where at least so many bytes moved: that of fewer is beginning and ending.
const CPU_BYTES_MIN: u64 = 10_000_000;

/// A limit lets bytes go at steps of ten milliseconds: of ten of them, one more or less is hardly seen.
const BURSTS_S: f64 = 0.1;

/// What stands in the numbers row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// The rate now, in bytes a second.
    pub now: f64,
    /// The rate since the beginning without the pauses; where it repeats, the median of the rounds that are done.
    pub mean: f64,
    /// The highest rate of either end as it is drawn with all of the time in view.
    pub peak: f64,
    /// The length of the spans that it is drawn with, in seconds.
    pub peak_bin_s: f64,
    /// The unit in which rates of this transfer are shown, wherever that is: that of the highest.
    pub(crate) unit: RateUnit,
    /// Bytes of this round.
    pub done: u64,
    /// Bytes of one round, where known.
    pub total: Option<u64>,
    /// How far a tree is, counted in items.
    pub(crate) items: Option<ItemNumbers>,
    /// Time left, in seconds; `None` where it cannot be known.
    pub left_s: Option<f64>,
    /// CPU time of the data threads here for a gigabyte.
    pub cpu_s_per_gb: Option<f64>,
    /// Time since the transfer's clock began.
    pub elapsed_s: f64,
    /// What the mean is over: without connecting and without pauses, as in a terminal.
    pub took_s: f64,
}

/// The axis falls only after what was high has been out of sight for so long.
const FALLS_AFTER_S: f64 = 3.0;
/// After twice this long it has all but come to its new end.
const EASING_S: f64 = 0.07;

/// Where the rate axis of a row ends. It grows at once and falls late, and both gently where it is drawn often.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateAxis {
    /// Where it is going to end, in bytes a second; 0 before there was a rate.
    pub top: f64,
    /// Where it ends now, on its way there.
    pub shown: f64,
    /// The spans that were drawn then, in seconds.
    bin_s: f64,
    /// Since when less would do, on the window's clock.
    lower_since_s: Option<f64>,
    /// When it was drawn last, on the window's clock.
    at_s: f64,
}

impl RateAxis {
    /// The axis at `now_s` for a curve that wants `top` and is drawn with spans of `bin_s`. Where it is not to move, it
    /// is there at once.
    #[must_use]
    pub fn follow(self, top: f64, bin_s: f64, now_s: f64, moves: bool) -> Self {
        let is_new = self.top <= 0.0 || !moves || bin_s.total_cmp(&self.bin_s).is_ne();
        let since_s = self.lower_since_s.unwrap_or(now_s);
        let (top, lower_since_s) = if is_new || top >= self.top || now_s - since_s >= FALLS_AFTER_S {
            (top, None)
        } else {
            (self.top, Some(since_s))
        };
        let passed_s = (now_s - self.at_s).max(0.0);
        let shown = self.shown + (top - self.shown) * (1.0 - (-passed_s / EASING_S).exp());
        let is_there = !moves || self.shown <= 0.0 || (shown - top).abs() <= top * 0.005;
        Self {
            top,
            shown: if is_there { top } else { shown },
            bin_s,
            lower_since_s,
            at_s: now_s,
        }
    }
}

impl Row {
    /// The figures as they are at `now_s` on the window's clock.
    #[must_use]
    pub fn numbers(&self, now_s: f64) -> Numbers {
        let end = self.main_end();
        let series = &end.series;
        let total = self.total_bytes();
        let elapsed_s = self.elapsed_end_s();
        let done = self.done_bytes();
        let silence_s = self.silence_s(now_s);
        let is_transferring = self.has_rate();
        let now = self.rate_now(now_s);
        // What lies ahead is as fast as the last moments were, and no faster than the limit that is set now.
        let lately = series
            .rate_before(series.end_s() + silence_s, (elapsed_s / 2.0).clamp(0.05, 1.5))
            .min(self.slowest_bytes_per_s().map_or(f64::INFINITY, |limit| limit as f64));
        let mean = self.mean_bytes_per_s();
        let left_s = match total {
            Some(total) if is_transferring && !self.repeats() && lately > 0.0 && now > 0.0 => {
                Some(total.saturating_sub(done) as f64 / lately)
            }
            _ => None,
        };
        let cpu_s: f64 = [&self.sender, &self.receiver]
            .iter()
            .map(|end| end.base_cpu_s + end.counters.cpu_s())
            .sum();
        let moved = series.bytes();
        let took_s = match &end.finished {
            Some(finished) if mean > 0.0 && !self.repeats() && self.tries.broken == 0 => {
                finished.moved_bytes() as f64 / mean
            }
            _ => series.active_s(),
        };
        let peak = self.peak().unwrap_or(mean);
        Numbers {
            unit: self.scale.unit(peak.max(mean)),
            now,
            mean,
            peak,
            peak_bin_s: self.bin_s(),
            done,
            total,
            left_s,
            cpu_s_per_gb: (cpu_s > 0.0 && moved >= CPU_BYTES_MIN).then(|| cpu_s / (moved as f64 / 1e9)),
            elapsed_s,
            items: self.item_numbers(silence_s, took_s),
            took_s,
        }
    }

    /// Bytes of one round, where known.
    #[must_use]
    pub(crate) fn total_bytes(&self) -> Option<u64> {
        let told = self.main_end().started.as_ref().and_then(|started| started.total_bytes);
        let meta = self.recipe().and_then(|recipe| recipe.meta.as_ref());
        told.or(meta.map(ArrayMeta::byte_len))
    }

    /// Bytes of this round so far, and those that were there before it.
    #[must_use]
    pub(crate) fn done_bytes(&self) -> u64 {
        if self.tries.broken > 0 && !self.tries.has_started {
            return self.tries.kept_bytes;
        }
        let end = self.main_end();
        let there = end.started.as_ref().map_or(0, |started| started.resumed_bytes);
        let moved = end.series.bytes().saturating_sub(end.base_bytes);
        // Where the source has other bytes now, what was there moves once more.
        self.total_bytes()
            .map_or(moved, |total| total.min(there.saturating_add(moved)).max(moved))
    }

    /// The rate at `now_s` on the window's clock, in bytes a second; 0 where none moves.
    #[must_use]
    pub(crate) fn rate_now(&self, now_s: f64) -> f64 {
        if !self.has_rate() {
            return 0.0;
        }
        // Rounds are short and begin one after the other: their rate is that of the last few.
        let window_s = if self.rounds > 0 {
            2.0
        } else {
            (self.elapsed_end_s() / 4.0).clamp(0.02, 0.5)
        };
        let series = &self.main_end().series;
        series.rate_before(series.end_s() + self.silence_s(now_s), window_s)
    }

    /// For how long nothing has been heard of it, in seconds. Samples are at most 50 ms apart and a frame late; a silence
    /// longer than that is a standstill.
    fn silence_s(&self, now_s: f64) -> f64 {
        (now_s - self.last_event_s - 0.15).max(0.0)
    }

    /// The rate that the whole of what is done, or of the rounds that are done, came to: a ceiling below it is none.
    #[must_use]
    pub(crate) fn beaten_bytes_per_s(&self) -> f64 {
        if self.is_over() || self.rounds > 0 {
            self.mean_bytes_per_s()
        } else {
            0.0
        }
    }

    /// A rate of this transfer, in the unit of all its rates.
    #[must_use]
    pub(crate) fn rate_unit(&self) -> RateUnit {
        self.numbers(0.0).unit
    }

    /// The length of the spans that rates are drawn with while all of the time is in view.
    #[must_use]
    pub fn bin_s(&self) -> f64 {
        self.bin_between_s(0.0, time_end(self.elapsed_end_s(), !self.is_over()))
    }

    /// The length of the spans that rates are drawn with between two times.
    #[must_use]
    pub fn bin_between_s(&self, from_s: f64, to_s: f64) -> f64 {
        bin_s(to_s - from_s, self.finest_bin_s(from_s, to_s))
    }

    /// The shortest span that says anything about a rate between two times, in seconds. Of a part of them it is never
    /// longer.
    #[must_use]
    pub(crate) fn finest_bin_s(&self, from_s: f64, to_s: f64) -> f64 {
        let is_in_view =
            |(begin_s, end_s): (f64, Option<f64>)| begin_s <= to_s && end_s.is_none_or(|end_s| end_s >= from_s);
        let smooth_s = if self.limited_s.is_some_and(is_in_view) {
            (self.elapsed_end_s() / 10.0).min(BURSTS_S)
        } else {
            0.0
        };
        let finest = |side: &Side| {
            let end = self.end(*side);
            let chunk_bytes = end.started.as_ref().map_or(0, |started| started.chunk_bytes);
            finest_bin_s(&end.series, chunk_bytes as u64, from_s)
        };
        self.sides().iter().map(finest).fold(smooth_s, f64::max)
    }

    /// The rate of an end between two times as it is drawn, in the runs between pauses.
    #[must_use]
    pub(crate) fn rate_runs(&self, side: Side, from_s: f64, to_s: f64) -> Vec<Vec<CurvePoint>> {
        let bin_s = self.bin_between_s(from_s, to_s);
        let series = &self.end(side).series;
        let pauses = self.pauses_between(from_s, to_s);
        rate_runs(series, self.extent(), &pauses, (from_s, to_s), bin_s)
    }

    /// The pauses between two times that are long enough to be seen beside the spans that rates are drawn with.
    #[must_use]
    pub(crate) fn pauses_between(&self, from_s: f64, to_s: f64) -> Vec<Pause> {
        let least_s = self.bin_between_s(from_s, to_s) / 4.0;
        let pauses = self.marks().pauses().iter().copied();
        let is_seen = |pause: &Pause| {
            pause.from_s <= to_s
                && pause
                    .to_s
                    .is_none_or(|end_s| end_s >= from_s && end_s - pause.from_s >= least_s)
        };
        pauses.filter(is_seen).collect()
    }

    /// Both ends are drawn with the same spans.
    fn extent(&self) -> Extent {
        Extent::of(self.sides().iter().map(|side| &self.end(*side).series), !self.is_over())
    }

    /// The slowest of the limit and both paces.
    pub(super) fn slowest_bytes_per_s(&self) -> Option<u64> {
        let set = [
            self.limit_bytes_per_s,
            self.writer_pace_bytes_per_s,
            self.reader_pace_bytes_per_s,
        ];
        set.into_iter().flatten().min()
    }

    /// The highest rate that is drawn while all of the time is in view; nothing where nothing is drawn yet.
    fn peak(&self) -> Option<f64> {
        let end_s = time_end(self.elapsed_end_s(), !self.is_over());
        let runs = [Side::Sender, Side::Receiver].map(|side| self.rate_runs(side, 0.0, end_s));
        runs.iter().flatten().map(|run| highest(run)).reduce(f64::max)
    }

    /// How much of this round is done, from 0 to 1.
    #[must_use]
    pub fn share_done(&self) -> f64 {
        let (end, done) = (self.main_end(), self.done_bytes());
        match (
            &self.phase,
            end.started.as_ref().and_then(|started| started.total_bytes),
        ) {
            (Phase::Done { .. }, _) => 1.0,
            // Rounds come and go too fast to be followed.
            _ if self.rounds > 0 => 1.0,
            _ if self.is_tree() => self.items().map_or(0.0, |items| {
                items.settled() as f64 / items.known.max(items.settled()).max(1) as f64
            }),
            (_, Some(total)) if total > 0 => (done as f64 / total as f64).min(1.0),
            _ => 0.0,
        }
    }
}
