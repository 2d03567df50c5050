//! How far transfers came that were cancelled.

use std::collections::HashMap;

use crate::transfer::{Event, EventKind, Side, TransferId};
use crate::units;

/// What is known of the transfers that run, and of those that were cancelled.
#[derive(Debug)]
pub(super) struct HowFar {
    side: Side,
    /// The name and the bytes in all of those that run.
    begun: HashMap<TransferId, (String, Option<u64>)>,
    cancelled: HashMap<TransferId, String>,
}

impl HowFar {
    /// Follows this side of each transfer.
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            begun: HashMap::new(),
            cancelled: HashMap::new(),
        }
    }

    /// Notes what a transfer told.
    pub(super) fn hear(&mut self, event: &Event) {
        if event.side != self.side {
            return;
        }
        match &event.kind {
            EventKind::Started(started) => {
                let name = started.source.as_ref().unwrap_or(&started.peer);
                self.begun.insert(event.transfer, (name.clone(), started.total_bytes));
            }
            EventKind::Cancelled { bytes, .. } => {
                let words = match self.begun.remove(&event.transfer) {
                    Some((name, Some(total))) => format!("{name}, {} had moved", units::done_of(*bytes, total)),
                    Some((name, None)) => format!("{name}, {} had moved", units::bytes(*bytes)),
                    None => "nothing had moved".into(),
                };
                self.cancelled.insert(event.transfer, words);
            }
            kind if kind.is_last() => {
                self.begun.remove(&event.transfer);
            }
            _ => {}
        }
    }

    /// `a.npy, 3.2 of 80.0 MB had moved`, of one that was cancelled. It is forgotten then.
    pub(super) fn take(&mut self, transfer: TransferId) -> Option<String> {
        self.cancelled.remove(&transfer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Started;

    #[test]
    fn a_cancelled_transfer_is_told_by_its_name_and_how_far_it_came() {
        let mut how_far = HowFar::new(Side::Sender);
        let mut hear = |transfer: u64, kind| how_far.hear(&Event::new(TransferId(transfer), Side::Sender, 0.0, kind));
        let started = Started {
            source: Some("a.npy".into()),
            total_bytes: Some(80_000_000),
            ..Started::default()
        };
        hear(1, EventKind::Started(Box::new(started)));
        hear(
            1,
            EventKind::Cancelled {
                bytes: 3_200_000,
                note: None,
            },
        );
        hear(2, EventKind::Cancelled { bytes: 0, note: None });
        assert_eq!(
            how_far.take(TransferId(1)).as_deref(),
            Some("a.npy, 3.2 of 80.0 MB had moved")
        );
        assert_eq!(how_far.take(TransferId(2)).as_deref(), Some("nothing had moved"));
        assert_eq!(how_far.take(TransferId(1)), None);
    }
}
