//! What happened to a transfer while it ran: its pauses, and the changes that a plot flags.

use crate::app::model::format::{count, rate};
use crate::app::words::say;
use crate::transfer::Side;

/// So many pauses and so many marks are kept at most.
const KEPT_MAX: usize = 512;
/// What changes again so soon is one change: a slider that is dragged, connections that join one by one.
const DRAG_S: f64 = 0.4;

/// A pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pause {
    /// Its beginning, in seconds on the row's time axis.
    pub from_s: f64,
    /// Its end; `None` while it lasts.
    pub to_s: Option<f64>,
}

/// Something that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The limit, in bytes a second; `None`: it was lifted.
    Limit(Option<u64>),
    /// How slow the program at an end is made to be; `None`: as fast as it can.
    Pace(Side, Option<u64>),
    /// The number of connections.
    Streams(u64, u64),
    /// A further round began, with this number.
    Round(u32),
    /// It broke, and may go on.
    Interrupted,
    /// It failed.
    Failed,
}

impl Change {
    /// What was changed, to what: `limit 2 GB/s`, `streams 1 → 4`.
    #[must_use]
    pub(crate) fn text(self) -> String {
        match self {
            Self::Limit(Some(limit)) => say!("mark-limit", rate = rate(limit as f64)),
            Self::Limit(None) => say!("mark-limit-off").to_owned(),
            Self::Pace(side, Some(pace)) => say!("mark-pace", program = program(side), rate = rate(pace as f64)),
            Self::Pace(side, None) => say!("mark-pace-off", program = program(side)),
            Self::Streams(from, to) => say!("mark-streams", before = from, now = to),
            Self::Round(number) => say!("row-round", round = number),
            Self::Interrupted => say!("mark-interrupted").to_owned(),
            Self::Failed => say!("mark-failed").to_owned(),
        }
    }

    /// The same where there is little room.
    #[must_use]
    pub(crate) fn short(self) -> String {
        match self {
            Self::Limit(Some(limit)) => rate(limit as f64).to_string(),
            Self::Limit(None) => say!("mark-off").to_owned(),
            Self::Pace(side, Some(_)) => say!("mark-slow", program = program(side)),
            Self::Pace(side, None) => program(side).to_owned(),
            Self::Streams(_, to) => to.to_string(),
            Self::Round(number) => count(u64::from(number)),
            Self::Interrupted => say!("mark-interrupted").to_owned(),
            Self::Failed => say!("mark-failed").to_owned(),
        }
    }

    /// What this change, soon after `other`, comes to with it: the last of a slider that is dragged counts.
    fn merged_with(self, other: Self) -> Option<Self> {
        match (other, self) {
            // The latter also where it was tried again, and nothing moved meanwhile.
            (Self::Limit(_), Self::Limit(_)) | (Self::Interrupted, Self::Interrupted) => Some(self),
            (Self::Pace(one, _), Self::Pace(other, _)) => (one == other).then_some(self),
            (Self::Streams(from, _), Self::Streams(_, to)) => Some(Self::Streams(from, to)),
            _ => None,
        }
    }
}

fn program(side: Side) -> &'static str {
    match side {
        Side::Sender => say!("mark-writer"),
        Side::Receiver => say!("mark-reader"),
    }
}

/// A change and when it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    /// Seconds on the row's time axis.
    pub t_s: f64,
    /// What changed.
    pub change: Change,
}

impl Mark {
    /// Whether it is the beginning of a round.
    pub(crate) fn is_round(&self) -> bool {
        matches!(self.change, Change::Round(_))
    }

    fn is_round_at(&self, step: u32) -> bool {
        matches!(self.change, Change::Round(number) if number.is_multiple_of(step))
    }
}

/// The next of 1, 5, 10, 50, 100: each is a multiple of the one before. Nothing beyond the highest.
fn coarser(step: u32) -> Option<u32> {
    let is_power = 10_u32.pow(step.max(1).ilog10()) == step;
    step.checked_mul(if is_power { 5 } else { 2 })
}

