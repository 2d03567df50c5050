//! The folders of a tree: made before what lies in them, and finished after it.

use std::collections::hash_map::Entry;

use rustix::fs::{Access, AtFlags, Mode, accessat, fstat, mkdirat, utimensat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgroups};

use crate::transfer::sink::folder::Folder;
use crate::transfer::tree::path::RelativePath;

use super::TreeSink;
use super::decide::set_folder_mode;
use super::item::{Decision, Outcome, Refusal, Stop, TreeItem};
use super::places::{Place, as_path};
use super::unfinished::Mark;
use crate::wire::native::Timestamp;

/// What its owner needs to put something into a folder.
const OWNER_MODE: u32 = 0o700;
/// What lies in a folder gets its group: the receiver's, who set it or inherited it.
const SET_GROUP_MODE: u32 = 0o2000;

/// Others may take a name or remove a folder while it is looked at, but not for ever.
const TRIES: usize = 8;

/// What a folder was before this tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was not there.
    New,
    /// A session that broke has left it unfinished.
    Left,
    /// It was there.
    There {
        /// Its mode then.
        mode: u32,
        /// Its owner may write into it since, and could not before.
        is_opened: bool,
    },
}

impl Begun {
    /// Whether nothing was in it.
    pub(super) fn is_new(self) -> bool {
        self == Self::New
    }
}

impl TreeSink {
    /// Makes a folder into which its owner can write, whatever its mode will be. One that is there is kept. Either is
    /// unfinished until [`finish_folder`](Self::finish_folder). It is on disk with what comes into it, or by
    /// [`sync`](Self::sync).
    pub(crate) fn make_folder(&mut self, item: &TreeItem) -> Outcome {
        self.made_folder(item).unwrap_or_else(Outcome::from)
    }

    /// Gives a folder its mode and time, after everything below it. That is on disk by [`sync`](Self::sync). One that was
    /// there before keeps its mode if nothing may be replaced, or if it is another user's.
    pub(crate) fn finish_folder(&mut self, path: &RelativePath, mode: u32, mtime: Timestamp) -> Outcome {
        let begun = self.unfinished.get(path.as_bytes()).copied();
        let result = match begun {
            Some(Begun::There { mode, is_opened }) if !self.policy.allow_replace => {
                self.left_as_it_was(path.as_bytes(), mode, is_opened)
            }
            Some(_) => self.finished_folder(path, mode, mtime),
            // It is finished already, or never was begun: whatever is there is none of ours.
            None => self.folder_at(path.as_bytes()),
        };
        // Nothing more comes into it.
        self.unfinished.remove(path.as_bytes());
        let is_ours = begun.is_some_and(Begun::is_new);
        self.places.forget(path.as_bytes());
        match result {
            Ok(place) if is_ours => self.stored(place.volume, false),
            Ok(_) => Outcome::Had,
            Err(Stop::Failed(error)) if !is_ours && error.raw_os_error() == Some(Errno::PERM.raw_os_error()) => {
                Outcome::Had
            }
            Err(stop) => stop.into(),
        }
    }

