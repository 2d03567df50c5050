//! The folders of a tree: made before what lies in them, and finished after it.

use std::collections::hash_map::Entry;

use rustix::fs::{AtFlags, Mode, fstat, mkdirat, utimensat};
use rustix::io::Errno;
use rustix::process::geteuid;

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

/// The sticky bit marks a folder of ours that is not finished, so that a later session knows it: no peer can give it one.
/// `mkdir(2)` takes it on Linux.
const UNFINISHED_MODE: u32 = 0o1000;

/// Others may take a name or remove a folder while it is looked at, but not for ever.
const TRIES: usize = 8;

/// What a folder was before this tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was not there.
    New,
    /// A session that broke has left it unfinished.
    Left,
    /// It was there, with this mode.
    There(u32),
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
            Some(Begun::There(before)) if !self.policy.allow_replace => self.left_as_it_was(path, before),
            _ => self.finished_folder(path, mode, mtime),
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
            let mode = Mode::from_raw_mode(self.policy.mode(item.mode) | OWNER_MODE | UNFINISHED_MODE);
            match mkdirat(&place.folder, as_path(name), mode) {
                Ok(()) => {
                    self.places.was_named(&place, name);
                    self.touch(&place);
                    // What had this name before is not what is there now.
                    self.places.forget(item.path.as_bytes());
                    self.unfinished.insert(item.path.as_bytes().to_vec(), Begun::New);
                    return Ok(self.stored(place.volume, false));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Refusal::Unsteady.into())
    }

    /// Lists a folder that is there as unfinished, and lets its owner write into it.
    fn begin(&mut self, path: &[u8]) -> Result<(), Stop> {
        let entry = self.unfinished.entry(path.to_vec());
        let is_first = matches!(entry, Entry::Vacant(_));
        entry.or_insert(Begun::There(OWNER_MODE));
        let place = self.folder_at(path)?;
        let there = fstat(&place.folder)?;
        let mode = there.st_mode & 0o7777;
        if is_first {
            let is_left = mode & UNFINISHED_MODE != 0 && there.st_uid == geteuid().as_raw();
            let begun = if is_left { Begun::Left } else { Begun::There(mode) };
            self.unfinished.insert(path.to_vec(), begun);
        }
        make_writable(&place, mode)
    }

    fn folder_at(&mut self, path: &[u8]) -> Result<Place, Stop> {
        let unfinished = &self.unfinished;
        self.places
            .at(path, |path| unfinished.get(path).copied().map(Begun::is_new))
    }

    /// Takes back what let its owner write into a folder.
    fn left_as_it_was(&mut self, path: &RelativePath, before: u32) -> Result<Place, Stop> {
        let place = self.folder_at(path.as_bytes())?;
        if before & OWNER_MODE != OWNER_MODE {
            set_folder_mode(&place.folder, before)?;
        }
        Ok(place)
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
fn make_writable(place: &Place, mode: u32) -> Result<(), Stop> {
    if mode & OWNER_MODE != OWNER_MODE {
        match set_folder_mode(&place.folder, mode | OWNER_MODE) {
            // It is another user's. Its group may write, perhaps.
            Ok(()) | Err(Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
