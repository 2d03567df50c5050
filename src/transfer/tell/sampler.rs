//! Turns what the data threads leave behind into events, 20 times a second.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use crate::telemetry::{Bottleneck, Connections, Counters, ProbeReader, Sample, Sum, whole};
use crate::transfer::tell::event::{Event, EventKind, Side, TransferId};
use crate::transfer::tell::event_queue::EventQueue;
use crate::transfer::tell::event_queue::Waker;

/// Between two readings.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// Sends events and never waits for whoever reads them.
pub(crate) struct Emitter {
    transfer: TransferId,
    events: EventQueue<Event>,
    waker: Waker,
}

impl Emitter {
    pub(crate) fn new(transfer: TransferId, events: Sender<Event>, waker: Waker) -> Self {
        Self {
            transfer,
            events: EventQueue::new(events),
            waker,
        }
    }

    /// Sends an event. One that does not fit is kept for later, unless it is a sample: the next one tells as much.
    pub(crate) fn emit(&mut self, side: Side, elapsed: Duration, kind: EventKind) {
        let event = Event {
            kind,
            transfer: self.transfer,
            side,
            elapsed_s: elapsed.as_secs_f64(),
        };
        if event.is_sample() {
            self.events.offer(event);
        } else {
            self.events.keep(event);
        }
    }

    /// Wakes whoever reads.
    pub(crate) fn wake(&self) {
        (self.waker)();
    }

    /// Sends what is left, for as long as a reader can be hoped for. Who reads is woken where it has to make room.
    pub(crate) fn finish(self) {
        if self.events.kept() > 0 {
            self.wake();
        }
        self.events.finish();
    }
}

/// Something that a side told, and when.
type Note = (Duration, EventKind);

/// Reads one side's stamps and notes, over all its connections.
pub(crate) struct SideReader {
    side: Side,
    /// What leaves the stamps of each connection, by its number.
    probes: Vec<ProbeReader>,
    connections: Connections,
    notes: (Sender<Note>, Receiver<Note>),
    last: (Duration, f64),
    last_counters: Option<Counters>,
}

impl SideReader {
    pub(crate) fn new(side: Side, stamps: ProbeReader, notes: (Sender<Note>, Receiver<Note>)) -> Self {
        let mut reader = Self {
            side,
            probes: Vec::new(),
            connections: Connections::default(),
            notes,
            last: (Duration::ZERO, 0.0),
            last_counters: None,
        };
        reader.add(stamps);
        reader
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }

    /// The counters as they were last read.
    pub(crate) fn last_counters(&self) -> Option<&Counters> {
        self.last_counters.as_ref()
    }

    /// Reads a further connection, too; returns where it tells what happens.
    pub(crate) fn add(&mut self, stamps: ProbeReader) -> Sender<Note> {
        self.connections.add();
        self.probes.push(stamps);
        self.notes.0.clone()
    }

    /// Emits what has come since the last call, in order; where no bytes were stamped though the side
    /// `is_running`, a sample that says so.
    pub(crate) fn drain(
        &mut self,
        clock: Instant,
        is_running: bool,
        emitter: &mut Emitter,
        bottleneck: &mut Bottleneck,
    ) {
        let mut told: Vec<Note> = self.notes.1.try_iter().collect();
        for (number, probe) in self.probes.iter().enumerate() {
            let (stamps, may_come) = probe.stamps();
            for stamp in stamps {
                self.connections.push(number, stamp);
            }
            if !may_come {
                self.connections.end(number);
            }
        }
        let sums = self.connections.sums(clock.elapsed());
        if sums.is_empty() && is_running && !self.connections.is_waiting() {
            let sum = Sum {
                elapsed: clock.elapsed(),
                bytes: self.probes.iter().map(|probe| probe.bytes() as f64).sum(),
                ..Sum::default()
            };
            told.push(self.sample(&sum));
        }
        for sum in sums {
            if sum.comes_again {
                self.last.1 = 0.0;
            }
            if sum.elapsed > self.last.0 || sum.counters.is_some() {
                let sample = self.sample(&sum);
                self.last_counters = sum.counters.or(self.last_counters);
                if let Some(counters) = &sum.counters {
                    bottleneck.push(self.side, sum.elapsed.as_secs_f64(), whole(sum.bytes), counters);
                }
                told.push(sample);
            }
        }
        told.sort_by_key(|(elapsed, _)| *elapsed);
        for (elapsed, kind) in told {
            emitter.emit(self.side, elapsed, kind);
        }
    }

