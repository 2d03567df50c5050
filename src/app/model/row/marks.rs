//! What happened to a transfer while it ran: its pauses, and the changes that a plot flags.

use crate::app::model::format::{count, rate};
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
    /// It failed.
    Failed,
}

impl Change {
    /// What was changed, to what: `limit 2 GB/s`, `streams 1 → 4`.
    #[must_use]
    pub(crate) fn text(self) -> String {
        match self {
            Self::Limit(Some(limit)) => format!("limit {}", rate(limit as f64)),
            Self::Limit(None) => "limit off".to_owned(),
            Self::Pace(side, Some(pace)) => format!("{} {}", program(side), rate(pace as f64)),
            Self::Pace(side, None) => format!("{} as fast as it can", program(side)),
            Self::Streams(from, to) => format!("streams {from} → {to}"),
            Self::Round(number) => format!("round {}", count(u64::from(number))),
            Self::Failed => "failed".to_owned(),
        }
    }

    /// The same where there is little room.
    #[must_use]
    pub(crate) fn short(self) -> String {
        match self {
            Self::Limit(Some(limit)) => rate(limit as f64).to_string(),
            Self::Limit(None) => "off".to_owned(),
            Self::Pace(side, Some(_)) => format!("slow {}", program(side)),
            Self::Pace(side, None) => program(side).to_owned(),
            Self::Streams(_, to) => to.to_string(),
            Self::Round(number) => count(u64::from(number)),
            Self::Failed => "failed".to_owned(),
        }
    }

    /// What this change, soon after `other`, comes to with it: the last of a slider that is dragged counts.
    fn merged_with(self, other: Self) -> Option<Self> {
        match (other, self) {
            (Self::Limit(_), Self::Limit(_)) => Some(self),
            (Self::Pace(one, _), Self::Pace(other, _)) => (one == other).then_some(self),
            (Self::Streams(from, _), Self::Streams(_, to)) => Some(Self::Streams(from, to)),
            _ => None,
        }
    }
}

fn program(side: Side) -> &'static str {
    match side {
        Side::Sender => "writer",
        Side::Receiver => "reader",
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

/// The pauses and marks of a transfer, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Marks {
    pauses: Vec<Pause>,
    marks: Vec<Mark>,
}

impl Marks {
    /// The pauses, oldest first. They do not overlap.
    #[must_use]
    pub(crate) fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// The changes, oldest first.
    #[must_use]
    pub(crate) fn changes(&self) -> &[Mark] {
        &self.marks
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
        if let Some(last) = self.marks.last_mut()
            && t_s - last.t_s < DRAG_S
            && let Some(merged) = change.merged_with(last.change)
        {
            last.change = merged;
            return;
        }
        self.marks.push(Mark { t_s, change });
        if self.marks.len() > KEPT_MAX {
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

    /// Of very many marks every other one is kept; all but rounds as long as those suffice.
    fn thin(&mut self) {
        let is_round = |mark: &Mark| matches!(mark.change, Change::Round(_));
        let has_rounds = self.marks.iter().filter(|mark| is_round(mark)).count() > KEPT_MAX / 2;
        let mut index = 0_usize;
        self.marks.retain(|mark| {
            if has_rounds && !is_round(mark) {
                return true;
            }
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
