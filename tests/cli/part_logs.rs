//! What is written down of a transfer that has not ended: the log beside its part, as a test waits for it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, names_in};

/// Where a log's records begin.
pub(crate) const RECORDS_AT: u64 = 12288;
const RECORD_BYTES: u64 = 32;

/// The log in a folder.
pub(crate) fn log_in(folder: &Path) -> Option<PathBuf> {
    if !folder.exists() {
        return None;
    }
    let names = names_in(folder);
    let name = names
        .iter()
        .find(|name| name.ends_with(".part.log") || name.ends_with(".at.log"));
    name.map(|name| folder.join(name))
}

/// Waits until the log in a folder has so many records, beside that of its opening.
pub(crate) fn until_recorded_in(folder: &Path, records: u64) {
    let deadline = Instant::now() + PATIENCE;
    let len = || Some(std::fs::metadata(log_in(folder)?).ok()?.len());
    while len().is_none_or(|len| len < RECORDS_AT + RECORD_BYTES * (1 + records)) {
        assert!(Instant::now() < deadline, "nothing is recorded: {:?}", len());
        std::thread::sleep(Duration::from_millis(5));
    }
}
