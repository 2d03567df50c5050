//! What became of the items of a tree: files, folders and links.

use crate::units;

use serde::{Deserialize, Serialize};

/// How far a tree is, counted in items.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Items {
    /// Those that are where they belong since this transfer.
    pub stored: u64,
    /// Those that were there already.
    pub had: u64,
    /// Those that could not be read, were refused, or could not be kept.
    pub failed: u64,
    /// Those that are known so far.
    pub known: u64,
    /// Whether that is all of them: the sender has been through its folders.
    #[serde(default)]
    pub are_all_known: bool,
    /// The path of the file whose bytes moved last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<String>,
    /// The first of those that failed; told at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<ItemFailure>,
    /// The bytes of what is in `failures`.
    #[serde(skip)]
    pub(crate) named_bytes: usize,
    /// The bytes of the messages that offered them, at the receiver.
    #[serde(skip)]
    pub(crate) offered_bytes: u64,
}

/// An item that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ItemFailure {
    /// Where it is in the tree, with what is hidden in it made visible.
    pub path: String,
    /// Why, in one line.
    pub reason: String,
}

/// More failures are counted and not named.
const FAILURES_MAX: usize = 10_000;
/// And so are those beyond so many bytes: a peer chooses its paths, and bytes that are no text take four times the room.
const FAILURES_BYTES_MAX: usize = 4 << 20;

impl Items {
    /// One did not arrive.
    pub(crate) fn fail(&mut self, path: String, reason: String) {
        self.failed += 1;
        let bytes = path.len() + reason.len();
        if self.failures.len() < FAILURES_MAX && self.named_bytes + bytes <= FAILURES_BYTES_MAX {
            self.named_bytes += bytes;
            self.failures.push(ItemFailure { path, reason });
        }
    }

    /// The counts without the failures, to be told meanwhile.
    pub(crate) fn counts(&self) -> Self {
        Self {
            stored: self.stored,
            had: self.had,
            failed: self.failed,
            known: self.known,
            are_all_known: self.are_all_known,
            moving: self.moving.clone(),
            failures: Vec::new(),
            named_bytes: 0,
            offered_bytes: self.offered_bytes,
        }
    }

    /// Those of which is known what became of them.
    #[must_use]
    pub fn settled(&self) -> u64 {
        self.stored + self.had + self.failed
    }

    /// `1,234 of 5,678 items`; `1,234 of 5,678 items so far` before all are known.
    pub(crate) fn how_far_in_words(&self) -> String {
        let known = self.known.max(self.settled());
        let item = if known == 1 { "item" } else { "items" };
        let so_far = if self.are_all_known { "" } else { " so far" };
        format!(
            "{} of {} {item}{so_far}",
            units::count(self.settled()),
            units::count(known)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_a_tree_is_says_whether_all_of_it_is_known() {
        let mut items = Items {
            stored: 1_000,
            had: 200,
            failed: 34,
            known: 5_678,
            ..Items::default()
        };
        assert_eq!(items.how_far_in_words(), "1,234 of 5,678 items so far");
        items.are_all_known = true;
        assert_eq!(items.how_far_in_words(), "1,234 of 5,678 items");
    }

    #[test]
    fn failures_are_all_counted_and_the_first_ones_named() {
        let mut items = Items::default();
        for number in 0..=FAILURES_MAX {
            items.fail(number.to_string(), "unreadable".into());
        }
        assert_eq!((items.failed, items.failures.len()), (10_001, FAILURES_MAX));
        assert!(items.counts().failures.is_empty() && items.settled() == 10_001);
    }

    #[test]
    fn failures_of_long_paths_are_named_as_far_as_there_is_room() {
        let mut items = Items::default();
        for _ in 0..2_000 {
            items.fail("\\xff".repeat(4_095), "unreadable".into());
        }
        assert_eq!(items.failed, 2_000);
        assert!((200..300).contains(&items.failures.len()), "{}", items.failures.len());
    }
}
