//! The present state for viewers that attach later: the last event of each kind of each running transfer.

use std::collections::BTreeMap;
use std::mem::discriminant;
use std::time::Instant;

use crate::service::{AnyEvent, ServiceEvent};
use crate::telemetry::RecentRate;
use crate::transfer::{Event, EventKind, TransferId};

use super::messages::{EngineEvent, EngineLine};

/// Beyond this number of transfers at once only the counts are kept.
const TRANSFERS_MAX: usize = 1024;

/// What a viewer that attaches now has to be sent.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    transfers: BTreeMap<TransferId, Vec<Kept>>,
    sources: BTreeMap<TransferId, String>,
    counts: Option<ServiceEvent>,
}

/// The last event of a kind that one side of a transfer told.
#[derive(Debug)]
struct Kept {
    event: Event,
    /// Of samples: the rate of the last moments, and when the last one came.
    rate: Option<(RecentRate, Instant)>,
}

impl Snapshot {
    /// Takes note of an event that is told at `now`.
    pub(super) fn update(&mut self, told: &AnyEvent, now: Instant) {
        match told {
            AnyEvent::Service(counts @ ServiceEvent::Service(_)) => self.counts = Some(counts.clone()),
            AnyEvent::Service(_) => {}
            AnyEvent::Transfer(event) if event.kind.is_last() => {
                self.transfers.remove(&event.transfer);
                self.sources.remove(&event.transfer);
            }
            AnyEvent::Transfer(event) => self.keep(event, now),
        }
    }

    /// Takes note of the source of a transfer.
    pub(super) fn job(&mut self, transfer: TransferId, source: &str) {
        if self.sources.len() < TRANSFERS_MAX {
            self.sources.insert(transfer, source.to_owned());
        }
    }

    /// Whether this transfer may be running. Beyond the bound not every transfer is known, and the answer is true.
    pub(super) fn may_run(&self, transfer: TransferId) -> bool {
        self.transfers.contains_key(&transfer) || self.transfers.len() >= TRANSFERS_MAX
    }

    /// The lines for a viewer, in an order in which they could have happened. The rates of samples are those at `now`,
    /// over a second or two.
    pub(super) fn lines(&self, now: Instant) -> impl Iterator<Item = EngineLine> {
        let counts = self
            .counts
            .iter()
            .map(|counts| EngineLine::Event(AnyEvent::Service(counts.clone())));
        let jobs = self.sources.iter().map(|(transfer, source)| {
            EngineLine::Engine(EngineEvent::Job {
                transfer: *transfer,
                source: source.clone(),
            })
        });
        let events = self.transfers.values().flatten().map(move |kept| kept.at(now));
        counts
            .chain(jobs)
            .chain(events.map(|event| EngineLine::Event(AnyEvent::Transfer(event))))
    }

    fn keep(&mut self, event: &Event, now: Instant) {
        if self.transfers.len() >= TRANSFERS_MAX && !self.transfers.contains_key(&event.transfer) {
            return;
        }
        let kept = self.transfers.entry(event.transfer).or_default();
        let is_same = |other: &&mut Kept| {
            let other = &other.event;
            other.side == event.side && discriminant(&other.kind) == discriminant(&event.kind)
        };
        match kept.iter_mut().find(is_same) {
            Some(other) => other.follow(event, now),
            None => kept.push(Kept::new(event, now)),
        }
    }
}

impl Kept {
    fn new(event: &Event, now: Instant) -> Self {
        let rate = match &event.kind {
            EventKind::Sample(sample) => Some((RecentRate::new(event.elapsed_s, sample.bytes), now)),
            _ => None,
        };
        Self {
            event: event.clone(),
            rate,
        }
    }

    /// Another one of its kind is told.
    fn follow(&mut self, event: &Event, now: Instant) {
        if let (Some((rate, told_at)), EventKind::Sample(sample)) = (&mut self.rate, &event.kind) {
            rate.push(event.elapsed_s, sample.bytes);
            *told_at = now;
        }
        self.event.clone_from(event);
    }

