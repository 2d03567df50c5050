//! Blocks of a grid that were there before a session began, each with its checksum.

use std::collections::BTreeMap;

/// By their numbers on the grid.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    by_index: BTreeMap<u32, u64>,
    /// How many runs of neighbours they are.
    groups: usize,
}

impl Recorded {
    /// How many runs of neighbours they are: as many gaps are left at least between other blocks.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Adds a block. Says whether it did: not where it is there already.
    pub(super) fn insert(&mut self, index: u32, checksum: u64) -> bool {
        let neighbours = self.neighbours(index);
        let is_new = self.by_index.insert(index, checksum).is_none();
        if is_new {
            self.groups = self.groups + 1 - neighbours;
        }
        is_new
    }

    /// Removes the first block from `first` to `last`, both included; its number, where there is one.
    pub(super) fn remove_within(&mut self, first: u32, last: u32) -> Option<u32> {
        let index = self.by_index.range(first..=last).next().map(|(index, _)| *index)?;
        self.by_index.remove(&index);
        self.groups = self.groups + self.neighbours(index) - 1;
        Some(index)
    }

    /// The value of a block's checksum; `None` where it is not there.
    pub(super) fn get(&self, index: u32) -> Option<u64> {
        self.by_index.get(&index).copied()
    }

    /// All of them, each with the value of its checksum, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u64)> {
        self.by_index.iter().map(|(index, checksum)| (*index, *checksum))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_index.is_empty()
    }

    /// How many of the two blocks beside it are there.
    fn neighbours(&self, index: u32) -> usize {
        let beside = [index.checked_sub(1), index.checked_add(1)];
        let is_there = |index: &u32| self.by_index.contains_key(index);
        beside.into_iter().flatten().filter(is_there).count()
    }
}
