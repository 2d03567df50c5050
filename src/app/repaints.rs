//! When the next frame comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use eframe::egui;

use crate::transfer::Waker;

/// Shared with the threads that ask for a frame.
#[derive(Debug)]
pub(super) struct Repaints {
    /// Milliseconds until the frame that an event asks for.
    pub(super) interval_ms: AtomicU64,
    /// Whether a frame has been requested since the last one.
    pub(super) is_requested: AtomicBool,
}

impl Default for Repaints {
    fn default() -> Self {
        Self {
            interval_ms: AtomicU64::new(50),
            is_requested: AtomicBool::new(false),
        }
    }
}

/// Asks for a frame after the interval that `repaints` names. Transfers' threads call this 20 times a second; where a
/// frame is coming anyway the window's thread is left asleep.
pub(super) fn waker(ctx: egui::Context, repaints: Arc<Repaints>) -> Waker {
    Arc::new(move || {
        if !repaints.is_requested.swap(true, Ordering::AcqRel) {
            let interval = Duration::from_millis(repaints.interval_ms.load(Ordering::Relaxed));
            ctx.request_repaint_after_for(interval, egui::ViewportId::ROOT);
        }
    })
}
