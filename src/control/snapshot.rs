//! The present state for viewers that attach later: the last event of each kind of each running transfer.

use std::collections::BTreeMap;
use std::mem::discriminant;

use crate::service::{AnyEvent, ServiceEvent};
use crate::transfer::{Event, TransferId};

use super::messages::{EngineEvent, EngineLine};

/// Beyond this number of transfers at once only the counts are kept.
const TRANSFERS_MAX: usize = 1024;

/// What a viewer that attaches now has to be sent.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    transfers: BTreeMap<TransferId, Vec<Event>>,
    sources: BTreeMap<TransferId, String>,
    counts: Option<ServiceEvent>,
}

impl Snapshot {
    /// Takes note of an event.
    pub(super) fn update(&mut self, told: &AnyEvent) {
        match told {
            AnyEvent::Service(counts @ ServiceEvent::Service(_)) => self.counts = Some(counts.clone()),
            AnyEvent::Service(_) => {}
            AnyEvent::Transfer(event) if event.kind.is_last() => {
                self.transfers.remove(&event.transfer);
                self.sources.remove(&event.transfer);
            }
            AnyEvent::Transfer(event) => self.keep(event),
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

    /// The lines for a viewer, in an order in which they could have happened.
    pub(super) fn lines(&self) -> impl Iterator<Item = EngineLine> {
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
        let events = self.transfers.values().flatten();
        counts
            .chain(jobs)
            .chain(events.map(|event| EngineLine::Event(AnyEvent::Transfer(event.clone()))))
    }

    fn keep(&mut self, event: &Event) {
        if self.transfers.len() >= TRANSFERS_MAX && !self.transfers.contains_key(&event.transfer) {
            return;
        }
        let kept = self.transfers.entry(event.transfer).or_default();
        let is_same =
            |other: &&mut Event| other.side == event.side && discriminant(&other.kind) == discriminant(&event.kind);
        match kept.iter_mut().find(is_same) {
            Some(other) => other.clone_from(event),
            None => kept.push(event.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Sample;
    use crate::transfer::{EventKind, Side};

    fn sample(transfer: TransferId, bytes: u64) -> AnyEvent {
        let sample = Sample {
            bytes,
            rate_bytes_per_s: 0.0,
            counters: None,
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
        let mut snapshot = Snapshot::default();
        let (a, b) = (TransferId::next(), TransferId::next());
        snapshot.job(a, "a.npy");
        for bytes in [1, 2, 3] {
            snapshot.update(&sample(a, bytes));
            snapshot.update(&sample(b, 10 * bytes));
        }
        let lines: Vec<EngineLine> = snapshot.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(
            &lines[1..],
            [EngineLine::Event(sample(a, 3)), EngineLine::Event(sample(b, 30))]
        );
        snapshot.update(&told(a, EventKind::Cancelled { bytes: 3, note: None }));
        assert_eq!(snapshot.lines().collect::<Vec<_>>(), [EngineLine::Event(sample(b, 30))]);
    }

    #[test]
    fn of_thousands_no_more_are_kept_than_may_be() {
        let mut snapshot = Snapshot::default();
        for _ in 0..3 * TRANSFERS_MAX {
            let transfer = TransferId::next();
            snapshot.job(transfer, "x");
            snapshot.update(&sample(transfer, 1));
        }
        assert_eq!(snapshot.lines().count(), 2 * TRANSFERS_MAX);
    }
}
