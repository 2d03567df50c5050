//! Small files, many at a time: each is whole before it has a name, and they share one sync.

use std::io::Write as _;
use std::sync::Arc;

use rustix::fs::fstat;

use crate::error::Reason;
use crate::transfer::sink::folder::Folder;

use super::TreeSink;
use super::item::{ItemKind, Outcome, Refusal, Seen, SmallFile, Stop, TreeItem};
use super::naming::Naming;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::time::FileTime;
use super::volume::{Syncing, says_no_nameless};

/// A file that got its name in this batch.
struct Stored {
    place: Place,
    naming: Naming,
    /// Its bytes are on disk, or come there with the rest of its file system.
    bytes_are_synced: bool,
}

impl TreeSink {
    /// Stores files, puts them on disk at once, and says what came of each, in their order. How many they are, and how many
    /// bytes, is the caller's rule. In the time until it returns they have their names and may not be on disk.
    ///
    /// Where the sync fails, those that are new are removed again: they have the right length and time, and a later run
    /// would take them for whole.
    pub(crate) fn store_batch(&mut self, files: &[SmallFile]) -> Vec<Outcome> {
        let stored: Vec<Result<Stored, Stop>> = files.iter().map(|file| self.store(file)).collect();
        let synced = self.policy.sync.then(|| self.sync_touched());
        let outcome = |(file, stored): (&SmallFile, Result<Stored, Stop>)| match stored {
            Err(stop) => stop.into(),
            Ok(Stored {
                naming: Naming::Had, ..
            }) => Outcome::Had,
            Ok(stored) => match &synced {
                None => Outcome::Stored { durable: false },
                Some(synced) => match synced.is_on_disk(&stored.place) {
                    Ok(is_on_disk) => Outcome::Stored {
                        durable: is_on_disk && stored.bytes_are_synced,
                    },
                    Err(reason) => not_on_disk(file, &stored, reason),
                },
            },
        };
        files.iter().zip(stored).map(outcome).collect()
    }

    fn store(&mut self, file: &SmallFile) -> Result<Stored, Stop> {
        let SmallFile { item, data, replaces } = file;
        if !matches!(item.kind, ItemKind::File { bytes } if bytes == data.len() as u64) {
            return Err(Refusal::OtherLength.into());
        }
        let place = self.place_of(item)?;
        match self.store_in(&place, item, data, *replaces) {
            // Its folder was removed since it was opened: another one may have its name.
            Err(Stop::Failed(_)) if is_removed(&place.folder) => {
                if let Some(parent) = item.path.parent() {
                    self.places.forget(parent.as_bytes());
                }
                let place = self.place_of(item)?;
                self.store_in(&place, item, data, *replaces)
            }
            result => result,
        }
    }

    fn store_in(
        &mut self,
        place: &Place,
        item: &TreeItem,
        data: &[u8],
        replaces: Option<Seen>,
    ) -> Result<Stored, Stop> {
        let mut new = self.new_file(place, item)?;
        if !data.is_empty() {
            (&new.file).write_all(data)?;
        }
        new.set_mtime(item.mtime)?;
        let each = self.policy.sync && self.syncing(place) == Syncing::Each;
        let bytes_are_synced = !each || new.sync()?;
        let naming = self.give_name(place, item, &mut new, replaces)?;
        if naming != Naming::Had {
            self.touch(place);
        }
        Ok(Stored {
            place: place.clone(),
            naming,
            bytes_are_synced,
        })
    }

    /// A new file that has the mode of an item and no name that anybody would look for.
    fn new_file(&mut self, place: &Place, item: &TreeItem) -> Result<NewFile, Stop> {
        let mode = self.policy.mode(item.mode);
        let has_nameless = self.places.volume(place).is_some_and(|volume| volume.traits.has_nameless);
        if has_nameless {
            match NewFile::nameless(Arc::clone(&place.folder), mode) {
                Ok(new) => return Ok(new),
                Err(error) if says_no_nameless(error) => {}
                Err(error) => return Err(error.into()),
            }
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

/// What is told of a file whose sync failed.
fn not_on_disk(file: &SmallFile, stored: &Stored, reason: Reason) -> Outcome {
    let name = as_path(file.item.path.name());
    if stored.naming == Naming::New
        && let Ok(there) = stored.place.folder.stat(name)
        && there.st_size.unsigned_abs() == file.data.len() as u64
        && FileTime::modified(&there).seconds == file.item.mtime.seconds
    {
        // If that fails, too, the disk is beyond help.
        let _ = stored.place.folder.unlink(name);
    }
    Outcome::Failed(reason)
}
