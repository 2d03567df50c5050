//! The folders in which things of a tree have their names, held open while the next items need them.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};

use crate::transfer::sink::folder::{Folder, FolderId};
use crate::transfer::tree::path::RelativePath;

use super::descend::Descent;
use super::item::{Refusal, Stop};
use super::volume::Volume;

/// So many folders stay open. A walk goes down first, so the next item's is mostly the last one, or a few above it.
const OPEN_MAX: usize = 16;

/// A folder of the tree.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: Arc<Folder>,
    /// Which of [`Places::volumes`] it lies on.
    pub(super) volume: usize,
    /// It was made for this tree: nothing was in it.
    pub(super) is_ours: bool,
}

/// All that is open of a tree.
#[derive(Debug)]
pub(super) struct Places {
    root: Place,
    root_path: PathBuf,
    pub(super) volumes: Vec<Volume>,
    descent: Descent,
    /// By path, the one that was used last at the end.
    open: Vec<(Vec<u8>, Place)>,
    /// Of folders in which the case of letters does not count: what their names are, to the letter, by a hash each.
    exact_names: HashMap<FolderId, HashSet<u64>>,
    hasher: RandomState,
}

/// One name, for the system.
pub(super) fn as_path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

impl Places {
    /// Opens the folder into which a tree goes. Links on the way to it are followed: its user named it.
    ///
    /// # Errors
    /// It cannot be opened, or is no folder.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = Folder::of_descriptor(openat(CWD, root, flags, Mode::empty())?, root.into())?;
        let volumes = vec![Volume::of(&folder)];
        let root_place = Place {
            folder,
            volume: 0,
            is_ours: false,
        };
        Ok(Self {
            root: root_place,
            root_path: root.into(),
            volumes,
            descent: Descent::default(),
            open: Vec::new(),
            exact_names: HashMap::new(),
            hasher: RandomState::new(),
        })
    }

    /// The folder that the tree is in.
    pub(super) fn root(&self) -> &Place {
        &self.root
    }

    /// The folder in which an item has its name. See [`at`](Self::at).
    pub(super) fn parent_of(
        &mut self,
        path: &RelativePath,
        begun: impl Fn(&[u8]) -> Option<bool>,
    ) -> Result<Place, Stop> {
        let bytes = path.as_bytes();
        match bytes.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => self.at(bytes.get(..slash).unwrap_or_default(), begun),
            None => Ok(self.root.clone()),
        }
    }

    /// The folder of that path. `begun` says of one that is to be filled whether it was made for this tree. Where the case
    /// of letters does not count no other is opened: one that was refused for its spelling would be found all the same.
    pub(super) fn at(&mut self, path: &[u8], begun: impl Fn(&[u8]) -> Option<bool>) -> Result<Place, Stop> {
        if let Some(found) = self.open.iter().rposition(|(open, _)| open == path) {
            if found + 1 < self.open.len() {
                let used = self.open.remove(found);
                self.open.push(used);
            }
            if let Some((_, place)) = self.open.last() {
                return Ok(place.clone());
            }
        }
        let above = self.open.iter().filter(|(open, _)| is_below(path, open));
        let nearest = above.max_by_key(|(open, _)| open.len());
        let (from, rest) = match nearest {
            Some((open, place)) => (&place.folder, path.get(open.len() + 1..).unwrap_or_default()),
            None => (&self.root.folder, path),
        };
        let descriptor = self.descent.open(from, rest)?;
        let folder = Folder::of_descriptor(descriptor, self.root_path.join(as_path(path)))?;
        let volume = self.volume_of(&folder);
        let begun = begun(path);
        let place = Place {
            folder,
            volume,
            is_ours: begun.unwrap_or(false),
        };
        if begun.is_none() && self.folds_case(&place) {
            return Err(Refusal::FolderNotTaken.into());
        }
        if self.open.len() >= OPEN_MAX {
            let (_, closed) = self.open.remove(0);
            self.exact_names.remove(&closed.folder.id());
        }
        self.open.push((path.to_vec(), place.clone()));
        Ok(place)
    }

    /// Opens the folder of that path anew the next time, and all below it: another one may stand there now.
    pub(super) fn forget(&mut self, path: &[u8]) {
        self.open.retain(|(open, _)| open != path && !is_below(open, path));
    }

    pub(super) fn volume(&self, place: &Place) -> Option<&Volume> {
        self.volumes.get(place.volume)
    }

    pub(super) fn volume_mut(&mut self, place: &Place) -> Option<&mut Volume> {
        self.volumes.get_mut(place.volume)
    }

    fn volume_of(&mut self, folder: &Arc<Folder>) -> usize {
        let device = folder.id().0;
        let known = self.volumes.iter().position(|volume| volume.device == device);
        known.unwrap_or_else(|| {
            self.volumes.push(Volume::of(folder));
            self.volumes.len() - 1
        })
    }

    /// Whether something that was found by `name` has that name to the letter. On a file system that takes other letters
    /// for the same, its folder is listed once.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub(super) fn is_exact(&mut self, place: &Place, name: &[u8]) -> io::Result<bool> {
        if !self.folds_case(place) {
            return Ok(true);
        }
        let id = place.folder.id();
        let wanted = self.hasher.hash_one(name);
        if let Some(names) = self.exact_names.get(&id) {
            return Ok(names.contains(&wanted));
        }
        let mut names = HashSet::new();
        for entry in Dir::read_from(place.folder.to_sync()?)? {
            names.insert(self.hasher.hash_one(entry?.file_name().to_bytes()));
        }
        let is_there = names.contains(&wanted);
        // The root's is never closed, so the number of folders alone says when it is enough.
        if self.exact_names.len() > OPEN_MAX {
            self.exact_names.clear();
        }
        self.exact_names.insert(id, names);
        Ok(is_there)
    }

    /// Something got that name.
    pub(super) fn was_named(&mut self, place: &Place, name: &[u8]) {
        if let Some(volume) = self.volume_mut(place) {
            volume.touch();
        }
        if self.exact_names.is_empty() {
            return;
        }
        let hash = self.hasher.hash_one(name);
        if let Some(names) = self.exact_names.get_mut(&place.folder.id()) {
            names.insert(hash);
        }
    }

    pub(super) fn folds_case(&self, place: &Place) -> bool {
        self.volume(place).is_some_and(|volume| volume.traits.folds_case)
    }
}

