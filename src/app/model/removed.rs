//! What was taken off the list, for as long as that can be undone.

use crate::app::words::say;
use std::collections::VecDeque;

use super::plan::Recipe;
use super::row::{Row, RowKey};

/// A removal can be undone for so long.
pub(crate) const UNDO_S: f64 = 20.0;

/// What one removal took off the list.
#[derive(Debug)]
pub struct Removed {
    /// Where each stood, the topmost first.
    pub(super) rows: Vec<(usize, Row)>,
    /// Those that waited and had no row yet.
    pub(super) backlog: VecDeque<Recipe>,
    pub(super) selected: Option<RowKey>,
    pub(super) at_s: f64,
}

impl Removed {
    /// Whether there is still time to undo it.
    #[must_use]
    pub fn may_be_undone(&self, now_s: f64) -> bool {
        self.left_s(now_s) > 0.0
    }

    /// For how long it can still be undone, in seconds.
    #[must_use]
    pub fn left_s(&self, now_s: f64) -> f64 {
        self.at_s + UNDO_S - now_s
    }

    /// `Removed range 0 … 5e7`, or `Removed 12 transfers`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match (&self.rows[..], self.backlog.len()) {
            ([(_, only)], 0) => say!("notice-removed", name = super::format::elided(only.name())),
            (rows, more) => say!("notice-removed-several", count = rows.len() + more),
        }
    }
}
