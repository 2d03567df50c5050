//! What stays of a sink that does not become whole, and what was there of it before.

use std::os::unix::fs::FileExt as _;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::error::Error;

use super::on_record::OnRecord;
use super::part_log::PartLogError;
use super::{PreparedSink, Storage};

/// Less that has come is not worth a file that stays behind.
pub(crate) const KEPT_BYTES_MIN: u64 = 1 << 20;

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
        let read = match &self.storage {
            Storage::New(part) => part.file.read_exact_at(into, part.data_offset),
            Storage::Existing(part) => part.file.read_exact_at(into, part.bytes.start),
            Storage::Nowhere | Storage::Memory { .. } => {
                return Err(Error::Bug("bytes that were there before, in what is no file".into()));
            }
        };
        read.map_err(|error| self.write_error(&error))
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
        match (self.record(), self.storage.file()) {
            (Some(record), Some(file)) => self.recorded(record, record.write(&self.ledger, file)),
            _ => Ok(()),
        }
    }

    /// What it comes to that something was recorded, or could not be.
    fn recorded(&self, record: &OnRecord, done: Result<(), PartLogError>) -> Result<(), Error> {
        match (done, &self.storage) {
            (Err(PartLogError::NotOnDisk(error)), _) => Err(self.not_on_disk(&error)),
            (Err(PartLogError::NotOurs), Storage::New(part)) => Err(Error::SinkChanged(part.path())),
            // Somebody else receives into the same part of the file, and reads each block again before it counts. Nothing
            // more is written down here.
            (Err(PartLogError::NotOurs), _) => {
                record.remove();
                Ok(())
            }
            (Ok(()), _) => Ok(()),
        }
    }

    /// Nobody wants to go on with what has come: nothing of it stays.
    pub(crate) fn discard(&self) {
        self.is_unwanted.store(true, Ordering::SeqCst);
    }

    pub(super) fn record(&self) -> Option<&OnRecord> {
        match &self.storage {
            Storage::New(part) => part.record(),
            Storage::Existing(part) => part.record(),
            Storage::Nowhere | Storage::Memory { .. } => None,
        }
    }

    /// Takes the block around byte `at` off the record, where it is about to get other bytes.
    pub(super) fn void(&self, at: u64) -> Result<(), Error> {
        if self.ledger.needs_void(at) {
            if let (Some(record), Some(index)) = (self.record(), self.ledger.index_of(at)) {
                self.recorded(record, record.void(index))?;
            }
            self.ledger.voided(at);
        }
        Ok(())
    }

    /// Leaves what has come where it can be gone on with, if that is worth it and somebody may want to. It is not whole.
    pub(super) fn keep_to_resume(&self) {
        let Some(record) = self.record() else { return };
        let is_wanted = !self.is_unwanted.load(Ordering::SeqCst) && self.ledger.verified_bytes() >= KEPT_BYTES_MIN;
        if is_wanted {
            // What it comes to is told already.
            let _ = self.write_record();
        }
        match &self.storage {
            Storage::New(part) if is_wanted => part.keep_to_resume(),
            // The file stays in any case.
            Storage::Existing(_) if !is_wanted => record.remove(),
            _ => {}
        }
    }
}
