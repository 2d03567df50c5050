//! What the limit was: the counters of both ends become shares of the time, a band to draw, and one sentence.
//!
//! **One end.** Between two readings of its counters an end spent its time in known ways: on a core, ready but
//! without one, blocked until the socket had room or data, resting for the limit, a pace or a pause, waiting until what
//! it had received was on disk. The rest it spent asleep elsewhere in the kernel. If the disk read or wrote for the end
//! in that time, it slept for the disk; if not, the rest counts as the end's own work. The kernel reads ahead and writes
//! behind while the end works. An end that sleeps for a noticeable part of its own time is therefore held back by the
//! disk alone: all of that time is then the disk's. A wait lasts until the thread has a core again. Time without a core
//! is therefore taken off the waits, in proportion to how often the thread gave its core up by itself. With several
//! connections the times of an end are the sums over all its threads, and shares are parts of that sum. Threads that
//! write one file sleep for each other, too, as a file system lets one of them in at a time: what the others can have
//! slept while one was at work is not the disk's.
//!
//! **Both ends in this process.** An end that waits is not the limit. Sender and receiver are a pipeline with the
//! socket's buffers between them: in the long run the slower one never waits, and the other one waits for it. Each span
//! of time is therefore divided:
//! - the time that *both* waited is the fault of neither. It is `2 min(s, r)` of the span, for shares `s` and `r` of
//!   the time in which the sender and the receiver waited, but never more than is left beside `|s - r|`;
//! - the rest goes to the end that waited less, because it kept the other one waiting. If neither waited, they
//!   share it.
//!
//! The part of an end is divided among what it did while it did not wait, in proportion. The time that both waited goes
//! to the buffers if the kernel says that the receive window was full or the send buffer too small for a noticeable
//! part of the busy time: neither end was busy, so the buffers were too small, and waking up again and again is part of
//! the wait. Otherwise it goes to the network. Between two ends of one machine, over a Unix socket or over TCP, there is
//! no network: the kernel has the bytes in its buffers until the other end has woken up.
//!
//! **One end in this process.** Its own work is divided in the same way. While it waits, the limit is the other end or
//! something between the ends. For a sender the kernel tells these apart: a full receive window is the other end's, a
//! small send buffer is the buffers', and the rest is the network's. For a receiver it does not. Nothing is said about
//! what the other end did.

mod band;
mod cause;
mod evidence;
mod facts;
mod interval;
mod sentence;
mod shares;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

pub(crate) use band::Band;
pub use cause::Cause;
pub use evidence::{Evidence, SideEvidence};
pub(crate) use facts::{Awaited, Fact, Waited};
pub(crate) use sentence::Finding;
pub use shares::Shares;

use super::{Counters, Side};
use interval::Spent;

/// The shortest span. Readings of the two ends that are closer than this are in one span.
const SPAN_MIN_S: f64 = 0.005;

/// Of a span in which an end's threads spent less than this part, too little is read yet: it goes on.
const KNOWN_FROM: f64 = 0.5;

/// Such a span ends by then all the same.
const SPAN_UNKNOWN_S: f64 = 0.25;

/// Counters of the kernel have steps of up to a tick: of less time nothing can be told.
const TELLS_FROM_S: f64 = 0.004;

/// Counters are read twenty times a second: who reads none for so long was stopped.
const STOPPED_FROM_S: f64 = 2.0;

/// What was the limit over the whole time, with the evidence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The cause that was the limit for the largest part of the time; `None` where that was too short to tell.
    pub limit: Option<Cause>,
    /// One sentence that names the limit, with its evidence.
    pub sentence: String,
    /// The parts of the time in which each was the limit; together 1, or all 0 where it was too short to tell.
    pub shares: Shares,
    /// What the ends in this process did in that time.
    pub evidence: Evidence,
}

impl Verdict {
    /// What these come to.
    #[must_use]
    pub(crate) fn new(shares: Shares, evidence: &Evidence) -> Self {
        Self {
            limit: shares.ranked().first().map(|(limit, _)| *limit),
            sentence: sentence::of(&shares, evidence),
            shares,
            evidence: *evidence,
        }
    }

    /// The sentence, where the time of a cause, such as a pause, is left out; the whole one where there is no other.
    #[must_use]
    pub(crate) fn sentence_without(&self, cause: Cause) -> String {
        match self.without(cause) {
            Some((others, evidence)) => sentence::of(&others, &evidence),
            None => self.sentence.clone(),
        }
    }

