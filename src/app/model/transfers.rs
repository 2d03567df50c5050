//! The list of transfers: which are there, which is selected, what they say in one line.

use std::collections::HashMap;

use crate::transfer::{Event, EventKind, Options, Side, SinkSpec, State, TransferId};

use super::format;
use super::plan::{Recipe, What, in_words};
use super::row::{Phase, Row, RowKey};

/// All transfers of this window, newest first.
#[derive(Debug, Default)]
pub struct Transfers {
    rows: Vec<Row>,
    selected: Option<RowKey>,
    last_key: RowKey,
    by_id: HashMap<TransferId, RowKey>,
    /// Those of other processes, whose ids are their own.
    elsewhere: HashMap<(u32, TransferId), RowKey>,
    /// Nothing that waits begins.
    held: bool,
}

/// Of transfers elsewhere so many are shown at once, and so many that have ended.
const ELSEWHERE_MAX: usize = 200;
const ELSEWHERE_ENDED_MAX: usize = 20;

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
        for row in self.rows.iter_mut().filter(|row| row.recipe.repeat && !row.is_over()) {
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
        let its = self.rows.iter().filter(|row| row.recipe.what.elsewhere() == Some(pid));
        its.filter(|row| !row.is_over()).count()
    }

    /// Adds a row for what is about to start, and selects it.
    pub fn add(&mut self, recipe: Recipe, now_s: f64) -> RowKey {
        self.last_key += 1;
        self.rows.insert(0, Row::new(self.last_key, recipe, now_s));
        self.selected = Some(self.last_key);
        self.last_key
    }

    /// Ties a row to the transfer that the engine has started for it.
    pub fn tie(&mut self, key: RowKey, id: TransferId) {
        self.by_id.insert(id, key);
        if let Some(row) = self.row_mut(key) {
            row.id = Some(id);
        }
    }

    /// Takes an event in; one of a transfer that nobody knows any more is dropped.
    pub fn fold(&mut self, event: Event, now_s: f64) -> Option<RowKey> {
        let key = *self.by_id.get(&event.transfer)?;
        let row = self.row_mut(key)?;
        // A round that is over has nothing to say in the next one.
        if row.id == Some(event.transfer) {
            row.fold(event, now_s);
        }
        Some(key)
    }

    /// Takes an event of another process in, which is that end of its transfers: one that nobody knows gets a row when
    /// it has begun.
    pub fn fold_elsewhere(&mut self, pid: u32, side: Side, event: Event, now_s: f64) {
        let known = self.elsewhere.get(&(pid, event.transfer)).copied();
        let Some(key) = known.or_else(|| self.add_elsewhere(pid, side, &event, now_s)) else {
            return;
        };
        if let Some(row) = self.row_mut(key) {
            row.fold(event, now_s);
        }
        self.forget_old();
    }

    fn add_elsewhere(&mut self, pid: u32, side: Side, event: &Event, now_s: f64) -> Option<RowKey> {
        let EventKind::Started(started) = &event.kind else {
            return None;
        };
        if self.elsewhere_rows().filter(|row| !row.is_over()).count() >= ELSEWHERE_MAX {
            return None;
        }
        let recipe = Recipe {
            what: What::Elsewhere { pid, side },
            options: Options::default(),
            repeat: false,
            name: started.source.clone().unwrap_or_else(|| started.peer.clone()),
            meta: None,
        };
        // What is looked at stays what it is.
        let selected = self.selected;
        let key = self.add(recipe, now_s);
        self.selected = selected.or(Some(key));
        let row = self.row_mut(key)?;
        row.id = Some(event.transfer);
        row.phase = Phase::Is(State::Transferring);
        self.elsewhere.insert((pid, event.transfer), key);
        Some(key)
    }

    /// A transfer of another process has this source.
    pub fn name_elsewhere(&mut self, pid: u32, transfer: TransferId, source: &str) {
        let key = self.elsewhere.get(&(pid, transfer)).copied();
        if let Some(row) = key.and_then(|key| self.row_mut(key)) {
            source.clone_into(&mut row.recipe.name);
        }
    }

    /// Another process has ended, and what it did with it.
    pub fn end_elsewhere(&mut self, pid: u32) {
        self.elsewhere.retain(|(other, _), _| *other != pid);
        let its = |row: &&mut Row| row.recipe.what.elsewhere() == Some(pid) && !row.is_over();
        for row in self.rows.iter_mut().filter(its) {
            row.fail(&crate::Error::ClosedWhile("as its process has ended"));
        }
    }

    fn elsewhere_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.recipe.what.elsewhere().is_some())
    }

    /// Takes those elsewhere off the list that ended first, where there are many; not the one that is looked at.
    fn forget_old(&mut self) {
        let ended = self.elsewhere_rows().filter(|row| row.is_over());
        let old = ended
            .skip(ELSEWHERE_ENDED_MAX)
            .find(|row| Some(row.key) != self.selected);
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

    /// Selects the row so many below the selected one.
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
        self.elsewhere.retain(|_, tied| *tied != key);
        if self.selected == Some(key) {
            self.selected = self.rows.get(at).or(self.rows.last()).map(|row| row.key);
        }
    }

    /// How many of this process have not ended.
    #[must_use]
    pub fn running(&self) -> usize {
        let own = self.rows.iter().filter(|row| row.recipe.what.elsewhere().is_none());
        own.filter(|row| !row.is_over()).count()
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
        let own = |row: &&mut Row| row.recipe.what.elsewhere().is_none() && !row.is_over();
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
                format!("stopped after {}, {moved} in all", row.rounds_in_words())
            }
            Phase::Done { verified } if row.is_over() => {
                let mean = format::rate(row.numbers(0.0).mean);
                let verified = if *verified == Some(true) { ", verified" } else { "" };
                format!("done{size} at {mean}{verified}")
            }
            Phase::Failed { message, .. } => format!("failed: {message}"),
            _ if row.recipe.repeat && row.has_rate() => format!("repeating{size}"),
            phase => format!("{}{size}", phase.name().to_lowercase()),
        };
        format!("Arraylift — {state}")
    }
}

