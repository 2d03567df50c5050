//! What the place of a source names: the files that can be sent, those that cannot, and those that go as plain files.

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

/// The files of a source, any number of them. A copy costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Sources {
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
            total_bytes: bytes.fold(0, u64::saturating_add),
            files: files.into(),
            refused: refused.into(),
            plain: plain.into(),
        }
    }

    /// What can be sent.
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
