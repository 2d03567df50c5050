//! What stays of a sink that does not become whole, and what was there of it before.

use std::os::unix::fs::FileExt as _;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::error::Error;

use super::on_record::OnRecord;
use super::part_file::PartFile;
use super::part_log::PartLogError;
use super::{PreparedSink, Storage};

/// Less that has come is not worth a file that stays behind.
pub(super) const KEPT_BYTES_MIN: u64 = 1 << 20;

impl PreparedSink {
    /// Whether some of it was there before.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed_bytes > 0
    }

    /// Copies the first bytes of what was there before.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn copy_prefix(&self, into: &mut [u8]) -> Result<(), Error> {
        let Storage::New(part) = &self.storage else {
            return Err(Error::Bug("bytes that were there before, in what is no file".into()));
        };
        let read = part.file.read_exact_at(into, part.data_offset);
        read.map_err(|error| part.write_error(&error, self.len))
    }

    /// Whether [`PreparedSink::write_record`] is to be called now; by whoever is told so.
    pub(crate) fn record_is_due(&self, now: Instant) -> bool {
        self.record().is_some_and(|record| record.is_due(&self.ledger, now))
    }

    /// Writes down which blocks are verified, so that they need not come again if the transfer breaks. Waits for the disk.
    ///
    /// # Errors
    /// The file is somebody else's now, or could not be put on disk.
    pub(crate) fn write_record(&self) -> Result<(), Error> {
        let Storage::New(part) = &self.storage else {
            return Ok(());
        };
        let Some(record) = part.record() else {
            return Ok(());
        };
        let written = record.write(&self.ledger, &part.file);
        written.map_err(|error| self.record_error(part, &error))
    }

    fn record_error(&self, part: &PartFile, error: &PartLogError) -> Error {
        match error {
            PartLogError::NotOurs => Error::SinkChanged(part.path()),
            PartLogError::NotOnDisk(error) => self.not_on_disk(error),
        }
    }

    /// Nobody wants to go on with what has come: nothing of it stays.
    pub(crate) fn discard(&self) {
        self.is_unwanted.store(true, Ordering::SeqCst);
    }

    fn record(&self) -> Option<&OnRecord> {
        match &self.storage {
            Storage::New(part) => part.record(),
            _ => None,
        }
    }

    /// Takes the block around byte `at` off the record, where it is about to get other bytes.
    pub(super) fn void(&self, at: u64) -> Result<(), Error> {
        if self.ledger.needs_void(at) {
            if let Storage::New(part) = &self.storage
                && let (Some(record), Some(index)) = (part.record(), self.ledger.index_of(at))
            {
                record.void(index).map_err(|error| self.record_error(part, &error))?;
            }
            self.ledger.voided(at);
        }
        Ok(())
    }

    /// Leaves what has come where it can be gone on with, if that is worth it and somebody may want to. It is not whole.
    pub(super) fn keep_to_resume(&self) {
        if let Storage::New(part) = &self.storage
            && !self.is_unwanted.load(Ordering::SeqCst)
            && self.ledger.verified_bytes() >= KEPT_BYTES_MIN
            && part.record().is_some()
        {
            // What it comes to is told already.
            let _ = self.write_record();
            part.keep_to_resume();
        }
    }
}
