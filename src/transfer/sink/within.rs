//! What is written down of some bytes of a file that was there before, while an array is received into them.
//!
//! Others may write to that file at any time, before a break, after it and meanwhile. So each block that was recorded is read
//! and compared before it is claimed, and once more before the result is told. Nobody has the file locked, only the log.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Error;

use super::expiry::expire_in;
use super::folder::Folder;
use super::on_record::OnRecord;
use super::opened_part::{Resumed, gone_on_with, head_of, is_marked};
use super::part_log::{PartLog, READ_BYTES, block_checksum, find_within};
use super::{PreparedSink, SinkRequest, Storage};

/// The record of some bytes of a file.
#[derive(Default)]
pub(super) struct RecordWithin {
    /// Where they can be gone on with.
    pub(super) record: Option<OnRecord>,
    /// What was there of them.
    pub(super) resumed: Option<Resumed>,
    /// What is to be known of another one that was there, and is not gone on with.
    pub(super) note: Option<String>,
}

impl RecordWithin {
    /// Of what is offered, which comes into `file` from its byte `at` on. Where nothing can be written down it comes without.
    pub(super) fn open(path: &Path, file: &File, at: u64, request: &SinkRequest) -> Self {
        Self::opened(path, file, at, request).unwrap_or_default()
    }

    fn opened(path: &Path, file: &File, at: u64, request: &SinkRequest) -> Option<Self> {
        let (folder, name) = place_of(path, file)?;
        let head = head_of(request, &name, at)?;
        expire_in(&folder);
        let is_marked = is_marked(file, request);
        let mut note = None;
        match find_within(&folder, file, &head, &|| request.is_wanted()) {
            // The log stays as it is, for whoever comes back.
            Ok(Some(_)) if !request.is_wanted() => return None,
            Ok(Some(known)) => {
                if let Some((record, resumed, note)) = gone_on_with(known, &head, is_marked) {
                    return Some(Self {
                        record: Some(record),
                        resumed: Some(resumed),
                        note,
                    });
                }
            }
            Ok(None) => {}
            Err(reason) => {
                let path = path.display();
                note = Some(format!("what had come into {path} was not gone on with: {reason}"));
            }
        }
        // A log of these bytes that was not gone on with is replaced, unless somebody has it.
        let log = PartLog::create(&folder, &name, file, &head).ok();
        Some(Self {
            record: log.map(|log| OnRecord::new(log, is_marked)),
            resumed: None,
            note,
        })
    }
}

/// The folder in which a file has its name, and that name: behind all links, so that it is found by whichever path.
fn place_of(path: &Path, file: &File) -> Option<(Arc<Folder>, PathBuf)> {
    let path = std::fs::canonicalize(path).ok()?;
    let folder = Folder::open(path.parent()?).ok()?;
    let name = PathBuf::from(path.file_name()?);
    folder.leads_to(&name, file).then_some((folder, name))
}

impl PreparedSink {
    /// Reads what was in a file before and did not come again once more, as long as that `is_wanted`: others may have written
    /// there since it was claimed. No time stamp would tell, as stores through a mapping leave none. It is the last thing
    /// that is done before the result, behind the sync, so that as little time as possible is left for others.
    ///
    /// # Errors
    /// Other bytes are there, or it cannot be read.
    pub(super) fn read_again(&self, is_wanted: impl Fn() -> bool) -> Result<(), Error> {
        let Storage::Existing(part) = &self.storage else {
            return Ok(());
        };
        let recorded = self.ledger.recorded();
        let Some(grain) = self.ledger.grain().filter(|_| !recorded.is_empty()) else {
            return Ok(());
        };
        let mut buffer = vec![0; READ_BYTES];
        for (index, value) in recorded {
            if !is_wanted() {
                break;
            }
            let start = part.bytes.start + u64::from(index) * grain.bytes();
            let bytes = start..start + grain.block_bytes(index, self.len);
            let there = block_checksum(&part.file, bytes, self.ledger.checksum_kind(), &mut buffer);
            if there.map_err(|error| part.write_error(&error))? != Some(value) {
                return Err(Error::SinkChanged(part.path.clone()));
            }
        }
        Ok(())
    }
}
