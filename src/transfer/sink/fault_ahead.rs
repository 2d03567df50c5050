//! Memory that is faulted in ahead of the bytes that land in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::sys::Populator;

/// Pages are faulted in so many bytes at a time, so that whoever waits for the first ones waits briefly.
const POPULATE_BYTES: usize = 16 << 20;
/// And no further ahead than this: an offer alone must not cost the memory that it speaks of.
const AHEAD_BYTES: usize = 64 << 20;
/// Below this a thread costs more than it saves.
const POPULATE_BYTES_MIN: usize = 8 << 20;

/// Faults an array's memory in, ahead of its bytes, on a thread that ends with this value.
pub(super) struct FaultAhead {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    landed: AtomicUsize,
    stop: AtomicBool,
}

impl FaultAhead {
    /// `None` where it is not worth a thread, or there is none to be had.
    pub(super) fn start(populator: Populator) -> Option<Self> {
        if populator.len() < POPULATE_BYTES_MIN {
            return None;
        }
        let shared = Arc::new(Shared::default());
        let body = {
            let shared = Arc::clone(&shared);
            move || fault_ahead(&populator, &shared)
        };
        let thread = std::thread::Builder::new().name("arraylift-fault".into()).spawn(body);
        Some(Self {
            shared,
            thread: Some(thread.ok()?),
        })
    }

    /// So many bytes have landed in all.
    pub(super) fn landed(&self, bytes: usize) {
        let before = self.shared.landed.swap(bytes, Ordering::Release);
        if before / POPULATE_BYTES != bytes / POPULATE_BYTES {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for FaultAhead {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it only asks the kernel for pages.
            let _ = thread.join();
        }
    }
}

fn fault_ahead(populator: &Populator, shared: &Shared) {
    let mut at = 0;
    while at < populator.len() && !shared.stop.load(Ordering::Acquire) {
        if at >= shared.landed.load(Ordering::Acquire).saturating_add(AHEAD_BYTES) {
            std::thread::park();
        } else if populator.populate(at, POPULATE_BYTES).is_ok() {
            at += POPULATE_BYTES;
        } else {
            return;
        }
    }
}
