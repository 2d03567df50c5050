//! How the window ends where nobody closes it. A signal cancels what runs and closes the window. Xlib ends the process
//! by `exit(3)` where the X server has gone: what runs is then cancelled from there.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use eframe::egui::Context;

use super::App;
use crate::rounds::Rounds;
use crate::signals::Signals;
use crate::sys::at_exit;
use crate::transfer::Waker;

/// What has not ended so long after it was cancelled is left as it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked whether it has.
const INTERVAL: Duration = Duration::from_millis(5);

/// Hears what ends the process.
#[derive(Debug, Default)]
pub(super) struct ProcessEnd {
    signals: Option<Signals>,
    /// What runs, for whoever ends the process by `exit(3)`.
    running: Arc<Mutex<Vec<Weak<Rounds>>>>,
}

impl ProcessEnd {
    /// Begins to hear. Where the system does not allow it, the process ends as any other does.
    pub(super) fn hear(waker: &Waker) -> Self {
        let waker = Arc::clone(waker);
        let this = Self {
            signals: Signals::with_waker(1, move || waker()).ok(),
            running: Arc::default(),
        };
        let running = Arc::clone(&this.running);
        let _ = at_exit(move || cancel_all(&running));
        this
    }

    /// Cancels these, too, where the process ends.
    pub(super) fn add(&self, rounds: &Arc<Rounds>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|other| other.strong_count() > 0);
        running.push(Arc::downgrade(rounds));
    }
}

impl App {
    /// Closes the window where a signal asks for it. Nobody is asked whether that is meant.
    pub(super) fn obey_signals(&mut self, ctx: &Context) {
        let signals = self.process_end.signals.as_ref();
        if signals.is_some_and(|signals| signals.asked().try_recv().is_ok()) {
            self.close_anyway(ctx);
        }
    }
}

fn cancel_all(running: &Mutex<Vec<Weak<Rounds>>>) {
    let running = std::mem::take(&mut *running.lock().unwrap_or_else(PoisonError::into_inner));
    let running: Vec<Arc<Rounds>> = running.iter().filter_map(Weak::upgrade).collect();
    for rounds in &running {
        rounds.cancel();
    }
    let deadline = Instant::now() + PATIENCE;
    // By the time it has an outcome, what was half received has gone, or is kept.
    while running.iter().any(|rounds| rounds.outcome().is_none()) && Instant::now() < deadline {
        std::thread::sleep(INTERVAL);
    }
    // The last owner would wait for its thread, with no end to that where it hangs.
    std::mem::forget(running);
}
