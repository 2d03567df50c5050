//! A part of a file that exists.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::array::{ArrayMeta, npy};
use crate::error::Error;
use crate::route::ReceiveRouteChoice;

use super::holes::Holes;
use super::on_record::OnRecord;
use super::opened_part::Resumed;
use super::part_file::folder_of;
use super::reservation::Reservation;
use super::within::RecordWithin;
use super::{SinkRequest, unwritable};

/// The part of an existing file that an array becomes.
pub(crate) struct ExistingPart {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<File>,
    /// The bytes of the file that the array becomes.
    pub(crate) bytes: Range<u64>,
    /// The disk that it takes: a sparse file may have none behind the part.
    space: Reservation,
    /// What is written down of the part while it is received into, where it could be gone on with.
    record: Option<OnRecord>,
    /// What is to be known of how it was opened.
    pub(super) note: Option<String>,
}

impl ExistingPart {
    /// Finds the part for what is offered, which begins with byte `at_bytes`, and what an earlier transfer of the same has
    /// left there.
    ///
    /// # Errors
    /// The file has no such part, or the disk has no room for what the part lacks.
    pub(super) fn open(path: &Path, at_bytes: u64, request: &SinkRequest) -> Result<(Self, Option<Resumed>), Error> {
        let len = request.offer.meta.byte_len();
        let (file, base) = part_of_existing(path, at_bytes, &request.offer.meta)?;
        let bytes = base..base + len;
        let holes = Holes::within(&file, bytes.clone()).map_err(|error| unwritable(path.into(), &error, 0))?;
        let missing_bytes = holes.bytes;
        // Writing to a map of a file tells nobody that the disk is full.
        let in_any_case = request.route == ReceiveRouteChoice::Map;
        let space =
            Reservation::of_part(&file, bytes.clone(), holes, request.keep_free, in_any_case).map_err(|no| {
                let refused = |error: &io::Error| unwritable(path.into(), error, missing_bytes);
                let full = |room| Error::DiskFull {
                    path: path.into(),
                    needed: missing_bytes,
                    room: Some(room),
                };
                no.error(len, folder_of(path), full, refused)
            })?;
        let RecordWithin { record, resumed, note } = RecordWithin::open(path, &file, base, request);
        let part = Self {
            path: path.into(),
            file: Arc::new(file),
            bytes,
            space,
            record,
            note,
        };
        Ok((part, resumed))
    }

    /// What is written down of it.
    pub(super) fn record(&self) -> Option<&OnRecord> {
        self.record.as_ref().filter(|record| record.is_kept())
    }

    /// The bytes around byte `at` of the array whose disk space is taken; `None` where it is not. Never waits for the disk.
    pub(crate) fn space_at(&self, at: u64) -> Option<Range<u64>> {
        self.space.taken_at(at)
    }

    /// Takes the disk space of these bytes of the array before they come; `landed_bytes` have. Returns the bytes around
    /// them that need not be asked for again.
    pub(crate) fn take_space(&self, bytes: Range<u64>, landed_bytes: u64) -> Result<Range<u64>, Error> {
        let taken = self.space.take(&self.file, bytes, landed_bytes);
        taken.map_err(|error| self.write_error(&error))
    }

    /// The same for what comes next, from byte `at` of the array on. Returns nothing where that were too much ahead.
    pub(crate) fn take_space_ahead(&self, at: u64, landed_bytes: u64) -> Result<Range<u64>, Error> {
        let taken = self.space.take_ahead(&self.file, at, landed_bytes);
        taken.map_err(|error| self.write_error(&error))
    }

    /// `bytes` more have landed.
    pub(crate) fn landed(&self, bytes: u64) {
        self.space.landed(bytes);
    }

    /// Fails where someone else has cut the file.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.file.metadata() {
            Ok(metadata) if metadata.len() >= self.bytes.end => Ok(()),
            _ => Err(Error::SinkChanged(self.path.clone())),
        }
    }

    /// The error for a write that the system refused.
    pub(crate) fn write_error(&self, error: &io::Error) -> Error {
        // What was written a moment ago is read again, and is there no more.
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Error::SinkChanged(self.path.clone());
        }
        unwritable(self.path.clone(), error, self.bytes.end - self.bytes.start)
    }
}

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
pub(super) fn part_of_existing(path: &Path, at_bytes: u64, meta: &ArrayMeta) -> Result<(File, u64), Error> {
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
    Ok((file, data_offset + at_bytes))
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