/// Whether `path` lies below the folder `above`.
fn is_below(path: &[u8], above: &[u8]) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(_: &[u8]) -> Option<bool> {
        None
    }

    #[test]
    fn the_last_folders_stay_open_and_no_more_of_them() {
        let root = tempfile::tempdir().expect("folder");
        let mut places = Places::open(root.path()).expect("there");
        for number in 0..3 * OPEN_MAX {
            let path = format!("a{number}/b");
            std::fs::create_dir_all(root.path().join(&path)).expect("folders");
            let first = places.at(path.as_bytes(), begun).expect("there");
            let again = places.at(path.as_bytes(), begun).expect("there");
            assert!(Arc::ptr_eq(&first.folder, &again.folder));
            assert!(places.open.len() <= OPEN_MAX);
        }
        places.forget(b"a47");
        assert!(places.open.iter().all(|(path, _)| path != b"a47/b"));
    }

    #[test]
    fn where_the_case_of_letters_does_not_count_only_the_exact_name_is_the_same() {
        let root = tempfile::tempdir().expect("folder");
        std::fs::write(root.path().join("Name"), "").expect("file");
        let mut places = Places::open(root.path()).expect("there");
        let place = places.root().clone();
        assert!(
            places.is_exact(&place, b"name").expect("listed"),
            "what is found has the name"
        );
        places.volumes[0].traits.folds_case = true;
        assert!(places.is_exact(&place, b"Name").expect("listed"));
        assert!(!places.is_exact(&place, b"name").expect("listed"));
        places.was_named(&place, b"new");
        assert!(places.is_exact(&place, b"new").expect("listed"));
        assert!(!places.is_exact(&place, b"NEW").expect("listed"));
    }
}
