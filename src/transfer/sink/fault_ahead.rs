//! Memory that is faulted in ahead of the bytes that land in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sys::Populator;
use crate::thread::Thread;

/// Pages are faulted in so many bytes at a time, so that whoever waits for the first ones waits briefly.
const POPULATE_BYTES: usize = 4 << 20;
/// Clearing pages is bound by one core, and where a hypervisor has to find them, by one core's waiting for it.
const THREADS_MAX: usize = 2;
/// Of all arrays together: further ones do without.
const THREADS_IN_ALL: usize = 8;
/// And no further ahead than this, which grows with what has landed: an offer alone must not cost the memory that it
/// speaks of.
const AHEAD_BYTES_MIN: usize = 8 << 20;
const AHEAD_BYTES_MAX: usize = 64 << 20;
/// Below this a thread costs more than it saves.
const POPULATE_BYTES_MIN: usize = 8 << 20;

/// How many threads there are.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// Faults an array's memory in, ahead of its bytes, on threads that end with this value.
pub(crate) struct FaultAhead {
    shared: Arc<Shared>,
    threads: Vec<Thread>,
}

/// One of [`THREADS`].
struct Counted;

struct Shared {
    populator: Populator,
    /// Where the next piece begins that no thread has taken.
    next: AtomicUsize,
    landed: AtomicUsize,
    stop: AtomicBool,
}

impl FaultAhead {
    /// `None` where it is not worth a thread, or there is none to be had.
    pub(crate) fn start(populator: Populator) -> Option<Self> {
        if populator.len() < POPULATE_BYTES_MIN {
            return None;
        }
        let shared = Arc::new(Shared {
            populator,
            next: AtomicUsize::new(0),
            landed: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let spawn = |_| {
            let shared = Arc::clone(&shared);
            let counted = Counted::new()?;
            let body = move || {
                let _counted = counted;
                fault_ahead(&shared);
                Ok(())
            };
            Thread::start("arraylift-fault", body).ok()
        };
        let threads: Vec<_> = (0..cores.min(THREADS_MAX)).map_while(spawn).collect();
        (!threads.is_empty()).then_some(Self { shared, threads })
    }

    /// So many bytes have landed in all.
    pub(crate) fn landed(&self, bytes: usize) {
        // Connections tell their sums in any order.
        let before = self.shared.landed.fetch_max(bytes, Ordering::Release);
        if before / POPULATE_BYTES < bytes / POPULATE_BYTES {
            self.wake();
        }
    }

    fn wake(&self) {
        for thread in &self.threads {
            thread.unpark();
        }
    }
}

impl Counted {
    /// `None` where there are as many as there may be.
    fn new() -> Option<Self> {
        let more = |count| (count < THREADS_IN_ALL).then_some(count + 1);
        THREADS
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()
            .map(|_| Self)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for FaultAhead {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.wake();
    }
}

/// How far memory is faulted in where so much has landed.
fn reach(landed_bytes: usize) -> usize {
    let ahead = landed_bytes.saturating_mul(4).clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX);
    landed_bytes.saturating_add(ahead)
}

fn fault_ahead(shared: &Shared) {
    loop {
        let at = shared.next.fetch_add(POPULATE_BYTES, Ordering::Relaxed);
        while at >= reach(shared.landed.load(Ordering::Acquire)) {
            if shared.stop.load(Ordering::Acquire) {
                return;
            }
            std::thread::park();
        }
        let is_over = at >= shared.populator.len() || shared.stop.load(Ordering::Acquire);
        if is_over || shared.populator.populate(at, POPULATE_BYTES).is_err() {
            return;
        }
    }
}
