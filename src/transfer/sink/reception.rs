//! What the connections of one receiver share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::transfer::limits::limiter::Throttle;
use crate::transfer::sink::Landing;
use crate::transfer::tell::event::EventKind;
use crate::transfer::tell::preview::Prefix;
use crate::wire::native::Blocks;

/// One array that comes in, over one connection or several.
pub(crate) struct Reception {
    pub(crate) landing: Landing,
    pub(crate) total_bytes: u64,
    /// On the native wire: what of the array has been verified.
    pub(crate) blocks: Option<Arc<Blocks>>,
    pub(crate) throttle: Mutex<Throttle>,
    /// Every byte is where it belongs, under its final name.
    pub(crate) is_published: AtomicBool,
    landed_bytes: AtomicU64,
    preview: Mutex<Prefix>,
    /// Bytes from here on are not in the preview.
    preview_bytes: u64,
}

impl Reception {
    pub(crate) fn new(landing: Landing, total_bytes: u64, blocks: Option<Arc<Blocks>>, preview: Prefix) -> Self {
        Self {
            landing,
            total_bytes,
            blocks,
            throttle: Mutex::new(Throttle::new(Instant::now())),
            is_published: AtomicBool::new(false),
            landed_bytes: AtomicU64::new(0),
            preview_bytes: preview.len() as u64,
            preview: Mutex::new(preview),
        }
    }

    /// Bytes that have landed over all connections.
    pub(crate) fn landed_bytes(&self) -> u64 {
        self.landed_bytes.load(Ordering::Relaxed)
    }

    /// `bytes` more have landed.
    pub(crate) fn landed(&self, bytes: u64) {
        let total = self.landed_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.landing.landed(bytes, total);
    }

    /// Takes what of `bytes`, which begin at `at`, belongs to the preview; the preview, where that was the last of it.
    pub(crate) fn preview(&self, at: u64, bytes: &[u8]) -> Option<EventKind> {
        if at >= self.preview_bytes {
            return None;
        }
        let mut preview = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
        preview.take(at, bytes).then(|| preview.event())
    }
}
