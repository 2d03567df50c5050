//! How a row changes by what the engine tells: events, the outcome, and the next round.

use super::{Change, Phase, Row};
use crate::telemetry::{Counters, Series};
use crate::transfer::{Event, EventKind, Failure, Finished, Outcome, Side, State, TransferId};

impl Row {
    /// Takes an event in.
    pub fn fold(&mut self, event: Event, now_s: f64) {
        self.last_event_s = now_s;
        let t_s = self.base_s + event.elapsed_s;
        let is_watched = !self.is_own();
        let is_main = std::ptr::eq(self.end(event.side), self.main_end());
        let end = match event.side {
            Side::Sender => &mut self.sender,
            Side::Receiver => &mut self.receiver,
        };
        match event.kind {
            EventKind::State { state } => {
                end.series.set_paused(t_s, state == State::Paused);
                end.streams.set_paused(t_s, state == State::Paused);
                if is_main {
                    self.marks.set_paused(t_s, state == State::Paused);
                }
                if !self.round_is_over() && (is_main || matches!(state, State::Paused | State::Transferring)) {
                    self.phase = Phase::Is(state);
                }
            }
            EventKind::Started(started) => {
                end.started = Some(*started);
                end.started_s = t_s;
                self.tries.has_started = true;
            }
            // A limit that this window sets is known before the engine says so; when it counts from is not.
            EventKind::Limit { bytes_per_s } => {
                // On the native wire the sender alone keeps to it, and tells it.
                self.note_limit(t_s, bytes_per_s);
                if is_watched {
                    self.set_limit(bytes_per_s);
                }
            }
            EventKind::Sample(sample) => {
                self.bottleneck.note_awake(t_s);
                end.series.push(t_s, end.base_bytes + sample.bytes);
                if !sample.stream_bytes.is_empty() {
                    end.streams.push(t_s, &sample.stream_bytes);
                }
                if let Some(counters) = sample.counters {
                    let before = std::mem::replace(&mut end.counters, counters).connections;
                    end.meters.push(t_s, &counters);
                    if is_main && before > 0 && counters.connections > 0 && before != counters.connections {
                        self.marks.push(t_s, Change::Streams(before, counters.connections));
                    }
                    self.bottleneck.push(event.side, t_s, sample.bytes, &counters);
                }
            }
            EventKind::Preview { values, .. } => end.preview = values,
            EventKind::Stats(stats) => end.stats = Some(stats),
            EventKind::Items(items) => {
                end.settled.push(t_s, items.settled());
                end.items = Some(items);
            }
            // One is of the whole process, the end of the transfer says the next, and services alone tell the last.
            EventKind::Process(_) | EventKind::Joined | EventKind::HandedOver { .. } => {}
            EventKind::Stranger { is_last: true, .. } => self.phase = Phase::Cancelled,
            EventKind::Stranger { peer, .. } => self.stranger = Some(peer),
            EventKind::Finished(finished) => self.fold_finished(event.side, t_s, *finished),
            EventKind::Failed(failure) => self.fold_failed(event.side, t_s, &failure),
            EventKind::Cancelled { bytes, note } => {
                end.series.push(t_s, end.base_bytes + bytes);
                self.note = note.or(self.note.take());
                if !self.round_is_over() {
                    self.phase = Phase::Cancelled;
                }
            }
            // No further sample comes in this round.
            EventKind::Bottleneck(verdict) => {
                self.bottleneck.finish();
                // One process knows its own end; both are followed here.
                let is_of_all = self.rounds == 0 && self.tries.broken == 0 && self.mate.is_none();
                self.verdict = is_of_all.then_some(*verdict);
            }
        }
    }

    fn fold_failed(&mut self, side: Side, t_s: f64, failure: &Failure) {
        let end = match side {
            Side::Sender => &mut self.sender,
            Side::Receiver => &mut self.receiver,
        };
        // The time of a try that reached nobody is in no rate.
        if self.tries.has_started || self.tries.broken == 0 {
            end.series.push(t_s, end.base_bytes + failure.bytes);
        }
        // The other end fails with it, and what happened is flagged once.
        if !self.round_is_over() {
            self.end_with(&failure.error);
            let is_interrupted = self.is_interrupted();
            self.marks.push(
                t_s,
                if is_interrupted {
                    Change::Interrupted
                } else {
                    Change::Failed
                },
            );
        }
    }

