//! What is written down of a new file while it grows, so that a transfer that breaks can be gone on with: which of its
//! blocks are verified, in the log beside it.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::sys::awake_now;
use crate::wire::Grain;

use super::part_log::{MarkClock, PartLog, PartLogError};

/// Between two writes: what a killed process has verified meanwhile comes once more.
pub(super) const WRITE_INTERVAL: Duration = Duration::from_millis(250);

/// The log of one file, and when it is due.
#[derive(Debug)]
pub(super) struct OnRecord {
    log: PartLog,
    /// The file is on a disk that it is waited for: what has got there is marked.
    marks: Option<Mutex<MarkClock>>,
    began: Instant,
    /// Not before so many milliseconds have passed.
    next_ms: AtomicU64,
    /// One thread at a time writes.
    is_being_written: AtomicBool,
    /// There is no log any more.
    is_removed: AtomicBool,
}

impl OnRecord {
    /// Of a file whose blocks are `marked` as on disk from time to time, where that can be known.
    pub(super) fn new(log: PartLog, is_marked: bool) -> Self {
        let now = awake_now();
        Self {
            log,
            marks: is_marked.then(|| Mutex::new(MarkClock::new(now))),
            began: now,
            next_ms: AtomicU64::new(0),
            is_being_written: AtomicBool::new(false),
            is_removed: AtomicBool::new(false),
        }
    }

    /// Whether blocks are to be written down now; whoever is told so does it.
    pub(super) fn is_due(&self, ledger: &Ledger, now: Instant) -> bool {
        ledger.newly_verified_count() > 0 && self.begins(now)
    }

    /// The same for a file without a ledger.
    pub(super) fn begins(&self, now: Instant) -> bool {
        self.is_kept()
            && now.saturating_duration_since(self.began).as_millis() >= self.next_ms.load(Ordering::Relaxed).into()
            && !self.is_being_written.swap(true, Ordering::Acquire)
    }

    /// Writes down what is verified, and marks what is on disk where that is due.
    ///
    /// # Errors
    /// The file is somebody else's now, or could not be put on disk.
    pub(super) fn write(&self, ledger: &Ledger, file: &File) -> Result<(), PartLogError> {
        let blocks = ledger.take_newly_verified();
        let grain_bytes = ledger.grain().map_or(0, Grain::bytes);
        self.write_down(&blocks, grain_bytes.saturating_mul(blocks.len() as u64), file)
    }

    /// The same for a file without a ledger: these blocks, of so many bytes in all.
    ///
    /// # Errors
    /// As of [`OnRecord::write`].
    pub(super) fn write_down(&self, blocks: &[(u32, u64)], bytes: u64, file: &File) -> Result<(), PartLogError> {
        self.log.record(blocks);
        let marked = self.mark_if_due(bytes, file);
        let next = self.began.elapsed() + WRITE_INTERVAL;
        let next_ms = u64::try_from(next.as_millis()).unwrap_or(u64::MAX);
        self.next_ms.store(next_ms, Ordering::Relaxed);
        self.is_being_written.store(false, Ordering::Release);
        marked
    }

    /// Takes a block off the record, for good, before other bytes come in its place.
    ///
    /// # Errors
    /// The file is somebody else's now, or the block may still be on the record: nothing may come in its place.
    pub(super) fn void(&self, index: u32) -> Result<(), PartLogError> {
        self.log.void(index..index.saturating_add(1))
    }

    /// Does `sync`, which puts the file on disk. Where that fails, what it was to cover counts no more.
    ///
    /// # Errors
    /// Those of `sync`.
    pub(super) fn around_sync<T>(&self, sync: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.log.around_sync(sync)
    }

    /// Whether nobody else goes on with the file.
    pub(super) fn is_ours(&self, file: &File) -> bool {
        self.is_removed() || self.log.is_ours(file)
    }

    /// Whether the file can be gone on with, as far as it has come.
    pub(super) fn is_kept(&self) -> bool {
        !self.is_removed() && self.log.lost().is_none()
    }

    /// The file needs no log any more.
    pub(super) fn remove(&self) {
        if !self.is_removed.swap(true, Ordering::SeqCst) {
            self.log.remove();
        }
    }
}

impl OnRecord {
    fn mark_if_due(&self, recorded_bytes: u64, file: &File) -> Result<(), PartLogError> {
        let Some(marks) = &self.marks else {
            return Ok(());
        };
        {
            let mut marks = lock(marks);
            marks.recorded(recorded_bytes);
            if !marks.is_due(awake_now()) {
                return Ok(());
            }
            marks.begin();
        }
        let marked = self.log.mark(file);
        lock(marks).end(awake_now());
        marked
    }

    fn is_removed(&self) -> bool {
        self.is_removed.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that panics is done under the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
