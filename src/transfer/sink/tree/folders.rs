//! The folders of a tree: made before what lies in them, and finished after it.

use std::collections::hash_map::Entry;

use rustix::fs::{AtFlags, Mode, fstat, mkdirat, utimensat};
use rustix::io::Errno;

use crate::transfer::tree::path::RelativePath;

use super::TreeSink;
use super::decide::set_folder_mode;
use super::item::{Decision, Outcome, Refusal, Stop, TreeItem};
use super::places::{Place, as_path};
use crate::wire::native::Timestamp;

/// What its owner needs to put something into a folder.
const OWNER_MODE: u32 = 0o700;
/// What lies in a folder gets its group: the receiver's, who set it or inherited it.
const SET_GROUP_MODE: u32 = 0o2000;

/// Others may take a name or remove a folder while it is looked at, but not for ever.
const TRIES: usize = 8;

impl TreeSink {
    /// Makes a folder into which its owner can write, whatever its mode will be. One that is there is kept. Either is
    /// unfinished until [`finish_folder`](Self::finish_folder). It is on disk with what comes into it, or by
    /// [`sync`](Self::sync).
    pub(crate) fn make_folder(&mut self, item: &TreeItem) -> Outcome {
        self.made_folder(item).unwrap_or_else(Outcome::from)
    }

    /// Gives a folder its mode and time, after everything below it. That is on disk by [`sync`](Self::sync). A folder that
    /// was there before and is another user's stays as it is.
    pub(crate) fn finish_folder(&mut self, path: &RelativePath, mode: u32, mtime: Timestamp) -> Outcome {
        let result = self.finished_folder(path, mode, mtime);
        // Nothing more comes into it.
        let is_ours = self.unfinished.remove(path.as_bytes()).unwrap_or(false);
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
                    let unfinished = self.begin(item.path.as_bytes(), false)?;
                    make_writable(&unfinished)?;
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
                    self.unfinished.insert(item.path.as_bytes().to_vec(), true);
                    return Ok(self.stored(place.volume, false));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Unsteady.into())
    }

    /// Lists a folder as unfinished, and opens it.
    fn begin(&mut self, path: &[u8], is_ours: bool) -> Result<Place, Stop> {
        if let Entry::Vacant(entry) = self.unfinished.entry(path.to_vec()) {
            entry.insert(is_ours);
        }
        self.folder_at(path)
    }

    fn folder_at(&mut self, path: &[u8]) -> Result<Place, Stop> {
        let unfinished = &self.unfinished;
        self.places.at(path, |path| unfinished.get(path).copied())
    }

    fn finished_folder(&mut self, path: &RelativePath, mode: u32, mtime: Timestamp) -> Result<Place, Stop> {
        let place = self.folder_at(path.as_bytes())?;
        let folder = &place.folder;
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

/// A folder that its owner may not write to gets its last mode when it is finished, as one that is new.
fn make_writable(place: &Place) -> Result<(), Stop> {
    let mode = fstat(&place.folder)?.st_mode & 0o7777;
    if mode & OWNER_MODE != OWNER_MODE {
        match set_folder_mode(&place.folder, mode | OWNER_MODE) {
            // It is another user's. Its group may write, perhaps.
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
