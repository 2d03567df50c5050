//! Small files, many at a time: each is whole before it has a name, and they share one sync.

use std::io::Write as _;
use std::sync::Arc;

use rustix::fs::fstat;
use rustix::io::Errno;

use crate::transfer::sink::folder::{Folder, FolderId};

use super::TreeSink;
use super::item::{ItemKind, Outcome, Refusal, Seen, SmallFile, Stop, TreeItem};
use super::naming::Naming;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::sync::Synced;
use super::volume::Syncing;
use crate::wire::native::Timestamp;

/// A file that got its name in this batch. It holds no folder open: each may lie in another one.
struct Stored {
    volume: usize,
    folder: FolderId,
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
        let bytes = files.iter().map(|file| file.data.len() as u64).sum();
        if self.policy.keep_free.is_some() && !self.has_room(&self.places.root().clone(), bytes) {
            let full = || Outcome::from(Stop::from(Errno::NOSPC));
            return files.iter().map(|_| full()).collect();
        }
        let stored: Vec<Result<Stored, Stop>> = files.iter().map(|file| self.store(file)).collect();
        let synced = self.policy.sync.then(|| self.sync_touched());
        let outcome = |(file, stored)| self.outcome(file, stored, synced.as_ref());
        files.iter().zip(stored).map(outcome).collect()
    }

    fn outcome(&mut self, file: &SmallFile, stored: Result<Stored, Stop>, synced: Option<&Synced>) -> Outcome {
        let stored = match stored {
            Ok(stored) if stored.naming == Naming::Had => return Outcome::Had,
            Ok(stored) => stored,
            Err(stop) => return stop.into(),
        };
        match synced.map(|synced| synced.is_on_disk(stored.volume, stored.folder)) {
            None => self.stored(stored.volume, false),
            Some(Ok(is_on_disk)) => self.stored(stored.volume, is_on_disk && stored.bytes_are_synced),
            Some(Err(reason)) => {
                if stored.naming == Naming::New {
                    self.remove_again(file);
                }
                Outcome::Failed(reason)
            }
        }
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
            volume: place.volume,
            folder: place.folder.id(),
            naming,
            bytes_are_synced,
        })
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

    /// Removes a file that was stored a moment ago, if it is still the one.
    fn remove_again(&mut self, SmallFile { item, data, .. }: &SmallFile) {
        let Ok(place) = self.place_of(item) else { return };
        let name = as_path(item.path.name());
        if let Ok(there) = place.folder.stat(name)
            && there.st_size.unsigned_abs() == data.len() as u64
            && Timestamp::modified(&there).seconds == item.mtime.seconds
        {
            // If that fails, too, the disk is beyond help.
            let _ = place.folder.unlink(name);
        }
    }
}

/// Whether an open folder has no name any more, nor can anything in it have one.
fn is_removed(folder: &Folder) -> bool {
    fstat(folder).is_ok_and(|status| status.st_nlink == 0)
}

#[cfg(test)]
mod tests {
    use super::super::TreePolicy;
    use super::*;
    use crate::transfer::tree::path::RelativePath;
    use crate::wire::Replace;

    #[test]
    fn a_batch_whose_files_each_lie_in_another_folder_holds_few_of_them_open() {
        let root = tempfile::tempdir().expect("folder");
        let policy = TreePolicy {
            replace: Replace::Never,
            allow_replace: false,
            checksum: false,
            sync: true,
            keep_free: None,
            umask: 0o022,
        };
        let mut sink = TreeSink::open(root.path(), policy).expect("there");
        let store = |number: usize| {
            std::fs::create_dir(root.path().join(number.to_string())).expect("free");
            let mtime = Timestamp {
                seconds: 0,
                nanoseconds: 0,
            };
            let item = TreeItem {
                path: RelativePath::new(format!("{number}/a")).expect("a path"),
                kind: ItemKind::File { bytes: 0 },
                mode: 0o644,
                mtime,
            };
            let file = SmallFile {
                item,
                data: Vec::new(),
                replaces: None,
            };
            sink.store(&file).expect("free")
        };
        let stored: Vec<Stored> = (0..200).map(store).collect();
        let open = std::fs::read_dir("/proc/self/fd").expect("there").flatten();
        let leads_to = open.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        let below = leads_to.filter(|path| path.starts_with(root.path())).count();
        assert!((1..40).contains(&below) && stored.len() == 200, "{below}");
    }
}
