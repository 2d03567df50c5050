//! A tree of files in a row: how many of its items are settled, and how fast.

use super::{Phase, Row};
use crate::app::words::say;
use crate::transfer::{Items, Job, Origin, Side, SourceSpec};

/// Items are counted over so many seconds for their rate now: they are told a few times a second.
const RATE_S: f64 = 1.5;

/// The items of a tree in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ItemNumbers {
    /// Those of which is known what became of them.
    pub settled: u64,
    /// Those that are known so far.
    pub known: u64,
    /// Whether that is all of them.
    pub are_all_known: bool,
    /// Items a second now; where it is over, of the whole.
    pub per_s: f64,
}

impl ItemNumbers {
    /// How many there are as is known: `of 5,678`, `of 5,678 so far`.
    #[must_use]
    pub(crate) fn of_known_in_words(&self) -> String {
        if self.are_all_known {
            say!("items-of", count = self.known)
        } else {
            say!("items-of-so-far", count = self.known)
        }
    }

    /// The same with those that are settled: `1,234 of 5,678 items so far`.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        match self.are_all_known {
            true if self.settled >= self.known => say!("items-all", count = self.known),
            true => say!("items-done-of", done = self.settled, count = self.known),
            false => say!("items-done-of-so-far", done = self.settled, count = self.known),
        }
    }
}

impl Row {
    /// Whether it is a tree of files.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        let source = self.recipe().map(|recipe| &recipe.job);
        let is_sent = matches!(
            source,
            Some(Job::Loopback { source: SourceSpec { origin, .. }, .. } | Job::Send { source: SourceSpec { origin, .. }, .. })
                if matches!(origin, Origin::Tree(_))
        );
        is_sent || self.started().is_some_and(|started| started.is_tree)
    }

    /// What became of the items of a tree. The sender knows of those, too, that it could not even offer.
    #[must_use]
    pub fn items(&self) -> Option<&Items> {
        let ends = [Side::Sender, Side::Receiver].map(|side| self.end(side).items.as_deref());
        ends.into_iter().flatten().next()
    }

    /// How many did not arrive.
    #[must_use]
    pub(crate) fn failed_items(&self) -> u64 {
        self.items().map_or(0, |items| items.failed)
    }

    /// The items in numbers as they are at a time for which nothing has been heard of it.
    pub(super) fn item_numbers(&self, silence_s: f64, took_s: f64) -> Option<ItemNumbers> {
        let items = self.items()?;
        let side = if self.sender.items.is_some() {
            Side::Sender
        } else {
            Side::Receiver
        };
        let series = &self.end(side).settled;
        let settled = items.settled();
        let is_over = self.is_over();
        let per_s = if is_over && took_s > 0.0 {
            settled as f64 / took_s
        } else if self.has_rate() {
            // What was told last was told up to a third of a second ago.
            series.rate_before(
                series.end_s() + (silence_s - 0.3).max(0.0),
                RATE_S.min(series.end_s().max(0.1)),
            )
        } else {
            0.0
        };
        Some(ItemNumbers {
            settled,
            known: items.known.max(settled),
            are_all_known: items.are_all_known || matches!(self.phase, Phase::Done { .. }),
            per_s,
        })
    }

    /// What is said of a tree that is done beside its name: `1,234 items`, `1,234 items, 5 were there, 2 failed`.
    #[must_use]
    pub(crate) fn items_in_words(&self) -> Option<String> {
        let items = self.items()?;
        let counted = |count: u64| Some(count).filter(|count| *count > 0);
        let parts = [
            Some(say!("items-all", count = items.known.max(items.settled()))),
            counted(items.had).map(|count| say!("items-had", count = count)),
            counted(items.failed).map(|count| say!("items-failed", count = count)),
        ];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(say!("comma")))
    }
}
