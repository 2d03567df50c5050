//! Sources that are read once, in order, and do not tell their length: pipes, devices, what the system makes up.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::array::{ArrayMeta, Dtype};
use crate::error::Error;
use crate::transfer::plan::Slice;

/// The name by which standard input is a file.
pub(crate) const STANDARD_INPUT: &str = "/dev/stdin";
/// How much a pipe is asked to hold. `pipe(7)`.
const PIPE_BYTES: usize = 1 << 20;

/// A stream that has been looked at and not opened: opening a named pipe lets its writer go on.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) path: PathBuf,
    offset_bytes: u64,
}

impl Stream {
    /// What is read from `path` as an array: so many bytes, which have to be said, viewed as `dtype`.
    pub(crate) fn new(
        path: &Path,
        metadata: &Metadata,
        dtype: Option<&Dtype>,
        slice: Option<Slice>,
    ) -> Result<(Self, ArrayMeta), Error> {
        let kind = metadata.file_type();
        let (offset_bytes, length_bytes) = slice.map_or((0, None), |slice| (slice.offset_bytes, slice.length_bytes));
        if kind.is_socket() {
            return Err(Error::SourceInvalid {
                path: path.into(),
                reason: "it is a socket, which can be connected to and not read".into(),
            });
        }
        let length = length_bytes.ok_or_else(|| Error::LengthNeeded(path.into()))?;
        if offset_bytes > 0 && kind.is_fifo() {
            return Err(no_offset(path));
        }
        let dtype = dtype.cloned().unwrap_or_else(Dtype::u8);
        let item = dtype.item_size() as u64;
        if !length.is_multiple_of(item) {
            let name = dtype.name();
            let text = format!("{length} bytes are not a whole number of {name} elements of {item} bytes");
            return Err(Error::Usage(text));
        }
        let meta = ArrayMeta::vector(dtype, length / item).map_err(|error| Error::Usage(error.to_string()))?;
        let path = path.into();
        Ok((Self { path, offset_bytes }, meta))
    }

    /// Opens it; does not wait for whoever will write to it.
    pub(crate) fn open(&self) -> Result<File, Error> {
        let unreadable = |error: &io::Error| Error::SourceUnreadable {
            path: self.path.clone(),
            reason: crate::error::reason(error),
        };
        let mut file = if self.path == Path::new(STANDARD_INPUT) {
            standard_input().map_err(|error| unreadable(&error))?
        } else {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            let opened = rustix::fs::open(&self.path, flags, Mode::empty());
            opened.map_err(|error| unreadable(&error.into()))?.into()
        };
        if self.offset_bytes > 0 {
            let there = SeekFrom::Start(self.offset_bytes);
            file.seek(there).map_err(|_| no_offset(&self.path))?;
        }
        // Where it is no pipe, or the user may have no larger one, it serves as it is.
        let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE_BYTES);
        Ok(file)
    }
}

/// Standard input as it is, rather than opened anew: a socket, or the pipe of another user, can be read only so.
pub(crate) fn standard_input() -> io::Result<File> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

fn no_offset(path: &Path) -> Error {
    Error::Usage(format!(
        "{} is read from where it is: an offset makes no sense in it",
        path.display()
    ))
}
