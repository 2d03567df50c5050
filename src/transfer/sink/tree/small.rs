//! Small files, many at a time: each is whole, and on disk, before it has a name, and they share their syncs.

use std::io::{self, Write as _};
use std::sync::Arc;

use rustix::fs::fstat;

use crate::transfer::limits::descriptors::HeldFiles;
use crate::transfer::sink::folder::{Folder, FolderId};

use super::TreeSink;
use super::item::{ItemKind, Outcome, Refusal, SmallFile, Stop, TreeItem};
use super::naming::Naming;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::sync::Synced;
use super::volume::Syncing;

/// A file that is whole and has no name.
struct Written {
    place: Place,
    new: NewFile,
    /// Its bytes are on disk, or come there with the rest of its file system.
    bytes_are_synced: bool,
}

/// A file that got its name in this batch. It holds no folder open: each may lie in another one.
struct Stored {
    volume: usize,
    folder: FolderId,
    naming: Naming,
    bytes_are_synced: bool,
}

impl TreeSink {
    /// Stores files, puts them on disk at once, and says what came of each, in their order. How many they are, and how many
    /// bytes, is the caller's rule. Where their names cannot be put on disk in the end they are told as failed; they are
    /// there, and whole.
    pub(crate) fn store_batch(&mut self, files: &[SmallFile]) -> Vec<Outcome> {
        let bytes = files.iter().map(|file| file.data.len() as u64).sum();
        let has_room = |_| self.check_room(self.places.root(), bytes);
        if let Some(Err(full)) = self.policy.keep_free.map(has_room) {
            let full = Outcome::from(full);
            return files.iter().map(|_| full.clone()).collect();
        }
        let mut stored = Vec::with_capacity(files.len());
        while let Some(left) = files.get(stored.len()..).filter(|left| !left.is_empty()) {
            self.store_group(left, &mut stored);
        }
        let synced = self.policy.sync.then(|| self.sync_touched());
        let outcomes = stored.into_iter().map(|stored| self.outcome(stored, synced.as_ref()));
        outcomes.collect()
    }

    fn outcome(&self, stored: Result<Stored, Stop>, synced: Option<&Synced>) -> Outcome {
        let stored = match stored {
            Ok(stored) if stored.naming == Naming::Had => return Outcome::Had,
            Ok(stored) => stored,
            Err(stop) => return stop.into(),
        };
        match synced.map(|synced| synced.is_on_disk(stored.volume, stored.folder)) {
            None => self.stored(stored.volume, false),
            Some(Ok(is_on_disk)) => self.stored(stored.volume, is_on_disk && stored.bytes_are_synced),
            Some(Err(reason)) => Outcome::Failed(reason),
        }
    }

    /// Writes some of these files, puts them on disk, and then gives them their names: with a name before that, a cut of
    /// the power would leave it to a file that is too short.
    fn store_group(&mut self, files: &[SmallFile], stored: &mut Vec<Result<Stored, Stop>>) {
        let (mut held, mut group) = (HeldFiles::new(), Vec::new());
        for file in files {
            let written = self.write(file);
            if !group.is_empty() && matches!(&written, Err(stop) if stop.is_for_descriptors()) {
                break;
            }
            held.add();
            group.push((file, written));
            if !self.policy.sync || held.are_enough() {
                break;
            }
        }
        let synced = self.policy.sync.then(|| self.sync_volumes());
        for (file, written) in group {
            stored.push(written.and_then(|written| {
                match synced.as_ref().and_then(|synced| synced.get(&written.place.volume)) {
                    Some(Err(reason)) => Err(io::Error::other(reason.clone()).into()),
                    Some(Ok(_)) | None => self.name(file, written),
                }
            }));
        }
    }

    fn write(&mut self, file: &SmallFile) -> Result<Written, Stop> {
        let SmallFile { item, data, .. } = file;
        if !matches!(item.kind, ItemKind::File { bytes } if bytes == data.len() as u64) {
            return Err(Refusal::OtherLength.into());
        }
        let place = self.place_of(item)?;
        match self.write_in(&place, item, data) {
            Err(Stop::Failed(_)) if is_removed(&place.folder) => {
                let place = self.place_again(item)?;
                self.write_in(&place, item, data)
            }
            result => result,
        }
    }

    fn write_in(&mut self, place: &Place, item: &TreeItem, data: &[u8]) -> Result<Written, Stop> {
        let mut new = self.new_file(place, item)?;
        if !data.is_empty() {
            (&new.file).write_all(data)?;
        }
        new.set_mtime(item.mtime)?;
        let each = self.policy.sync && self.syncing(place) == Syncing::Each;
        let bytes_are_synced = !each || new.sync()?;
        if let Some(volume) = self.places.volume_mut(place) {
            volume.touch();
        }
        Ok(Written {
            place: place.clone(),
            new,
            bytes_are_synced,
        })
    }

    /// Gives a file its name that is on disk.
    fn name(&mut self, file: &SmallFile, mut written: Written) -> Result<Stored, Stop> {
        if self.policy.sync {
            written.new.was_synced();
        }
        let SmallFile { item, replaces, .. } = file;
        match self.give_name(&written.place, item, &mut written.new, *replaces) {
            Err(Stop::Failed(_)) if is_removed(&written.place.folder) => {
                self.place_again(item)?;
                written = self.write(file)?;
                if self.policy.sync {
                    written.bytes_are_synced = written.new.sync()?;
                }
                let naming = self.give_name(&written.place, item, &mut written.new, *replaces)?;
                Ok(self.named(&written, naming))
            }
            naming => Ok(self.named(&written, naming?)),
        }
    }

    fn named(&mut self, written: &Written, naming: Naming) -> Stored {
        let place = &written.place;
        if naming != Naming::Had {
            self.touch(place);
        }
        Stored {
            volume: place.volume,
            folder: place.folder.id(),
            naming,
            bytes_are_synced: written.bytes_are_synced,
        }
    }

    /// Where an item belongs whose folder was removed since it was opened: another one may have its name.
    fn place_again(&mut self, item: &TreeItem) -> Result<Place, Stop> {
        if let Some(parent) = item.path.parent() {
            self.places.forget(parent.as_bytes());
        }
        self.place_of(item)
    }

    /// A new file that has the mode of an item and no name that anybody would look for.
    fn new_file(&mut self, place: &Place, item: &TreeItem) -> Result<NewFile, Stop> {
        let mode = self.policy.mode(item.mode);
        let has_nameless = self
            .places
            .volume(place)
            .is_some_and(|volume| volume.traits.has_nameless);
        if has_nameless {
            return Ok(NewFile::nameless(Arc::clone(&place.folder), mode)?);
        }
        let new = NewFile::private(Arc::clone(&place.folder), as_path(item.path.name()))?;
        new.set_mode(mode)?;
        Ok(new)
    }
}

/// Whether an open folder has no name any more, nor can anything in it have one.
fn is_removed(folder: &Folder) -> bool {
    fstat(folder).is_ok_and(|status| status.st_nlink == 0)
}
