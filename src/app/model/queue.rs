//! The window's queue: transfers that wait for their turn, and which of them is next.

use super::row::{Phase, Row, RowKey};
use super::transfers::Transfers;
use crate::transfer::{Job, State};

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
        moves && !self.is_over() && !self.is_waiting()
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

    /// Whether one more may begin, where so many may run at once; nothing: as many as there are.
    #[must_use]
    pub fn has_free_slot(&self, at_once: Option<usize>) -> bool {
        !self.is_held() && at_once.is_none_or(|at_once| self.slots_taken() < at_once)
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

    /// Those of this window that failed, the first one first.
    #[must_use]
    pub fn failed(&self) -> Vec<RowKey> {
        let failed = self.rows().iter().rev().filter(|row| row.has_failed());
        failed.map(|row| row.key).collect()
    }

    /// `next`, or `3rd to begin`, for one that waits.
    #[must_use]
    pub fn turn_in_words(&self, key: RowKey) -> Option<String> {
        let at = self.waiting().position(|row| row.key == key)?;
        Some(match at + 1 {
            1 => "next to begin".to_owned(),
            2 => "2nd to begin".to_owned(),
            3 => "3rd to begin".to_owned(),
            other => format!("{other}th to begin"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};

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
        assert_eq!(transfers.turn_in_words(b).as_deref(), Some("3rd to begin"));
        set(&mut transfers, a, Phase::Starting);
        transfers.move_forward(b);
        assert_eq!(order(&transfers), [b, c]);
        assert_eq!(transfers.turn_in_words(a), None);
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
