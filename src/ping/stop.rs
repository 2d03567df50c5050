//! Cancels a measurement, also while it waits for the service.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::Wake;

/// Shared by whoever cancels and the thread that measures.
#[derive(Debug)]
pub(super) struct Stop {
    is_asked: AtomicBool,
    wake: Wake,
}

impl Stop {
    /// # Errors
    /// The system gives no descriptor.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            is_asked: AtomicBool::new(false),
            wake: Wake::new()?,
        })
    }

    /// Cancels the measurement.
    pub(super) fn ask(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.wake.wake();
    }

    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Ends a wait when the measurement is cancelled.
    pub(super) fn wake(&self) -> &Wake {
        &self.wake
    }
}
