//! The events of a service and of its transfers, and the counts in them.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::telemetry::RecentRate;
use crate::transfer::{Event, EventKind};
use crate::units::{count, rate};

/// An event of a transfer, or of the service that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum AnyEvent {
    /// Something happened to one transfer.
    Transfer(Event),
    /// Something happened to the service.
    Service(ServiceEvent),
}

impl AnyEvent {
    /// Whether the next event of its kind tells as much.
    pub(crate) fn is_sample(&self) -> bool {
        matches!(self, Self::Transfer(event) if event.is_sample())
    }
}

/// Something that concerns more than one transfer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum ServiceEvent {
    /// The counts, soon after they have changed, and once a second while bytes move; told last when all has come to rest.
    Service(Status),
    /// A worker process has come.
    WorkerReady {
        /// Its process id.
        worker: u32,
    },
    /// A worker process cannot be started. It is tried again, and told once.
    WorkerMissing {
        /// The reason, for people.
        why: String,
    },
    /// A connection was handed to a worker that is another program.
    HandedOver {
        /// Its process id.
        worker: u32,
        /// Who has connected.
        peer: String,
        /// Seconds from accepting it until the worker said that it has it.
        after_s: f64,
    },
    /// A worker process has gone.
    WorkerGone {
        /// Its process id.
        worker: u32,
        /// How, as far as that is known.
        how: String,
        /// Transfers that failed with it.
        transfers: usize,
    },
}

/// What a service has done and does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Connections that are open.
    pub connections: usize,
    /// Of these, arrays that are being received.
    pub receiving: usize,
    /// Of these, senders that wait for room.
    pub waiting: usize,
    /// Arrays that came whole.
    pub done: u64,
    /// Transfers that failed.
    pub failed: u64,
    /// Transfers that were cancelled, or told to come back later.
    pub cancelled: u64,
    /// Of these, transfers that had begun and were cut off because the service was ended at once.
    pub cut_off: u64,
    /// Bytes that have landed, also of arrays that did not come whole.
    pub bytes: u64,
    /// Bytes of the arrays that came whole.
    #[serde(default)]
    pub done_bytes: u64,
    /// The rate now, over a second or two, in bytes a second.
    pub rate_bytes_per_s: f64,
    /// How often nobody was taken for a moment because the system had no descriptor or memory left.
    pub exhausted: u64,
    /// Seconds since the service began.
    pub elapsed_s: f64,
    /// Nobody is taken any more: it ends when what is under way has ended.
    #[serde(default)]
    pub draining: bool,
}

impl Status {
    /// `3 connections, 2 receiving at 1.20 GB/s, 1 waiting; 120 done, 4 failed`, with `; draining` behind it where it is.
    #[must_use]
    pub fn in_words(&self) -> String {
        let (connections, receiving) = (self.connections as u64, self.receiving as u64);
        let mut parts = vec![
            match connections {
                1 => "1 connection".into(),
                several => format!("{} connections", count(several)),
            },
            match (receiving, rate(self.rate_bytes_per_s).to_string()) {
                // Nothing moves, or it goes back where it came from.
                (0, rate) => rate,
                (receiving, rate) => format!("{} receiving at {rate}", count(receiving)),
            },
        ];
        if self.waiting > 0 {
            parts.push(format!("{} waiting", count(self.waiting as u64)));
        }
        let (done, failed) = (count(self.done), count(self.failed));
        let draining = if self.draining { "; draining" } else { "" };
        format!("{}; {done} done, {failed} failed{draining}", parts.join(", "))
    }
}

/// What is open at an instant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OpenCounts {
    pub(super) connections: usize,
    /// Of these, arrays that are being received.
    pub(super) receiving: usize,
    /// Of these, peers that wait for room.
    pub(super) waiting: usize,
}

/// Counts since a service began.
#[derive(Debug)]
pub(super) struct Counters {
    began: Instant,
    /// Everything is ended at once: until then whoever cancels a transfer means that one.
    stops: bool,
    status: Status,
    rate: RecentRate,
}