    /// The event for who looks at `now`.
    fn at(&self, now: Instant) -> Event {
        let mut event = self.event.clone();
        if let (EventKind::Sample(sample), Some((rate, told_at))) = (&mut event.kind, &self.rate) {
            let since_s = now.saturating_duration_since(*told_at).as_secs_f64();
            sample.rate_bytes_per_s = rate.at(event.elapsed_s + since_s);
        }
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Sample;
    use crate::transfer::Side;
    use std::time::Duration;

    fn sample(transfer: TransferId, bytes: u64) -> AnyEvent {
        let sample = Sample {
            bytes,
            rate_bytes_per_s: 0.0,
            counters: None,
            ..Sample::default()
        };
        told(transfer, EventKind::Sample(Box::new(sample)))
    }

    fn told(transfer: TransferId, kind: EventKind) -> AnyEvent {
        AnyEvent::Transfer(Event {
            kind,
            transfer,
            side: Side::Sender,
            elapsed_s: 1.0,
        })
    }

    #[test]
    fn the_last_of_each_kind_is_kept_until_its_transfer_ends() {
        let (mut snapshot, now) = (Snapshot::default(), Instant::now());
        let (a, b) = (TransferId::next(), TransferId::next());
        snapshot.job(a, "a.npy");
        for bytes in [1, 2, 3] {
            snapshot.update(&sample(a, bytes), now);
            snapshot.update(&sample(b, 10 * bytes), now);
        }
        let lines: Vec<EngineLine> = snapshot.lines(now).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(
            &lines[1..],
            [EngineLine::Event(sample(a, 3)), EngineLine::Event(sample(b, 30))]
        );
        snapshot.update(&told(a, EventKind::Cancelled { bytes: 3, note: None }), now);
        assert_eq!(
            snapshot.lines(now).collect::<Vec<_>>(),
            [EngineLine::Event(sample(b, 30))]
        );
    }

    #[test]
    fn of_thousands_no_more_are_kept_than_may_be() {
        let (mut snapshot, now) = (Snapshot::default(), Instant::now());
        for _ in 0..3 * TRANSFERS_MAX {
            let transfer = TransferId::next();
            snapshot.job(transfer, "x");
            snapshot.update(&sample(transfer, 1), now);
        }
        assert_eq!(snapshot.lines(now).count(), 2 * TRANSFERS_MAX);
    }

    #[test]
    fn who_looks_sees_the_rate_of_the_last_second_and_none_of_what_has_stopped() {
        let (mut snapshot, start) = (Snapshot::default(), Instant::now());
        let transfer = TransferId::next();
        // 400 kB at once, ten times a second.
        for i in 0..=60_u64 {
            let sample = Sample {
                bytes: i / 2 * 400_000,
                rate_bytes_per_s: if i % 2 == 0 { 8e6 } else { 0.0 },
                ..Sample::default()
            };
            let told = AnyEvent::Transfer(Event {
                kind: EventKind::Sample(Box::new(sample)),
                transfer,
                side: Side::Sender,
                elapsed_s: i as f64 * 0.05,
            });
            snapshot.update(&told, start + Duration::from_millis(50 * i));
        }
        let rate_after = |milliseconds| {
            let lines: Vec<EngineLine> = snapshot.lines(start + Duration::from_millis(milliseconds)).collect();
            match lines.as_slice() {
                [
                    EngineLine::Event(AnyEvent::Transfer(Event {
                        kind: EventKind::Sample(sample),
                        ..
                    })),
                ] => sample.rate_bytes_per_s,
                other => panic!("{other:?}"),
            }
        };
        assert!((rate_after(3000) - 4e6).abs() < 0.5e6, "{}", rate_after(3000));
        assert!(rate_after(8000) <= 0.0, "{}", rate_after(8000));
    }
}
