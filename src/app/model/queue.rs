//! The window's queue: transfers that wait for their turn, and which of them is next. Only the first of very many have
//! a row; the others follow as those begin.

use super::plan::Recipe;
use super::row::{Phase, Row, RowKey};
use super::transfers::Transfers;
use crate::app::words::{ordinal, say};
use crate::transfer::{Job, State};

/// So many run at once where nobody says how many: each has threads and connections of its own.
pub(crate) const AT_ONCE_MAX: usize = 32;
/// So many that wait have a row.
const WAITING_ROWS_MAX: usize = 200;
/// So many that are done have a row.
const DONE_ROWS_MAX: usize = 1000;
/// So many that are over have the picture of their array, which takes 160 KiB for each end; the others keep its numbers.
const PICTURES_MAX: usize = 100;

impl Row {
    /// Whether it waits for its turn.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.phase == Phase::Is(State::Queued)
    }

    /// Whether it takes one of the slots: it moves bytes, or is about to. Who waits for a sender may wait for ever.
    fn takes_slot(&self) -> bool {
        let moves = self
            .recipe()
            .is_some_and(|recipe| !matches!(recipe.job, Job::Receive { .. }));
        moves && !self.is_over() && !self.is_waiting() && !self.waits_to_retry()
    }

    /// Whether it could be tried again.
    fn has_failed(&self) -> bool {
        self.is_own() && matches!(self.phase, Phase::Failed { .. })
    }
}

impl Transfers {
    /// Those that wait for their turn, the next one first.
    pub fn waiting(&self) -> impl Iterator<Item = &Row> {
        self.rows().iter().rev().filter(|row| row.is_waiting())
    }

    /// How many take a slot.
    #[must_use]
    pub fn slots_taken(&self) -> usize {
        self.rows().iter().filter(|row| row.takes_slot()).count()
    }

    /// How many wait for their turn, with those that have no row yet.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.waiting().count() + self.backlog.len()
    }

    /// Whether one more may begin, where so many may run at once; nothing: [`AT_ONCE_MAX`].
    #[must_use]
    pub fn has_free_slot(&self, at_once: Option<usize>) -> bool {
        !self.is_held() && self.slots_taken() < at_once.unwrap_or(AT_ONCE_MAX)
    }

    /// Adds one that waits for its turn. The selection stays, unless there is none.
    pub fn add_waiting(&mut self, recipe: Recipe, now_s: f64) {
        if self.backlog.is_empty() && self.waiting().count() < WAITING_ROWS_MAX {
            self.add_waiting_row(recipe, now_s);
        } else {
            self.backlog.push_back(recipe);
        }
    }

    /// Gives rows to those that have none yet, as far as there is room.
    pub fn list_waiting(&mut self, now_s: f64) {
        if self.backlog.is_empty() {
            return;
        }
        for _ in self.waiting().count()..WAITING_ROWS_MAX {
            let Some(recipe) = self.backlog.pop_front() else { return };
            self.add_waiting_row(recipe, now_s);
        }
    }

    fn add_waiting_row(&mut self, recipe: Recipe, now_s: f64) {
        let selected = self.selected().map(|row| row.key);
        let key = self.add(recipe, now_s);
        if let Some(row) = self.row_mut(key) {
            row.phase = Phase::Is(State::Queued);
        }
        // It has nothing to show yet.
        self.select(selected.unwrap_or(key));
    }

    /// Takes those off the list that were done first, where there are very many; not the selected one.
    pub fn forget_done(&mut self) {
        let selected = self.selected().map(|row| row.key);
        let done = |row: &&Row| row.is_own() && row.is_over() && matches!(row.phase, Phase::Done { .. });
        let old = self.rows().iter().filter(done).skip(DONE_ROWS_MAX);
        let old: Vec<RowKey> = old.map(|row| row.key).filter(|key| Some(*key) != selected).collect();
        self.forgotten_done += old.len() as u64;
        for key in old {
            self.remove(key);
        }
    }

    /// Lets go of the pictures of arrays where very many are over: only the latest keep theirs, and the selected one.
    pub fn forget_pictures(&mut self) {
        let selected = self.selected().map(|row| row.key);
        let over = self.rows.iter_mut().filter(|row| row.is_over());
        let old = over.skip(PICTURES_MAX).filter(|row| Some(row.key) != selected);
        old.for_each(Row::forget_picture);
    }

    /// How many that were done are on the list no more because there were very many.
    #[must_use]
    pub fn forgotten_done(&self) -> u64 {
        self.forgotten_done
    }

    /// The one that begins now.
    #[must_use]
    pub fn next_to_begin(&self, at_once: Option<usize>) -> Option<RowKey> {
        let next = self.waiting().next()?;
        self.has_free_slot(at_once).then_some(next.key)
    }

    /// Lets one that waits go before the one that was before it.
    pub fn move_forward(&mut self, key: RowKey) {
        let waiting: Vec<RowKey> = self.waiting().map(|row| row.key).collect();
        let at = waiting.iter().position(|other| *other == key);
        if let Some(before) = at.and_then(|at| at.checked_sub(1)) {
            self.swap(key, waiting[before]);
        }
    }

    /// Lets one that waits go after the one that was after it.
    pub fn move_back(&mut self, key: RowKey) {
        let waiting: Vec<RowKey> = self.waiting().map(|row| row.key).collect();
        let at = waiting.iter().position(|other| *other == key);
        if let Some(after) = at.and_then(|at| waiting.get(at + 1)) {
            self.swap(key, *after);
        }
    }

    /// Those of this window that failed, the first one first.
    #[must_use]
    pub fn failed(&self) -> Vec<RowKey> {
        let failed = self.rows().iter().rev().filter(|row| row.has_failed());
        failed.map(|row| row.key).collect()
    }

    /// Those that were interrupted, the first one first.
    #[must_use]
    pub(crate) fn interrupted(&self) -> Vec<RowKey> {
        let interrupted = self.rows().iter().rev().filter(|row| row.is_interrupted());
        interrupted.map(|row| row.key).collect()
    }

    /// Lets those go on whose time has come to be tried again.
    pub(crate) fn retry_due(&mut self, now_s: f64) {
        let due = self.rows().iter().filter(|row| row.is_to_be_retried(now_s));
        let due: Vec<RowKey> = due.map(|row| row.key).collect();
        for key in due {
            self.go_on(key, now_s);
        }
    }

    /// Lets one that was interrupted go on, as soon as it is its turn.
    pub(crate) fn go_on(&mut self, key: RowKey, now_s: f64) {
        if let Some(row) = self.row_mut(key).filter(|row| row.is_interrupted()) {
            row.go_on(now_s);
            // What another process still tells of the try that broke is not of the next one.
            self.untie(key);
        }
    }

    /// Tries none of them again by itself.
    pub(crate) fn stop_trying(&mut self) {
        for row in &mut self.rows {
            row.stop_trying();
        }
    }

    /// When the time changes next that is told until one is tried again, in seconds from `now_s`.
    #[must_use]
    pub(crate) fn retries_change_in_s(&self, now_s: f64) -> Option<f64> {
        let changes = self.rows().iter().filter_map(|row| row.retry_changes_in_s(now_s));
        changes.reduce(f64::min)
    }

    /// Whether it is the one that begins next.
    #[must_use]
    pub fn is_next(&self, key: RowKey) -> bool {
        self.waiting().next().is_some_and(|row| row.key == key)
    }

    /// When one that waits begins.
    #[must_use]
    pub fn turn(&self, key: RowKey) -> Option<Turn> {
        let before = self.waiting().position(|row| row.key == key)?;
        Some(Turn { before })
    }
}

