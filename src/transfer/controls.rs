//! Pause, cancel and limit: set from anywhere, in effect at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys::Wake;

use super::event::Side;

/// Shared by a transfer's handle and its threads.
#[derive(Debug)]
pub(super) struct Controls {
    paused: AtomicBool,
    cancelled: AtomicBool,
    /// 0 is no limit.
    limit_bytes_per_s: AtomicU64,
    /// A connection of that side has failed, and the others have nothing to go on for.
    sender_failed: AtomicBool,
    receiver_failed: AtomicBool,
    /// One for each thread of the transfer.
    wakes: Mutex<Vec<Arc<Wake>>>,
}

impl Controls {
    pub(super) fn new(limit_bytes_per_s: Option<u64>) -> Self {
        Self {
            paused: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            limit_bytes_per_s: AtomicU64::new(limit_bytes_per_s.unwrap_or(0)),
            sender_failed: AtomicBool::new(false),
            receiver_failed: AtomicBool::new(false),
            wakes: Mutex::default(),
        }
    }

    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn set_limit(&self, bytes_per_s: Option<u64>) {
        self.limit_bytes_per_s.store(bytes_per_s.unwrap_or(0), Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(super) fn limit_bytes_per_s(&self) -> Option<u64> {
        Some(self.limit_bytes_per_s.load(Ordering::SeqCst)).filter(|limit| *limit > 0)
    }

    /// Stops the other connections of a side.
    pub(super) fn fail(&self, side: Side) {
        self.failed(side).store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn has_failed(&self, side: Side) -> bool {
        self.failed(side).load(Ordering::SeqCst)
    }

    /// What ends the waits of one thread of the transfer, from now on.
    pub(super) fn new_wake(&self) -> io::Result<Arc<Wake>> {
        let wake = Arc::new(Wake::new()?);
        self.wakes().push(Arc::clone(&wake));
        Ok(wake)
    }

    /// Lets every thread look at what has changed.
    pub(super) fn wake(&self) {
        self.wakes().iter().for_each(|wake| wake.wake());
    }

    fn failed(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Sender => &self.sender_failed,
            Side::Receiver => &self.receiver_failed,
        }
    }

    fn wakes(&self) -> MutexGuard<'_, Vec<Arc<Wake>>> {
        // Nothing that panics is done under the lock.
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
