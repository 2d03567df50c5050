//! The list of transfers: which are there, which is selected, what they say in one line.

use std::collections::{HashMap, VecDeque};

use crate::transfer::{Event, EventKind, Outcome, Side, TransferId};

use super::format;
use super::plan::Recipe;
use super::row::{OtherProcess, Phase, Process, Row, RowKey};

/// All transfers of this window, newest first.
#[derive(Debug, Default)]
pub struct Transfers {
    rows: Vec<Row>,
    selected: Option<RowKey>,
    last_key: RowKey,
    by_id: HashMap<TransferId, RowKey>,
    /// Those of other processes, whose ids are their own.
    by_process: HashMap<(u32, TransferId), RowKey>,
    /// Nothing that waits begins.
    held: bool,
    /// Those that wait for their turn and have no row yet, the next one first.
    pub(super) backlog: VecDeque<Recipe>,
    pub(super) forgotten_done: u64,
}

/// So many transfers of other processes are listed at once, and so many of them that have ended.
const WATCHED_MAX: usize = 200;
const WATCHED_ENDED_MAX: usize = 20;

impl Transfers {
    /// The rows, newest first.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.selected.and_then(|key| self.row(key))
    }

    /// The row of a key.
    #[must_use]
    pub fn row(&self, key: RowKey) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// The row of a key, to change it.
    pub fn row_mut(&mut self, key: RowKey) -> Option<&mut Row> {
        self.rows.iter_mut().find(|row| row.key == key)
    }

    /// Whether nothing that waits begins.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Lets nothing that waits begin, nor another round, or everything again.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
        for row in self.rows.iter_mut().filter(|row| row.repeats() && !row.is_over()) {
            row.begins_paused = held;
        }
    }

    /// Lets two rows change places.
    pub fn swap(&mut self, a: RowKey, b: RowKey) {
        let at = |key| self.rows.iter().position(|row| row.key == key);
        if let (Some(a), Some(b)) = (at(a), at(b)) {
            self.rows.swap(a, b);
        }
    }

    /// How many transfers of another process are listed and have not ended.
    #[must_use]
    pub fn listed_of(&self, pid: u32) -> usize {
        let its = self.rows.iter().filter(|row| row.other_pid() == Some(pid));
        its.filter(|row| !row.is_over()).count()
    }

    /// Adds a row for what is about to start, and selects it.
    pub fn add(&mut self, recipe: Recipe, now_s: f64) -> RowKey {
        self.insert(|key| Row::new(key, recipe, now_s))
    }

    fn insert(&mut self, row: impl FnOnce(RowKey) -> Row) -> RowKey {
        self.last_key += 1;
        self.rows.insert(0, row(self.last_key));
        self.selected = Some(self.last_key);
        self.last_key
    }

    /// Ties a row to the transfer that has begun for it, be it another round.
    pub fn tie(&mut self, key: RowKey, id: TransferId) {
        let Some(row) = self.row_mut(key) else { return };
        let before = row.begin_round(id);
        if let Some(before) = before {
            self.by_id.remove(&before);
        }
        self.by_id.insert(id, key);
    }

    /// Takes in how the transfer that a row is tied to has ended.
    pub fn settle(&mut self, key: RowKey, outcome: Outcome) {
        if let Some(row) = self.row_mut(key) {
            row.settle(outcome);
        }
    }

    /// Takes an event in; one of a transfer without a row is dropped.
    pub fn fold(&mut self, event: Event, now_s: f64) -> Option<RowKey> {
        let key = *self.by_id.get(&event.transfer)?;
        self.row_mut(key)?.fold(event, now_s);
        Some(key)
    }

    /// Takes an event of another process in, which is that end of its transfers: one that nobody knows gets a row when
    /// it has begun.
    pub fn fold_watched(&mut self, pid: u32, side: Side, event: Event, now_s: f64) {
        let known = self.by_process.get(&(pid, event.transfer)).copied();
        let Some(key) = known.or_else(|| self.add_watched(pid, side, &event, now_s)) else {
            return;
        };
        if let Some(row) = self.row_mut(key) {
            row.fold(event, now_s);
        }
        self.forget_old();
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
        };
        // The selection stays.
        let selected = self.selected;
        let key = self.insert(|key| Row::watched(key, process, now_s));
        self.selected = selected.or(Some(key));
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
        let its = |row: &&mut Row| row.other_pid() == Some(pid) && !row.is_over();
        for row in self.rows.iter_mut().filter(its) {
            row.fail(&crate::Error::ClosedWhile("as its process has ended"));
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

    /// Selects a row.
    pub fn select(&mut self, key: RowKey) {
        if self.row(key).is_some() {
            self.selected = Some(key);
        }
    }

    /// Selects the row so many below the selected one, or above it where that is negative.
    pub fn move_selection(&mut self, down: isize) {
        let at = self
            .rows
            .iter()
            .position(|row| Some(row.key) == self.selected)
            .unwrap_or(0);
        let to = at.saturating_add_signed(down).min(self.rows.len().saturating_sub(1));
        self.selected = self.rows.get(to).map(|row| row.key);
    }

    /// Takes a row off the list; the one below it, or above where there is none, is selected.
    pub fn remove(&mut self, key: RowKey) {
        let Some(at) = self.rows.iter().position(|row| row.key == key) else {
            return;
        };
        self.rows.remove(at);
        self.by_id.retain(|_, tied| *tied != key);
        self.by_process.retain(|_, tied| *tied != key);
        if self.selected == Some(key) {
            self.selected = self.rows.get(at).or(self.rows.last()).map(|row| row.key);
        }
    }

    /// How many of this process have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        let own = self.rows.iter().filter(|row| row.is_own());
        own.filter(|row| !row.is_over()).count() + self.backlog.len()
    }

    /// Whether figures change without an event.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.rows.iter().any(Row::is_moving)
    }

    /// Takes in which are over at `now_s`.
    pub fn note_ends(&mut self, now_s: f64) {
        for row in &mut self.rows {
            row.note_end(now_s);
        }
    }

    /// Takes in how much memory the process has now, for those that run.
    pub fn note_memory(&mut self, resident_bytes: u64) {
        let own = |row: &&mut Row| row.is_own() && !row.is_over();
        for row in self.rows.iter_mut().filter(own) {
            row.peak_memory_bytes = row.peak_memory_bytes.max(Some(resident_bytes));
        }
    }

    /// What the title of the window says.
    #[must_use]
    pub fn title(&self) -> String {
        let Some(row) = self.selected() else {
            return "Arraylift".to_owned();
        };
        let total = row.started().and_then(|started| started.total_bytes);
        let size = total.map_or_else(String::new, |total| format!(" {}", format::bytes(total)));
        let state = match &row.phase {
            _ if row.is_stopped() => {
                let moved = format::bytes(row.main_end().series.bytes());
                let median = format::rate(row.numbers(0.0).mean);
                format!(
                    "stopped after {}, median {median}, {moved} in all",
                    row.rounds_in_words()
                )
            }
            Phase::Done { verified } if row.is_over() => {
                let mean = format::rate(row.numbers(0.0).mean);
                let verified = if *verified == Some(true) { ", verified" } else { "" };
                format!("done{size} at {mean}{verified}")
            }
            Phase::Failed { message, .. } => format!("failed: {message}"),
            _ if row.repeats() && row.has_rate() => format!("repeating{size}"),
            phase => format!("{}{size}", phase.name().to_lowercase()),
        };
        format!("Arraylift — {state}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        };
        event(transfer, EventKind::Sample(sample))
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

    #[test]
    fn of_thousands_of_other_processes_some_are_shown_and_few_that_have_ended() {
        let mut transfers = Transfers::default();
        for id in 0..1000 {
            transfers.fold_watched(1, Side::Receiver, started(id), 0.0);
        }
        assert_eq!(transfers.rows().len(), WATCHED_MAX);
        for id in 0..1000 {
            transfers.fold_watched(1, Side::Receiver, event(id, EventKind::Cancelled { bytes: 0 }), 0.0);
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
