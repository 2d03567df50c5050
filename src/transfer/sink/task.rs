//! Work on a disk that a thread of the publisher does for a machine which must not stand still, and what comes of it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::thread::catch_panic;
use crate::transfer::tell::event_queue::Waker;

/// Whose mistake a panic is told as.
const WHO: &str = "a task of the publisher";

/// What comes of a task that was given to a publisher.
///
/// Dropping it recalls a task that has not begun, and waits for one that has: what that made is gone afterwards. Where
/// nobody may wait, another task drops it.
pub(crate) struct Pending<T> {
    cell: Arc<Cell<T>>,
    /// Whoever drops the last publisher waits for what its threads still do: that is never to be one of them.
    _publisher: Arc<dyn Send + Sync>,
}

/// A task that waits for its turn.
pub(super) struct Task(Box<dyn FnOnce() + Send>);

struct Cell<T> {
    state: Mutex<State<T>>,
    has_ended: Condvar,
}

enum State<T> {
    Waits,
    Runs,
    /// `None` once that is taken.
    Ended(Option<Result<T, Error>>),
    /// Nobody wants it any more.
    Recalled,
}

impl Task {
    /// A task for that publisher, and what comes of it. `waker` is called when that is known.
    pub(super) fn new<T: Send + 'static>(
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
        publisher: Arc<dyn Send + Sync>,
        waker: Waker,
    ) -> (Self, Pending<T>) {
        let cell = Arc::new(Cell {
            state: Mutex::new(State::Waits),
            has_ended: Condvar::new(),
        });
        let pending = Pending {
            cell: Arc::clone(&cell),
            _publisher: publisher,
        };
        let run = move || {
            if !cell.begin() {
                return;
            }
            cell.end(catch_panic(WHO, work));
            waker();
        };
        (Self(Box::new(run)), pending)
    }

    pub(super) fn run(self) {
        (self.0)();
    }
}

impl<T> Pending<T> {
    /// Does the work here, and keeps what came of it.
    pub(super) fn done(work: impl FnOnce() -> Result<T, Error>, publisher: Arc<dyn Send + Sync>) -> Self {
        let cell = Arc::new(Cell {
            state: Mutex::new(State::Ended(Some(catch_panic(WHO, work)))),
            has_ended: Condvar::new(),
        });
        Self {
            cell,
            _publisher: publisher,
        }
    }

    /// Takes what came of it; `None` until then, and ever after.
    pub(crate) fn take(&self) -> Option<Result<T, Error>> {
        match &mut *self.cell.lock() {
            State::Ended(result) => result.take(),
            _ => None,
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.cell.lock(), State::Ended(_))
    }
}

impl<T> Drop for Pending<T> {
    fn drop(&mut self) {
        let mut state = self.cell.lock();
        while matches!(*state, State::Runs) {
            state = self.cell.has_ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let last = std::mem::replace(&mut *state, State::Recalled);
        drop(state);
        // Here, and not with whoever has the cell last.
        drop(last);
    }
}

impl<T> Cell<T> {
    /// False where nobody wants it any more.
    fn begin(&self) -> bool {
        let mut state = self.lock();
        let is_wanted = matches!(*state, State::Waits);
        if is_wanted {
            *state = State::Runs;
        }
        is_wanted
    }

    fn end(&self, result: Result<T, Error>) {
        *self.lock() = State::Ended(Some(result));
        self.has_ended.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
