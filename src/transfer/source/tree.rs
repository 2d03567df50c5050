//! A tree of files that is sent: what was named, and which of it goes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;
use crate::transfer::source::walk::{Roots, Selection, TreeReader, Walk};
use crate::wire::Replace;

/// Which files and folders are sent, and what is to become of those that are there already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TreeSpec {
    /// Files and folders, each of which arrives under its own last name.
    pub roots: Vec<PathBuf>,
    /// What these globs match stays here, as gitignore(5) has them.
    pub excludes: Vec<String>,
    /// Where there are any, a file must match one of these.
    pub includes: Vec<String>,
    /// Whether `.gitignore` and `.ignore` in folders are obeyed.
    pub obeys_ignore_files: bool,
    /// Whether folders in which another file system begins are left empty.
    pub stays_on_file_system: bool,
    /// What is to become of files that are there and differ, where the receiver allows to replace any.
    pub replace: Replace,
    /// Whether content decides which files are there already, and not their length and time. Each is read twice then.
    pub compares: bool,
}

impl TreeSpec {
    /// The root in which a folder lies, or which it is.
    pub(crate) fn root_around(&self, folder: &Path) -> Option<&Path> {
        let folder = folder.canonicalize().ok()?;
        let is_around = |root: &&PathBuf| root.canonicalize().is_ok_and(|root| folder.starts_with(root));
        self.roots.iter().find(is_around).map(PathBuf::as_path)
    }

    /// What it is called for people.
    pub(crate) fn title(&self) -> String {
        let first = self
            .roots
            .first()
            .map(|root| root.display().to_string())
            .unwrap_or_default();
        match self.roots.len() {
            0 | 1 => first,
            several => format!("{first} and {} more", several - 1),
        }
    }
}

/// A tree that can be walked and read.
#[derive(Debug)]
pub(crate) struct TreeSource {
    roots: Arc<Roots>,
    selection: Selection,
    title: String,
    pub(crate) replace: Replace,
    pub(crate) compares: bool,
}

impl TreeSource {
    /// Looks at what was named.
    ///
    /// # Errors
    /// Something is not there, has no name that can be sent, or has that of another; or a glob is none.
    pub(crate) fn open(spec: &TreeSpec) -> Result<Self, Error> {
        let selection = Selection::new(&spec.excludes, &spec.includes)?
            .obeying_ignore_files(spec.obeys_ignore_files)
            .staying_on_file_system(spec.stays_on_file_system);
        let roots = Roots::new(spec.roots.iter().cloned())?;
        Ok(Self {
            title: roots.title(),
            roots: Arc::new(roots),
            selection,
            replace: spec.replace,
            compares: spec.compares,
        })
    }

    /// What it is called: the name under which it arrives, where it is one.
    pub(crate) fn title(&self) -> String {
        self.title.clone()
    }

    /// Whether all of it arrives under one name.
    pub(crate) fn is_single(&self) -> bool {
        self.roots.count() == 1
    }

    pub(crate) fn walk(&self) -> Walk {
        Walk::new(Arc::clone(&self.roots), self.selection.clone())
    }

    pub(crate) fn reader(&self) -> TreeReader {
        TreeReader::new(Arc::clone(&self.roots))
    }
}
