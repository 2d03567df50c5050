//! How far transfers came that were cancelled or broke, and whether they can be gone on with.

use std::collections::HashMap;

use crate::Error;
use crate::transfer::{Event, EventKind, Failure, KEPT_BYTES_MIN, Side, Started, TransferId};
use crate::units;

use super::lines;

/// What is known of the transfers that run, and of those that did not come to their end.
#[derive(Debug)]
pub(super) struct HowFar {
    side: Side,
    /// Without checksums no receiver keeps what came.
    has_checksums: bool,
    begun: HashMap<TransferId, Begun>,
    /// Words for each that was cancelled or broke.
    ended: HashMap<TransferId, String>,
}

/// What a transfer told of itself at its beginning.
#[derive(Debug)]
struct Begun {
    name: String,
    total_bytes: Option<u64>,
    resumed_bytes: u64,
    is_tree: bool,
    /// Whether what came of it is kept here, or at the other end.
    is_kept: bool,
    is_fetched: bool,
}

impl HowFar {
    /// Follows this side of each transfer.
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            has_checksums: true,
            begun: HashMap::new(),
            ended: HashMap::new(),
        }
    }

    /// They move without checksums.
    pub(super) fn without_checksums(&mut self) {
        self.has_checksums = false;
    }

    /// Notes what a transfer told.
    pub(super) fn hear(&mut self, event: &Event) {
        if event.side != self.side {
            return;
        }
        match &event.kind {
            EventKind::Started(started) => {
                self.begun.insert(event.transfer, self.begin(started));
            }
            EventKind::Cancelled { bytes, .. } => {
                let begun = self.begun.remove(&event.transfer);
                let words = begun.map_or_else(
                    || "nothing had moved".into(),
                    |begun| begun.was_cancelled(self.side, *bytes),
                );
                self.ended.insert(event.transfer, words);
            }
            EventKind::Failed(failure) => {
                let begun = self.begun.remove(&event.transfer);
                if let Some(words) = begun.and_then(|begun| begun.goes_on(self.side, failure)) {
                    self.ended.insert(event.transfer, words);
                }
            }
            kind if kind.is_last() => {
                self.begun.remove(&event.transfer);
            }
            _ => {}
        }
    }

    fn begin(&self, started: &Started) -> Begun {
        Begun {
            name: lines::shortened(started.source.as_ref().unwrap_or(&started.peer)),
            total_bytes: started.total_bytes,
            resumed_bytes: started.resumed_bytes,
            is_tree: started.is_tree,
            is_kept: match self.side {
                Side::Sender => started.wire == "native" && self.has_checksums,
                Side::Receiver => started.is_on_record || started.is_tree,
            },
            is_fetched: started.wire.starts_with("http"),
        }
    }

    /// `a.npy, 3.2 of 80.0 MB had moved`, of one that was cancelled; `what came of a.npy is kept: sent again, it goes on`,
    /// of one that broke. It is forgotten then.
    pub(super) fn take(&mut self, transfer: TransferId) -> Option<String> {
        self.ended.remove(&transfer)
    }
}

impl Begun {
    fn had_moved(&self, bytes: u64) -> String {
        let name = &self.name;
        match self.total_bytes {
            Some(total) => {
                let there = self.resumed_bytes.saturating_add(bytes).min(total);
                format!("{name}, {} had moved", units::done_of(there, total))
            }
            None => format!("{name}, {} had moved", units::bytes(bytes)),
        }
    }

    /// How far it came that was cancelled. What a receiver has is removed by a cancel there alone.
    fn was_cancelled(&self, side: Side, bytes: u64) -> String {
        let goes_on = side == Side::Sender && self.is_kept && self.is_worth_keeping(bytes);
        let how = if goes_on { ": sent again, it goes on" } else { "" };
        format!("{}{how}", self.had_moved(bytes))
    }

