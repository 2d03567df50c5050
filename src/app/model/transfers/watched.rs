//! What other processes transfer: told from outside, paired with what this window knows, and not kept for ever.

use super::Transfers;
use crate::app::model::row::{OtherProcess, Process, Row, RowKey};
use crate::transfer::{Event, EventKind, Side, TransferId};

/// So many transfers of other processes are listed at once, and so many of them that have ended.
const WATCHED_MAX: usize = 200;
const WATCHED_ENDED_MAX: usize = 20;

impl Transfers {
    /// The rows of other processes, newest first.
    #[must_use]
    pub fn others(&self) -> &[Row] {
        self.rows.split_at(self.own_count()).1
    }

    /// How many transfers of another process are listed and have not ended.
    #[must_use]
    pub fn listed_of(&self, pid: u32) -> usize {
        let its = self.rows.iter().filter(|row| row.other_pid() == Some(pid));
        its.filter(|row| !row.is_over()).count()
    }

    /// Takes an event of another process in, which is that end of its transfers: one that nobody knows gets a row when
    /// it has begun.
    pub fn fold_watched(&mut self, pid: u32, side: Side, event: Event, now_s: f64) {
        let known = self.by_process.get(&(pid, event.transfer)).copied();
        let known = known.or_else(|| self.pair(pid, &event));
        let Some(key) = known.or_else(|| self.add_watched(pid, side, &event, now_s)) else {
            return;
        };
        if let Some(row) = self.row_mut(key)
            && !row.sides().contains(&event.side)
            && matches!(event.kind, EventKind::Started(_))
        {
            // It does both ends itself.
            row.join(pid);
        }
        self.fold_into(key, event, now_s);
        self.forget_old();
    }

    /// The row whose other end this is the beginning of.
    fn pair(&mut self, pid: u32, event: &Event) -> Option<RowKey> {
        let EventKind::Started(started) = &event.kind else {
            return None;
        };
        let is_its = |row: &&mut Row| row.is_other_end_of(pid, event.side, started);
        let row = self.rows.iter_mut().find(is_its)?;
        row.join(pid);
        let key = row.key;
        self.by_process.insert((pid, event.transfer), key);
        Some(key)
    }

    fn add_watched(&mut self, pid: u32, side: Side, event: &Event, now_s: f64) -> Option<RowKey> {
        let EventKind::Started(started) = &event.kind else {
            return None;
        };
        if self.watched_rows().filter(|row| !row.is_over()).count() >= WATCHED_MAX {
            return None;
        }
        let process = OtherProcess {
            pid,
            side,
            name: started.source.clone().unwrap_or_else(|| started.peer.clone()),
            is_gone: false,
        };
        self.last_key += 1;
        let key = self.last_key;
        self.rows.insert(self.own_count(), Row::watched(key, process, now_s));
        // The selection stays.
        self.selected = self.selected.or(Some(key));
        self.row_mut(key)?.id = Some(event.transfer);
        self.by_process.insert((pid, event.transfer), key);
        Some(key)
    }

    /// A transfer of another process has this source.
    pub fn name_watched(&mut self, pid: u32, transfer: TransferId, source: &str) {
        let key = self.by_process.get(&(pid, transfer)).copied();
        if let Some(Process::Other(process)) = key.and_then(|key| self.row_mut(key)).map(|row| &mut row.process) {
            source.clone_into(&mut process.name);
        }
    }

    /// Another process has ended, and what it did with it.
    pub fn end_watched(&mut self, pid: u32) {
        self.by_process.retain(|(other, _), _| *other != pid);
        for row in &mut self.rows {
            row.note_process_end(pid);
        }
    }

