//! What this machine can do at most, measured once and kept: one copy, a loopback that keeps nothing, the disk.

mod cache;
mod measure;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::Machine;
use crate::error::Error;
use crate::transfer::Waker;

pub use cache::read_cached;

/// What a machine was measured to do at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// [`Ceilings::VERSION`] of the program that measured.
    pub version: u32,
    /// Where it was measured.
    pub machine: Machine,
    /// When, in seconds since 1970 (UTC).
    pub measured_unix_s: u64,
    /// One thread copies memory, far more than its cache holds, in bytes a second: the limit for one copy.
    pub memcpy_bytes_per_s: f64,
    /// `sendfile` over TCP loopback to a receiver that keeps nothing, in bytes a second.
    pub sendfile_bytes_per_s: f64,
    /// Disks, by the folder that was measured.
    #[serde(default)]
    pub disks: BTreeMap<String, Disk>,
}

/// What a folder's disk does at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Disk {
    /// In bytes a second, until the data is on the disk.
    pub write_bytes_per_s: f64,
    /// In bytes a second, from the disk.
    pub read_bytes_per_s: f64,
    /// Past the page cache (`O_DIRECT`). Where false the file system has no such thing; the write was ended by
    /// `fsync(2)`, and the read may have come from the page cache.
    pub direct: bool,
}

impl Ceilings {
    /// What this program writes and takes.
    pub const VERSION: u32 = 1;

    /// With the disks that were measured earlier and not now.
    fn with_disks_of(mut self, earlier: Option<Self>) -> Self {
        for (folder, disk) in earlier.map(|earlier| earlier.disks).unwrap_or_default() {
            self.disks.entry(folder).or_insert(disk);
        }
        self
    }
}

/// What ceilings come to: `Ok(None)` where someone gave up.
pub type Measurement = Result<Option<Ceilings>, Error>;

/// A measurement that runs. Dropping it gives up and joins its thread.
#[derive(Debug)]
pub struct Measuring {
    cancelled: Arc<AtomicBool>,
    result: Arc<OnceLock<Measurement>>,
    thread: Option<JoinHandle<()>>,
}

impl Measuring {
    /// Measures on a thread of its own, for some 5 seconds, and keeps the result for [`read_cached`]. The disk of
    /// `folder` is measured, too, where one is named; those that are known are kept. `waker` is called at the end.
    ///
    /// # Errors
    /// Only where the system gives no thread.
    pub fn start(folder: Option<PathBuf>, waker: Waker) -> Result<Self, Error> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let result = Arc::new(OnceLock::new());
        let body = {
            let (cancelled, result) = (Arc::clone(&cancelled), Arc::clone(&result));
            move || {
                let measured = measure::measure(folder.as_deref(), &cancelled).map(|measured| {
                    let measured = measured.map(|ceilings| ceilings.with_disks_of(read_cached()));
                    measured.inspect(cache::write)
                });
                let _ = result.set(measured);
                waker();
            }
        };
        let thread = std::thread::Builder::new().name("arraylift-ceiling".into()).spawn(body);
        Ok(Self {
            cancelled,
            result,
            thread: Some(thread.map_err(|error| Error::system("cannot start a thread", &error))?),
        })
    }

    /// Gives up; at most a copy or a short transfer is ended before.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn result(&self) -> Option<&Measurement> {
        self.result.get()
    }
}

impl Drop for Measuring {
    fn drop(&mut self) {
        self.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic shows as a missing result.
            let _ = thread.join();
        }
    }
}

/// Now, in seconds since 1970 (UTC).
pub(super) fn unix_now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// `36 % of what one copy allows`: a rate beside the machine's limit for one copy. `None` where either is unknown.
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