    /// What the sentence says, for other languages; `None` where the time was too short to tell.
    #[must_use]
    pub(crate) fn finding(&self) -> Option<Finding> {
        Finding::of(&self.shares, &self.evidence)
    }

    /// The same of [`Self::sentence_without`].
    #[must_use]
    pub(crate) fn finding_without(&self, cause: Cause) -> Option<Finding> {
        match self.without(cause) {
            Some((others, evidence)) => Finding::of(&others, &evidence),
            None => self.finding(),
        }
    }

    /// What is left where the time of a cause is left out; `None` where all is, or it was no limit.
    fn without(&self, cause: Cause) -> Option<(Shares, Evidence)> {
        let (others, share) = (self.shares.without(cause), self.shares.of(cause));
        let is_left = others.sum() > 0.0 && share > 0.0;
        is_left.then(|| (others, self.evidence.without(cause, share)))
    }
}

/// Follows the counters of the ends in this process.
#[derive(Debug, Clone)]
pub(crate) struct Bottleneck {
    sides: Vec<Track>,
    /// Everything before this is in the band.
    done_s: Option<f64>,
    band: Band,
    /// When whoever reads the counters was last seen to run.
    awake_s: Option<f64>,
    /// The last time in which it did not.
    stop: Option<(f64, f64)>,
}

/// The readings of one end that are not yet all in the band.
#[derive(Debug, Clone)]
struct Track {
    side: Side,
    /// Oldest first. The first one is at or before the end of the band.
    readings: VecDeque<(f64, Counters)>,
    counts: SideEvidence,
    /// The counts of rounds before this one.
    before: SideEvidence,
    /// What it spent in the spans of the band, over all rounds.
    spent: Spent,
    /// How long its threads slept for the disk, in seconds, over all rounds.
    asleep_for_disk_s: f64,
}

impl Bottleneck {
    /// For the ends in this process, of which there is at least one.
    #[must_use]
    pub(crate) fn new(sides: &[Side]) -> Self {
        let sides = sides.iter().map(|side| Track::new(*side)).collect();
        Self {
            sides,
            done_s: None,
            band: Band::default(),
            awake_s: None,
            stop: None,
        }
    }

    /// Whoever reads the counters, many times a second, runs at `t_s`. Where that is long after the last time it was
    /// stopped in between, and with it everything in its process.
    pub(crate) fn note_awake(&mut self, t_s: f64) {
        if let Some(awake_s) = self.awake_s.filter(|awake_s| t_s - awake_s >= STOPPED_FROM_S) {
            self.stop = Some((awake_s, t_s));
        }
        self.awake_s = Some(self.awake_s.map_or(t_s, |awake_s| awake_s.max(t_s)));
    }

    /// Adds what an end had moved and spent by `t_s`, in seconds. Times of an end never decrease.
    pub(crate) fn push(&mut self, side: Side, t_s: f64, bytes: u64, counters: &Counters) {
        let Some(track) = self.sides.iter_mut().find(|track| track.side == side) else {
            return;
        };
        track.push(t_s, bytes, counters);
        if self.done_s.is_none() {
            // The band begins when all ends have begun.
            let first = |track: &Track| track.readings.front().map(|(t_s, _)| *t_s);
            let begins: Option<Vec<f64>> = self.sides.iter().map(first).collect();
            self.done_s = begins.map(|begins| begins.into_iter().fold(0.0, f64::max));
        }
        let to_s = self.sides.iter().map(Track::end_s).fold(f64::INFINITY, f64::min);
        self.advance(to_s);
    }

    /// Ends the band. An end that ended before the other one counts as waiting for it from then on.
    pub(crate) fn finish(&mut self) {
        let to_s = self.sides.iter().map(Track::end_s).fold(0.0, f64::max);
        self.advance(to_s);
        if let Some(done_s) = self.done_s.filter(|done_s| *done_s < to_s) {
            self.take(done_s, to_s);
        }
    }

    /// Begins another round: counters start from zero again, and times continue.
    pub(crate) fn restart(&mut self) {
        self.finish();
        self.done_s = None;
        for track in &mut self.sides {
            track.readings.clear();
            track.before = track.counts;
        }
    }

    /// What the limit was over time.
    #[must_use]
    pub(crate) fn band(&self) -> &Band {
        &self.band
    }

