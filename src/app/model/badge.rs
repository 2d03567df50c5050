//! What the desktop draws on the icon of the window: how many transfers run, and how far they are in all.

use std::time::Duration;

use super::row::{Phase, Row};
use super::transfers::Transfers;
use crate::array::ArrayMeta;
use crate::transfer::State;

/// What ends within this time is over before anybody looks.
const SHOWN_AFTER_S: f64 = 1.0;
/// It changes at most so often.
const INTERVAL_S: f64 = 0.5;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Badge {
    /// How many run.
    pub running: u32,
    /// How much of all is done, from 0 to 1 in steps of a hundredth; `None` where nobody knows.
    pub share: Option<f64>,
}

/// When the desktop is told.
#[derive(Debug, Default)]
pub(crate) struct Badges {
    /// Since when something runs, on the window's clock.
    busy_since_s: Option<f64>,
    /// What it was told last, and when.
    told: Option<(Badge, f64)>,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// Nothing.
    Rest,
    /// Nothing yet, but something may be after this time.
    Wait(Duration),
    /// Tell the desktop this.
    Tell(Badge),
    /// Tell it that nothing runs any more.
    Clear,
}

impl Badges {
    /// What is to be done at `now_s` on the window's clock. `badge` makes what is true now of when the first of those
    /// began that run, where something runs.
    pub(crate) fn step(&mut self, is_busy: bool, now_s: f64, badge: impl FnOnce(f64) -> Badge) -> Step {
        if !is_busy {
            self.busy_since_s = None;
            return self.told.take().map_or(Step::Rest, |_| Step::Clear);
        }
        let since_s = *self.busy_since_s.get_or_insert(now_s);
        let due_s = self.told.map_or(since_s + SHOWN_AFTER_S, |(_, at_s)| at_s + INTERVAL_S);
        if now_s < due_s {
            return Step::Wait(Duration::from_secs_f64(due_s - now_s));
        }
        let badge = badge(since_s);
        if self.told.is_some_and(|(told, _)| told == badge) {
            return Step::Rest;
        }
        self.told = Some((badge, now_s));
        Step::Tell(badge)
    }
}

impl Badge {
    /// `done` of `total`, in bytes or whatever is counted.
    #[must_use]
    pub(crate) fn new(running: usize, done: f64, total: f64) -> Self {
        let share = (total > 0.0).then(|| ((done / total).clamp(0.0, 1.0) * 100.0).floor() / 100.0);
        Self {
            running: u32::try_from(running).unwrap_or(u32::MAX),
            share,
        }
    }
}

impl Transfers {
    /// Whether a transfer of this window runs, be it paused. Who waits for a sender may wait for ever.
    #[must_use]
    pub(crate) fn any_runs(&self) -> bool {
        self.own_rows().iter().any(runs)
    }

    /// Those of this window that run, and how far they are together with those that wait for their turn and those that
    /// were done since `since_s` on the window's clock.
    #[must_use]
    pub(crate) fn badge(&self, since_s: f64) -> Badge {
        let (mut done, mut total) = (0, 0);
        for row in self.own_rows() {
            let is_of_these = match row.phase {
                _ if row.repeats() => false,
                _ if runs(row) || row.is_waiting() => true,
                Phase::Done { .. } => row.over_since_s().is_some_and(|over_s| over_s >= since_s),
                _ => false,
            };
            if let Some(bytes) = row.total_bytes().filter(|_| is_of_these) {
                total += bytes;
                done += if row.is_over() {
                    bytes
                } else {
                    row.done_bytes().min(bytes)
                };
            }
        }
        let backlog = self.backlog.iter().filter_map(|recipe| recipe.meta.as_ref());
        total += backlog.map(ArrayMeta::byte_len).sum::<u64>();
        let running = self.own_rows().iter().filter(|row| runs(row)).count();
        Badge::new(running, done as f64, total as f64)
    }
}

