//! How long nobody is accepted after descriptors, memory or processes ran out.

use std::time::{Duration, Instant};

/// The next try is so much later.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether a front holds off, and until when.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    until: Option<Instant>,
}

impl BackOff {
    /// Something has run out.
    pub(super) fn begin(&mut self, now: Instant) {
        self.until = Some(now + PAUSE);
    }

    /// When it is over; `None` where it is.
    pub(super) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| now < *until)
    }
}
