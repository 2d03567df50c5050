//! The list of transfers: which are there, which is selected, what they say in one line.

mod watched;

use std::collections::{HashMap, VecDeque};

use crate::app::words::say;
use crate::transfer::{Event, EventKind, Outcome, TransferId};

use super::format::{self, RateScale};
use super::last_minute::LastMinute;
use super::plan::Recipe;
use super::removed::Removed;
use super::row::{Phase, Row, RowKey};

/// All transfers of this window, newest first, and below them those of other processes, newest first.
#[derive(Debug, Default)]
pub struct Transfers {
    pub(super) rows: Vec<Row>,
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
    /// What rates are counted in.
    scale: RateScale,
    /// Those of other processes are not shown.
    others_folded: bool,
    pub(super) removed: Option<Removed>,
    /// Bytes of those that are on the list no more.
    pub(super) removed_bytes: u64,
    last_minute: LastMinute,
}

impl Transfers {
    /// The rows: those of this process, then those of others; each newest first.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows of this process, newest first.
    #[must_use]
    pub fn own_rows(&self) -> &[Row] {
        self.rows.split_at(self.own_count()).0
    }

    fn own_count(&self) -> usize {
        self.rows.partition_point(Row::is_own)
    }

    /// Whether the rows of other processes are folded away.
    #[must_use]
    pub fn others_are_folded(&self) -> bool {
        self.others_folded
    }

    /// Folds the rows of other processes away, or shows them again.
    pub fn fold_others(&mut self, is_folded: bool) {
        self.others_folded = is_folded;
    }

    /// The selected row.
    #[must_use]
    pub fn selected(&self) -> Option<&Row> {
        self.selected.and_then(|key| self.row(key))
    }

    /// The same, to change it.
    pub fn selected_mut(&mut self) -> Option<&mut Row> {
        self.selected.and_then(|key| self.row_mut(key))
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

    /// What rates are counted in.
    #[must_use]
    pub(crate) fn scale(&self) -> RateScale {
        self.scale
    }

    /// Counts the rates of all transfers in this.
    pub(crate) fn set_scale(&mut self, scale: RateScale) {
        self.scale = scale;
        for row in &mut self.rows {
            row.scale = scale;
        }
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

    /// Adds a row for what is about to start, and selects it.
    pub fn add(&mut self, recipe: Recipe, now_s: f64) -> RowKey {
        self.last_key += 1;
        self.rows.insert(0, Row::new(self.last_key, recipe, now_s));
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
        let has_started = matches!(event.kind, EventKind::Started(_));
        self.fold_into(key, event, now_s)?;
        if has_started {
            self.take_in_other_end(key);
        }
        Some(key)
    }

    /// Takes an event of a row in, and counts what moved.
    fn fold_into(&mut self, key: RowKey, event: Event, now_s: f64) -> Option<()> {
        let row = self.rows.iter_mut().find(|row| row.key == key)?;
        let moved = |row: &Row| row.main_end().series.points().last().map(|last| (last.t_s, last.bytes));
        let before = moved(row);
        row.fold(event, now_s);
        // What had moved before it was first looked at is not of now.
        if let (Some((from_s, before)), Some((to_s, now))) = (before, moved(row)) {
            let bytes = now.saturating_sub(before);
            self.last_minute.add(now_s - (to_s - from_s).max(0.0), now_s, bytes);
        }
        Some(())
    }

    /// The rate of all of them in the minute before `now_s`, in bytes a second, the oldest first.
    #[must_use]
    pub(crate) fn rates_of_last_minute(&self, now_s: f64) -> Vec<f64> {
        self.last_minute.rates(now_s)
    }

    /// Selects a row.
    pub fn select(&mut self, key: RowKey) {
        if self.row(key).is_some() {
            self.selected = Some(key);
        }
    }

    /// Selects the row so many below the selected one, or above it where that is negative. `shown` are the keys of all
    /// rows that are shown, from top to bottom.
    pub fn move_selection(&mut self, shown: &[RowKey], down: isize) {
        let at = shown.iter().position(|key| Some(*key) == self.selected);
        // One that is not shown is below all.
        let at = at.unwrap_or(shown.len());
        let to = at.saturating_add_signed(down).min(shown.len().saturating_sub(1));
        self.selected = shown.get(to).copied().or(self.selected);
    }

    /// How many bytes have moved since the window was opened, as far as it saw them.
    #[must_use]
    pub fn moved_bytes(&self) -> u64 {
        let listed = self.rows.iter().map(|row| row.main_end().series.bytes());
        listed.sum::<u64>() + self.removed_bytes
    }

    /// Takes a row off the list; the one below it, or above where there is none, is selected.
    pub fn remove(&mut self, key: RowKey) {
        let Some(at) = self.rows.iter().position(|row| row.key == key) else {
            return;
        };
        self.removed_bytes += self.rows.remove(at).main_end().series.bytes();
        self.untie(key);
        if self.selected == Some(key) {
            self.selected = self.rows.get(at).or(self.rows.last()).map(|row| row.key);
        }
    }

    /// What is still told of a row that is gone is dropped.
    pub(super) fn untie(&mut self, key: RowKey) {
        self.by_id.retain(|_, tied| *tied != key);
        self.by_process.retain(|_, tied| *tied != key);
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

    /// Whether one of those that move waits for a core.
    #[must_use]
    pub fn lack_a_core(&self) -> bool {
        self.rows.iter().any(|row| row.is_moving() && row.lacks_a_core())
    }

    /// Takes in which are over at `now_s`, of those that do not run any more. Returns those of this window that were not
    /// over before, the first one first.
    pub(crate) fn note_ends(&mut self, now_s: f64, runs: impl Fn(RowKey) -> bool) -> Vec<RowKey> {
        let mut ended = Vec::new();
        for row in self.rows.iter_mut().rev().filter(|row| !runs(row.key)) {
            if row.note_end(now_s) && row.is_own() {
                ended.push(row.key);
            }
        }
        self.removed = self.removed.take().filter(|removed| removed.may_be_undone(now_s));
        ended
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
        // Behind a word.
        let sized = |word: &str| match total {
            Some(total) => say!("title-sized", state = word, size = format::bytes(total)),
            None => word.to_owned(),
        };
        let state = match &row.phase {
            _ if row.is_stopped() => {
                let moved = format::bytes(row.main_end().series.bytes());
                let (rounds, median) = (row.rounds_in_words(), row.mean_in_words());
                say!("title-stopped", rounds = rounds, median = median, moved = moved)
            }
            Phase::Done { verified } if row.is_over() => {
                let done = sized(say!("row-done"));
                let done = say!("title-done", done = done, mean = row.mean_in_words());
                if *verified == Some(true) {
                    [done.as_str(), say!("row-verified")].join(say!("comma"))
                } else {
                    done
                }
            }
            Phase::Failed { message, .. } => say!("title-failed", message = message),
            Phase::Interrupted { message } => say!("title-interrupted", message = message),
            _ if row.repeats() && row.has_rate() => sized(say!("title-repeating")),
            phase => sized(&phase.name().to_lowercase()),
        };
        format!("Arraylift — {state}")
    }
}
