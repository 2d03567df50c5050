//! What was stored is put on disk: once a batch for a whole file system, or for each folder where that does nothing.

use std::collections::HashMap;
use std::sync::Arc;

use rustix::fs::fsync;
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Reason, reason};
use crate::transfer::sink::folder::{Folder, FolderId};

use super::TreeSink;
use super::item::Outcome;
use super::places::Place;
use super::volume::Syncing;

/// So many folders are held open until they are synced.
const FOLDERS_MAX: usize = 256;

/// Folders whose names are to be put on disk one by one.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    folders: HashMap<FolderId, Arc<Folder>>,
    /// What came of those that were too many.
    before: Option<Result<bool, Reason>>,
}

/// What a sync brought, by where something lies. True where it is on disk now.
#[derive(Debug)]
pub(super) struct Synced {
    volumes: HashMap<usize, Result<bool, Reason>>,
    folders: HashMap<FolderId, Result<bool, Reason>>,
    /// Of the folders that were synced before, for there were too many.
    before: Option<Result<bool, Reason>>,
}

impl TreeSink {
    /// Puts on disk what was made, named or changed since the last time: folders that were finished, and links. A batch of
    /// small files and a published part have done so for themselves. Does nothing where nothing is to be synced.
    ///
    /// # Errors
    /// The system could not: what is told of is perhaps not on disk.
    pub(crate) fn sync(&mut self) -> Result<(), Reason> {
        if !self.policy.sync {
            return Ok(());
        }
        let synced = self.sync_touched();
        let results = synced.volumes.into_values().chain(synced.folders.into_values());
        results.chain(synced.before).try_for_each(|result| result.map(drop))
    }

    /// Something in that folder is to be put on disk with the next sync.
    pub(super) fn touch(&mut self, place: &Place) {
        if let Some(volume) = self.places.volume_mut(place) {
            volume.touch();
        }
        if !self.policy.sync || self.syncing(place) != Syncing::Each {
            return;
        }
        if self.unsynced.folders.len() >= FOLDERS_MAX {
            let full = std::mem::take(&mut self.unsynced.folders);
            let results = self.unsynced.before.take().into_iter();
            let results = results.chain(full.values().map(|folder| sync_folder(folder)));
            // All of them are on disk, or it is not known which.
            self.unsynced.before = Some(results.reduce(|all, next| Ok(all? & next?)).unwrap_or(Ok(true)));
        }
        let folder = Arc::clone(&place.folder);
        self.unsynced.folders.insert(folder.id(), folder);
    }

    /// What is said of something that has its name on that volume, and is on its disk or is not yet.
    pub(super) fn stored(&self, volume: usize, is_on_disk: bool) -> Outcome {
        let volume = self.places.volumes.get(volume);
        let has_disk = volume.is_none_or(|volume| volume.syncing() != Syncing::Never);
        Outcome::Stored {
            durable: has_disk.then_some(is_on_disk),
        }
    }

    /// Syncs all that was touched.
    pub(super) fn sync_touched(&mut self) -> Synced {
        let mut synced = Synced {
            volumes: self.sync_volumes(),
            folders: HashMap::new(),
            before: self.unsynced.before.take(),
        };
        for (id, folder) in self.unsynced.folders.drain() {
            synced.folders.insert(id, sync_folder(&folder));
        }
        synced
    }

    /// Syncs the volumes where that goes at once. What that brought, by their numbers.
    pub(super) fn sync_volumes(&mut self) -> HashMap<usize, Result<bool, Reason>> {
        let mut results = HashMap::new();
        for (number, volume) in self.places.volumes.iter_mut().enumerate() {
            let result = match volume.syncing() {
                Syncing::Never => Ok(false),
                Syncing::AtOnce => volume.sync_at_once().map(|()| true),
                Syncing::Each => continue,
            };
            results.insert(number, result.map_err(|error| reason(&error)));
        }
        results
    }
}

impl Synced {
    /// Whether what has its name in that folder of that volume is on disk now, if its bytes were before.
    pub(super) fn is_on_disk(&self, volume: usize, folder: FolderId) -> Result<bool, Reason> {
        let of_folder = || self.folders.get(&folder);
        let result = self.volumes.get(&volume).or_else(of_folder);
        result.or(self.before.as_ref()).cloned().unwrap_or(Ok(true))
    }
}

/// Puts the names in a folder on disk. False where that cannot be done: it may be written and not read, or its file
/// system syncs no folders.
pub(super) fn sync_folder(folder: &Folder) -> Result<bool, Reason> {
    let Ok(opened) = folder.to_sync() else {
        return Ok(false);
    };
    match retry_on_intr(|| fsync(&opened)) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(reason(&error.into())),
    }
}
