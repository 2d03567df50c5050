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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A context with the delays after which it was asked for a frame.
    fn context() -> (egui::Context, Arc<Mutex<Vec<Duration>>>) {
        let ctx = egui::Context::default();
        // The first frames of a context ask for more.
        for _ in 0..3 {
            frame(&ctx);
        }
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&asked);
        ctx.set_request_repaint_callback(move |info| {
            assert_eq!(info.viewport_id, egui::ViewportId::ROOT);
            told.lock().unwrap().push(info.delay);
        });
        (ctx, asked)
    }

    fn frame(ctx: &egui::Context) {
        let mut output = ctx.run_ui(egui::RawInput::default(), |_| {});
        // Nobody shows it.
        output.textures_delta.clear();
    }

    #[test]
    fn however_often_threads_ask_one_frame_is_requested_after_the_interval() {
        let (ctx, asked) = context();
        let repaints = Arc::new(Repaints::default());
        let wake = waker(ctx.clone(), Arc::clone(&repaints));
        repaints.interval_ms.store(500, Ordering::Relaxed);
        for _ in 0..20 {
            wake();
        }
        assert_eq!(*asked.lock().unwrap(), [Duration::from_millis(500)]);
        // The window says so when it draws.
        frame(&ctx);
        repaints.is_requested.store(false, Ordering::Release);
        repaints.interval_ms.store(33, Ordering::Relaxed);
        for _ in 0..20 {
            wake();
        }
        let both = [500, 33].map(Duration::from_millis);
        assert_eq!(*asked.lock().unwrap(), both);
    }

    #[test]
    fn where_a_frame_is_coming_anyway_nobody_is_woken() {
        let (ctx, asked) = context();
        let repaints = Arc::new(Repaints::default());
        repaints.is_requested.store(true, Ordering::Release);
        waker(ctx, repaints)();
        assert_eq!(*asked.lock().unwrap(), []);
    }
}
