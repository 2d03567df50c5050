//! One transfer as the window knows it: folded from its events and from nothing else.

use std::path::PathBuf;

use crate::array::Value;
use crate::error::Fault;
use crate::telemetry::{Bottleneck, Counters, Series};
use crate::transfer::{Event, EventKind, Finished, Outcome, Side, Started, State, TransferId};

use super::format;
use super::history::{Drawn, bin_s, highest, rate_curve, sample_span_s, time_end};
use super::plan::Recipe;
use super::words;

/// Tells rows apart for as long as the window is open; a row that repeats keeps its key.
pub type RowKey = u64;

/// For so long after its end a row is neither removed nor started again: a click or a key that comes then was meant to
/// stop it.
const SETTLING_S: f64 = 0.5;

/// Where a transfer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Asked for; nothing was heard of it yet.
    Starting,
    /// As the engine says.
    Is(State),
    /// Done; whether checksums agreed, where there were any.
    Done {
        /// Whether checksums agreed.
        verified: Option<bool>,
    },
    /// Failed.
    Failed {
        /// Who has to act.
        fault: Fault,
        /// What happened and what to do.
        message: String,
    },
    /// Someone cancelled it.
    Cancelled,
}

/// One end of a transfer.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// Bytes over time.
    pub series: Series,
    /// What it has cost so far.
    pub counters: Counters,
    /// The first elements as this end has them.
    pub preview: Vec<Value>,
    /// What is moved, and how.
    pub started: Option<Started>,
    /// How it ended well.
    pub finished: Option<Finished>,
    /// Bytes of the rounds before this one.
    base_bytes: u64,
    /// CPU seconds of the rounds before this one.
    base_cpu_s: f64,
}

/// What stands in the numbers row.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Numbers {
    /// The rate now, in bytes a second.
    pub now: f64,
    /// The rate since the beginning.
    pub mean: f64,
    /// The highest rate of either end as it is drawn with all of the time in view.
    pub peak: f64,
    /// The length of the spans that it is drawn with, in seconds.
    pub peak_bin_s: f64,
    /// Bytes of this round.
    pub done: u64,
    /// Bytes of one round, where known.
    pub total: Option<u64>,
    /// Time left; nothing where nobody can know.
    pub left_s: Option<f64>,
    /// CPU time of the data threads here for a gigabyte.
    pub cpu_s_per_gb: Option<f64>,
    /// Time since the transfer's clock began.
    pub elapsed_s: f64,
}

/// One transfer.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which row.
    pub key: RowKey,
    /// Which transfer of the engine; nothing before it has begun.
    pub id: Option<TransferId>,
    /// What it does, to do it again.
    pub recipe: Recipe,
    /// Where it is.
    pub phase: Phase,
    /// The limit that is set now.
    pub limit_bytes_per_s: Option<u64>,
    /// How slow the program is made to be that yields the bytes, where the sender is here.
    pub writer_pace_bytes_per_s: Option<u64>,
    /// How slow the program is made to be that takes the bytes, where the receiver is here.
    pub reader_pace_bytes_per_s: Option<u64>,
    /// The address that it listens on.
    pub address: Option<String>,
    /// The file that was published.
    pub path: Option<PathBuf>,
    /// Something to know besides.
    pub note: Option<String>,
    /// How often it was done, where it repeats.
    pub rounds: u32,
    /// The most memory that the process had while it ran.
    pub peak_memory_bytes: Option<u64>,
    /// Whether someone wants it to end with this round.
    pub is_stopping: bool,
    /// Whether each of its rounds begins paused: someone paused it, maybe between two of them.
    pub begins_paused: bool,
    /// What is looked at, in seconds, where someone zoomed in.
    pub zoom_s: Option<(f64, f64)>,
    /// Where the rate axis ends.
    pub rate_axis: RateAxis,
    sender: End,
    receiver: End,
    bottleneck: Bottleneck,
    /// When the row began, on the window's clock.
    began_s: f64,
    /// Where the clock of this round begins on the row's time axis.
    base_s: f64,
    last_event_s: f64,
    /// When it was first seen to be over, on the window's clock.
    over_since_s: Option<f64>,
    /// Whether there ever was a limit: it lets bytes go in small bursts, which a short span would show as peaks.
    was_limited: bool,
}

