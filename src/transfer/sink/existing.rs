//! A part of a file that exists.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::array::{ArrayMeta, npy};
use crate::error::Error;

use super::unwritable;

pub(crate) fn open_existing(path: &Path) -> Result<File, Error> {
    let mismatch = |reason: &str| Error::SinkMismatch {
        path: path.into(),
        reason: reason.into(),
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(mismatch("it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(mismatch(
                "there is no such file, and only an existing one has parts to receive into",
            ));
        }
        Err(error) => return Err(unwritable(path.into(), &error, 0)),
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| unwritable(path.into(), &error, 0))
}

/// Opens an existing file and finds where in it the array goes. In a `.npy` file `at` counts from the first element.
pub(crate) fn part_of_existing(path: &Path, at_bytes: u64, meta: &ArrayMeta) -> Result<(File, u64), Error> {
    let mismatch = |reason: String| Error::SinkMismatch {
        path: path.into(),
        reason: reason.into(),
    };
    let mut file = open_existing(path)?;
    let file_bytes = file
        .metadata()
        .map_err(|error| unwritable(path.into(), &error, 0))?
        .len();
    let mut data_offset = 0;
    if path.extension().is_some_and(|extension| extension == "npy") {
        match header_of(&mut file).map_err(|error| unwritable(path.into(), &error, 0))? {
            Ok(npy::HeaderProgress::Done {
                meta: existing,
                data_offset: offset,
            }) => {
                if existing.dtype() != meta.dtype() {
                    let (has, comes) = (existing.dtype().name(), meta.dtype().name());
                    return Err(mismatch(format!("expected elements of {has}, got {comes}")));
                }
                let item = meta.dtype().item_size() as u64;
                if !at_bytes.is_multiple_of(item) {
                    let text = format!("byte {at_bytes} of its data lies within an element of {item} bytes");
                    return Err(mismatch(text));
                }
                data_offset = offset as u64;
            }
            Ok(npy::HeaderProgress::Need(_)) => {
                return Err(mismatch("it ends within its .npy header".into()));
            }
            Err(error) => return Err(mismatch(error.to_string())),
        }
    }
    let room = file_bytes.saturating_sub(data_offset);
    let end = at_bytes.checked_add(meta.byte_len());
    if end.is_none_or(|end| end > room) {
        return Err(mismatch(format!(
            "{} bytes from byte {at_bytes} on reach beyond its {room}",
            meta.byte_len()
        )));
    }
    let base = data_offset + at_bytes;
    // A sparse file may have no disk space behind the part; what it has stays as it is.
    match fallocate(&file, FallocateFlags::empty(), base, meta.byte_len()) {
        // Nothing to reserve, or a file system that cannot: writing tells.
        Ok(()) | Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok((file, base)),
        Err(error) => Err(unwritable(path.into(), &error.into(), meta.byte_len())),
    }
}

/// Reads as much of the file as its `.npy` header takes.
fn header_of(file: &mut File) -> io::Result<Result<npy::HeaderProgress, npy::NpyError>> {
    let mut head = Vec::new();
    loop {
        let progress = npy::read_header(&head);
        let Ok(npy::HeaderProgress::Need(bytes)) = progress else {
            return Ok(progress);
        };
        let missing = bytes.saturating_sub(head.len()) as u64;
        if file.by_ref().take(missing).read_to_end(&mut head)? == 0 {
            return Ok(progress);
        }
    }
}
