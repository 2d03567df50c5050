//! What the place of a source names: a tree of files, or the files that can be sent, those that cannot, and those that go
//! as plain files.

use std::path::PathBuf;
use std::sync::Arc;

use crate::array::ArrayMeta;
use crate::transfer::{Origin, SourceInfo};

/// What a source file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FileInfo {
    /// Where it is.
    pub origin: Origin,
    /// Its name, without folders.
    pub name: String,
    /// What it is.
    pub meta: ArrayMeta,
}

impl FileInfo {
    /// What was found at an origin.
    #[must_use]
    pub(crate) fn new(origin: Origin, info: SourceInfo) -> Self {
        Self {
            origin,
            name: info.name,
            meta: info.meta,
        }
    }
}

/// A file about which there is something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Its name, without folders.
    pub name: String,
    /// What.
    pub why: String,
}

/// Folders and files that go together, as a short look has seen them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeInfo {
    /// What was named; each arrives under its own last name.
    pub roots: Arc<[PathBuf]>,
    /// Its name, without folders; of several that of the first one, and how many more there are.
    pub name: String,
    /// Files that were seen, and what else is no folder.
    pub files: u64,
    /// Folders that were seen, without those that were named.
    pub folders: u64,
    /// Bytes of the files that were seen.
    pub bytes: u64,
    /// Whether that is all: the look came to its end.
    pub is_all: bool,
}

/// The files of a source, any number of them. A copy costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Sources {
    tree: Option<Arc<TreeInfo>>,
    files: Arc<[FileInfo]>,
    refused: Arc<[Remark]>,
    plain: Arc<[Remark]>,
    total_bytes: u64,
}

impl Sources {
    /// What can be sent, what cannot, and which `.npy` files are no arrays and go as the plain files that they are.
    #[must_use]
    pub fn new(files: Vec<FileInfo>, refused: Vec<Remark>, plain: Vec<Remark>) -> Self {
        let bytes = files.iter().map(|file| file.meta.byte_len());
        Self {
            tree: None,
            total_bytes: bytes.fold(0, u64::saturating_add),
            files: files.into(),
            refused: refused.into(),
            plain: plain.into(),
        }
    }

    /// All that a tree has.
    #[must_use]
    pub fn of_tree(tree: TreeInfo) -> Self {
        Self {
            tree: Some(tree.into()),
            ..Self::new(Vec::new(), Vec::new(), Vec::new())
        }
    }

    /// What goes together, where that is what is sent.
    #[must_use]
    pub fn tree(&self) -> Option<&TreeInfo> {
        self.tree.as_deref()
    }

    /// What can be sent by itself.
    #[must_use]
    pub fn files(&self) -> &[FileInfo] {
        &self.files
    }

    /// What cannot, and why.
    #[must_use]
    pub fn refused(&self) -> &[Remark] {
        &self.refused
    }

    /// What goes as a plain file although its name says `.npy`, and why it is no array.
    #[must_use]
    pub fn plain(&self) -> &[Remark] {
        &self.plain
    }

    /// The bytes of all that can be sent.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }
}