/// Where the rate axis of a row ends. While it runs the end never falls, unless the spans that are drawn grow longer
/// and what was high is not drawn any more.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateAxis {
    /// Its end, in bytes a second; 0 before there was a rate.
    pub top: f64,
    /// The spans that were drawn then, in seconds.
    pub bin_s: f64,
}

impl RateAxis {
    /// The axis for a curve that wants `top` and is drawn with spans of `bin_s`.
    #[must_use]
    pub fn follow(self, top: f64, bin_s: f64, is_over: bool) -> Self {
        let may_fall = is_over || bin_s.total_cmp(&self.bin_s).is_ne();
        Self {
            top: if may_fall { top } else { top.max(self.top) },
            bin_s,
        }
    }
}

impl Row {
    /// A row for what is about to start.
    #[must_use]
    pub fn new(key: RowKey, recipe: Recipe, now_s: f64) -> Self {
        let was_limited = recipe.options.limit_bytes_per_s.is_some();
        Self {
            key,
            id: None,
            phase: Phase::Starting,
            limit_bytes_per_s: recipe.options.limit_bytes_per_s,
            writer_pace_bytes_per_s: recipe.options.writer_pace_bytes_per_s,
            reader_pace_bytes_per_s: recipe.options.reader_pace_bytes_per_s,
            bottleneck: Bottleneck::new(recipe.what.sides()),
            recipe,
            address: None,
            path: None,
            note: None,
            rounds: 0,
            peak_memory_bytes: None,
            is_stopping: false,
            begins_paused: false,
            zoom_s: None,
            rate_axis: RateAxis::default(),
            over_since_s: None,
            was_limited,
            sender: End::default(),
            receiver: End::default(),
            began_s: now_s,
            base_s: 0.0,
            last_event_s: now_s,
        }
    }

    /// An end of it.
    #[must_use]
    pub fn end(&self, side: Side) -> &End {
        match side {
            Side::Sender => &self.sender,
            Side::Receiver => &self.receiver,
        }
    }

