//! What is sent: opened and checked, described, read and looked at again; and the route by which it leaves.

pub(crate) mod expand;
mod made_up;
mod memory;
mod open;
pub(crate) mod send_path;
mod stamp;
pub(crate) mod stream;
pub(crate) mod tree;
mod view;
pub(crate) mod walk;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::array::{ArrayMeta, Range};
use crate::error::{Error, reason};
use crate::route::send::Generated;
use crate::sys::{ReadError, SharedFile};
use crate::transfer::plan::SourceSpec;
use crate::transfer::source::memory::PIECE_BYTES;
use crate::transfer::source::stamp::{Change, FileStamp};
use crate::transfer::source::stream::Stream;

pub(crate) use memory::in_memory;
#[cfg(feature = "app")]
pub(crate) use open::AS_PLAIN;

/// What a source is, before anything is sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SourceInfo {
    /// What it is called: a file's name, or the range in words.
    pub name: String,
    /// What will be sent.
    pub meta: ArrayMeta,
    /// It is read as it comes, and once only.
    pub is_stream: bool,
    /// Why a file whose name says `.npy` is sent as the plain file that it is.
    pub why_plain: Option<String>,
}

/// Opens and checks a source as sending it would. Quick: a file's contents are not read beyond a `.npy` header, but for
/// those that the system makes up.
pub(crate) fn describe(spec: &SourceSpec) -> Result<SourceInfo, Error> {
    let source = Source::open(spec)?;
    Ok(SourceInfo {
        is_stream: source.is_stream(),
        name: source.title,
        meta: source.meta,
        why_plain: source.why_plain,
    })
}

/// An open source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) meta: ArrayMeta,
    /// For people.
    pub(crate) title: String,
    /// For the peer: a file name.
    pub(crate) name: String,
    /// The file's bytes as they are, rather than an array.
    pub(crate) plain: bool,
    /// Why that is so where the file's name says otherwise.
    pub(crate) why_plain: Option<String>,
    /// As what type the bytes of a `.npy` file are viewed, header included; u8 is the file as it is.
    pub(crate) header_viewed_as: Option<String>,
    pub(crate) identity: Vec<u8>,
    content: Content,
    /// The first byte sent, counted from the content's first.
    base: u64,
}

#[derive(Debug)]
enum Content {
    Range(Range),
    File {
        path: PathBuf,
        file: Arc<SharedFile>,
        stamp: FileStamp,
    },
    Stream(Stream),
}

impl Source {
    /// The first bytes of what is sent, as many as `out` has room for.
    pub(crate) fn copy_prefix(&self, out: &mut [u8]) -> Result<(), Error> {
        self.copy_out(0, out)
    }

    /// The bytes of what is sent from `at` on, as many as `out` has room for. Those of a stream are known when they have
    /// come, and `out` stays as it is.
    pub(crate) fn copy_out(&self, mut at: u64, out: &mut [u8]) -> Result<(), Error> {
        match &self.content {
            Content::Range(range) => {
                let mut generated = Generated::new(range.clone(), self.base, out.len().min(PIECE_BYTES));
                for out in out.chunks_mut(PIECE_BYTES) {
                    out.copy_from_slice(generated.piece(at, out.len()));
                    at += out.len() as u64;
                }
                Ok(())
            }
            Content::Stream(_) => Ok(()),
            Content::File { path, file, .. } => {
                let at = self.base.checked_add(at).and_then(|at| usize::try_from(at).ok());
                let at = at.ok_or_else(|| Error::SourceChanged(path.clone()))?;
                file.copy_out(at, out).map_err(|error| self.read_error(&error))
            }
        }
    }

    /// Whether it is read as it comes, and once only.
    #[must_use]
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.content, Content::Stream(_))
    }

    /// What whoever sent it should know of it.
    pub(crate) fn note(&self) -> Option<String> {
        if self.change() == Change::Status {
            let text = "the name, mode or owner of the source changed meanwhile, or a program wrote to it and set its \
                        modification time back: then what was sent is a mixture";
            return Some(text.into());
        }
        if let Some(dtype) = &self.header_viewed_as {
            return Some(format!(
                "viewed as {dtype}, the bytes of the .npy file count from the first of its header on: without a type its \
                 array is sent"
            ));
        }
        let why = self.why_plain.as_ref()?;
        Some(format!("sent as the plain file that it is: {why}"))
    }

    /// Fails where someone has written to the source since it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        match self.change() {
            Change::None | Change::Status => Ok(()),
            Change::Content => Err(self.changed()),
        }
    }

    fn change(&self) -> Change {
        let Content::File { file, stamp, .. } = &self.content else {
            return Change::None;
        };
        // Of the open file: whether its name has moved on does not matter.
        file.metadata()
            .map_or(Change::Content, |metadata| stamp.change(&metadata))
    }

    /// Whether it is the file at `path`.
    pub(crate) fn is_file_at(&self, path: &Path) -> bool {
        match (&self.content, std::fs::metadata(path)) {
            (Content::File { stamp, .. }, Ok(metadata)) => stamp.is_of(&metadata),
            _ => false,
        }
    }

    /// The error for a source that is not what it was.
    pub(crate) fn changed(&self) -> Error {
        match &self.content {
            Content::File { path, .. } | Content::Stream(Stream { path, .. }) => Error::SourceChanged(path.clone()),
            Content::Range(_) => Error::Bug("a range ended early".into()),
        }
    }

    /// The error for a source that has no more than `received` bytes.
    pub(crate) fn ended(&self, received: u64) -> Error {
        match &self.content {
            Content::Stream(Stream { path, .. }) => Error::SourceEnded {
                path: path.clone(),
                received,
                total: self.meta.byte_len(),
            },
            Content::File { .. } | Content::Range(_) => self.changed(),
        }
    }

    /// The error for a source that the system cannot read.
    pub(crate) fn unreadable(&self, error: &io::Error) -> Error {
        match &self.content {
            Content::File { path, .. } | Content::Stream(Stream { path, .. }) => unreadable(path, error),
            Content::Range(_) => Error::system("cannot read the range", error),
        }
    }

    fn read_error(&self, error: &ReadError) -> Error {
        match error {
            ReadError::Shrunk => self.changed(),
            ReadError::Io(error) => self.unreadable(error),
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::SourceUnreadable {
        path: path.into(),
        reason: reason(error),
    }
}
