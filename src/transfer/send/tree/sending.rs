//! What the connections of one tree's sender share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys::awake_now;
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::limiter::Throttle;

use super::file::SentFile;

/// A tree on its way out, over one connection or several.
pub(crate) struct TreeSending {
    /// The file of several blocks that is on its way.
    file: Mutex<Option<Arc<SentFile>>>,
    throttle: Mutex<Throttle>,
    bytes: AtomicU64,
    /// Further connections have been asked for.
    has_others: AtomicBool,
    is_done: AtomicBool,
    controls: Arc<Controls>,
}

impl TreeSending {
    /// The `controls` wake every connection of the session.
    pub(super) fn new(controls: Arc<Controls>) -> Arc<Self> {
        Arc::new(Self {
            file: Mutex::default(),
            throttle: Mutex::new(Throttle::new(awake_now())),
            bytes: AtomicU64::new(0),
            has_others: AtomicBool::new(false),
            is_done: AtomicBool::new(false),
            controls,
        })
    }

    /// The file of which any connection may send the next block.
    pub(super) fn file(&self) -> Option<Arc<SentFile>> {
        lock(&self.file).clone()
    }

    /// Another file is next, or none.
    pub(super) fn set_file(&self, file: Option<Arc<SentFile>>) {
        let is_new = file.is_some();
        *lock(&self.file) = file;
        if is_new {
            self.wake_others();
        }
    }

    /// What keeps all connections together to a limit.
    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }

    /// So many bytes of files were sent over whichever connection.
    pub(super) fn moved(&self, bytes: u64) {
        self.throttle().spend(bytes);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes of files that were sent over all connections.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Further connections may send from now on.
    pub(super) fn share(&self) {
        self.has_others.store(true, Ordering::SeqCst);
    }

    /// Whether further connections may send.
    pub(super) fn is_shared(&self) -> bool {
        self.has_others.load(Ordering::SeqCst)
    }

    /// One connection has done what others may wait for.
    pub(super) fn wake_others(&self) {
        if self.is_shared() {
            self.controls.wake();
        }
    }

    /// Everything is at the other end.
    pub(super) fn end(&self) {
        self.is_done.store(true, Ordering::SeqCst);
        self.wake_others();
    }

    /// Whether everything is at the other end.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that panics is done under the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
