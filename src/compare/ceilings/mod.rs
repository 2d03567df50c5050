//! What this machine can do at most, measured once and kept: one copy, a loopback that keeps nothing, the disk.

mod cache;
mod measure;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Machine;
use crate::error::Error;
use crate::thread::Thread;
use crate::transfer::Waker;

pub use cache::read_cached;

/// The highest rates that were measured on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// [`Ceilings::VERSION`] of the program that measured.
    pub version: u32,
    /// Where it was measured.
    pub machine: Machine,
    /// When it was measured, in seconds since 1970 (UTC).
    pub measured_unix_s: u64,
    /// The rate at which one thread copies memory, far more than its cache holds, in bytes a second.
    pub memcpy_bytes_per_s: f64,
    /// `sendfile` over TCP loopback to a receiver that keeps nothing, in bytes a second.
    pub sendfile_bytes_per_s: f64,
    /// Disks, by the folder that was measured.
    #[serde(default)]
    pub disks: BTreeMap<String, Disk>,
}

/// The highest rates of a folder's disk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// The rate of writing until the data is on the disk, in bytes a second.
    pub write_bytes_per_s: f64,
    /// The rate of reading from the disk, in bytes a second.
    pub read_bytes_per_s: f64,
    /// Whether the page cache was bypassed (`O_DIRECT`). If false, the file system does not support it: the write ended
    /// with `fsync(2)`, and the read may have come from the page cache.
    pub direct: bool,
}

impl Ceilings {
    /// The version that this program writes and reads.
    pub const VERSION: u32 = 1;

    /// Adds the disks that were measured earlier and not now.
    fn with_disks_of(mut self, earlier: Option<Self>) -> Self {
        for (folder, disk) in earlier.map(|earlier| earlier.disks).unwrap_or_default() {
            self.disks.entry(folder).or_insert(disk);
        }
        self
    }
}

/// How a measurement ended: `Ok(None)` if it was cancelled.
pub type Measurement = Result<Option<Ceilings>, Error>;

/// A running measurement. Dropping it cancels it and joins its thread.
#[derive(Debug)]
pub struct Measuring {
    thread: Thread<Option<Ceilings>>,
}

impl Measuring {
    /// Starts to measure on a thread of its own, for some 5 seconds, and keeps the result for [`read_cached`]. If
    /// `folder` is given, its disk is measured, too; disks that are known are kept. `waker` is called at the end.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(folder: Option<PathBuf>, waker: Waker) -> Result<Self, Error> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let body = {
            let cancelled = Arc::clone(&cancelled);
            move || {
                let measured = measure::measure(folder.as_deref(), &cancelled)?;
                let measured = measured.map(|ceilings| ceilings.with_disks_of(read_cached()));
                Ok(measured.inspect(cache::write))
            }
        };
        let thread = Thread::start_with_waker("arraylift-ceiling", body, move || waker());
        let thread = thread.map_err(|error| Error::system("cannot start a thread", &error))?;
        Ok(Self {
            thread: thread.cancelled_by(move || cancelled.store(true, Ordering::Relaxed)),
        })
    }

    /// Cancels the measurement. It ends after at most one more copy or short transfer.
    pub fn cancel(&self) {
        self.thread.cancel();
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn result(&self) -> Option<&Measurement> {
        self.thread.result()
    }
}

/// Now, in seconds since 1970 (UTC).
pub(super) fn unix_now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// `36 % of what one copy allows`: a rate beside the machine's limit for one copy. `None` if either is unknown.
#[must_use]
pub fn share_of_one_copy(rate_bytes_per_s: f64, memcpy_bytes_per_s: f64) -> Option<String> {
    let share = 100.0 * rate_bytes_per_s / memcpy_bytes_per_s;
    let known = share.is_finite() && memcpy_bytes_per_s > 0.0 && rate_bytes_per_s > 0.0;
    known.then(|| {
        let share = if share < 1.0 {
            "under 1".into()
        } else {
            format!("{share:.0}")
        };
        format!("{share} % of what one copy allows")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_as_a_share_of_one_copy() {
        let share = |rate, memcpy| share_of_one_copy(rate, memcpy);
        assert_eq!(share(5.0e9, 13.9e9).as_deref(), Some("36 % of what one copy allows"));
        assert_eq!(share(1e6, 13.9e9).as_deref(), Some("under 1 % of what one copy allows"));
        for (rate, memcpy) in [(0.0, 13.9e9), (1e9, 0.0), (f64::NAN, 1.0), (1e9, f64::NAN)] {
            assert_eq!(share(rate, memcpy), None);
        }
    }
}
