//! An array on its way to the disk and to its name: what waits for its turn, and what comes of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sys::awake_now;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::tell::event_queue::Waker;

/// Where an array is once it is published, and what should be known of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Published {
    pub(crate) path: Option<PathBuf>,
    pub(crate) note: Option<String>,
    /// Whether it outlasts a loss of power; `None` where it is not on a disk at all.
    pub(crate) durable: Option<bool>,
    /// How long the disk was waited for, if it was.
    pub(crate) sync: Option<Duration>,
}

/// What becomes of an array that was given to a publisher. Dropping it recalls the array, unless it is about to get
/// its name.
pub(crate) struct Publication {
    cell: Arc<Cell>,
    /// Whoever drops the last publisher waits for what its threads still do. It must not be the last one before the
    /// array is recalled.
    _publisher: Arc<dyn Send + Sync>,
}

/// An array that waits for its turn. Whoever waits for it is woken when it is dropped, however that came.
pub(super) struct Job {
    /// `None` once that is told.
    array: Option<Arc<IncomingArray>>,
    cell: Arc<Cell>,
    waker: Waker,
    /// When all of the array had come.
    began: Instant,
}

#[derive(Default)]
struct Cell {
    state: AtomicU8,
    result: OnceLock<Result<Published, Error>>,
}

/// Of a [`Cell`]: it waits, or is being synced.
const WAITS: u8 = 0;
/// Nobody wants it any more.
const RECALLED: u8 = 1;
/// It is on disk, and gets its name.
const NAMED: u8 = 2;

impl Job {
    /// An array that is whole, for that publisher, and what becomes of it. `waker` is called when that is known.
    pub(super) fn new(array: Arc<IncomingArray>, publisher: Arc<dyn Send + Sync>, waker: Waker) -> (Self, Publication) {
        let cell = Arc::new(Cell::default());
        let job = Self {
            array: Some(array),
            cell: Arc::clone(&cell),
            waker,
            began: awake_now(),
        };
        let publication = Publication {
            cell,
            _publisher: publisher,
        };
        (job, publication)
    }
}

impl Publication {
    /// What came of it; `None` until then.
    pub(crate) fn result(&self) -> Option<Result<Published, Error>> {
        self.cell.result.get().cloned()
    }

    /// Recalls the array. False where it is about to get its name, or has it: that comes too late.
    pub(crate) fn recall(&self) -> bool {
        self.cell.leave_waiting(RECALLED) || self.cell.state.load(Ordering::SeqCst) == RECALLED
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        self.recall();
    }
}

impl Cell {
    /// False where it did not wait any more.
    fn leave_waiting(&self, next: u8) -> bool {
        self.state
            .compare_exchange(WAITS, next, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }
}

impl Job {
    /// The array, unless it was recalled.
    pub(super) fn array(&self) -> Option<&IncomingArray> {
        let is_wanted = self.cell.state.load(Ordering::SeqCst) != RECALLED;
        self.array.as_deref().filter(|_| is_wanted)
    }

    /// Whether it is to be on disk before it gets its name.
    pub(super) fn has_to_be_synced(&self) -> bool {
        self.array.as_ref().is_some_and(|array| array.sink.has_to_be_synced())
    }

    /// Whether it may get its name: from now on it cannot be recalled.
    pub(super) fn may_be_named(&self) -> bool {
        self.cell.leave_waiting(NAMED)
    }

    /// Tells what came of it.
    pub(super) fn finish(mut self, result: Result<Published, Error>) {
        self.array = None;
        let sync = awake_now().saturating_duration_since(self.began);
        let _ = self.cell.result.set(result.map(|published| Published {
            sync: (published.durable == Some(true)).then_some(sync),
            ..published
        }));
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // One that was recalled is removed before anybody hears of it.
        self.array = None;
        // Only a panic leaves it without a result.
        let _ = self.cell.result.set(Err(Error::panicked("arraylift-sync")));
        (self.waker)();
    }
}
