//! Takes transfers off the list, and puts them back.

use std::collections::VecDeque;

use super::removed::Removed;
use super::row::{Phase, Row, RowKey};
use super::transfers::Transfers;

impl Transfers {
    /// What was removed last, while that can be undone.
    #[must_use]
    pub fn removed(&self) -> Option<&Removed> {
        self.removed.as_ref()
    }

    /// Takes one that has ended off the list.
    pub fn take_off(&mut self, key: RowKey, now_s: f64) {
        self.take_off_all(now_s, |row| row.key == key);
    }

    /// Takes those off the list that have ended; not those that failed, which may be tried again.
    pub fn take_off_finished(&mut self, now_s: f64) {
        self.take_off_all(now_s, Row::is_finished);
        self.forgotten_done = 0;
    }

    /// Takes those off the list that wait for their turn.
    pub fn take_off_waiting(&mut self, now_s: f64) {
        let backlog = std::mem::take(&mut self.backlog);
        self.take_off_all(now_s, Row::is_waiting);
        if let Some(removed) = &mut self.removed {
            removed.backlog = backlog;
        }
    }

    /// Puts back what was removed last.
    pub fn undo_removal(&mut self) {
        let Some(removed) = self.removed.take() else { return };
        for (at, row) in removed.rows {
            self.removed_bytes = self.removed_bytes.saturating_sub(row.main_end().series.bytes());
            // Rows of this process stay above the others, whatever has come since.
            let own = self.own_rows().len();
            let at = if row.is_own() {
                at.min(own)
            } else {
                at.clamp(own, self.rows.len())
            };
            self.rows.insert(at, row);
        }
        self.backlog.extend(removed.backlog);
        if let Some(key) = removed.selected {
            self.select(key);
        }
    }

    /// How many `take_off_finished` would take.
    #[must_use]
    pub fn finished_count(&self) -> usize {
        self.rows().iter().filter(|row| row.is_finished()).count()
    }

    fn take_off_all(&mut self, now_s: f64, is_meant: impl Fn(&Row) -> bool) {
        let selected = self.selected().map(|row| row.key);
        let meant: Vec<(usize, RowKey)> = self
            .rows()
            .iter()
            .enumerate()
            .filter(|(_, row)| is_meant(row))
            .map(|(at, row)| (at, row.key))
            .collect();
        let mut rows = Vec::with_capacity(meant.len());
        for (at, key) in &meant {
            if let Some(row) = self.row(*key) {
                rows.push((*at, row.clone()));
            }
            self.remove(*key);
        }
        if !rows.is_empty() {
            self.removed = Some(Removed {
                rows,
                backlog: VecDeque::new(),
                selected,
                at_s: now_s,
            });
        }
    }
}

impl Row {
    /// Whether it has ended and nothing is left to be done about it.
    fn is_finished(&self) -> bool {
        self.is_over() && !matches!(self.phase, Phase::Failed { .. } | Phase::Interrupted { .. })
    }
}