impl Phase {
    /// One word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Is(State::Queued) => "Queued",
            Self::Is(State::Listening) => "Listening",
            Self::Is(State::Connecting) => "Connecting",
            Self::Is(State::Transferring) => "Transferring",
            Self::Is(State::Paused) => "Paused",
            Self::Is(State::Verifying) => "Verifying",
            Self::Done { verified: Some(true) } => "Verified",
            Self::Done { verified: Some(false) } => "Done, checksums differ",
            Self::Done { verified: None } => "Done",
            Self::Failed { .. } => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Row {
    /// The array's name.
    #[must_use]
    pub fn name(&self) -> &str {
        let told = self.started().and_then(|started| started.source.as_deref());
        match (&self.recipe.what, told) {
            (
                What::Receive { .. }
                | What::Elsewhere {
                    side: Side::Receiver, ..
                },
                Some(told),
            ) => told,
            _ => &self.recipe.name,
        }
    }

    /// The array and where it lands in words: `f64 50,000,000 · 400 MB · into memory`.
    #[must_use]
    pub fn array_in_words(&self) -> String {
        let array = self.only_array_in_words();
        match &self.recipe.what {
            What::Loopback { sink, .. } | What::Receive { sink, .. } | What::Fetch { sink, .. } => match sink {
                SinkSpec::Memory => format!("{array} · into memory"),
                SinkSpec::Shm(name) => format!("{array} · {name}"),
                SinkSpec::Discard => format!("{array} · discarded"),
                SinkSpec::File(path) | SinkSpec::Folder(path) | SinkSpec::Within { path, .. } => {
                    let name = path.file_name().unwrap_or(path.as_os_str());
                    format!("{array} · into {}", name.display())
                }
            },
            What::Send { .. } | What::Elsewhere { .. } => array,
        }
    }

    fn only_array_in_words(&self) -> String {
        match (self.started(), &self.recipe.meta) {
            (Some(started), _) => in_words(&started.dtype, &started.shape, started.total_bytes),
            (None, Some(meta)) => in_words(&meta.dtype().name(), meta.shape().dimensions(), Some(meta.byte_len())),
            (None, None) => "not known yet".to_owned(),
        }
    }

    /// Between which ends: `this machine`, `to gpu-3:25000`, `from 10.0.0.7`.
    #[must_use]
    pub fn endpoint_in_words(&self) -> String {
        match &self.recipe.what {
            What::Loopback { .. } => "this machine".to_owned(),
            What::Send { to, .. } => format!("to {to}"),
            What::Elsewhere { pid, .. } => format!("process {pid}"),
            What::Fetch { url, .. } => format!("from {}", url.server()),
            What::Receive { at, .. } => match (self.end(Side::Receiver).started.as_ref(), &self.address) {
                (Some(started), _) => format!("from {}", started.peer),
                (None, Some(address)) => format!("at {address}"),
                (None, None) => format!("at {at}"),
            },
        }
    }

    /// The rate column: a rate while there is one, else the state.
    #[must_use]
    pub fn rate_in_words(&self, now_s: f64) -> String {
        match self.phase {
            _ if self.has_rate() => format::rate(self.numbers(now_s).now).to_string(),
            _ if self.is_stopped() => "stopped".to_owned(),
            Phase::Done { .. } => format::rate(self.numbers(now_s).mean).to_string(),
            ref phase => phase.name().to_lowercase(),
        }
    }

    /// The column beside the rate: time left, verified, or why it failed.
    #[must_use]
    pub fn note_in_words(&self, now_s: f64) -> String {
        match &self.phase {
            _ if self.recipe.repeat && self.has_rate() => {
                let moved = format::bytes(self.main_end().series.bytes());
                format!("round {} · {moved}", format::count(u64::from(self.rounds) + 1))
            }
            _ if self.is_stopped() => format!("after {}", self.rounds_in_words()),
            Phase::Is(State::Transferring) => self
                .numbers(now_s)
                .left_s
                .map_or(String::new(), |left_s| format!("{} left", format::left(left_s))),
            Phase::Done { verified: Some(true) } => "verified".to_owned(),
            Phase::Done { verified: Some(false) } => "checksums differ".to_owned(),
            Phase::Done { verified: None } => "not verified".to_owned(),
            Phase::Failed { message, .. } => message.clone(),
            Phase::Is(State::Listening) => "waits for a sender".to_owned(),
            _ => String::new(),
        }
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
        transfers.fold_elsewhere(1, Side::Receiver, sample(1, 8), 0.0);
        assert!(transfers.rows().is_empty(), "it is not known what it is");
        for pid in [1, 2] {
            transfers.fold_elsewhere(pid, Side::Receiver, started(1), 0.0);
            transfers.fold_elsewhere(pid, Side::Receiver, sample(1, 8 * u64::from(pid)), 0.0);
        }
        let rows = transfers.rows();
        let bytes: Vec<u64> = rows.iter().map(|row| row.main_end().series.bytes()).collect();
        assert_eq!(bytes, [16, 8]);
        assert_eq!(
            (rows[0].name(), rows[0].endpoint_in_words()),
            ("a.npy", "process 2".to_owned())
        );
        assert_eq!(transfers.running(), 0, "none of this process");
        transfers.end_elsewhere(1);
        let over: Vec<bool> = transfers.rows().iter().map(Row::is_over).collect();
        assert_eq!(over, [false, true]);
    }

    #[test]
    fn of_thousands_elsewhere_some_are_shown_and_few_that_have_ended() {
        let mut transfers = Transfers::default();
        for id in 0..1000 {
            transfers.fold_elsewhere(1, Side::Receiver, started(id), 0.0);
        }
        assert_eq!(transfers.rows().len(), ELSEWHERE_MAX);
        for id in 0..1000 {
            transfers.fold_elsewhere(1, Side::Receiver, event(id, EventKind::Cancelled { bytes: 0 }), 0.0);
        }
        assert!(
            transfers.rows().len() <= ELSEWHERE_ENDED_MAX + 1,
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
