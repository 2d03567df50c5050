//! What this machine can do at most, measured once and kept: one copy, a loopback that keeps nothing, the disk.

mod cache;
mod measure;
mod rates;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::thread::Thread;
use crate::transfer::Waker;

pub(crate) use cache::read_cached;
pub use rates::Ceilings;

/// How a measurement ended: `Ok(None)` if it was cancelled.
pub(crate) type Measurement = Result<Option<Ceilings>, Error>;

/// A running measurement. Dropping it cancels it and joins its thread.
#[derive(Debug)]
pub(crate) struct Measuring {
    thread: Thread<Option<Ceilings>>,
}

impl Measuring {
    /// Starts to measure on a thread of its own, for some 5 seconds, and keeps the result for [`read_cached`]. If
    /// `folder` is given, its disk is measured, too; disks that are known are kept. `waker` is called at the end.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(folder: Option<PathBuf>, waker: Waker) -> Result<Self, Error> {
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

    /// How it ended; `None` while it runs.
    #[must_use]
    pub(crate) fn result(&self) -> Option<&Measurement> {
        self.thread.result()
    }
}

/// `36 % of what one copy allows`: a rate beside the machine's limit for one copy. `None` if either is unknown. A limit
/// that was kept and that a rate beats is none: no share of it is told.
#[must_use]
pub(crate) fn share_of_one_copy(rate_bytes_per_s: f64, memcpy_bytes_per_s: f64) -> Option<String> {
    Some(match CopyShare::of(rate_bytes_per_s, memcpy_bytes_per_s)? {
        CopyShare::Faster => "faster than one copy was: measured anew by compare".into(),
        CopyShare::Under1 => "under 1 % of what one copy allows".into(),
        CopyShare::Percent(percent) => format!("{percent:.0} % of what one copy allows"),
    })
}

/// A rate as a share of one copy in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CopyShare {
    /// More than all of it: the copy was slower when it was measured.
    Faster,
    /// Less than a per cent.
    Under1,
    /// So many per cent.
    Percent(f64),
}

impl CopyShare {
    /// The share, where there is a rate.
    #[must_use]
    pub(crate) fn of(rate_bytes_per_s: f64, memcpy_bytes_per_s: f64) -> Option<Self> {
        let share = 100.0 * rate_bytes_per_s / memcpy_bytes_per_s;
        let known = share.is_finite() && memcpy_bytes_per_s > 0.0 && rate_bytes_per_s > 0.0;
        known.then_some(match share {
            share if share >= 100.5 => Self::Faster,
            share if share < 1.0 => Self::Under1,
            share => Self::Percent(share),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_told_as_a_share_of_one_copy() {
        let share = |rate, memcpy| share_of_one_copy(rate, memcpy);
        assert_eq!(share(5.0e9, 13.9e9).as_deref(), Some("36 % of what one copy allows"));
        assert_eq!(share(1e6, 13.9e9).as_deref(), Some("under 1 % of what one copy allows"));
        assert_eq!(
            share(19.3e9, 13.9e9).as_deref(),
            Some("faster than one copy was: measured anew by compare")
        );
        assert_eq!(share(13.9e9, 13.9e9).as_deref(), Some("100 % of what one copy allows"));
        for (rate, memcpy) in [(0.0, 13.9e9), (1e9, 0.0), (f64::NAN, 1.0), (1e9, f64::NAN)] {
            assert_eq!(share(rate, memcpy), None);
        }
    }
}
