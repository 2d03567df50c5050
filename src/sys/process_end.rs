//! What is still done when the process ends by `exit(3)`, whoever calls it: Xlib does where the X server has gone, and
//! then nothing of this process is dropped.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

type Last = Box<dyn FnOnce() + Send>;

static LAST: Mutex<Vec<Last>> = Mutex::new(Vec::new());

/// Runs `last` when the process ends by `exit(3)` or by returning from `main`, on the thread that ends it. The others
/// run meanwhile.
///
/// # Errors
/// The system has no room for it.
pub(crate) fn at_exit(last: impl FnOnce() + Send + 'static) -> io::Result<()> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(last));
    // SAFETY: the function lives as long as the program, and lets no panic out. One that is registered twice finds
    // nothing to do.
    match unsafe { libc::atexit(run_last) } {
        0 => Ok(()),
        _ => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

extern "C" fn run_last() {
    let last = std::mem::take(&mut *LAST.lock().unwrap_or_else(PoisonError::into_inner));
    for last in last {
        // Whoever panics has said so; the process ends all the same.
        let _ = catch_unwind(AssertUnwindSafe(last));
    }
}
