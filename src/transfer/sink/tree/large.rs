//! Large files of a tree: each grows under a temporary name in its folder, and is on disk before it has its own.

#[cfg(test)]
use std::fs::File;
use std::io;
#[cfg(test)]
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::fstatvfs;
use rustix::io::Errno;

use crate::sys::lock;
use crate::transfer::sink::part_name::numbers_for;

use super::TreeSink;
use super::item::{FileBlocks, ItemKind, Outcome, Refusal, Seen, Stop, TreeItem};
use super::naming::Naming;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::resume::PartRecord;
use super::sync::sync_folder;
use super::volume::Syncing;
use crate::wire::native::Timestamp;

/// A large file on its way: `NAME.arraylift-NUMBER.part` in its folder, this user's alone, and locked. Dropped before it is
/// published, it stays where there is enough of it to go on with; otherwise it is removed.
#[derive(Debug)]
pub(crate) struct TreePart {
    pub(super) item: TreeItem,
    bytes: u64,
    pub(super) blocks: FileBlocks,
    replaces: Option<Seen>,
    place: Place,
    pub(super) new: NewFile,
    /// What is written down of it, where it could be gone on with.
    pub(super) record: Option<PartRecord>,
    /// It was there.
    pub(super) is_resumed: bool,
}

impl TreePart {
    /// One that an earlier transfer has left half received. It has its full length.
    pub(super) fn resumed(
        item: TreeItem,
        blocks: FileBlocks,
        replaces: Option<Seen>,
        place: Place,
        new: NewFile,
        record: PartRecord,
    ) -> Self {
        Self {
            bytes: item.file_bytes(),
            item,
            blocks,
            replaces,
            place,
            new,
            record: Some(record),
            is_resumed: true,
        }
    }

    /// The folder in which it has its names.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Removes it: nobody goes on with it.
    pub(crate) fn discard(mut self) {
        self.forget();
    }

    /// Nobody goes on with it.
    fn forget(&mut self) {
        if let Some(record) = &mut self.record
            && record.is_ours(&self.new.file)
        {
            record.remove();
        }
    }

    /// Whether another session has brought the same file meanwhile: nobody will go on with this one.
    fn is_whole_elsewhere(&self) -> bool {
        let there = self.place.folder.stat(as_path(self.item.path.name()));
        there.is_ok_and(|there| {
            there.st_size.unsigned_abs() == self.bytes && Timestamp::modified(&there) == self.item.mtime
        })
    }

    /// Where its bytes go. It has its full length from the first moment, and takes space as they come.
    #[cfg(test)]
    pub(super) fn file(&self) -> &File {
        &self.new.file
    }

    /// Where it is now.
    #[cfg(test)]
    pub(super) fn path(&self) -> PathBuf {
        self.new.folder.path_of(self.new.name().unwrap_or(Path::new("")))
    }

    /// Leaves it where it is, as one does whose process ends.
    #[cfg(test)]
    pub(super) fn keep(mut self) {
        self.new.keep();
    }
}

impl TreeSink {
    /// Makes the file for a large item. It takes no space: its length is what a stranger says. Unless its source has holes
    /// there has to be room for all of it now. `replaces` is what it may replace, as [`Decision::Replace`](super::Decision::Replace) said.
    ///
    /// # Errors
    /// As an outcome: its place is not there, or the disk has no room.
    pub(crate) fn begin_file(
        &mut self,
        item: TreeItem,
        blocks: FileBlocks,
        replaces: Option<Seen>,
    ) -> Result<TreePart, Outcome> {
        Ok(self.begun_file(item, blocks, replaces)?)
    }

    /// Asks whether so many bytes more may be written to a part, beside what is to stay free of its disk.
    ///
    /// # Errors
    /// As an outcome: there is no room.
    pub(crate) fn may_grow(&self, part: &TreePart, bytes: u64) -> Result<(), Outcome> {
        Ok(self.check_room(&part.place, bytes)?)
    }

