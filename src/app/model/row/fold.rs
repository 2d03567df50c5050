//! How a row changes by what the engine tells: events, the outcome, and the next round.

use super::{Phase, Row};
use crate::app::model::error_text;
use crate::telemetry::Counters;
use crate::transfer::{Event, EventKind, Outcome, Side, State};

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
                // A pause shows at its beginning and at its end, though no sample came meanwhile.
                if !end.series.points().is_empty() {
                    end.series.push(t_s, end.series.bytes());
                }
                if !self.round_is_over() && (is_main || matches!(state, State::Paused | State::Transferring)) {
                    self.phase = Phase::Is(state);
                }
            }
            EventKind::Started(started) => end.started = Some(*started),
            // A limit that this window sets is known before the engine says so.
            EventKind::Limit { bytes_per_s } if is_watched => self.set_limit(bytes_per_s),
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
                        message: error_text::of(&failure.error),
                    };
                }
            }
            EventKind::Cancelled { bytes } => {
                end.series.push(t_s, end.base_bytes + bytes);
                if !self.round_is_over() {
                    self.phase = Phase::Cancelled;
                }
            }
            // No further sample comes in this round.
            EventKind::Bottleneck(verdict) => {
                self.bottleneck.finish();
                self.verdict = (self.rounds == 0).then_some(*verdict);
            }
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
                    message: error_text::of(&failure.error),
                };
            }
            Outcome::Cancelled | Outcome::Joined => self.phase = Phase::Cancelled,
        }
    }

    /// It could not even begin.
    pub fn fail(&mut self, error: &crate::Error) {
        self.phase = Phase::Failed {
            fault: error.fault(),
            message: error_text::of(error),
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
        self.verdict = None;
        (self.id, self.phase) = (None, Phase::Starting);
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