fn runs(row: &Row) -> bool {
    !row.is_over() && !matches!(row.phase, Phase::Is(State::Queued | State::Listening))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};
    use crate::telemetry::Sample;
    use crate::transfer::{Event, EventKind, Side, TransferId};

    fn badge(running: usize, done: f64) -> Badge {
        Badge::new(running, done, 100.0)
    }

    #[test]
    fn the_desktop_is_told_of_what_lasts_twice_a_second_and_only_of_what_changes() {
        let mut badges = Badges::default();
        assert_eq!(badges.step(false, 0.0, |_| unreachable!()), Step::Rest);
        let wait = badges.step(true, 10.0, |_| unreachable!("it may be over at once"));
        assert_eq!(wait, Step::Wait(Duration::from_secs(1)));
        assert_eq!(
            badges.step(false, 10.5, |_| unreachable!()),
            Step::Rest,
            "it was over at once"
        );

        assert!(matches!(badges.step(true, 20.0, |_| unreachable!()), Step::Wait(_)));
        let told = badges.step(true, 21.0, |since_s| {
            assert!((since_s - 20.0).abs() < 1e-9);
            badge(1, 7.9)
        });
        assert_eq!(
            told,
            Step::Tell(Badge {
                running: 1,
                share: Some(0.07)
            })
        );
        let wait = badges.step(true, 21.25, |_| unreachable!("so soon"));
        assert_eq!(wait, Step::Wait(Duration::from_millis(250)));
        assert_eq!(badges.step(true, 21.5, |_| badge(1, 7.99)), Step::Rest, "the same");
        assert!(matches!(badges.step(true, 21.6, |_| badge(1, 8.0)), Step::Tell(_)));
        assert_eq!(
            badges.step(false, 21.7, |_| unreachable!()),
            Step::Clear,
            "an end is told at once"
        );
        assert_eq!(badges.step(false, 21.8, |_| unreachable!()), Step::Rest);
    }

    #[test]
    fn a_share_is_known_where_a_size_is() {
        assert_eq!(
            Badge::new(2, 5.0, 0.0),
            Badge {
                running: 2,
                share: None
            }
        );
        assert_eq!(Badge::new(2, 500.0, 100.0).share, Some(1.0));
    }

    #[test]
    fn what_waits_and_what_was_done_meanwhile_are_part_of_the_whole() {
        let mut transfers = Transfers::default();
        let form = Form {
            to: "1000".to_owned(),
            ..Form::default()
        };
        let recipe = || check(&form, &Paths::default()).recipe.expect("a recipe");
        let moves = |transfers: &mut Transfers, bytes| {
            let key = transfers.add(recipe(), 1.0);
            let id = TransferId(key);
            transfers.tie(key, id);
            let sample = Sample {
                bytes,
                ..Sample::default()
            };
            let event = |kind| Event::new(id, Side::Receiver, 1.0, kind);
            let state = State::Transferring;
            transfers.fold(event(EventKind::State { state }), 2.0);
            transfers.fold(event(EventKind::Sample(Box::new(sample))), 2.0);
            key
        };
        assert!(!transfers.any_runs());
        let done = moves(&mut transfers, 8000);
        transfers.row_mut(done).expect("a row").phase = Phase::Done { verified: Some(true) };
        transfers.note_ends(2.0, |_| false);
        moves(&mut transfers, 4000);
        assert_eq!(
            transfers.badge(1.0),
            Badge {
                running: 1,
                share: Some(0.75)
            }
        );
        assert_eq!(
            transfers.badge(3.0),
            Badge {
                running: 1,
                share: Some(0.5)
            },
            "done before"
        );
        transfers.add_waiting(recipe(), 2.0);
        assert_eq!(
            transfers.badge(3.0),
            Badge {
                running: 1,
                share: Some(0.25)
            }
        );
        transfers.backlog.push_back(recipe());
        transfers.backlog.push_back(recipe());
        assert_eq!(transfers.badge(1.0).share, Some(0.3));
        let failed = moves(&mut transfers, 4000);
        assert_eq!(transfers.badge(3.0).running, 2);
        transfers
            .row_mut(failed)
            .expect("a row")
            .fail(&crate::Error::ResultMismatch);
        assert_eq!(
            transfers.badge(1.0),
            Badge {
                running: 1,
                share: Some(0.3)
            }
        );
        assert!(transfers.any_runs());
    }
}