    /// Gives a file whose bytes are all there its mode, its time and its name. If the name is taken by now it is decided
    /// anew, without `NAME-1`. Where that goes against it the part is removed; where the system fails it is kept.
    pub(crate) fn publish(&mut self, mut part: TreePart) -> Outcome {
        match self.published(&mut part) {
            Ok(outcome) => outcome,
            Err(stop) => {
                match stop {
                    Stop::Failed(_) => part.new.keep(),
                    Stop::Refused(_) => part.forget(),
                }
                stop.into()
            }
        }
    }

    fn begun_file(&mut self, item: TreeItem, blocks: FileBlocks, replaces: Option<Seen>) -> Result<TreePart, Stop> {
        let ItemKind::File { bytes } = item.kind else {
            return Err(Errno::INVAL.into());
        };
        let place = self.place_of(&item)?;
        if !blocks.is_sparse {
            self.check_room(&place, bytes)?;
        }
        let wanted = as_path(item.path.name());
        let new = NewFile::numbered(Arc::clone(&place.folder), wanted, numbers_for(wanted, bytes))?;
        // A file system without locks does without: then nobody takes it for left behind.
        let _ = lock(&new.file);
        new.file.set_len(bytes)?;
        Ok(TreePart {
            record: self.new_record(&item, blocks, &place),
            item,
            bytes,
            blocks,
            replaces,
            place,
            new,
            is_resumed: false,
        })
    }

    /// Asks whether the disk of a folder has room for so many bytes beside what is to stay free. One that does not say has.
    ///
    /// # Errors
    /// It has none. What stays free is told apart from what is full.
    pub(super) fn check_room(&self, place: &Place, bytes: u64) -> Result<(), Stop> {
        let disk = match fstatvfs(&place.folder) {
            Ok(disk) if disk.f_blocks > 0 => disk,
            _ => return Ok(()),
        };
        let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free_bytes < bytes {
            return Err(Errno::NOSPC.into());
        }
        let kept_bytes = self.policy.keep_free.map_or(0, |keep| keep.bytes_of(&disk));
        if free_bytes - bytes < kept_bytes {
            let kept = io::Error::other("no room for it beside what --keep-free keeps free there");
            return Err(kept.into());
        }
        Ok(())
    }

    fn published(&mut self, part: &mut TreePart) -> Result<Outcome, Stop> {
        let TreePart {
            item,
            place,
            new,
            record,
            ..
        } = part;
        let is_ours = new.is_there() && record.as_ref().is_none_or(|record| record.is_ours(&new.file));
        if !is_ours || new.file.metadata()?.len() != part.bytes {
            return Err(Refusal::OtherLength.into());
        }
        new.set_mode(self.policy.mode(item.mode))?;
        new.set_mtime(item.mtime)?;
        let has_to_be_synced = self.policy.sync && self.syncing(place) != Syncing::Never;
        let mut sync = || new.sync().map_err(io::Error::from);
        let is_synced = has_to_be_synced
            && match record {
                Some(record) => record.around_sync(sync)?,
                None => sync()?,
            };
        let naming = self.give_name(place, item, new, part.replaces);
        if let Some(record) = record {
            // Whatever came of that, it is whole: nobody goes on with it, or removes it one day as something that is not.
            record.remove();
        }
        if naming? == Naming::Had {
            return Ok(Outcome::Had);
        }
        Self::remove_leftovers(part);
        let place = &part.place;
        self.touch(place);
        if !is_synced {
            return Ok(self.stored(place.volume, false));
        }
        Ok(match sync_folder(&place.folder) {
            Ok(is_on_disk) => self.stored(place.volume, is_on_disk),
            Err(reason) => Outcome::Failed(reason),
        })
    }
}

impl Drop for TreePart {
    fn drop(&mut self) {
        let is_there = self.is_whole_elsewhere();
        let Some(record) = &mut self.record else { return };
        if !record.is_ours(&self.new.file) || (!is_there && record.is_kept(&self.new)) {
            self.new.keep();
        } else {
            record.remove();
        }
    }
}
