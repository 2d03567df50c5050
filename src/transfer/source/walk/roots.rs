//! What was named to be sent: the roots of a tree, each with the name that its paths begin with.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};
use crate::transfer::tree::path::RelativePath;

/// Files and folders to be sent, each under its last name. Slashes at the end change nothing. A root that is a link is
/// followed, as somebody has named it; below a root none is.
#[derive(Debug)]
pub(crate) struct Roots {
    roots: Vec<Root>,
    /// The place of each name in `roots`.
    places: HashMap<Vec<u8>, usize>,
}

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Root {
    /// As it was given; where relative, then to the current folder.
    pub(super) path: PathBuf,
    /// What the paths of its items begin with.
    pub(super) name: RelativePath,
}

impl Roots {
    /// Looks at each of them, and finds its name: that of the folder it stands for where it ends in `.` or `..`.
    ///
    /// # Errors
    /// One is not there or cannot be looked at, has no name that can be sent, or has the name of another.
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Result<Self, Error> {
        let mut roots = Self {
            roots: Vec::new(),
            places: HashMap::new(),
        };
        for path in paths {
            roots.add(path)?;
        }
        Ok(roots)
    }

    /// The root that a walk comes to after so many.
    pub(super) fn get(&self, place: usize) -> Option<&Root> {
        self.roots.get(place)
    }

    /// The root with this name.
    pub(super) fn named(&self, name: &[u8]) -> Option<&Root> {
        self.roots.get(*self.places.get(name)?)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), Error> {
        fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        let name = name_of(&path)?;
        if let Some(other) = self.named(name.as_bytes()) {
            return Err(Error::Usage(format!(
                "{} and {} would both arrive as {}: send them one after the other, or rename one",
                other.path.display(),
                path.display(),
                name.display()
            )));
        }
        self.places.insert(name.as_bytes().to_vec(), self.roots.len());
        self.roots.push(Root { path, name });
        Ok(())
    }
}

fn name_of(path: &Path) -> Result<RelativePath, Error> {
    // `Path::file_name` looks through "/." at the end, where the shell's user means the same folder.
    let whole = match path.file_name() {
        Some(_) => path.to_path_buf(),
        None => fs::canonicalize(path).map_err(|error| unreadable(path, &error))?,
    };
    let Some(name) = whole.file_name() else {
        let path = path.display();
        return Err(Error::Usage(format!(
            "{path} has no name to arrive under: name what is in it"
        )));
    };
    RelativePath::new(name.as_bytes())
        .map_err(|fault| Error::Usage(format!("{} cannot be sent: {fault}", path.display())))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::SourceMissing(path.to_path_buf()),
        _ => Error::SourceUnreadable {
            path: path.to_path_buf(),
            reason: reason(error),
        },
    }
}