    /// How the same goes on, where it may.
    fn goes_on(&self, side: Side, failure: &Failure) -> Option<String> {
        // A peer that gives up does not take away what came.
        let may_go_on =
            failure.error.may_pass() || side == Side::Receiver && matches!(failure.error, Error::Aborted(_));
        if !self.is_kept || !may_go_on {
            return None;
        }
        // Of a folder the failure does not say how far it came, and its small files are kept as they are.
        if self.is_tree {
            return Some(format!(
                "{}: sent again, it goes on from what is there",
                self.had_moved(failure.bytes)
            ));
        }
        if !self.is_worth_keeping(failure.bytes) {
            return None;
        }
        let name = &self.name;
        Some(match side {
            Side::Sender => format!("sent again, {name} goes on from what the receiver has of it"),
            Side::Receiver if self.is_fetched => "what came is kept: fetched again, it goes on".into(),
            Side::Receiver => format!("what came of {name} is kept: sent again, it goes on"),
        })
    }

    fn is_worth_keeping(&self, bytes: u64) -> bool {
        self.is_tree || self.resumed_bytes.saturating_add(bytes) >= KEPT_BYTES_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_transfer_is_told_by_its_name_and_how_far_it_came() {
        let mut how_far = HowFar::new(Side::Sender);
        let mut hear = |transfer: u64, kind| how_far.hear(&Event::new(TransferId(transfer), Side::Sender, 0.0, kind));
        let started = Started {
            source: Some("a.npy".into()),
            wire: "native".into(),
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
            Some("a.npy, 3.2 of 80.0 MB had moved: sent again, it goes on")
        );
        assert_eq!(how_far.take(TransferId(2)).as_deref(), Some("nothing had moved"));
        assert_eq!(how_far.take(TransferId(1)), None);
    }

    #[test]
    fn one_that_broke_says_that_it_can_be_gone_on_with_where_what_came_is_kept() {
        let words = |side, has_checksums: bool, started: Started, error: Error| {
            let mut how_far = HowFar::new(side);
            if !has_checksums {
                how_far.without_checksums();
            }
            let mut hear = |kind| how_far.hear(&Event::new(TransferId(1), side, 0.0, kind));
            hear(EventKind::Started(Box::new(started)));
            hear(EventKind::Failed(Failure {
                fault: error.fault(),
                message: error.to_string(),
                bytes: 3_200_000,
                peer: None,
                error,
            }));
            how_far.take(TransferId(1))
        };
        let started = |wire: &'static str, is_on_record, is_tree| Started {
            source: Some("runs".into()),
            wire: wire.into(),
            is_on_record,
            is_tree,
            ..Started::default()
        };
        let broke = || Error::ClosedWhile("early");
        let sent = "sent again, runs goes on from what the receiver has of it";
        let file = || started("native", false, false);
        assert_eq!(words(Side::Sender, true, file(), broke()).as_deref(), Some(sent));
        assert_eq!(words(Side::Sender, false, file(), broke()), None);
        assert_eq!(words(Side::Sender, true, started("raw", false, false), broke()), None);
        assert_eq!(words(Side::Sender, true, file(), Error::ResultMismatch), None);
        assert_eq!(words(Side::Sender, true, file(), Error::Aborted("no".into())), None);
        assert_eq!(words(Side::Receiver, true, file(), broke()), None);
        let gave_up = words(
            Side::Receiver,
            true,
            started("native", true, false),
            Error::Aborted("no".into()),
        );
        assert_eq!(
            gave_up.as_deref(),
            Some("what came of runs is kept: sent again, it goes on")
        );
        assert_eq!(
            words(Side::Receiver, true, started("native", true, false), broke()).as_deref(),
            Some("what came of runs is kept: sent again, it goes on")
        );
        assert_eq!(
            words(Side::Receiver, true, started("https", true, false), broke()).as_deref(),
            Some("what came is kept: fetched again, it goes on")
        );
        for side in [Side::Sender, Side::Receiver] {
            assert_eq!(
                words(side, true, started("native", false, true), broke()).as_deref(),
                Some("runs, 3.20 MB had moved: sent again, it goes on from what is there")
            );
        }
    }
}
