//! Walks a tree on a thread of its own, so that a slow folder holds no connection up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TryRecvError, bounded};

use crate::error::Error;
use crate::sys::Wake;
use crate::thread::Thread;
use crate::transfer::source::walk::{Step, Walk};

/// So many steps are ready at most.
const STEPS: usize = 1024;

/// A walk that goes on by itself, as far as its steps are taken. It ends with this value.
pub(super) struct Walker {
    steps: Option<Receiver<Step>>,
    /// Whoever takes the steps has found none.
    is_awaited: Arc<AtomicBool>,
    _thread: Thread,
}

/// The next step of a walk.
pub(super) enum NextStep {
    Step(Step),
    /// None is ready; the sender is woken when one is.
    NotYet,
    /// The walk is over.
    Over,
}

impl Walker {
    /// Begins; `wake` ends the wait of whoever takes the steps.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn begin(walk: Walk, wake: &Arc<Wake>) -> Result<Self, Error> {
        let (sender, steps) = bounded(STEPS);
        let wake = Arc::clone(wake);
        let is_awaited = Arc::new(AtomicBool::new(false));
        let awaited = Arc::clone(&is_awaited);
        let body = move || {
            for step in walk {
                // Where nobody takes them any more, it is over.
                if sender.send(step).is_err() {
                    return Ok(());
                }
                if awaited.swap(false, Ordering::SeqCst) {
                    wake.wake();
                }
            }
            drop(sender);
            wake.wake();
            Ok(())
        };
        let thread = Thread::start("arraylift-walk", body);
        Ok(Self {
            steps: Some(steps),
            is_awaited,
            _thread: thread.map_err(|error| Error::system("cannot start a thread", &error))?,
        })
    }

    pub(super) fn next(&mut self) -> NextStep {
        let Some(steps) = &self.steps else { return NextStep::Over };
        let mut next = steps.try_recv();
        if next == Err(TryRecvError::Empty) {
            self.is_awaited.store(true, Ordering::SeqCst);
            // One may have come meanwhile, without a wake.
            next = steps.try_recv();
        }
        match next {
            Ok(step) => NextStep::Step(step),
            Err(TryRecvError::Empty) => NextStep::NotYet,
            Err(TryRecvError::Disconnected) => {
                self.steps = None;
                NextStep::Over
            }
        }
    }
}

impl Drop for Walker {
    fn drop(&mut self) {
        // The thread, which is joined next, may wait for room.
        self.steps = None;
    }
}
