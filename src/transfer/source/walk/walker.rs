//! The walk itself: depth-first through folders, by descriptors alone.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;

use ignore::gitignore::Gitignore;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, fstat, open, readlinkat, statat};

use super::below;
use super::entry::Entry;
use super::failure::Failure;
use super::ignore_files;
use super::names::{Names, NamesBuffer};
use super::roots::{Root, Roots};
use super::selection::{self, Selection, Verdict};
use crate::transfer::tree::path::RelativePath;

/// Folders that a walk has open, at most.
pub(crate) const OPEN_FOLDERS_MAX: usize = 64;

/// What a walk comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A folder; what is in it comes next, and then its [`Step::FolderEnd`].
    Folder(Entry),
    /// A file.
    File(Entry),
    /// A symbolic link that a tree may have.
    Link {
        /// The link itself.
        entry: Entry,
        /// Where it points to, as it says it.
        target: Vec<u8>,
    },
    /// All that is in this folder has come.
    FolderEnd(RelativePath),
    /// Something that is not sent though it was to be; a folder with all that is in it, unless parts of it came before.
    Failed {
        /// Where it is, as the system says it: it may be no path that a tree may have.
        path: Vec<u8>,
        /// Why.
        reason: Failure,
    },
}

/// A walk through all that is selected of some roots, in their order. Files that change meanwhile do not disturb it.
pub(crate) struct Walk {
    roots: Arc<Roots>,
    roots_begun: usize,
    selection: Selection,
    /// The folders on the way to where the walk is, the root first.
    levels: Vec<Level>,
    /// Steps to be given before the walk goes on: at most the depth.
    ready: VecDeque<Step>,
    buffer: NamesBuffer,
}

/// A folder that the walk is in.
struct Level {
    path: RelativePath,
    place: Place,
    /// The root's always, and those of the last ones.
    folder: Option<OwnedFd>,
    names: Names,
    ignored: Option<Gitignore>,
    /// Whether an include matches this folder or one above it.
    is_included: bool,
    /// To be given as soon as something in it is.
    unannounced: Option<Entry>,
}

/// Which folder a folder is, as long as the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    device: u64,
    inode: u64,
}

impl Walk {
    /// A walk that has not begun. It opens nothing yet.
    pub(crate) fn new(roots: Arc<Roots>, selection: Selection) -> Self {
        Self {
            roots,
            roots_begun: 0,
            selection,
            levels: Vec::new(),
            ready: VecDeque::new(),
            buffer: NamesBuffer::new(),
        }
    }

    fn begin(&mut self, root: Root) {
        let path = root.name.clone();
        if let Err(reason) = self.try_begin(root) {
            self.fail(path.into_bytes(), reason);
        }
    }

