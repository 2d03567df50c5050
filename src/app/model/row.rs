//! One transfer as the window knows it: folded from its events and from nothing else.

mod fold;
mod interruption;
mod items;
mod limits;
mod listed;
mod marks;
mod meters;
mod numbers;
mod paired;
mod process;
mod streams;
mod text;

use std::path::PathBuf;

use crate::array::Value;
use crate::error::Fault;
use crate::rounds::RoundSpread;
use crate::telemetry::{Bottleneck, Cause, Counters, Series, Verdict};
use crate::transfer::{Finished, Items, Side, Started, State, Stats, TiledArray, TransferId};

use super::curves::TimeSpan;
use super::format::RateScale;
use super::plan::Recipe;
use super::repaint::LACKS_FROM;
use super::values::ValuesRead;

use interruption::Tries;
pub(crate) use items::ItemNumbers;
pub(crate) use limits::LimitSpan;
pub(crate) use listed::{Sign, Told, shares};
pub(crate) use marks::{Change, Mark, Marks, Pause};
pub(crate) use meters::{Measure, Meters};
pub(crate) use numbers::{Numbers, RateAxis};
use process::sides_of;
pub(crate) use process::{Mate, OtherProcess, Process};
pub(crate) use streams::Streams;

/// Tells rows apart for as long as the window is open; a row that repeats keeps its key.
pub type RowKey = u64;

/// For so long after its end a row is neither removed nor started again: a click or a key that comes then was meant to
/// stop it.
const SETTLING_S: f64 = 0.5;

/// Where a transfer is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Asked for; no event has come yet.
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
    /// It broke, and the same goes on from what is kept.
    Interrupted {
        /// What happened.
        message: String,
    },
    /// It was cancelled.
    Cancelled,
}

/// One end of a transfer.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// Bytes over time.
    pub series: Series,
    /// What it has cost so far.
    pub counters: Counters,
    /// The same over time.
    pub(crate) meters: Meters,
    /// What each of several connections has moved.
    pub(crate) streams: Streams,
    /// The first elements as this end has them.
    pub preview: Vec<Value>,
    /// What its values are, as far as this end has looked at them.
    pub stats: Option<Box<Stats>>,
    /// How far a tree is, counted in items.
    pub items: Option<Box<Items>>,
    /// Items of which is known what became of them, over time.
    settled: Series,
    /// What is moved, and how.
    pub started: Option<Started>,
    /// When that was told, on the time axis of the row.
    started_s: f64,
    /// How it ended well.
    pub finished: Option<Finished>,
    /// Bytes of the rounds before this one.
    base_bytes: u64,
    /// Seconds of pauses in the rounds before this one.
    base_paused_s: f64,
    /// CPU seconds of the rounds before this one.
    base_cpu_s: f64,
}

/// Up to two instants of a transfer, to read values there and the difference between them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cursors {
    /// In seconds on the row's time axis.
    pub first_s: Option<f64>,
    /// The other one.
    pub second_s: Option<f64>,
}

