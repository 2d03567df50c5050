//! What the connections of one receiver share.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::transfer::limits::limiter::Throttle;
use crate::transfer::sink::PreparedSink;
use crate::transfer::tell::event::EventKind;
use crate::transfer::tell::preview::Prefix;
use crate::wire::Grain;

/// One array that comes in, over one connection or several.
pub(crate) struct IncomingArray {
    pub(crate) sink: PreparedSink,
    pub(crate) throttle: Mutex<Throttle>,
    /// Every byte has come, and is being put on disk.
    pub(crate) is_being_synced: AtomicBool,
    /// Every byte is where it belongs, under its final name.
    pub(crate) is_published: AtomicBool,
    /// Where its blocks lie, where they come over several connections.
    pub(crate) grain: Grain,
    preview: Mutex<Prefix>,
    /// Bytes from here on are not in the preview.
    preview_bytes: u64,
}

impl IncomingArray {
    pub(crate) fn new(sink: PreparedSink, preview: Prefix) -> Self {
        Self {
            sink,
            throttle: Mutex::new(Throttle::new(Instant::now())),
            is_being_synced: AtomicBool::new(false),
            is_published: AtomicBool::new(false),
            grain: Grain::MAX,
            preview_bytes: preview.len() as u64,
            preview: Mutex::new(preview),
        }
    }

    /// Its blocks lie on that grid; without one they come over one connection, in order.
    pub(crate) fn on_grid(self, grain: Option<Grain>) -> Self {
        Self {
            grain: grain.unwrap_or(self.grain),
            ..self
        }
    }

    /// Takes what of `bytes`, which begin at `at`, belongs to the preview; the preview, where that was the last of it.
    pub(crate) fn preview(&self, at: u64, bytes: &[u8]) -> Option<EventKind> {
        if at >= self.preview_bytes {
            return None;
        }
        let mut preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
        preview.take(at, bytes).then(|| preview.event())
    }

    /// The preview of an array that turned out to be shorter than it; nothing where it was told already.
    pub(crate) fn last_preview(&self) -> Option<EventKind> {
        let preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
        preview.last_event()
    }
}
