//! Large files of a tree: each grows under a temporary name in its folder, and is on disk before it has its own.

use std::fs::File;
use std::io;
#[cfg(test)]
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::fstatvfs;
use rustix::io::Errno;

use crate::sys::lock;
use crate::transfer::sink::folder::Folder;

use super::TreeSink;
use super::item::{ItemKind, Outcome, Refusal, Seen, Stop, TreeItem};
use super::naming::Naming;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::sync::sync_folder;
use super::volume::Syncing;

/// What the name of a file ends in until it is whole.
const ENDING: &str = ".part";
/// A name may have so many bytes.
const NAME_BYTES_MAX: usize = 255;
/// Other receivers may have the names before.
const NUMBERS_MAX: u32 = 1_000;

/// A large file on its way: `NAME.part` in its folder, this user's alone, and locked. It is removed unless it is published
/// or kept.
#[derive(Debug)]
pub(crate) struct TreePart {
    item: TreeItem,
    bytes: u64,
    replaces: Option<Seen>,
    place: Place,
    new: NewFile,
}

impl TreePart {
    /// Where its bytes go. It has its full length from the first moment, and takes space as they come.
    pub(crate) fn file(&self) -> &File {
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
    /// (`is_sparse`) there has to be room for all of it now. `replaces` is what it may replace, as [`Decision::Replace`](super::Decision::Replace) said.
    ///
    /// # Errors
    /// As an outcome: its place is not there, or the disk has no room.
    pub(crate) fn begin_file(
        &mut self,
        item: TreeItem,
        is_sparse: bool,
        replaces: Option<Seen>,
    ) -> Result<TreePart, Outcome> {
        Ok(self.begun_file(item, is_sparse, replaces)?)
    }

    /// Asks whether so many bytes more may be written to a part, beside what is to stay free of its disk.
    ///
    /// # Errors
    /// As an outcome: there is no room.
    pub(crate) fn may_grow(&self, part: &TreePart, bytes: u64) -> Result<(), Outcome> {
        if self.has_room(&part.place, bytes) {
            return Ok(());
        }
        Err(Stop::from(Errno::NOSPC).into())
    }

    /// Gives a file whose bytes are all there its mode, its time and its name. If the name is taken by now it is decided
    /// anew, without `NAME-1`. Where that goes against it the part is removed; where the system fails it is kept.
    pub(crate) fn publish(&mut self, mut part: TreePart) -> Outcome {
        match self.published(&mut part) {
            Ok(outcome) => outcome,
            Err(stop) => {
                if matches!(stop, Stop::Failed(_)) {
                    part.new.keep();
                }
                stop.into()
            }
        }
    }

    fn begun_file(&mut self, item: TreeItem, is_sparse: bool, replaces: Option<Seen>) -> Result<TreePart, Stop> {
        let ItemKind::File { bytes } = item.kind else {
            return Err(Errno::INVAL.into());
        };
        let place = self.place_of(&item)?;
        if !is_sparse && !self.has_room(&place, bytes) {
            return Err(Errno::NOSPC.into());
        }
        let new = part_file(&place.folder, item.path.name())?;
        new.file.set_len(bytes)?;
        Ok(TreePart {
            item,
            bytes,
            replaces,
            place,
            new,
        })
    }

    /// Whether the disk of a folder has room for so many bytes beside what is to stay free. True where it does not say.
    pub(super) fn has_room(&self, place: &Place, bytes: u64) -> bool {
        match fstatvfs(&place.folder) {
            Ok(disk) if disk.f_blocks > 0 => {
                let kept_bytes = self.policy.keep_free.map_or(0, |keep| keep.bytes_of(&disk));
                disk.f_bavail.saturating_mul(disk.f_frsize) >= bytes.saturating_add(kept_bytes)
            }
            _ => true,
        }
    }

    fn published(&mut self, part: &mut TreePart) -> Result<Outcome, Stop> {
        let TreePart { item, place, new, .. } = part;
        let is_there = new.name().is_some_and(|name| new.folder.leads_to(name, &new.file));
        if !is_there || new.file.metadata()?.len() != part.bytes {
            return Err(Refusal::OtherLength.into());
        }
        new.set_mode(self.policy.mode(item.mode))?;
        new.set_mtime(item.mtime)?;
        let has_to_be_synced = self.policy.sync && self.syncing(place) != Syncing::Never;
        let is_synced = has_to_be_synced && new.sync()?;
        if self.give_name(place, item, new, part.replaces)? == Naming::Had {
            return Ok(Outcome::Had);
        }
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

/// Makes the first of `NAME.part`, `NAME.1.part`, … that nobody has, and locks it.
fn part_file(folder: &Arc<Folder>, name: &[u8]) -> io::Result<NewFile> {
    for number in 0..NUMBERS_MAX {
        let ending = match number {
            0 => ENDING.to_owned(),
            number => format!(".{number}{ENDING}"),
        };
        let kept = name.get(..NAME_BYTES_MAX - ending.len()).unwrap_or(name);
        let part = as_path(&[kept, ending.as_bytes()].concat()).to_path_buf();
        match folder.create(&part) {
            Ok(file) => {
                // A file system without locks does without: then nobody takes it for left behind.
                let _ = lock(&file);
                return Ok(NewFile::named(Arc::clone(folder), file, part));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