/// The pauses and marks of a transfer, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Marks {
    pauses: Vec<Pause>,
    changes: Vec<Mark>,
    /// Rounds are kept whose number is a multiple of this; 0 is 1.
    rounds_kept: u32,
}

impl Marks {
    /// The pauses, oldest first. They do not overlap.
    #[must_use]
    pub(crate) fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// The changes, oldest first.
    #[cfg(test)]
    #[must_use]
    pub(crate) fn changes(&self) -> &[Mark] {
        &self.changes
    }

    /// The changes between two times, of rounds at most `rounds_max`: those whose number is a multiple of the returned
    /// step.
    #[must_use]
    pub(crate) fn between(&self, from_s: f64, to_s: f64, rounds_max: usize) -> (Vec<Mark>, u32) {
        let in_view = self.changes.iter().filter(|mark| (from_s..=to_s).contains(&mark.t_s));
        let in_view: Vec<Mark> = in_view.copied().collect();
        let kept = self.rounds_kept.max(1);
        let steps = (0..9).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_u32.pow(power)));
        let is_few = |step: &u32| in_view.iter().filter(|mark| mark.is_round_at(*step)).count() <= rounds_max;
        let mut steps = steps.filter(|step| step.is_multiple_of(kept));
        let step = steps.find(is_few).unwrap_or(kept);
        let is_shown = |mark: &Mark| !mark.is_round() || mark.is_round_at(step);
        (in_view.into_iter().filter(is_shown).collect(), step)
    }

    /// Bytes stop moving, or move again.
    pub(super) fn set_paused(&mut self, t_s: f64, is_paused: bool) {
        match self.pauses.last_mut() {
            Some(last) if last.to_s.is_none() && is_paused => {}
            Some(last) if last.to_s.is_none() => last.to_s = Some(t_s.max(last.from_s)),
            last if is_paused => {
                let from_s = last.and_then(|last| last.to_s).map_or(t_s, |to_s| to_s.max(t_s));
                self.pauses.push(Pause { from_s, to_s: None });
                if self.pauses.len() > KEPT_MAX {
                    self.forget_short_pauses();
                }
            }
            _ => {}
        }
    }

    /// Something changed.
    pub(super) fn push(&mut self, t_s: f64, change: Change) {
        let mark = Mark { t_s, change };
        if mark.is_round() && !mark.is_round_at(self.rounds_kept.max(1)) {
            return;
        }
        if let Some(last) = self.changes.last_mut()
            && t_s - last.t_s < DRAG_S
            && let Some(merged) = change.merged_with(last.change)
        {
            last.change = merged;
            return;
        }
        self.changes.push(mark);
        if self.changes.len() > KEPT_MAX {
            self.thin();
        }
    }

    /// Of very many pauses the longer half is kept, and the one that lasts.
    fn forget_short_pauses(&mut self) {
        let length_s = |pause: &Pause| pause.to_s.map_or(f64::INFINITY, |to_s| to_s - pause.from_s);
        let mut lengths: Vec<f64> = self.pauses.iter().map(length_s).collect();
        lengths.sort_by(f64::total_cmp);
        let least_s = lengths[lengths.len() / 2];
        let mut room = KEPT_MAX / 2;
        self.pauses.retain(|pause| {
            let is_kept = pause.to_s.is_none() || length_s(pause) >= least_s && room > 0;
            room -= usize::from(is_kept && pause.to_s.is_some());
            is_kept
        });
    }

    /// Of very many marks fewer rounds are kept, and where those are not the most of them every other mark.
    fn thin(&mut self) {
        let rounds = self.changes.iter().filter(|mark| mark.is_round()).count();
        let next = coarser(self.rounds_kept.max(1)).filter(|_| rounds > KEPT_MAX / 2);
        if let Some(step) = next {
            self.rounds_kept = step;
            self.changes.retain(|mark| !mark.is_round() || mark.is_round_at(step));
            return;
        }
        let mut index = 0_usize;
        self.changes.retain(|_| {
            index += 1;
            index.is_multiple_of(2)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_from_its_beginning_to_its_end_and_is_told_once() {
        let mut marks = Marks::default();
        for (t_s, is_paused) in [
            (0.0, false),
            (1.0, true),
            (1.1, true),
            (2.0, false),
            (2.1, false),
            (3.0, true),
        ] {
            marks.set_paused(t_s, is_paused);
        }
        let pause = |from_s, to_s| Pause { from_s, to_s };
        assert_eq!(marks.pauses(), [pause(1.0, Some(2.0)), pause(3.0, None)]);
    }

    #[test]
    fn a_slider_that_is_dragged_leaves_one_flag() {
        let mut marks = Marks::default();
        for (t_s, limit) in [(1.0, 5), (1.1, 6), (1.2, 7), (9.0, 8)] {
            marks.push(t_s, Change::Limit(Some(limit)));
        }
        marks.push(9.1, Change::Streams(1, 2));
        marks.push(9.2, Change::Streams(2, 4));
        let changes: Vec<Change> = marks.changes().iter().map(|mark| mark.change).collect();
        let expected = [Change::Limit(Some(7)), Change::Limit(Some(8)), Change::Streams(1, 4)];
        assert_eq!(changes, expected);
    }

    #[test]
    fn a_million_rounds_and_pauses_take_bounded_room_and_keep_the_limit() {
        let mut marks = Marks::default();
        marks.push(0.0, Change::Limit(None));
        for i in 0..1_000_000_u32 {
            let t_s = f64::from(i);
            marks.push(t_s, Change::Round(i));
            marks.set_paused(t_s, i % 2 == 0);
        }
        assert!(marks.changes().len() <= KEPT_MAX && marks.pauses().len() <= KEPT_MAX);
        assert_eq!(marks.changes()[0].change, Change::Limit(None));
        assert!(
            marks
                .pauses()
                .windows(2)
                .all(|pair| pair[0].to_s <= Some(pair[1].from_s))
        );
    }

    #[test]
    fn of_many_rounds_a_few_with_even_numbers_are_flagged_and_every_other_change() {
        let mut marks = Marks::default();
        for i in 2..=100_000_u32 {
            let t_s = f64::from(i);
            marks.push(t_s, Change::Round(i));
            if i == 70_000 {
                marks.push(t_s, Change::Limit(None));
            }
        }
        let (few, step) = marks.between(0.0, 85_000.0, 8);
        assert_eq!((few.len(), step), (9, 10_000), "eight rounds and the limit");
        for (from_s, to_s) in [(0.0, 1e5), (60_000.0, 80_000.0), (69_000.0, 71_000.0)] {
            let (shown, step) = marks.between(from_s, to_s, 8);
            let rounds = shown.iter().filter(|mark| mark.is_round()).count();
            assert!((2..=8).contains(&rounds), "{shown:?}");
            assert!(shown.iter().all(|mark| !mark.is_round() || mark.is_round_at(step)));
            assert_eq!(shown.len(), rounds + 1, "the limit is among them");
        }
        let (all, step) = Marks::default().between(0.0, 1.0, 8);
        assert_eq!((all.len(), step), (0, 1));
    }

    #[test]
    fn flags_say_what_was_changed_to_what() {
        for (change, text, short) in [
            (Change::Limit(Some(2_000_000_000)), "limit 2.00 GB/s", "2.00 GB/s"),
            (Change::Limit(None), "limit off", "off"),
            (Change::Streams(1, 4), "streams 1 → 4", "4"),
            (Change::Round(1200), "round 1,200", "1,200"),
            (
                Change::Pace(Side::Receiver, Some(10_000_000)),
                "reader 10.0 MB/s",
                "slow reader",
            ),
        ] {
            assert_eq!((change.text().as_str(), change.short().as_str()), (text, short));
        }
    }
}
