//! Threads that wait a moment for further work: many short pieces of work one after the other need few of them. A new
//! thread costs some twenty system calls and the page faults of its stack, and the memory of its own that routes keep.

use std::ffi::{CStr, CString};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

/// A thread that nobody needs for so long ends.
const SPARE_FOR: Duration = Duration::from_millis(100);
/// So many wait at most.
const SPARES_MAX: usize = 64;
/// What the kernel calls a thread that waits, of which it keeps 15 bytes.
pub(crate) const SPARE_NAME: &CStr = c"arraylift-spare";

/// A piece of work.
pub(super) struct Work {
    /// What the kernel calls the thread meanwhile.
    pub(super) name: CString,
    /// Does not panic.
    pub(super) body: Box<dyn FnOnce() + Send>,
    /// Called when the thread is free for other work; does not panic, and takes no time.
    pub(super) done: Box<dyn FnOnce() + Send>,
}

/// A thread that waits.
struct Spare {
    thread: thread::Thread,
    slot: Arc<Slot>,
}

/// What a thread is to do next. A channel would give its core away several times before it waits, which beside busy
/// programs takes long.
#[derive(Default)]
struct Slot {
    work: Mutex<Option<Work>>,
    is_full: Condvar,
}

/// The one that has waited for the shortest time comes last, and is taken first: its memory is still in cache.
static SPARES: Mutex<Vec<Spare>> = Mutex::new(Vec::new());

/// Does `work` on a spare thread, or on a new one. Returns which.
///
/// # Errors
/// None is spare, and the system gives none.
pub(super) fn run(work: Work) -> io::Result<thread::Thread> {
    let spare = spares().pop();
    if let Some(Spare { thread, slot }) = spare {
        // Whoever stood in the list takes what is given.
        slot.give(work);
        return Ok(thread);
    }
    let started = Builder::new().spawn(move || work_on(work))?;
    Ok(started.thread().clone())
}

/// Does one piece of work after the other, until there is none for a while.
fn work_on(first: Work) {
    let slot = Arc::new(Slot::default());
    let mut next = Some(first);
    while let Some(Work { name, body, done }) = next {
        // The name is for those who look at the process from outside.
        let _ = rustix::thread::set_name(&name);
        body();
        drop(name);
        let _ = rustix::thread::set_name(SPARE_NAME);
        let is_spare = stand_in_line(&slot);
        done();
        next = if is_spare { slot.take() } else { None };
    }
}

/// Puts this thread among the spare ones; false where there are enough.
fn stand_in_line(slot: &Arc<Slot>) -> bool {
    let mut spares = spares();
    let has_place = spares.len() < SPARES_MAX;
    if has_place {
        spares.push(Spare {
            thread: thread::current(),
            slot: Arc::clone(slot),
        });
    }
    has_place
}

/// Leaves the list; false where somebody has chosen this thread just now.
fn leave_line() -> bool {
    let this = thread::current().id();
    let mut spares = spares();
    let at = spares.iter().position(|spare| spare.thread.id() == this);
    at.map(|at| spares.remove(at)).is_some()
}

impl Slot {
    fn give(&self, work: Work) {
        *self.lock() = Some(work);
        self.is_full.notify_one();
    }

    /// Waits for work; `None` where none came for a while.
    fn take(&self) -> Option<Work> {
        let is_empty = |work: &mut Option<Work>| work.is_none();
        let waited = self.is_full.wait_timeout_while(self.lock(), SPARE_FOR, is_empty);
        let (mut work, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if work.is_some() {
            return work.take();
        }
        drop(work);
        if leave_line() {
            return None;
        }
        let waited = self.is_full.wait_while(self.lock(), is_empty);
        waited.unwrap_or_else(PoisonError::into_inner).take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Work>> {
        // Nothing that panics is done under the lock.
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spares() -> MutexGuard<'static, Vec<Spare>> {
    // Nothing that panics is done under the lock.
    SPARES.lock().unwrap_or_else(PoisonError::into_inner)
}
