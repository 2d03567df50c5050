//! Threads that wait a moment for further work: many short pieces of work one after the other need few of them. A new
//! thread costs some twenty system calls and the page faults of its stack, and the memory of its own that routes keep.

use std::ffi::{CStr, CString};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

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
    /// Called when the thread is free for other work.
    pub(super) done: Box<dyn FnOnce() + Send>,
}

/// A thread that waits.
struct Spare {
    thread: thread::Thread,
    give: Sender<Work>,
}

/// The one that has waited for the shortest time comes last, and is taken first: its memory is still in cache.
static SPARES: Mutex<Vec<Spare>> = Mutex::new(Vec::new());

/// Does `work` on a spare thread, or on a new one. Returns which.
///
/// # Errors
/// None is spare, and the system gives none.
pub(super) fn run(work: Work) -> io::Result<thread::Thread> {
    let Some(Spare { thread, give }) = spares().pop() else {
        return start(work);
    };
    match give.try_send(work) {
        Ok(()) => Ok(thread),
        // Whoever stands in the list takes what is given.
        Err(unsent) => start(unsent.into_inner()),
    }
}

fn start(work: Work) -> io::Result<thread::Thread> {
    let started = Builder::new().spawn(move || work_on(work))?;
    Ok(started.thread().clone())
}

/// Does one piece of work after the other, until there is none for a while.
fn work_on(first: Work) {
    let (give, taken) = bounded(1);
    let mut next = Some(first);
    while let Some(Work { name, body, done }) = next {
        // The name is for those who look at the process from outside.
        let _ = rustix::thread::set_name(&name);
        body();
        drop(name);
        let _ = rustix::thread::set_name(SPARE_NAME);
        let is_spare = wait_in_line(&give);
        done();
        next = if is_spare { wait(&taken) } else { None };
    }
}

/// Puts this thread among the spare ones; false where there are enough.
fn wait_in_line(give: &Sender<Work>) -> bool {
    let mut spares = spares();
    let has_place = spares.len() < SPARES_MAX;
    if has_place {
        spares.push(Spare {
            thread: thread::current(),
            give: give.clone(),
        });
    }
    has_place
}

fn wait(taken: &Receiver<Work>) -> Option<Work> {
    if let Ok(work) = taken.recv_timeout(SPARE_FOR) {
        return Some(work);
    }
    let this = thread::current().id();
    let mut spares = spares();
    if let Some(at) = spares.iter().position(|spare| spare.thread.id() == this) {
        spares.remove(at);
        return None;
    }
    drop(spares);
    // Somebody has chosen it just now.
    taken.recv().ok()
}

fn spares() -> MutexGuard<'static, Vec<Spare>> {
    // Nothing that panics is done under the lock.
    SPARES.lock().unwrap_or_else(PoisonError::into_inner)
}