    fn made_folder(&mut self, item: &TreeItem) -> Result<Outcome, Stop> {
        for _ in 0..TRIES {
            match self.decide(item) {
                Decision::Make => {}
                Decision::Refused(refusal) => return Err(refusal.into()),
                Decision::Failed(reason) => return Ok(Outcome::Failed(reason)),
                _ => {
                    self.begin(item.path.as_bytes())?;
                    return Ok(Outcome::Had);
                }
            }
            let place = self.place_of(item)?;
            let name = item.path.name();
            let mode = Mode::from_raw_mode(self.policy.mode(item.mode) | OWNER_MODE);
            match mkdirat(&place.folder, as_path(name), mode) {
                Ok(()) => {
                    self.places.was_named(&place, name);
                    self.touch(&place);
                    // What had this name before is not what is there now.
                    self.places.forget(item.path.as_bytes());
                    self.unfinished.insert(item.path.as_bytes().to_vec(), Begun::New);
                    let folder = self.folder_at(item.path.as_bytes())?.folder;
                    Mark::Made(fstat(&folder)?.st_mode & 0o7777).put_on(&folder);
                    return Ok(self.stored(place.volume, false));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Unsteady.into())
    }

    /// Lists a folder that is there as unfinished.
    fn begin(&mut self, path: &[u8]) -> Result<(), Stop> {
        let Entry::Vacant(entry) = self.unfinished.entry(path.to_vec()) else {
            return Ok(());
        };
        // It has to be in the list to be opened.
        entry.insert(Begun::Left);
        let place = self.folder_at(path)?;
        let there = fstat(&place.folder)?;
        let mode = there.st_mode & 0o7777;
        // What another user has marked is none of ours.
        let mark = Mark::of(&place.folder).filter(|_| there.st_uid == geteuid().as_raw());
        let begun = match mark {
            Some(Mark::Made(made)) if made == mode => Begun::Left,
            Some(Mark::Opened(bits)) => Begun::There {
                mode: mode & !OWNER_MODE | bits,
                is_opened: true,
            },
            // One that somebody has given another mode since is theirs.
            Some(Mark::Made(_)) | None => Begun::There { mode, is_opened: false },
        };
        self.unfinished.insert(path.to_vec(), begun);
        // Without that nothing in it can be looked at.
        self.let_in(path, Access::EXEC_OK)
    }

    /// Lets this user put something into the folder of an item, where it was there and its owner may not. It gets its mode
    /// again when it is finished, or else when the tree ends.
    pub(super) fn let_in_beside(&mut self, item: &TreeItem) -> Result<(), Stop> {
        match item.path.parent_bytes() {
            Some(parent) => self.let_in(parent, Access::WRITE_OK | Access::EXEC_OK),
            None => Ok(()),
        }
    }

    fn let_in(&mut self, path: &[u8], access: Access) -> Result<(), Stop> {
        let Some(Begun::There { mode, .. }) = self.unfinished.get(path).copied() else {
            return Ok(());
        };
        if mode & OWNER_MODE == OWNER_MODE {
            return Ok(());
        }
        let folder = self.folder_at(path)?.folder;
        // Root may write into any. Another tree that is done here may have taken it back: it is asked each time.
        if accessat(&folder, ".", access, AtFlags::EACCESS).is_ok() || loses_group(&folder, mode)? {
            return Ok(());
        }
        match set_folder_mode(&folder, mode | OWNER_MODE) {
            Ok(()) => {}
            // It is another user's. Its group may write, perhaps.
            Err(Errno::PERM) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        // So that the next session knows how it was, whatever becomes of this one. Where its owner may not write it could not
        // be put on before.
        Mark::Opened(mode & OWNER_MODE).put_on(&folder);
        self.unfinished
            .insert(path.to_vec(), Begun::There { mode, is_opened: true });
        Ok(())
    }

    fn folder_at(&mut self, path: &[u8]) -> Result<Place, Stop> {
        let unfinished = &self.unfinished;
        self.places
            .at(path, |path| unfinished.get(path).copied().map(Begun::is_new))
    }

    /// Takes back what let its owner write into a folder.
    fn left_as_it_was(&mut self, path: &[u8], mode: u32, is_opened: bool) -> Result<Place, Stop> {
        let place = self.folder_at(path)?;
        if is_opened {
            Mark::take_off(&place.folder);
            set_folder_mode(&place.folder, mode)?;
        }
        Ok(place)
    }

    fn finished_folder(&mut self, path: &RelativePath, mode: u32, mtime: Timestamp) -> Result<Place, Stop> {
        let place = self.folder_at(path.as_bytes())?;
        let folder = &place.folder;
        Mark::take_off(folder);
        // The mode comes last: it may be one that does not let in whoever sets the time.
        utimensat(folder, ".", &mtime.as_modified(), AtFlags::empty())?;
        let there = fstat(folder)?.st_mode & 0o7777;
        let mode = self.policy.mode(mode) | there & SET_GROUP_MODE;
        if mode != there {
            set_folder_mode(folder, mode)?;
        }
        self.touch(&place);
        Ok(place)
    }
}

/// Whether a new mode would take from a folder, for good, that what lies in it gets its group: chmod(2) does so where this
/// user is not in that group.
fn loses_group(folder: &Folder, mode: u32) -> Result<bool, Errno> {
    if mode & SET_GROUP_MODE == 0 {
        return Ok(false);
    }
    let group = fstat(folder)?.st_gid;
    let ours = getgroups()?.into_iter().chain([getegid()]);
    Ok(!ours.into_iter().any(|ours| ours.as_raw() == group))
}

impl Drop for TreeSink {
    /// A tree that broke leaves those folders as they were that were there before it, from below.
    fn drop(&mut self) {
        let opened = self.unfinished.iter().filter_map(|(path, begun)| match begun {
            Begun::There { mode, is_opened: true } => Some((path.clone(), *mode)),
            _ => None,
        });
        let mut opened: Vec<(Vec<u8>, u32)> = opened.collect();
        opened.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        for (path, mode) in opened {
            // What cannot be done now a later session does.
            let _ = self.left_as_it_was(&path, mode, true);
        }
    }
}