/// One transfer.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which row.
    pub key: RowKey,
    /// Which transfer of the engine; nothing before it has begun.
    pub id: Option<TransferId>,
    /// Which process does it.
    pub process: Process,
    /// The process that does its other end.
    pub mate: Option<Mate>,
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
    /// Whether that is on disk, and was not only handed to the kernel.
    pub durable: Option<bool>,
    /// How much of the time that took after all bytes had landed, in seconds.
    pub synced_s: Option<f64>,
    /// A note of the engine, such as why the file has another name.
    pub note: Option<String>,
    /// Values that were read at a place of its array.
    pub(crate) values: Option<Box<ValuesRead>>,
    /// A note of the window, such as why the history lacks it.
    pub window_note: Option<String>,
    /// What its rates are counted in.
    pub(crate) scale: RateScale,
    /// How often it was done, where it repeats.
    pub rounds: u32,
    /// The mean rates of the rounds.
    rates: RoundSpread,
    /// The most memory that the process had while it ran.
    pub peak_memory_bytes: Option<u64>,
    /// Whether it is to end with this round.
    pub is_stopping: bool,
    /// Whether each of its rounds begins paused, because it was paused, maybe between two of them.
    pub begins_paused: bool,
    /// The part of the time axis that is shown; `None` is the period.
    pub zoom: Option<TimeSpan>,
    /// Where the rate axis ends.
    pub rate_axis: RateAxis,
    /// The instants that were pointed at in the plot.
    pub cursors: Cursors,
    /// The limit that alone stays coloured.
    pub picked_limit: Option<Cause>,
    marks: Marks,
    /// The limit that the engine said last counts.
    told_limit_bytes_per_s: Option<u64>,
    sender: End,
    receiver: End,
    bottleneck: Bottleneck,
    /// What the engine told at the end of the first round. Its verdict on a later one is on that round alone.
    verdict: Option<Verdict>,
    /// When the row began, on the window's clock.
    began_s: f64,
    /// Where the clock of this round begins on the row's time axis.
    base_s: f64,
    /// The address of whoever connected last and offered nothing.
    stranger: Option<String>,
    last_event_s: f64,
    /// When it was first seen to be over, on the window's clock.
    over_since_s: Option<f64>,
    /// From when to when there was a limit or a pace, on the row's time axis; without an end while there is one. It lets
    /// bytes go in small bursts, which a short span would show as peaks.
    limited_s: Option<(f64, Option<f64>)>,
    tries: Tries,
}

impl Row {
    /// A row for what is about to start here.
    #[must_use]
    pub fn new(key: RowKey, recipe: Recipe, now_s: f64) -> Self {
        let options = &recipe.options;
        let (limit, writer, reader) = (
            options.limit_bytes_per_s,
            options.writer_pace_bytes_per_s,
            options.reader_pace_bytes_per_s,
        );
        let bottleneck = Bottleneck::new(recipe.job.sides());
        Self {
            limit_bytes_per_s: limit,
            writer_pace_bytes_per_s: writer,
            reader_pace_bytes_per_s: reader,
            limited_s: limit.or(writer).or(reader).map(|_| (0.0, None)),
            told_limit_bytes_per_s: limit,
            ..Self::empty(key, Process::This(Box::new(recipe)), bottleneck, now_s)
        }
    }

    /// A row for a transfer of another process.
    #[must_use]
    pub fn watched(key: RowKey, process: OtherProcess, now_s: f64) -> Self {
        let bottleneck = Bottleneck::new(sides_of(process.side));
        Self {
            phase: Phase::Is(State::Transferring),
            ..Self::empty(key, Process::Other(process), bottleneck, now_s)
        }
    }

    fn empty(key: RowKey, process: Process, bottleneck: Bottleneck, now_s: f64) -> Self {
        Self {
            key,
            id: None,
            phase: Phase::Starting,
            mate: None,
            process,
            limit_bytes_per_s: None,
            writer_pace_bytes_per_s: None,
            reader_pace_bytes_per_s: None,
            bottleneck,
            verdict: None,
            address: None,
            path: None,
            durable: None,
            synced_s: None,
            note: None,
            values: None,
            window_note: None,
            scale: RateScale::default(),
            rounds: 0,
            rates: RoundSpread::default(),
            peak_memory_bytes: None,
            is_stopping: false,
            begins_paused: false,
            zoom: None,
            rate_axis: RateAxis::default(),
            cursors: Cursors::default(),
            picked_limit: None,
            marks: Marks::default(),
            told_limit_bytes_per_s: None,
            over_since_s: None,
            limited_s: None,
            tries: Tries::default(),
            sender: End::default(),
            receiver: End::default(),
            began_s: now_s,
            base_s: 0.0,
            stranger: None,
            last_event_s: now_s,
        }
    }

