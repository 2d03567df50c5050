//! What all listed transfers come to: the rate now, how many run, how much has moved, and the rate of the last minute.

use super::format::{self, Quantity, RateUnit};
use super::list::Group;
use super::row::Row;
use super::transfers::Transfers;
use crate::app::words::say;
use crate::transfer::State;

/// The sums over all rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Totals {
    /// Bytes a second now.
    pub rate_bytes_per_s: f64,
    /// How many transfers run.
    pub running: usize,
    /// Bytes that have moved since the window was opened.
    pub moved_bytes: u64,
    /// How many that were done are not listed any more.
    pub more_done: u64,
    /// The rate of the last minute in bytes a second, the oldest first.
    pub curve: Vec<f64>,
}

impl Totals {
    /// The sums at `now_s` on the window's clock.
    #[must_use]
    pub(crate) fn of(transfers: &Transfers, now_s: f64) -> Self {
        let rows = transfers.rows();
        let runs = |row: &&Row| match row.group() {
            Group::Running => true,
            Group::Others => !row.is_over() && row.phase != super::row::Phase::Is(State::Listening),
            _ => false,
        };
        let running: Vec<&Row> = rows.iter().filter(runs).collect();
        Self {
            rate_bytes_per_s: running.iter().map(|row| row.rate_now(now_s)).sum(),
            running: running.len(),
            moved_bytes: transfers.moved_bytes(),
            more_done: transfers.forgotten_done(),
            curve: transfers.rates_of_last_minute(now_s),
        }
    }

    /// The unit in which the rate of all and that of each row are written: that of the list, or a larger one where the
    /// rate of all is too high for that.
    #[must_use]
    pub(crate) fn common_unit(&self, list: RateUnit) -> RateUnit {
        let of_all = list.scale.unit(self.rate_bytes_per_s);
        if of_all.divisor > list.divisor { of_all } else { list }
    }

    /// The rate now in the unit of the list, unless it is too high for that.
    #[must_use]
    pub(crate) fn rate(&self, unit: RateUnit) -> Quantity {
        self.common_unit(unit).quantity(self.rate_bytes_per_s)
    }

    /// All of it, with those that are done and have no row any more.
    #[must_use]
    pub(crate) fn all_in_words(&self) -> String {
        let mut words = vec![match self.running {
            0 => say!("totals-nothing-runs").to_owned(),
            count => say!("totals-running", count = count),
        }];
        words.push(self.moved_in_words());
        if self.more_done > 0 {
            words.push(say!("totals-more-done", count = self.more_done));
        }
        words.join(say!("comma"))
    }

    /// `2 running, 15.6 GB moved`, or where nothing runs what has moved alone.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        match self.running {
            0 => self.moved_in_words(),
            count => [say!("totals-running", count = count), self.moved_in_words()].join(say!("comma")),
        }
    }

    fn moved_in_words(&self) -> String {
        say!("totals-moved", bytes = format::bytes(self.moved_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::form::Form;
    use crate::app::model::last_minute::{CURVE_POINTS, CURVE_S};
    use crate::app::model::plan::{Paths, check};
    use crate::telemetry::Sample;
    use crate::transfer::{Event, EventKind, Side, TransferId};

    #[test]
    fn what_moved_counts_also_when_its_row_is_gone_and_only_once_when_it_comes_back() {
        let mut transfers = Transfers::default();
        let recipe = check(&Form::default(), &Paths::default()).recipe.expect("a recipe");
        let key = transfers.add(recipe, 100.0);
        let id = TransferId(7);
        transfers.tie(key, id);
        for (t_s, bytes) in [(0.0, 0), (1.0, 100), (2.0, 300)] {
            let sample = Sample {
                bytes,
                ..Sample::default()
            };
            for side in [Side::Sender, Side::Receiver] {
                let event = Event::new(id, side, t_s, EventKind::Sample(Box::new(sample.clone())));
                transfers.fold(event, 100.0 + t_s);
            }
        }
        let totals = Totals::of(&transfers, 102.0);
        assert_eq!((totals.running, totals.moved_bytes), (1, 300));
        assert_eq!(totals.in_words(), "1 running, 300 B moved");
        // All of it in the last two seconds of the minute.
        let bin_s = CURVE_S / CURVE_POINTS as f64;
        let moved: f64 = totals.curve.iter().map(|rate| rate * bin_s).sum();
        assert!((moved - 300.0).abs() < 1e-6, "{moved}");
        assert!(totals.curve[..CURVE_POINTS - 3].iter().all(|rate| *rate == 0.0));

        transfers.take_off(key, 103.0);
        assert_eq!(Totals::of(&transfers, 103.0).moved_bytes, 300);
        transfers.undo_removal();
        assert_eq!(Totals::of(&transfers, 103.0).moved_bytes, 300);
    }

    #[test]
    fn what_all_come_to_and_each_of_them_are_in_one_unit() {
        let totals = |rate_bytes_per_s| Totals {
            rate_bytes_per_s,
            running: 2,
            moved_bytes: 0,
            more_done: 0,
            curve: Vec::new(),
        };
        let list = RateUnit::of(700e6);
        for (rate, total, each) in [(650e6, "650 MB/s", "325 MB/s"), (1.4e9, "1.40 GB/s", "0.70 GB/s")] {
            let totals = totals(rate);
            let unit = totals.common_unit(list);
            assert_eq!(totals.rate(list).to_string(), total);
            assert_eq!(totals.rate(unit).to_string(), total);
            assert_eq!(unit.quantity(rate / 2.0).to_string(), each);
        }
        assert_eq!(totals(0.0).rate(RateUnit::of(6e9)).to_string(), "0 GB/s");
    }
}
