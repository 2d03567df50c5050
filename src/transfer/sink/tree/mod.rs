//! The disk side of receiving a folder: what is offered of a tree is compared with what is there, and made, below one
//! folder that is held open. It knows no sockets, and its calls wait for the disk: a disk's thread makes them.
//!
//! The order of calls is the caller's: a folder ([`TreeSink::make_folder`]) before what lies in it, its end
//! ([`TreeSink::finish_folder`]) after that, links ([`TreeSink::make_link`]) after all else, and at last
//! [`TreeSink::sync`]. Nothing is ever deleted, but a file may be replaced where both ends say so.
//!
//! No link below the root is ever walked through. See `openat2(2)`.

mod block;
mod compare;
mod decide;
mod descend;
mod folders;
mod item;
mod large;
mod links;
mod naming;
mod new_file;
mod places;
mod resume;
mod small;
mod sync;
#[cfg(test)]
mod tests;
mod time;
mod unfinished;
mod volume;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use crate::transfer::sink::part_log::Patience;

pub(crate) use block::FileBlock;
pub(crate) use item::{Decision, FileBlocks, ItemKind, Outcome, Seen, SmallFile, TreeItem, TreePolicy};
pub(crate) use large::TreePart;

use folders::Begun;
use item::Stop;
use places::{Place, Places};
use sync::Unsynced;

/// Where a tree is received.
#[derive(Debug)]
pub(crate) struct TreeSink {
    places: Places,
    policy: TreePolicy,
    /// Folders that were made or found, and are not finished.
    unfinished: HashMap<Vec<u8>, Begun>,
    unsynced: Unsynced,
    /// For parts that an earlier session of the same tree may still have.
    patience: Patience,
}

impl TreeSink {
    /// Opens the folder into which a tree goes, which is there. Its file system is asked what it makes of times and names;
    /// so is each other one that is mounted below, once something is put there.
    ///
    /// # Errors
    /// It cannot be opened, or is no folder.
    pub(crate) fn open(root: &Path, policy: TreePolicy) -> io::Result<Self> {
        Ok(Self {
            places: Places::open(root)?,
            policy,
            unfinished: HashMap::new(),
            unsynced: Unsynced::default(),
            patience: Patience::long(),
        })
    }

    /// Whether names that differ by the case of letters alone are one name in the root.
    #[cfg(test)]
    fn folds_case(&self) -> bool {
        self.places.folds_case(self.places.root())
    }

    /// Folders that were begun and are not finished.
    #[cfg(test)]
    fn unfinished_folders(&self) -> usize {
        self.unfinished.len()
    }

    /// The folder in which an item has its name.
    fn place_of(&mut self, item: &TreeItem) -> Result<Place, Stop> {
        decide::check(item)?;
        let unfinished = &self.unfinished;
        self.places
            .parent_of(&item.path, |path| unfinished.get(path).copied().map(Begun::is_new))
    }
}