    /// The ends that are here.
    #[must_use]
    pub fn sides(&self) -> &'static [Side] {
        self.recipe.what.sides()
    }

    /// Who was the limit, so far.
    #[must_use]
    pub fn bottleneck(&self) -> &Bottleneck {
        &self.bottleneck
    }

    /// The end whose numbers count: the one that has the bytes for certain.
    #[must_use]
    pub fn main_end(&self) -> &End {
        if self.sides() == [Side::Sender] {
            &self.sender
        } else {
            &self.receiver
        }
    }

    /// Whether it has ended, one way or another; the end of a round that another one follows is none.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.round_is_over() && !self.goes_on()
    }

    /// Whether someone stopped it after it had repeated: an end as good as any.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.recipe.repeat
            && self.is_stopping
            && self.rounds > 0
            && matches!(self.phase, Phase::Done { .. } | Phase::Cancelled)
    }

    /// `148 rounds`.
    #[must_use]
    pub fn rounds_in_words(&self) -> String {
        format!(
            "{} {}",
            format::count(u64::from(self.rounds)),
            if self.rounds == 1 { "round" } else { "rounds" }
        )
    }

    fn round_is_over(&self) -> bool {
        matches!(self.phase, Phase::Done { .. } | Phase::Failed { .. } | Phase::Cancelled)
    }

    /// When it was asked for, on the window's clock.
    #[must_use]
    pub fn began_s(&self) -> f64 {
        self.began_s
    }

    /// Whether it has been over for long enough that what is offered now was seen before it is clicked.
    #[must_use]
    pub fn has_settled(&self, now_s: f64) -> bool {
        self.over_since_s
            .is_some_and(|over_since_s| now_s - over_since_s >= SETTLING_S)
    }

    /// Takes in whether it is over at `now_s`.
    pub fn note_end(&mut self, now_s: f64) {
        self.over_since_s = self.is_over().then(|| self.over_since_s.unwrap_or(now_s));
    }

    /// Whether another round begins now that this one is over.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.recipe.repeat && !self.is_stopping && matches!(self.phase, Phase::Done { .. })
    }

    /// Whether figures change from one frame to the next without an event.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        matches!(
            self.phase,
            Phase::Starting | Phase::Is(State::Connecting | State::Transferring | State::Verifying)
        )
    }

    /// Whether it has a rate: bytes move, or will again in the next round.
    #[must_use]
    pub fn has_rate(&self) -> bool {
        self.phase == Phase::Is(State::Transferring) || self.is_repeating()
    }

    /// Whether it has been done before and is done again, be it between two rounds.
    fn is_repeating(&self) -> bool {
        self.rounds > 0 && self.recipe.repeat && (self.is_moving() || self.goes_on())
    }

    /// Whether pausing makes sense now.
    #[must_use]
    pub fn can_pause(&self) -> bool {
        let is_on_its_way = matches!(
            self.phase,
            Phase::Is(State::Connecting | State::Transferring | State::Verifying)
        );
        is_on_its_way || self.is_repeating() && !self.begins_paused
    }

    /// Takes an event in.
    pub fn fold(&mut self, event: Event, now_s: f64) {
        self.last_event_s = now_s;
        let t_s = self.base_s + event.elapsed_s;
        let is_main = std::ptr::eq(self.end(event.side), self.main_end());
        let end = match event.side {
            Side::Sender => &mut self.sender,
            Side::Receiver => &mut self.receiver,
        };
        match event.kind {
            EventKind::State { state } => {
                // A pause shows at its beginning and at its end, though no sample came meanwhile.
                if !end.series.points().is_empty() {
                    end.series.push(t_s, end.series.bytes());
                }
                if !self.round_is_over() && (is_main || matches!(state, State::Paused | State::Transferring)) {
                    self.phase = Phase::Is(state);
                }
            }
            EventKind::Started(started) => end.started = Some(*started),
            // What is set here is known before it is told.
            EventKind::Limit { bytes_per_s } if self.recipe.what.elsewhere().is_some() => self.set_limit(bytes_per_s),
            EventKind::Sample(sample) => {
                end.series.push(t_s, end.base_bytes + sample.bytes);
                if let Some(counters) = sample.counters {
                    end.counters = counters;
                    self.bottleneck.push(event.side, t_s, sample.bytes, &counters);
                }
            }
            EventKind::Preview { values, .. } => end.preview = values,
            // One is of the whole process, the end of the transfer says the next, and services alone tell the last.
            EventKind::Process(_) | EventKind::Joined | EventKind::HandedOver { .. } | EventKind::Limit { .. } => {}
            EventKind::Finished(finished) => {
                end.series.push(t_s, end.base_bytes + finished.bytes);
                end.finished = Some(*finished);
                if !self.round_is_over() && self.sides().iter().all(|side| self.end(*side).finished.is_some()) {
                    self.finish();
                }
            }
            EventKind::Failed(failure) => {
                end.series.push(t_s, end.base_bytes + failure.bytes);
                if !self.round_is_over() {
                    self.phase = Phase::Failed {
                        fault: failure.fault,
                        message: words::of(&failure.error),
                    };
                }
            }
            EventKind::Cancelled { bytes } => {
                end.series.push(t_s, end.base_bytes + bytes);
                if !self.round_is_over() {
                    self.phase = Phase::Cancelled;
                }
            }
            // The same as was followed here, over this round alone: no further sample comes in it.
            EventKind::Bottleneck(_) => self.bottleneck.finish(),
        }
    }

    /// Takes in how the whole transfer ended, which knows the cause where two ends failed.
    pub fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(finished) => {
                self.receiver.finished.get_or_insert_with(|| finished.clone());
                self.sender.finished.get_or_insert(finished);
                if !self.round_is_over() {
                    self.finish();
                }
            }
            Outcome::Failed(failure) => {
                self.phase = Phase::Failed {
                    fault: failure.fault,
                    message: words::of(&failure.error),
                };
            }
            Outcome::Cancelled | Outcome::Joined => self.phase = Phase::Cancelled,
        }
    }

    /// How slow the program on a side is made to be.
    #[must_use]
    pub fn pace_bytes_per_s(&self, side: Side) -> Option<u64> {
        match side {
            Side::Sender => self.writer_pace_bytes_per_s,
            Side::Receiver => self.reader_pace_bytes_per_s,
        }
    }

    /// Makes the program on a side slow, or as fast as it can be.
    pub fn set_pace(&mut self, side: Side, bytes_per_s: Option<u64>) {
        self.was_limited |= bytes_per_s.is_some();
        match side {
            Side::Sender => self.writer_pace_bytes_per_s = bytes_per_s,
            Side::Receiver => self.reader_pace_bytes_per_s = bytes_per_s,
        }
    }

    /// The slowest of the limit and both paces.
    fn slowest_bytes_per_s(&self) -> Option<u64> {
        let set = [
            self.limit_bytes_per_s,
            self.writer_pace_bytes_per_s,
            self.reader_pace_bytes_per_s,
        ];
        set.into_iter().flatten().min()
    }

    /// It could not even begin.
    pub fn fail(&mut self, error: &crate::Error) {
        self.phase = Phase::Failed {
            fault: error.fault(),
            message: words::of(error),
        };
    }

    /// Goes on with another round on the same time axis.
    pub fn next_round(&mut self, now_s: f64) {
        self.base_s = (now_s - self.began_s).max(self.elapsed_end_s());
        for end in [&mut self.sender, &mut self.receiver] {
            end.base_bytes = end.series.bytes();
            end.base_cpu_s += end.counters.cpu_s();
            end.counters = Counters::default();
            end.finished = None;
            if !end.series.points().is_empty() {
                end.series.push(self.base_s, end.base_bytes);
            }
        }
        self.bottleneck.restart();
        (self.id, self.phase) = (None, Phase::Starting);
    }

    /// The figures as they are at `now_s` on the window's clock.
    #[must_use]
    pub fn numbers(&self, now_s: f64) -> Numbers {
        let end = self.main_end();
        let series = &end.series;
        let total = end.started.as_ref().and_then(|started| started.total_bytes).or(self
            .recipe
            .meta
            .as_ref()
            .map(crate::array::ArrayMeta::byte_len));
        let elapsed_s = self.elapsed_end_s();
        let done = series.bytes().saturating_sub(end.base_bytes);
        // Samples are at most 50 ms apart and a frame late; a silence longer than that is a standstill.
        let silence_s = (now_s - self.last_event_s - 0.15).max(0.0);
        let is_transferring = self.has_rate();
        // Rounds are short and begin one after the other: their rate is that of the last few.
        let window_s = if self.rounds > 0 {
            2.0
        } else {
            (elapsed_s / 4.0).clamp(0.02, 0.5)
        };
        let now = if is_transferring {
            series.rate_before(series.end_s() + silence_s, window_s)
        } else {
            0.0
        };
        // What lies ahead is as fast as the last moments were, and no faster than the limit that is set now.
        let lately = series
            .rate_before(series.end_s() + silence_s, (elapsed_s / 2.0).clamp(0.05, 1.5))
            .min(self.slowest_bytes_per_s().map_or(f64::INFINITY, |limit| limit as f64));
        let mean = match &end.finished {
            Some(finished) if self.rounds <= 1 => finished.rate_bytes_per_s,
            _ => series.mean(),
        };
        let left_s = match total {
            Some(total) if is_transferring && !self.recipe.repeat && lately > 0.0 && now > 0.0 => {
                Some(total.saturating_sub(done) as f64 / lately)
            }
            _ => None,
        };
        let cpu_s: f64 = [&self.sender, &self.receiver]
            .iter()
            .map(|end| end.base_cpu_s + end.counters.cpu_s())
            .sum();
        let moved = series.bytes();
        Numbers {
            now,
            mean,
            peak: self.peak().unwrap_or(mean),
            peak_bin_s: self.bin_s(),
            done,
            total,
            left_s,
            cpu_s_per_gb: (cpu_s > 0.0 && moved > 0).then(|| cpu_s / (moved as f64 / 1e9)),
            elapsed_s,
        }
    }

    /// The length of the spans that rates are drawn with while all of the time is in view.
    #[must_use]
    pub fn bin_s(&self) -> f64 {
        self.bin_between_s(0.0, time_end(self.elapsed_end_s(), !self.is_over()))
    }

    /// The length of the spans that rates are drawn with between two times.
    #[must_use]
    pub fn bin_between_s(&self, from_s: f64, to_s: f64) -> f64 {
        let length_s = to_s - from_s;
        let least_s = sample_span_s(&self.main_end().series, from_s, to_s);
        let smooth_s = if self.was_limited {
            (length_s / 10.0).min(0.5)
        } else {
            0.0
        };
        bin_s(length_s, least_s.max(smooth_s))
    }

    /// The rate of an end between two times, as it is drawn.
    #[must_use]
    pub fn rate_curve(&self, side: Side, from_s: f64, to_s: f64) -> Vec<Drawn> {
        let bin_s = self.bin_between_s(from_s, to_s);
        rate_curve(&self.end(side).series, (from_s, to_s), bin_s, !self.is_over())
    }

    /// Sets the limit that counts from now on.
    pub fn set_limit(&mut self, limit_bytes_per_s: Option<u64>) {
        self.limit_bytes_per_s = limit_bytes_per_s;
        self.was_limited |= limit_bytes_per_s.is_some();
    }

    /// The highest rate that is drawn while all of the time is in view; nothing where nothing is drawn yet.
    fn peak(&self) -> Option<f64> {
        let end_s = time_end(self.elapsed_end_s(), !self.is_over());
        let curves = [Side::Sender, Side::Receiver].map(|side| self.rate_curve(side, 0.0, end_s));
        let is_drawn = curves.iter().any(|curve| !curve.is_empty());
        is_drawn.then(|| highest(&curves[0]).max(highest(&curves[1])))
    }

    /// How much of this round is done, from 0 to 1.
    #[must_use]
    pub fn share_done(&self) -> f64 {
        let end = self.main_end();
        let done = end.series.bytes().saturating_sub(end.base_bytes);
        match (
            &self.phase,
            end.started.as_ref().and_then(|started| started.total_bytes),
        ) {
            (Phase::Done { .. }, _) => 1.0,
            // Rounds come and go too fast to be followed.
            _ if self.rounds > 0 => 1.0,
            (_, Some(total)) if total > 0 => (done as f64 / total as f64).min(1.0),
            _ => 0.0,
        }
    }

    /// The end of the row's time axis so far.
    #[must_use]
    pub fn elapsed_end_s(&self) -> f64 {
        self.sender.series.end_s().max(self.receiver.series.end_s())
    }

    /// What either end knows of what is moved.
    #[must_use]
    pub fn started(&self) -> Option<&Started> {
        self.main_end()
            .started
            .as_ref()
            .or(self.sender.started.as_ref())
            .or(self.receiver.started.as_ref())
    }

    fn finish(&mut self) {
        let finished = self.main_end().finished.clone();
        self.phase = Phase::Done {
            verified: finished.as_ref().and_then(|finished| finished.verified),
        };
        self.rounds += 1;
        let all = [finished, self.sender.finished.clone(), self.receiver.finished.clone()];
        self.path = all.iter().flatten().find_map(|finished| finished.path.clone());
        self.note = all.iter().flatten().find_map(|finished| finished.note.clone());
    }
}

#[cfg(test)]
mod tests;