    /// Takes in how the whole transfer ended, which knows the cause where two ends failed.
    pub fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(mut finished) => {
                // They may be many, and are kept once.
                let items = finished.items.take();
                let main = match self.main_side() {
                    Side::Sender => &mut self.sender,
                    Side::Receiver => &mut self.receiver,
                };
                if main.finished.is_none() {
                    main.items = items.or(main.items.take());
                }
                self.receiver.finished.get_or_insert_with(|| finished.clone());
                self.sender.finished.get_or_insert(finished);
                if !self.round_is_over() {
                    self.finish();
                }
            }
            Outcome::Failed(failure) => self.end_with(&failure.error),
            Outcome::Cancelled | Outcome::Joined => self.phase = Phase::Cancelled,
        }
    }

    /// It could not even begin.
    pub fn fail(&mut self, error: &crate::Error) {
        self.end_with(error);
    }

    /// Another transfer has begun for this row: the first one, another round, or another try. Returns the one before.
    pub fn begin_round(&mut self, id: TransferId) -> Option<TransferId> {
        if self.rounds > 0 || self.tries.broken > 0 {
            self.next_round();
        }
        self.id.replace(id)
    }

    /// Goes on with another round or try on the same time axis, which has the rounds' own time: what passes between two of
    /// them is in no rate.
    fn next_round(&mut self) {
        self.base_s = self.elapsed_end_s();
        if self.rounds > 0 {
            self.marks.push(self.base_s, Change::Round(self.rounds + 1));
        }
        self.tries.has_started = false;
        self.marks.set_paused(self.base_s, false);
        for end in [&mut self.sender, &mut self.receiver] {
            end.base_bytes = end.series.bytes();
            end.base_paused_s = end.series.paused_s();
            end.base_cpu_s += end.counters.cpu_s();
            end.counters = Counters::default();
            end.meters.next_round();
            end.streams.next_round(self.base_s);
            end.finished = None;
            end.items = None;
            end.settled = Series::default();
            if !end.series.points().is_empty() {
                end.series.push(self.base_s, end.base_bytes);
            }
        }
        // The end that another process does is paired anew.
        let own = self.recipe().map_or(&[][..], |recipe| recipe.job.sides());
        if own == [Side::Sender] {
            self.receiver.started = None;
        } else if own == [Side::Receiver] {
            self.sender.started = None;
        }
        self.bottleneck.restart();
        self.verdict = None;
        self.phase = Phase::Starting;
    }

    fn fold_finished(&mut self, side: Side, t_s: f64, mut finished: Finished) {
        let end = match side {
            Side::Sender => &mut self.sender,
            Side::Receiver => &mut self.receiver,
        };
        // Where its mean ends: the threads are joined after that.
        let took_s = finished.moved_bytes() as f64 / finished.rate_bytes_per_s;
        let ended_s = if took_s.is_finite() {
            end.started_s + took_s + end.series.paused_s() - end.base_paused_s
        } else {
            t_s
        };
        end.series
            .push(ended_s.min(t_s), end.base_bytes + finished.moved_bytes());
        if let Some(items) = finished.items.take() {
            end.settled.push(t_s, items.settled());
            end.items = Some(items);
        }
        end.finished = Some(finished);
        if !self.round_is_over() && self.sides().iter().all(|side| self.end(*side).finished.is_some()) {
            self.finish();
        }
    }

    /// Another limit counts. The one that it began with is no change, and each round tells it again.
    fn note_limit(&mut self, t_s: f64, bytes_per_s: Option<u64>) {
        if self.told_limit_bytes_per_s != bytes_per_s {
            self.told_limit_bytes_per_s = bytes_per_s;
            if t_s > 0.0 && self.main_end().series.bytes() > 0 {
                self.marks.push(t_s, Change::Limit(bytes_per_s));
            }
        }
    }

    fn finish(&mut self) {
        let finished = self.main_end().finished.clone();
        self.phase = Phase::Done {
            verified: finished.as_ref().and_then(|finished| finished.verified),
        };
        self.rounds += 1;
        if let Some(finished) = &finished {
            self.rates.push(finished.rate_bytes_per_s);
        }
        let all = [finished, self.sender.finished.clone(), self.receiver.finished.clone()];
        self.path = all.iter().flatten().find_map(|finished| finished.path.clone());
        self.durable = all.iter().flatten().find_map(|finished| finished.durable);
        self.synced_s = all.iter().flatten().find_map(|finished| finished.sync_s);
        self.note = all.iter().flatten().find_map(|finished| finished.note.clone());
    }
}