    fn try_begin(&mut self, root: Root) -> Result<(), Failure> {
        // Links are followed here: somebody has named this one.
        let stat = statat(CWD, &root.path, AtFlags::empty())?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let folder = open(&root.path, flags, Mode::empty())?;
                self.enter(root.name, folder)
            }
            FileType::RegularFile => {
                if self.takes(&root.name, false) {
                    self.ready.push_back(Step::File(Entry::of(root.name, &stat)));
                }
                Ok(())
            }
            other => Err(Failure::of_kind(other)),
        }
    }

    /// Goes into an open folder.
    fn enter(&mut self, path: RelativePath, folder: OwnedFd) -> Result<(), Failure> {
        let stat = fstat(&folder)?;
        let place = Place::of(&stat);
        let root = self.levels.first().map_or(place, |root| root.place);
        let (names, ignored) = if self.selection.stays_on_file_system && place.device != root.device {
            (Names::default(), None)
        } else {
            self.read(folder.as_fd())?
        };
        let is_included = match (self.levels.last(), below_root(&path)) {
            (None, _) | (_, None) => !self.selection.has_includes(),
            (Some(parent), Some(inside)) => parent.is_included || self.selection.includes(inside, true),
        };
        self.levels.push(Level {
            place,
            folder: Some(folder),
            names,
            ignored,
            is_included,
            unannounced: Some(Entry::of(path.clone(), &stat)),
            path,
        });
        if is_included {
            self.announce();
        }
        Ok(())
    }

    fn read(&mut self, folder: BorrowedFd<'_>) -> Result<(Names, Option<Gitignore>), Failure> {
        let names = Names::read(folder, &mut self.buffer)?;
        let obeys = self.selection.obeys_ignore_files;
        let ignored = if obeys { ignore_files::read(folder)? } else { None };
        Ok((names, ignored))
    }

    /// Comes to an item of the folder that the walk is in.
    fn look_at(&mut self, name: &[u8], kind: FileType) {
        let Some(level) = self.levels.last() else { return };
        match level.path.join(name) {
            Ok(path) => {
                if let Err(reason) = self.try_look_at(path.clone(), name, kind) {
                    self.fail(path.into_bytes(), reason);
                }
            }
            Err(fault) => {
                let path = [level.path.as_bytes(), b"/", name].concat();
                if self.takes_bytes(&path, kind == FileType::Directory) {
                    self.fail(path, fault.into());
                }
            }
        }
    }

    fn try_look_at(&mut self, path: RelativePath, name: &[u8], kind: FileType) -> Result<(), Failure> {
        if kind != FileType::Unknown && !self.takes(&path, kind == FileType::Directory) {
            return Ok(());
        }
        let folder = self.folder()?;
        if kind == FileType::Directory {
            return self.descend(path, name);
        }
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)?;
        let found = FileType::from_raw_mode(stat.st_mode);
        // It may be another one than the folder told, or the folder did not tell.
        if found != kind && !self.takes(&path, found == FileType::Directory) {
            return Ok(());
        }
        let step = match found {
            FileType::Directory => return self.descend(path, name),
            FileType::RegularFile => Step::File(Entry::of(path, &stat)),
            FileType::Symlink => {
                let target = readlinkat(folder, name, Vec::new())?.into_bytes();
                path.check_target(&target)?;
                Step::Link {
                    entry: Entry::of(path, &stat),
                    target,
                }
            }
            other => return Err(Failure::of_kind(other)),
        };
        self.announce();
        self.ready.push_back(step);
        Ok(())
    }

    fn descend(&mut self, path: RelativePath, name: &[u8]) -> Result<(), Failure> {
        self.close_far();
        let folder = self.folder()?;
        let folder = below::open_folder(folder, name)?;
        self.enter(path, folder)
    }

    /// The folder that the walk is in, which [`Walk::reopen`] has opened.
    fn folder(&self) -> Result<BorrowedFd<'_>, Failure> {
        let folder = self.levels.last().and_then(|level| level.folder.as_ref());
        folder.map(OwnedFd::as_fd).ok_or(Failure::Moved)
    }

    /// Makes room for one more open folder: the root stays, and the last ones.
    fn close_far(&mut self) {
        let far = (self.levels.len() + 1).saturating_sub(OPEN_FOLDERS_MAX);
        if far > 0
            && let Some(level) = self.levels.get_mut(far)
        {
            level.folder = None;
        }
    }

    /// Opens the folder that the walk has come back to, if it was closed meanwhile.
    fn reopen(&mut self) {
        let [root, .., level] = self.levels.as_mut_slice() else {
            return;
        };
        if level.folder.is_some() {
            return;
        }
        let Some(root) = &root.folder else { return };
        let inside = below_root(&level.path).unwrap_or_default();
        let opened = below::open_folder_below(root.as_fd(), inside).map_err(Failure::from);
        let reopened = opened.and_then(|folder| match Place::of(&fstat(&folder)?) {
            place if place == level.place => Ok(folder),
            _ => Err(Failure::Moved),
        });
        match reopened {
            Ok(folder) => level.folder = Some(folder),
            Err(reason) => {
                level.names.clear();
                let path = level.path.as_bytes().to_vec();
                self.fail(path, reason);
            }
        }
    }

    fn leave(&mut self) {
        if let Some(Level {
            path,
            unannounced: None,
            ..
        }) = self.levels.pop()
        {
            self.ready.push_back(Step::FolderEnd(path));
        }
    }

    /// Gives the folders on the way here that were not given yet: they are the last ones.
    fn announce(&mut self) {
        let announced = self.levels.iter().rposition(|level| level.unannounced.is_none());
        let first = announced.map_or(0, |last| last + 1);
        let levels = self.levels.iter_mut().skip(first);
        self.ready
            .extend(levels.filter_map(|level| level.unannounced.take()).map(Step::Folder));
    }

    fn fail(&mut self, path: Vec<u8>, reason: Failure) {
        self.ready.push_back(Step::Failed { path, reason });
    }

    fn takes(&self, path: &RelativePath, is_folder: bool) -> bool {
        self.takes_bytes(path.as_bytes(), is_folder)
    }

    /// Whether the selection takes the item at this path; a folder may still have nothing in it that it takes.
    fn takes_bytes(&self, path: &[u8], is_folder: bool) -> bool {
        let inside = match self.levels.first() {
            Some(root) => behind(path, &root.path),
            None => path,
        };
        let out = match self.selection.verdict(inside, is_folder) {
            Verdict::Out => true,
            Verdict::In => false,
            Verdict::Open => self.is_ignored(path, is_folder),
        };
        let is_included = self.levels.last().is_some_and(|level| level.is_included);
        !out && (is_folder || is_included || self.selection.includes(inside, false))
    }

    /// Whether the ignore files on the way keep this item here. The deepest one that speaks of it decides.
    fn is_ignored(&self, path: &[u8], is_folder: bool) -> bool {
        let verdicts = self.levels.iter().rev().filter_map(|level| {
            let ignored = level.ignored.as_ref()?;
            Some(selection::verdict(ignored, behind(path, &level.path), is_folder))
        });
        verdicts.into_iter().find(|verdict| *verdict != Verdict::Open) == Some(Verdict::Out)
    }
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Some(step);
            }
            self.reopen();
            match self.levels.last_mut() {
                None => {
                    let root = self.roots.get(self.roots_begun)?.clone();
                    self.roots_begun += 1;
                    self.begin(root);
                }
                Some(level) => match level.names.pop() {
                    Some((name, kind)) => self.look_at(&name, kind),
                    None => self.leave(),
                },
            }
        }
    }
}

impl Place {
    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

/// The path without the name of its root; `None` for the root itself.
fn below_root(path: &RelativePath) -> Option<&[u8]> {
    let bytes = path.as_bytes();
    let slash = bytes.iter().position(|byte| *byte == b'/')?;
    bytes.get(slash + 1..)
}

/// What of a path comes behind a folder on its way.
fn behind<'a>(path: &'a [u8], folder: &RelativePath) -> &'a [u8] {
    path.get(folder.as_bytes().len() + 1..).unwrap_or_default()
}
