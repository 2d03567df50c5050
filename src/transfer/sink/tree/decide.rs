//! What is to be done with an offered item, by what has its name.

use std::os::fd::{AsFd, AsRawFd as _};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, chmod, chmodat, fstat, openat, readlinkat, utimensat};
use rustix::io::Errno;

use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::part_name::is_part_name;

use super::TreeSink;
use super::item::{Decision, ItemKind, Refusal, Seen, Stop, TreeItem};
use super::places::{Place, as_path};
use crate::wire::native::Timestamp;

impl TreeSink {
    /// Says what is to be done with an item. Where it is had already, and may be replaced, its mode is set, as far as this
    /// user may.
    ///
    /// A folder that was made for this tree is not looked into again: what got a name in it meanwhile is seen when the next
    /// thing of that name is to get it.
    pub(crate) fn decide(&mut self, item: &TreeItem) -> Decision {
        let decided = self.decided(item);
        self.allowed(item, decided)
    }

    /// Says what is to be done with a file after [`Decision::Compare`]. Where its bytes are the same it is had already, and
    /// gets the mode and the time that were offered, if it may be replaced.
    pub(crate) fn decide_compared(&mut self, item: &TreeItem, seen: Seen, is_equal: bool) -> Decision {
        let decided = self.place_of(item).and_then(|place| {
            if is_equal {
                let name = as_path(item.path.name());
                self.adjust(&place, name, seen, item.mode, Some(item.mtime));
                return Ok(Decision::Had);
            }
            Ok(self.replaced(&place, item, seen)?)
        });
        self.allowed(item, decided)
    }

    /// What is decided of an item, after whose folder lets it in where it is to be made.
    fn allowed(&mut self, item: &TreeItem, decided: Result<Decision, Stop>) -> Decision {
        let decided = decided.and_then(|decision| {
            if matches!(decision, Decision::Make | Decision::Replace(_)) {
                self.let_in_beside(item)?;
            }
            Ok(decision)
        });
        decided.unwrap_or_else(Decision::from)
    }

    fn decided(&mut self, item: &TreeItem) -> Result<Decision, Stop> {
        let place = self.place_of(item)?;
        // Its name can be taken only by what this tree put there, and then giving it fails.
        if place.is_ours && item.kind != ItemKind::Folder {
            return Ok(Decision::Make);
        }
        self.look(&place, item)
    }

    /// Looks at what has an item's name now.
    pub(super) fn look(&mut self, place: &Place, item: &TreeItem) -> Result<Decision, Stop> {
        let name = item.path.name();
        let found = match place.folder.stat(as_path(name)) {
            Ok(found) => found,
            Err(Errno::NOENT) => return Ok(Decision::Make),
            Err(error) => return Err(error.into()),
        };
        if !self.places.is_exact(place, name)? {
            return Err(Refusal::DiffersByCase.into());
        }
        let there = FileType::from_raw_mode(found.st_mode);
        match (&item.kind, there) {
            (ItemKind::Folder, FileType::Directory) => Ok(Decision::Had),
            (ItemKind::File { bytes }, FileType::RegularFile) => self.look_at_file(place, item, *bytes, &found),
            (ItemKind::Link { target }, FileType::Symlink) => {
                let read = readlinkat(&place.folder, name, Vec::new())?;
                if read.as_bytes() == target {
                    return Ok(Decision::Had);
                }
                Ok(self.replaced(place, item, Seen::of(&found))?)
            }
            (_, FileType::Directory) => Err(Refusal::FolderThere.into()),
            (_, FileType::RegularFile) => Err(Refusal::FileThere.into()),
            (_, FileType::Symlink) => Err(Refusal::LinkThere.into()),
            _ => Err(Refusal::SpecialThere.into()),
        }
    }

    fn look_at_file(&mut self, place: &Place, item: &TreeItem, bytes: u64, found: &Stat) -> Result<Decision, Stop> {
        let seen = Seen::of(found);
        let is_as_long = seen.bytes() == bytes;
        if is_as_long && self.policy.checksum {
            return Ok(Decision::Compare(seen));
        }
        let times = self.places.volume(place).map(|volume| &volume.traits.times);
        let is_as_old = times.is_some_and(|times| times.are_same(item.mtime, Timestamp::modified(found)));
        if is_as_long && is_as_old {
            if found.st_mode & 0o7777 != self.policy.mode(item.mode) {
                self.adjust(place, as_path(item.path.name()), seen, item.mode, None);
            }
            return Ok(Decision::Had);
        }
        Ok(self.replaced(place, item, seen)?)
    }

    /// Whether what was seen is replaced by an item, or stays.
    fn replaced(&self, place: &Place, item: &TreeItem, seen: Seen) -> Result<Decision, Refusal> {
        let times = self.places.volume(place).map(|volume| &volume.traits.times);
        let is_newer = times.is_some_and(|times| times.is_newer(seen.mtime(), item.mtime));
        Ok(if self.policy.replaces(is_newer)? {
            Decision::Replace(seen)
        } else {
            Decision::Had
        })
    }

    /// Gives what is there the mode, and perhaps the time, of what was offered. Where that is not this user's to do, or
    /// another one stands there now, it stays as it is: its bytes are right.
    fn adjust(&mut self, place: &Place, name: &Path, seen: Seen, mode: u32, mtime: Option<Timestamp>) {
        // Who may replace nothing may open nothing to others either.
        if !self.policy.allow_replace {
            return;
        }
        let mode = self.policy.mode(mode);
        if adjust(&place.folder, name, seen, mode, mtime).is_ok()
            && let Some(volume) = self.places.volume_mut(place)
        {
            volume.touch();
        }
    }
}

/// Fails where an item can have no place, whatever is there.
pub(super) fn check(item: &TreeItem) -> Result<(), Refusal> {
    let name = item.path.name();
    let ends_in =
        |ending: &[u8]| name.len() >= ending.len() && name[name.len() - ending.len()..].eq_ignore_ascii_case(ending);
    if (ends_in(b".part") || ends_in(b".log")) && is_part_name(&String::from_utf8_lossy(name)) {
        return Err(Refusal::NameOfPart);
    }
    if let ItemKind::Link { target } = &item.kind {
        item.path.check_target(target).map_err(Refusal::Target)?;
    }
    Ok(())
}

fn adjust(folder: &Folder, name: &Path, seen: Seen, mode: u32, mtime: Option<Timestamp>) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let there = openat(folder, name, flags, Mode::empty())?;
    if !seen.is_same_inode(&fstat(&there)?) {
        return Err(Errno::STALE);
    }
    if let Some(mtime) = mtime {
        utimensat(&there, "", &mtime.as_modified(), AtFlags::EMPTY_PATH)?;
    }
    set_mode(&there, mode)
}

/// Sets the mode of an open folder.
pub(super) fn set_folder_mode(folder: &Folder, mode: u32) -> Result<(), Errno> {
    match chmodat(folder, ".", Mode::from_raw_mode(mode), AtFlags::empty()) {
        // Its owner may not enter it.
        Err(Errno::ACCESS) => set_mode(folder, mode),
        result => result,
    }
}

/// Sets the mode of what is open by `O_PATH`: by its name in `/proc`, since `fchmod(2)` takes no such descriptor and
/// `fchmodat(2)` follows links.
fn set_mode(open: &impl AsFd, mode: u32) -> Result<(), Errno> {
    let number = open.as_fd().as_raw_fd();
    chmod(format!("/proc/self/fd/{number}"), Mode::from_raw_mode(mode))
}
