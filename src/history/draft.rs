//! What is known of a transfer that runs, until it is an entry.

use std::time::SystemTime;

use crate::telemetry::{Side, Verdict};
use crate::transfer::{Event, EventKind, Finished, Items, Outcome, Started};

use super::curve::Curves;
use super::entry::{Ending, Entry, Way};

/// A transfer that runs.
#[derive(Debug, Default)]
pub(super) struct Draft {
    began_unix_ms: i64,
    end_s: f64,
    has: Ends,
    /// Of the end that tells more.
    started: Option<Beginning>,
    verdict: Option<Box<Verdict>>,
    curves: Curves,
    sender_cpu_s: Option<f64>,
    receiver_cpu_s: Option<f64>,
    bytes: u64,
    /// Of a tree, as the end has told that knows more.
    items: Option<(Side, Items)>,
}

/// Which ends tell something.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    sender: bool,
    receiver: bool,
}

/// What is kept of a beginning.
#[derive(Debug, Default)]
struct Beginning {
    source: Option<String>,
    sink: Option<String>,
    peer: String,
    wire: String,
    send_route: Option<String>,
    receive_route: Option<String>,
    dtype: String,
    shape: Vec<u64>,
    total_bytes: Option<u64>,
    resumed_bytes: u64,
    streams: u16,
    is_tree: bool,
}

impl Draft {
    /// Something is told of it for the first time at `now`.
    pub(super) fn new(event: &Event, now: SystemTime) -> Self {
        Self {
            began_unix_ms: began_unix_ms(event, now),
            ..Self::default()
        }
    }

    /// Takes note of what is told of it at `now`.
    pub(super) fn hear(&mut self, event: &Event, now: SystemTime) {
        // Its clock begins anew when the other end is there, for which it may have waited for days.
        if matches!(event.kind, EventKind::Started(_)) && self.started.is_none() {
            self.began_unix_ms = began_unix_ms(event, now);
            self.end_s = 0.0;
        }
        self.end_s = self.end_s.max(event.elapsed_s);
        match event.side {
            Side::Sender => self.has.sender = true,
            Side::Receiver => self.has.receiver = true,
        }
        match &event.kind {
            EventKind::Started(started) => self.begin(started),
            EventKind::Sample(sample) => {
                self.curves.push(event.side, event.elapsed_s, sample.bytes);
                if let Some(counters) = &sample.counters {
                    let cpu_s = match event.side {
                        Side::Sender => &mut self.sender_cpu_s,
                        Side::Receiver => &mut self.receiver_cpu_s,
                    };
                    *cpu_s = Some(counters.cpu_s());
                }
            }
            EventKind::Items(items) => self.count(event.side, items),
            EventKind::Finished(finished) => {
                if let Some(items) = &finished.items {
                    self.count(event.side, items);
                }
            }
            EventKind::Bottleneck(verdict) => self.verdict = Some(verdict.clone()),
            EventKind::Cancelled { bytes, .. } => self.bytes = self.bytes.max(*bytes),
            _ => {}
        }
    }

    /// Takes note of how far a tree is. The sender knows of items, too, that it could not even offer.
    fn count(&mut self, side: Side, items: &Items) {
        if side == Side::Sender || self.items.as_ref().is_none_or(|(known, _)| *known == side) {
            self.items = Some((side, items.counts()));
        }
    }

    /// Both ends may tell a beginning: each knows what the other does not.
    fn begin(&mut self, started: &Started) {
        let known = self.started.get_or_insert_default();
        let text = |known: &mut Option<String>, told: Option<&str>| {
            if known.is_none() {
                *known = told.map(str::to_owned);
            }
        };
        text(&mut known.source, started.source.as_deref());
        text(&mut known.sink, started.sink.as_deref());
        text(&mut known.send_route, started.send_route.as_deref());
        text(&mut known.receive_route, started.receive_route.as_deref());
        known.peer.clone_from(&started.peer);
        known.wire = started.wire.as_ref().into();
        known.dtype.clone_from(&started.dtype);
        known.shape.clone_from(&started.shape);
        known.total_bytes = started.total_bytes.or(known.total_bytes);
        known.resumed_bytes = known.resumed_bytes.max(started.resumed_bytes);
        known.streams = started.streams;
        known.is_tree |= started.is_tree;
    }

