//! Memory that is faulted in ahead of the bytes that land in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::sys::Populator;

/// Pages are faulted in so many bytes at a time, so that whoever waits for the first ones waits briefly.
const POPULATE_BYTES: usize = 16 << 20;
/// Below this a thread costs more than it saves.
const POPULATE_BYTES_MIN: usize = 8 << 20;

/// Faults an array's memory in, ahead of its bytes, on a thread that ends with this value.
pub(super) struct FaultAhead {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl FaultAhead {
    /// `None` where it is not worth a thread, or there is none to be had.
    pub(super) fn start(populator: Populator) -> Option<Self> {
        if populator.len() < POPULATE_BYTES_MIN {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("arraylift-fault".into())
            .spawn(move || {
                let mut at = 0;
                while at < populator.len() && !stopped.load(Ordering::Relaxed) {
                    if populator.populate(at, POPULATE_BYTES).is_err() {
                        return;
                    }
                    at += POPULATE_BYTES;
                }
            });
        Some(Self {
            stop,
            thread: Some(thread.ok()?),
        })
    }
}

impl Drop for FaultAhead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it only asks the kernel for pages.
            let _ = thread.join();
        }
    }
}