    fn watched_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_own())
    }

    /// Takes those of other processes off the list that ended first, where there are many; not the selected one.
    fn forget_old(&mut self) {
        let ended = self.watched_rows().filter(|row| row.is_over());
        let old = ended.skip(WATCHED_ENDED_MAX).find(|row| Some(row.key) != self.selected);
        if let Some(key) = old.map(|row| row.key) {
            self.remove(key);
        }
    }

    /// Another process may have told of the other end before this one told of its own: there is one row for both.
    pub(super) fn take_in_other_end(&mut self, key: RowKey) {
        let Some(row) = self.row(key) else { return };
        let is_its = |other: &&Row| {
            let [side] = other.sides() else { return false };
            let started = other.end(*side).started.as_ref().zip(other.other_pid());
            started.is_some_and(|(started, pid)| row.is_other_end_of(pid, *side, started))
        };
        let Some(other) = self.others().iter().find(is_its) else {
            return;
        };
        let (other_key, pid, side) = (other.key, other.other_pid(), other.sides()[0]);
        let (end, is_selected) = (other.end(side).clone(), self.selected == Some(other_key));
        let tied = self.by_process.values_mut().find(|tied| **tied == other_key);
        if let (Some(tied), Some(pid)) = (tied, pid) {
            *tied = key;
            if let Some(row) = self.row_mut(key) {
                row.join(pid);
                row.take_end(side, end);
            }
            // Its bytes are those of this row now.
            let removed_bytes = self.removed_bytes;
            self.remove(other_key);
            self.removed_bytes = removed_bytes;
            if is_selected {
                self.selected = Some(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::{EndpointKind, Form};
    use crate::app::model::list::List;
    use crate::app::model::plan::{Paths, check};
    use crate::app::model::services::Services;
    use crate::telemetry::Sample;

    fn event(transfer: u64, kind: EventKind) -> Event {
        Event {
            kind,
            transfer: TransferId(transfer),
            side: Side::Receiver,
            elapsed_s: 1.0,
        }
    }

    fn started(transfer: u64) -> Event {
        let started = serde_json::json!({
            "source": "a.npy", "sink": null, "peer": "10.0.0.7:1", "wire": "native", "send_route": null,
            "receive_route": "recv", "route_reason": "", "dtype": "f64", "shape": [10], "total_bytes": 80,
            "streams": 1, "congestion_control": null, "chunk_bytes": 4096,
        });
        let started = serde_json::from_value(started).expect("as an engine tells it");
        event(transfer, EventKind::Started(Box::new(started)))
    }

    fn sample(transfer: u64, bytes: u64) -> Event {
        let sample = Sample {
            bytes,
            rate_bytes_per_s: 0.0,
            counters: None,
            ..Sample::default()
        };
        event(transfer, EventKind::Sample(Box::new(sample)))
    }

    #[test]
    fn transfers_of_two_processes_with_the_same_ids_are_told_apart() {
        let mut transfers = Transfers::default();
        transfers.fold_watched(1, Side::Receiver, sample(1, 8), 0.0);
        assert!(transfers.rows().is_empty(), "it is not known what it is");
        for pid in [1, 2] {
            transfers.fold_watched(pid, Side::Receiver, started(1), 0.0);
            transfers.fold_watched(pid, Side::Receiver, sample(1, 8 * u64::from(pid)), 0.0);
        }
        let rows = transfers.rows();
        let bytes: Vec<u64> = rows.iter().map(|row| row.main_end().series.bytes()).collect();
        assert_eq!(bytes, [16, 8]);
        assert_eq!(
            (rows[0].name(), rows[0].endpoint_in_words()),
            ("a.npy", "process 2".to_owned())
        );
        assert_eq!(transfers.running(), 0, "none of this process");
        transfers.end_watched(1);
        let over: Vec<bool> = transfers.rows().iter().map(Row::is_over).collect();
        assert_eq!(over, [false, true]);
    }

    fn started_between(transfer: u64, side: Side, own: &str, peer: &str) -> Event {
        let mut event = started(transfer);
        event.side = side;
        let EventKind::Started(started) = &mut event.kind else {
            panic!("it has begun")
        };
        (started.own_address, started.peer) = (Some(own.to_owned()), peer.to_owned());
        event
    }

    #[test]
    fn both_ends_of_one_transfer_in_two_processes_are_one_row_until_both_have_ended() {
        let (a, b) = ("10.0.0.7:40000", "10.0.0.7:25000");
        let mut transfers = Transfers::default();
        transfers.fold_watched(1, Side::Sender, started_between(1, Side::Sender, a, b), 0.0);
        transfers.fold_watched(2, Side::Receiver, started_between(9, Side::Receiver, b, a), 0.0);
        // Another sender to the same receiver.
        transfers.fold_watched(
            3,
            Side::Sender,
            started_between(1, Side::Sender, "10.0.0.7:40001", b),
            0.0,
        );
        assert_eq!(transfers.rows().len(), 2);
        transfers.fold_watched(2, Side::Receiver, sample(9, 48), 0.0);
        let row = transfers.rows().last().expect("the first one");
        assert_eq!(row.endpoint_in_words(), "process 1 → 2");
        assert_eq!((row.sides().len(), row.main_end().series.bytes()), (2, 48));
        transfers.end_watched(1);
        assert!(!transfers.rows()[1].is_over(), "the receiver is still there");
        transfers.end_watched(2);
        assert!(transfers.rows()[1].is_over());
    }

    #[test]
    fn over_a_unix_socket_the_ends_know_each_other_by_their_processes() {
        let between = |transfer, side, other| {
            let mut event = started_between(transfer, side, "", "unix:/run/a");
            if let EventKind::Started(started) = &mut event.kind {
                (started.own_address, started.peer_process) = (None, Some(other));
            }
            event
        };
        let mut transfers = Transfers::default();
        transfers.fold_watched(1, Side::Sender, between(1, Side::Sender, 2), 0.0);
        transfers.fold_watched(2, Side::Receiver, between(1, Side::Receiver, 1), 0.0);
        transfers.fold_watched(2, Side::Receiver, between(2, Side::Receiver, 1), 0.0);
        assert_eq!(transfers.rows().len(), 2, "a row has two ends");
        assert_eq!(transfers.rows()[1].endpoint_in_words(), "process 1 → 2");
    }

    #[test]
    fn what_this_window_sends_to_another_process_is_one_row_whoever_tells_of_it_first() {
        let (a, b) = ("127.0.0.1:40000", "127.0.0.1:25000");
        let form = Form {
            endpoint: EndpointKind::SendTo,
            ..Form::default()
        };
        for is_told_first in [false, true] {
            let mut transfers = Transfers::default();
            let key = transfers.add(check(&form, &Paths::default()).recipe.expect("a recipe"), 0.0);
            transfers.tie(key, TransferId(1));
            let own = started_between(1, Side::Sender, a, b);
            let other = started_between(5, Side::Receiver, b, a);
            if is_told_first {
                transfers.fold(own.clone(), 0.0);
            }
            transfers.fold_watched(2, Side::Receiver, other, 0.0);
            transfers.fold_watched(2, Side::Receiver, sample(5, 48), 0.0);
            if !is_told_first {
                transfers.fold(own, 0.0);
            }
            let [row] = transfers.rows() else {
                panic!("{} rows", transfers.rows().len())
            };
            assert_eq!(row.endpoint_in_words(), "to process 2");
            assert_eq!((row.is_own(), row.main_end().series.bytes()), (true, 48));
            transfers.end_watched(2);
            assert!(!transfers.rows()[0].is_over(), "this window knows how it ends");
        }
    }

    #[test]
    fn rows_of_this_window_stand_above_those_of_others_which_can_be_folded_away() {
        let mut transfers = Transfers::default();
        transfers.fold_watched(1, Side::Receiver, started(1), 0.0);
        let recipe = check(&Form::default(), &Paths::default()).recipe;
        let key = transfers.add(recipe.expect("a recipe"), 0.0);
        transfers.fold_watched(1, Side::Receiver, started(2), 0.0);
        let own: Vec<bool> = transfers.rows().iter().map(Row::is_own).collect();
        assert_eq!(own, [true, false, false]);
        assert_eq!((transfers.own_rows().len(), transfers.others().len()), (1, 2));
        let services = Services::default();
        let walk = |transfers: &mut Transfers, down| {
            let filter = "";
            let list = List {
                transfers,
                services: &services,
                filter,
            };
            let shown = list.keys();
            transfers.move_selection(&shown, down);
            transfers.selected().map(|row| row.key)
        };
        transfers.fold_others(true);
        assert_eq!(walk(&mut transfers, 1), Some(key), "the others are not walked");
        transfers.fold_others(false);
        assert_ne!(walk(&mut transfers, 1), Some(key));
        transfers.fold_others(true);
        assert_eq!(walk(&mut transfers, -1), Some(key));
    }

    #[test]
    fn of_thousands_of_other_processes_some_are_shown_and_few_that_have_ended() {
        let mut transfers = Transfers::default();
        for id in 0..1000 {
            transfers.fold_watched(1, Side::Receiver, started(id), 0.0);
        }
        assert_eq!(transfers.rows().len(), WATCHED_MAX);
        for id in 0..1000 {
            transfers.fold_watched(
                1,
                Side::Receiver,
                event(id, EventKind::Cancelled { bytes: 0, note: None }),
                0.0,
            );
        }
        assert!(
            transfers.rows().len() <= WATCHED_ENDED_MAX + 1,
            "{}",
            transfers.rows().len()
        );
        assert_eq!(
            transfers.selected().map(|row| row.id),
            Some(Some(TransferId(0))),
            "it is looked at"
        );
    }
}