impl Counters {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            stops: false,
            status: Status::default(),
            rate: RecentRate::default(),
        }
    }

    /// So many bytes have landed, or gone back, as whoever moved them says.
    pub(super) fn add_bytes(&mut self, bytes: u64) {
        self.status.bytes = self.status.bytes.saturating_add(bytes);
    }

    /// What is cancelled from now on was cut off.
    pub(super) fn stop(&mut self) {
        self.stops = true;
    }

    /// Nobody is accepted for a moment, as something has run out.
    pub(super) fn count_pause(&mut self) {
        self.status.exhausted += 1;
    }

    /// A transfer has ended.
    pub(super) fn count_transfer(&mut self, last: &EventKind) {
        match last {
            EventKind::Finished(finished) => {
                self.status.done += 1;
                self.status.done_bytes = self.status.done_bytes.saturating_add(finished.bytes);
            }
            EventKind::Failed(_) => self.status.failed += 1,
            EventKind::Cancelled { bytes, .. } => {
                self.status.cancelled += 1;
                self.status.cut_off += u64::from(self.stops && *bytes > 0);
            }
            _ => {}
        }
    }

    /// A connection that is no transfer has ended: of an echo service with everything sent back, or taken by a worker;
    /// or neither.
    pub(super) fn count_connection(&mut self, is_done: bool) {
        if is_done {
            self.status.done += 1;
        } else {
            self.status.failed += 1;
        }
    }

    /// The counts at an instant.
    pub(super) fn status(&mut self, open: OpenCounts, now: Instant) -> Status {
        let elapsed_s = now.saturating_duration_since(self.began).as_secs_f64();
        self.rate.push(elapsed_s, self.status.bytes);
        // Where nobody is there any more, nothing moves.
        let rate_bytes_per_s = if open.connections > 0 {
            self.rate.at(elapsed_s)
        } else {
            0.0
        };
        Status {
            connections: open.connections,
            receiving: open.receiving,
            waiting: open.waiting,
            rate_bytes_per_s,
            elapsed_s,
            ..self.status
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Finished;
    use std::time::Duration;

    #[test]
    fn the_rate_is_that_of_now_and_there_is_none_without_a_connection() {
        let start = Instant::now();
        let mut counters = Counters::new(start);
        counters.add_bytes(1000);
        let open = OpenCounts {
            connections: 3,
            receiving: 2,
            waiting: 1,
        };
        let first = counters.status(open, start + Duration::from_secs(1));
        assert_eq!((first.connections, first.receiving, first.waiting), (3, 2, 1));
        assert!((first.rate_bytes_per_s - 1000.0).abs() < 1e-6);
        let cancelled = EventKind::Cancelled { bytes: 1, note: None };
        counters.count_transfer(&cancelled);
        let finished = Finished {
            bytes: 600,
            ..Finished::default()
        };
        counters.count_transfer(&EventKind::Finished(Box::new(finished)));
        let second = counters.status(open, start + Duration::from_secs(2));
        assert_eq!((second.bytes, second.cancelled, second.done), (1000, 1, 1));
        assert_eq!(second.done_bytes, 600, "the others did not come whole");
        assert_eq!(second.cut_off, 0, "somebody wished it");
        counters.stop();
        counters.count_transfer(&cancelled);
        assert!(second.rate_bytes_per_s.abs() < 1e-6, "nothing has moved since");
        counters.add_bytes(1000);
        let last = counters.status(OpenCounts::default(), start + Duration::from_secs(3));
        assert!(last.rate_bytes_per_s.abs() < 1e-6, "nobody is there");
        assert_eq!((last.cancelled, last.cut_off), (2, 1));
    }

    #[test]
    fn what_is_told_of_a_service_says_what_it_is() {
        let told = AnyEvent::Service(ServiceEvent::Service(Status::default()));
        let line = serde_json::to_string(&told).expect("serializes");
        assert!(line.starts_with(r#"{"event":"service","connections":0"#), "{line}");
    }
}