    /// What the limit was so far; `None` while too little is known.
    #[must_use]
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        if self.band.seconds() <= 0.0 {
            return None;
        }
        let of = |side: Side| {
            let track = self.sides.iter().find(|track| track.side == side)?;
            Some(track.counts.with_times(&track.spent, track.asleep_for_disk_s))
        };
        let evidence = Evidence {
            seconds: self.band.seconds(),
            sender: of(Side::Sender),
            receiver: of(Side::Receiver),
        };
        let shares = self.band.shares();
        Some(Verdict::new(shares, &evidence))
    }

    /// Puts everything before `to_s` into the band, in spans that end at readings.
    fn advance(&mut self, to_s: f64) {
        while let Some(done_s) = self.done_s {
            let mut least_s = done_s + SPAN_MIN_S;
            let next_s = loop {
                let next = self.sides.iter().filter_map(|track| track.reading_from(least_s));
                let next_s = next.fold(f64::INFINITY, f64::min);
                if next_s > to_s {
                    return;
                }
                // Connections that have nothing to do are read as well, which says nothing of those that have.
                let known_from_s = (next_s - done_s) * KNOWN_FROM;
                let is_known = |track: &Track| track.spent(done_s, next_s).thread_s >= known_from_s;
                if next_s - done_s >= SPAN_UNKNOWN_S || self.sides.iter().all(is_known) {
                    break next_s;
                }
                least_s = next_s.next_up();
            };
            self.take(done_s, next_s);
        }
    }

    fn take(&mut self, from_s: f64, to_s: f64) {
        let mut spent = |side: Side| {
            let track = self.sides.iter_mut().find(|track| track.side == side)?;
            let spent = track.spent(from_s, to_s);
            track.spent.add(&spent, 1.0);
            track.asleep_for_disk_s += interval::asleep_for_disk_s(side, &spent);
            Some(spent)
        };
        let mut shares = interval::shares(spent(Side::Sender), spent(Side::Receiver));
        if let Some((stop_s, awake_s)) = self.stop
            && to_s > from_s
        {
            // Whatever the ends waited for then, they would not have gone on.
            let stopped = ((to_s.min(awake_s) - from_s.max(stop_s)) / (to_s - from_s)).clamp(0.0, 1.0);
            shares = shares.times(1.0 - stopped);
            shares.add(Cause::Stopped, stopped);
        }
        self.band.push(from_s, to_s, &shares);
        self.done_s = Some(to_s);
        for track in &mut self.sides {
            track.forget(to_s);
        }
    }
}

impl Track {
    fn new(side: Side) -> Self {
        Self {
            side,
            readings: VecDeque::new(),
            counts: SideEvidence::default(),
            before: SideEvidence::default(),
            spent: Spent::default(),
            asleep_for_disk_s: 0.0,
        }
    }

    fn push(&mut self, t_s: f64, bytes: u64, counters: &Counters) {
        let t_s = t_s.max(self.end_s());
        self.readings.push_back((t_s, *counters));
        self.counts = self.before.and(bytes, counters);
    }

    /// The time of the last reading; before there is one, the beginning of time.
    fn end_s(&self) -> f64 {
        self.readings.back().map_or(f64::NEG_INFINITY, |(t_s, _)| *t_s)
    }

    fn reading_from(&self, t_s: f64) -> Option<f64> {
        let at = self.readings.partition_point(|(reading_s, _)| *reading_s < t_s);
        self.readings.get(at).map(|(reading_s, _)| *reading_s)
    }

    /// What was spent between two times, interpolated linearly between readings. After its end, an end waits.
    fn spent(&self, from_s: f64, to_s: f64) -> Spent {
        let mut spent = Spent {
            span_s: to_s - from_s,
            ..Spent::default()
        };
        for ((a_s, a), (b_s, b)) in self.readings.iter().zip(self.readings.iter().skip(1)) {
            let overlap_s = to_s.min(*b_s) - from_s.max(*a_s);
            if overlap_s > 0.0 {
                spent.add(&Spent::from_to(a, b), overlap_s / (b_s - a_s));
            }
        }
        let after_s = (to_s - from_s.max(self.end_s())).max(0.0);
        spent.thread_s += after_s;
        spent.blocked_receive_s += after_s;
        spent
    }

    /// Drops readings that nothing after `done_s` needs.
    fn forget(&mut self, done_s: f64) {
        while self.readings.get(1).is_some_and(|(t_s, _)| *t_s <= done_s) {
            self.readings.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