/// When a transfer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// How many begin before it.
    before: usize,
}

impl Turn {
    /// `next to begin`, `3rd to begin`.
    #[must_use]
    pub fn in_words(self) -> String {
        match self.before {
            0 => say!("turn-next-to-begin").to_owned(),
            before => say!("turn-to-begin", place = ordinal(before + 1)),
        }
    }

    /// `next`, `3rd`.
    #[must_use]
    pub(crate) fn in_short(self) -> String {
        match self.before {
            0 => say!("turn-next").to_owned(),
            before => say!("turn", place = ordinal(before + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};
    use crate::transfer::{Event, EventKind, Side, TransferId};

    fn three_waiting() -> (Transfers, [RowKey; 3]) {
        let recipe = check(&Form::default(), &Paths::default()).recipe.expect("a recipe");
        let mut transfers = Transfers::default();
        let keys = [0; 3].map(|_| transfers.add(recipe.clone(), 0.0));
        for key in keys {
            transfers.row_mut(key).expect("a row").phase = Phase::Is(State::Queued);
        }
        (transfers, keys)
    }

    fn set(transfers: &mut Transfers, key: RowKey, phase: Phase) {
        transfers.row_mut(key).expect("a row").phase = phase;
    }

    #[test]
    fn they_begin_in_order_and_no_more_than_may() {
        let (mut transfers, [a, b, c]) = three_waiting();
        assert_eq!(transfers.next_to_begin(Some(2)), Some(a));
        set(&mut transfers, a, Phase::Starting);
        assert_eq!(transfers.next_to_begin(Some(2)), Some(b));
        set(&mut transfers, b, Phase::Is(State::Paused));
        assert_eq!(transfers.next_to_begin(Some(2)), None);
        assert_eq!(transfers.next_to_begin(None), Some(c));
        set(&mut transfers, a, Phase::Cancelled);
        assert_eq!(transfers.next_to_begin(Some(2)), Some(c));
        transfers.hold(true);
        assert_eq!(transfers.next_to_begin(None), None);
        transfers.hold(false);
        assert_eq!(transfers.next_to_begin(None), Some(c));
    }

    #[test]
    fn one_that_waits_can_be_brought_forward() {
        let (mut transfers, [a, b, c]) = three_waiting();
        let order = |transfers: &Transfers| transfers.waiting().map(|row| row.key).collect::<Vec<_>>();
        transfers.move_forward(c);
        assert_eq!(order(&transfers), [a, c, b]);
        transfers.move_forward(c);
        transfers.move_forward(c);
        assert_eq!(order(&transfers), [c, a, b]);
        transfers.move_back(a);
        transfers.move_back(a);
        assert_eq!(order(&transfers), [c, b, a]);
        transfers.move_forward(a);
        let turn = |transfers: &Transfers, key| transfers.turn(key).map(Turn::in_words);
        assert_eq!(turn(&transfers, b).as_deref(), Some("3rd to begin"));
        set(&mut transfers, a, Phase::Starting);
        transfers.move_forward(b);
        assert_eq!(order(&transfers), [b, c]);
        assert_eq!(turn(&transfers, a), None);
    }

    #[test]
    fn of_any_number_some_have_rows_and_all_get_their_turn_in_order() {
        let recipe = check(&Form::default(), &Paths::default()).recipe.expect("a recipe");
        let mut transfers = Transfers::default();
        let all = 5000;
        for i in 0..all {
            let mut recipe = recipe.clone();
            recipe.name = i.to_string();
            transfers.add_waiting(recipe, 0.0);
        }
        assert_eq!(
            (transfers.rows().len(), transfers.waiting_count()),
            (WAITING_ROWS_MAX, all)
        );
        let mut begun = Vec::new();
        while let Some(key) = transfers.next_to_begin(None) {
            begun.push(transfers.row(key).expect("a row").name().to_owned());
            set(&mut transfers, key, Phase::Done { verified: Some(true) });
            transfers.list_waiting(0.0);
            transfers.forget_done();
            assert!(transfers.rows().len() <= WAITING_ROWS_MAX + DONE_ROWS_MAX + 1);
        }
        let expected: Vec<String> = (0..all).map(|i| i.to_string()).collect();
        assert_eq!(begun, expected);
        let listed = transfers.rows().len() as u64;
        assert_eq!(listed + transfers.forgotten_done(), all as u64);
    }

    #[test]
    fn the_latest_that_are_over_and_the_selected_one_have_the_pictures_of_their_arrays_and_all_have_the_numbers() {
        let form = Form {
            to: "1000".into(),
            ..Form::default()
        };
        let recipe = check(&form, &Paths::default()).recipe.expect("a recipe");
        let meta = recipe.meta.clone().expect("an array");
        let mut transfers = Transfers::default();
        for number in 0..2 * PICTURES_MAX as u64 {
            let (key, id) = (transfers.add(recipe.clone(), 0.0), TransferId(number + 1));
            transfers.tie(key, id);
            let stats = crate::internals::app::looked_at(&meta, &[7; 8000], None).expect("numbers");
            let finished = EventKind::Finished(Box::default());
            for (side, kind) in [
                (Side::Sender, stats.clone()),
                (Side::Receiver, stats),
                (Side::Receiver, finished),
            ] {
                transfers.fold(Event::new(id, side, 0.0, kind), 0.0);
            }
            set(&mut transfers, key, Phase::Done { verified: Some(true) });
        }
        let first = transfers.rows().last().map(|row| row.key).expect("a row");
        transfers.select(first);
        transfers.forget_pictures();
        let rows = || transfers.rows().iter();
        assert_eq!(rows().filter(|row| row.tiles().is_some()).count(), PICTURES_MAX + 1);
        let of_end = |row: &Row, side| row.end(side).stats.as_ref().is_some_and(|stats| stats.tiles.is_some());
        let latest = rows().take(PICTURES_MAX).chain(transfers.row(first));
        assert!(
            latest
                .into_iter()
                .all(|row| of_end(row, Side::Sender) && of_end(row, Side::Receiver))
        );
        assert!(rows().all(|row| row.stats().is_some_and(|stats| stats.array.seen == 1000)));
    }

    #[test]
    fn nobody_says_how_many_and_not_all_begin() {
        let (mut transfers, [a, ..]) = three_waiting();
        for _ in 0..AT_ONCE_MAX {
            let recipe = transfers.row(a).and_then(Row::recipe).cloned().expect("a recipe");
            transfers.add(recipe, 0.0);
        }
        assert_eq!(transfers.next_to_begin(None), None);
        assert_eq!(transfers.next_to_begin(Some(AT_ONCE_MAX + 1)), Some(a));
    }

    #[test]
    fn those_that_failed_can_be_tried_again_in_order() {
        let (mut transfers, [a, b, c]) = three_waiting();
        let failed = || Phase::Failed {
            fault: crate::Fault::Peer,
            message: String::new(),
        };
        set(&mut transfers, c, failed());
        set(&mut transfers, a, failed());
        set(&mut transfers, b, Phase::Cancelled);
        assert_eq!(transfers.failed(), [a, c]);
    }
}