    /// Whether it begins again whenever it is done.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.recipe().is_some_and(|recipe| recipe.repeat)
    }

    /// What has been looked at of its values: where both ends have, what came of them.
    pub(crate) fn stats(&self) -> Option<&Stats> {
        let ends = [&self.receiver, &self.sender];
        ends.into_iter().find_map(|end| end.stats.as_deref())
    }

    /// The same tile by tile.
    pub(crate) fn tiles(&self) -> Option<&TiledArray> {
        self.stats()?.tiles.as_deref()
    }

    /// Lets go of the picture of its array. The numbers stay.
    pub(crate) fn forget_picture(&mut self) {
        for stats in [&mut self.sender, &mut self.receiver]
            .into_iter()
            .flat_map(|end| &mut end.stats)
        {
            stats.tiles = None;
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

    /// The end whose numbers count: the one that has the bytes for certain.
    #[must_use]
    pub fn main_end(&self) -> &End {
        self.end(self.main_side())
    }

    /// Which end that is.
    #[must_use]
    pub(crate) fn main_side(&self) -> Side {
        if self.sides() == [Side::Sender] {
            Side::Sender
        } else {
            Side::Receiver
        }
    }

    /// Whether it has ended, one way or another; the end of a round or of a try that another one follows is none.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.round_is_over() && !self.goes_on() && !self.waits_to_retry()
    }

    /// Whether it repeated until it was stopped, which is a good end.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.repeats()
            && self.is_stopping
            && self.rounds > 0
            && matches!(self.phase, Phase::Done { .. } | Phase::Cancelled)
    }

    fn round_is_over(&self) -> bool {
        matches!(
            self.phase,
            Phase::Done { .. } | Phase::Failed { .. } | Phase::Interrupted { .. } | Phase::Cancelled
        )
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

    /// When it was first seen to be over, on the window's clock.
    #[must_use]
    pub(crate) fn over_since_s(&self) -> Option<f64> {
        self.over_since_s
    }

    /// Takes in whether it is over at `now_s`. Returns whether it was not before.
    pub fn note_end(&mut self, now_s: f64) -> bool {
        let before_s = self.over_since_s;
        self.over_since_s = self.is_over().then(|| before_s.unwrap_or(now_s));
        before_s.is_none() && self.over_since_s.is_some()
    }

    /// Whether another round begins now that this one is over.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.repeats() && !self.is_stopping && matches!(self.phase, Phase::Done { .. })
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
        self.rounds > 0 && self.repeats() && (self.is_moving() || self.goes_on())
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
        if self.pace_bytes_per_s(side) != bytes_per_s && self.started().is_some() {
            self.marks.push(self.elapsed_end_s(), Change::Pace(side, bytes_per_s));
        }
        match side {
            Side::Sender => self.writer_pace_bytes_per_s = bytes_per_s,
            Side::Receiver => self.reader_pace_bytes_per_s = bytes_per_s,
        }
        self.note_limited();
    }

    /// Sets the limit that counts from now on.
    pub fn set_limit(&mut self, limit_bytes_per_s: Option<u64>) {
        self.limit_bytes_per_s = limit_bytes_per_s;
        self.note_limited();
    }

    fn note_limited(&mut self) {
        let now_s = self.elapsed_end_s();
        self.limited_s = match (self.slowest_bytes_per_s(), self.limited_s) {
            (Some(_), before) => Some((before.map_or(now_s, |(from_s, _)| from_s), None)),
            (None, Some((from_s, to_s))) => Some((from_s, to_s.or(Some(now_s)))),
            (None, None) => None,
        };
    }

    /// The end of the row's time axis so far.
    #[must_use]
    pub fn elapsed_end_s(&self) -> f64 {
        self.sender.series.end_s().max(self.receiver.series.end_s())
    }

    /// Whether its threads were ready without a core for a noticeable part of the last second.
    #[must_use]
    pub(crate) fn lacks_a_core(&self) -> bool {
        let waits = |side: &Side| self.end(*side).meters.core_wait_share() >= LACKS_FROM;
        self.sides().iter().any(waits)
    }

    /// Pauses, and what changed.
    #[must_use]
    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Where the time axis has come to at `now_s` on the window's clock, also between two samples.
    #[must_use]
    pub(crate) fn live_s(&self, now_s: f64) -> f64 {
        let since_s = if self.has_rate() {
            // Samples are at most 50 ms apart and a frame late.
            (now_s - self.last_event_s).clamp(0.0, 0.25)
        } else {
            0.0
        };
        self.elapsed_end_s() + since_s
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
}

#[cfg(test)]
mod tests;