    /// Bytes that had moved when it ended so.
    fn bytes(&self, outcome: &Outcome) -> u64 {
        match outcome {
            Outcome::Done(finished) => finished.moved_bytes(),
            Outcome::Failed(failure) => failure.bytes,
            Outcome::Cancelled | Outcome::Joined => self.bytes,
        }
    }

    /// Whether anything was to be moved: a receiver alone waits for an offer first.
    pub(super) fn was_offered(&self) -> bool {
        self.has.sender || self.started.is_some()
    }

    /// Which ends were here.
    fn way(&self) -> Way {
        let is_fetch = |started: &Beginning| started.wire.starts_with("http");
        match (self.has.sender, self.has.receiver) {
            (true, false) => Way::Send,
            (false, true) if self.started.as_ref().is_some_and(is_fetch) => Way::Fetch,
            (false, true) => Way::Receive,
            _ => Way::Loopback,
        }
    }

    /// What is kept of it, now that it has ended so. `name` is what it was called before it told its source.
    pub(super) fn finish(self, command: &str, name: Option<String>, outcome: &Outcome) -> (Entry, Curves) {
        // One end may have failed before the other one told anything.
        let way = match command {
            "loopback" => Way::Loopback,
            _ => self.way(),
        };
        let bytes = self.bytes(outcome);
        let started = self.started.unwrap_or_default();
        let text = |text: String| (!text.is_empty()).then_some(text);
        let mut entry = Entry {
            began_unix_ms: self.began_unix_ms,
            command: command.into(),
            way,
            source: started.source.or(name),
            sink: started.sink,
            peer: text(started.peer).filter(|_| way != Way::Loopback),
            dtype: text(started.dtype),
            shape: started.shape,
            items: match (self.items, outcome) {
                (Some((_, items)), _) => Some(items),
                (None, Outcome::Done(Finished { items: Some(items), .. })) => Some(items.counts()),
                (None, _) => started.is_tree.then(Items::default),
            },
            bytes,
            resumed_bytes: started.resumed_bytes,
            total_bytes: started.total_bytes,
            transfers: 1,
            rate_bytes_per_s: if self.end_s > 0.0 {
                bytes as f64 / self.end_s
            } else {
                0.0
            },
            seconds: self.end_s,
            streams: started.streams,
            wire: text(started.wire),
            send_route: started.send_route,
            receive_route: started.receive_route,
            sender_cpu_s: self.sender_cpu_s,
            receiver_cpu_s: self.receiver_cpu_s,
            ..Entry::default()
        };
        if let Some(verdict) = self.verdict {
            entry.shares = verdict.shares.ranked();
            entry.sentence = Some(verdict.sentence);
        }
        match outcome {
            Outcome::Done(finished) => entry.done(finished),
            Outcome::Failed(failure) => {
                entry.outcome = Ending::Failed;
                entry.fault = Some(failure.fault);
                entry.message = Some(failure.message.clone());
                entry.peer = entry.peer.or_else(|| failure.peer.clone());
            }
            Outcome::Cancelled | Outcome::Joined => entry.outcome = Ending::Cancelled,
        }
        (entry.fit_to_keep(), self.curves)
    }
}

impl Entry {
    fn done(&mut self, finished: &Finished) {
        self.outcome = Ending::Done;
        self.resumed_bytes = finished.resumed_bytes;
        self.rate_bytes_per_s = finished.rate_bytes_per_s;
        self.verified = finished.verified;
        self.durable = finished.durable;
        self.sync_s = finished.sync_s;
        self.checksum.clone_from(&finished.checksum);
        self.path = finished.path.as_ref().map(|path| path.to_string_lossy().into_owned());
        self.message.clone_from(&finished.note);
    }
}

/// When the clock began of an event that is told at `now`.
fn began_unix_ms(event: &Event, now: SystemTime) -> i64 {
    unix_ms(now).saturating_sub(milliseconds(event.elapsed_s))
}

/// Milliseconds since 1970.
pub(super) fn unix_ms(now: SystemTime) -> i64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a conversion of floats saturates")]
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1e3).round() as i64
}