    fn sample(&mut self, sum: &Sum) -> Note {
        let (elapsed, bytes) = (sum.elapsed.max(self.last.0), sum.bytes);
        let rate_bytes_per_s = self.rate(elapsed, bytes);
        self.last = (elapsed, bytes.max(self.last.1));
        (
            elapsed,
            EventKind::Sample(Box::new(Sample {
                bytes: whole(bytes),
                rate_bytes_per_s,
                stream_bytes: sum.each_bytes.iter().map(|bytes| whole(*bytes)).collect(),
                counters: sum.counters,
            })),
        )
    }

    fn rate(&self, elapsed: Duration, bytes: f64) -> f64 {
        let (last_elapsed, last_bytes) = self.last;
        let seconds = elapsed.saturating_sub(last_elapsed).as_secs_f64();
        if seconds > 0.0 {
            (bytes - last_bytes).max(0.0) / seconds
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Probe;
    use crate::transfer::tell::event::State;
    use crossbeam_channel::bounded;
    use std::sync::Arc;

    fn emitting(events: Sender<Event>) -> Emitter {
        Emitter::new(TransferId(1), events, Arc::new(|| {}))
    }

    fn sample(bytes: u64) -> EventKind {
        EventKind::Sample(Box::new(Sample {
            bytes,
            rate_bytes_per_s: 0.0,
            counters: None,
            ..Sample::default()
        }))
    }

    #[test]
    fn a_full_channel_drops_samples_and_keeps_everything_else_in_order() {
        let (events, reader) = bounded(1);
        let mut emitter = emitting(events);
        emitter.emit(Side::Sender, Duration::ZERO, sample(1));
        emitter.emit(Side::Sender, Duration::ZERO, EventKind::State { state: State::Paused });
        emitter.emit(Side::Sender, Duration::ZERO, sample(2));
        emitter.emit(
            Side::Sender,
            Duration::ZERO,
            EventKind::Cancelled { bytes: 2, note: None },
        );
        assert_eq!(reader.try_recv().map(|event| event.kind), Ok(sample(1)));
        let last = std::thread::Builder::new().spawn(move || reader.iter().map(|event| event.kind).collect::<Vec<_>>());
        emitter.finish();
        let last = last.expect("thread").join().expect("reader");
        assert_eq!(
            last,
            [
                EventKind::State { state: State::Paused },
                EventKind::Cancelled { bytes: 2, note: None }
            ]
        );
    }

    #[test]
    fn a_reader_that_never_reads_does_not_keep_the_transfer_from_ending() {
        let (events, _reader) = bounded(1);
        let mut emitter = emitting(events);
        for _ in 0..100 {
            emitter.emit(
                Side::Sender,
                Duration::ZERO,
                EventKind::Cancelled { bytes: 0, note: None },
            );
        }
        emitter.finish();
    }

    #[test]
    fn the_rate_falls_to_zero_where_nothing_moves() {
        let clock = Instant::now();
        let (mut probe, stamps) = Probe::new(clock);
        let mut side = SideReader::new(Side::Receiver, stamps, bounded(1));
        let (events, seen) = bounded(100);
        let mut emitter = emitting(events);
        let mut bottleneck = Bottleneck::new(&[Side::Receiver]);
        probe.begin();
        probe.moved(1000);
        probe.end();
        side.drain(clock, true, &mut emitter, &mut bottleneck);
        side.drain(clock, true, &mut emitter, &mut bottleneck);
        let samples: Vec<(u64, f64)> = seen
            .try_iter()
            .filter_map(|event| {
                if let EventKind::Sample(sample) = event.kind {
                    Some((sample.bytes, sample.rate_bytes_per_s))
                } else {
                    None
                }
            })
            .collect();
        assert!(samples.iter().any(|(_, rate)| *rate > 0.0), "{samples:?}");
        assert_eq!(samples.last(), Some(&(1000, 0.0)));
    }
}
