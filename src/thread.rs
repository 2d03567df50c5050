//! A thread with a name and an owner, who ends and joins it. A panic on it is told as a mistake of our own.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use crate::error::Error;

/// A thread that runs, and what comes of it. Dropping it cancels the thread and waits for its end.
pub(crate) struct Thread<T = ()> {
    handle: Option<JoinHandle<()>>,
    result: Arc<OnceLock<Result<T, Error>>>,
    cancel: Box<dyn Fn() + Send + Sync>,
}

impl<T: Send + Sync + 'static> Thread<T> {
    /// Runs `body` on a thread of this name, of which the kernel keeps 15 bytes.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(name: &str, body: impl FnOnce() -> Result<T, Error> + Send + 'static) -> io::Result<Self> {
        Self::start_with_waker(name, body, || {})
    }

    /// The same; calls `waker` once the result is there.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start_with_waker(
        name: &str,
        body: impl FnOnce() -> Result<T, Error> + Send + 'static,
        waker: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let result = Arc::new(OnceLock::new());
        let run = {
            let (result, name) = (Arc::clone(&result), name.to_owned());
            move || {
                // What the body owns is gone with it: nobody sees it half changed.
                let ended = catch_unwind(AssertUnwindSafe(body));
                let ended = ended.unwrap_or_else(|_| Err(Error::panicked(&format!("the thread {name}"))));
                let _ = result.set(ended);
                drop(result);
                waker();
            }
        };
        Ok(Self {
            handle: Some(Builder::new().name(name.into()).spawn(run)?),
            result,
            cancel: Box::new(|| {}),
        })
    }

    /// What came of it: `None` while it runs, and [`Error::Bug`] where it panicked.
    pub(crate) fn result(&self) -> Option<&Result<T, Error>> {
        self.result.get()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// Those of the body; [`Error::Bug`] where it panicked.
    pub(crate) fn join(mut self) -> Result<T, Error> {
        self.wait();
        // The thread has let go of its half.
        let result = Arc::get_mut(&mut self.result).and_then(OnceLock::take);
        result.unwrap_or_else(|| Err(Error::panicked("a thread")))
    }
}

impl<T> Thread<T> {
    /// Makes `cancel` what asks the thread to end. It may be called several times.
    pub(crate) fn cancelled_by(self, cancel: impl Fn() + Send + Sync + 'static) -> Self {
        let mut this = self;
        this.cancel = Box::new(cancel);
        this
    }

    /// Asks the thread to end, and does not wait for it.
    pub(crate) fn cancel(&self) {
        (self.cancel)();
    }

    /// Wakes the thread where it is parked.
    pub(crate) fn unpark(&self) {
        if let Some(handle) = &self.handle {
            handle.thread().unpark();
        }
    }

    fn wait(&mut self) {
        if let Some(handle) = self.handle.take() {
            // What the body did is in the result.
            let _ = handle.join();
        }
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        if self.handle.is_some() {
            self.cancel();
            self.wait();
        }
    }
}

impl<T> fmt::Debug for Thread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.handle.as_ref().and_then(|handle| handle.thread().name());
        f.debug_struct("Thread").field("name", &name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::time::Duration;

    #[test]
    fn what_comes_of_it_is_there_when_the_waker_is_called_and_joined() {
        let (wake, woken) = bounded(1);
        let thread = Thread::start_with_waker("t", || Ok(7), move || wake.send(()).expect("heard")).expect("a thread");
        woken.recv_timeout(Duration::from_secs(10)).expect("woken");
        assert_eq!(thread.result(), Some(&Ok(7)));
        assert_eq!(thread.join(), Ok(7));
    }

    #[test]
    fn a_panic_is_a_mistake_of_our_own_and_wakes_as_well() {
        let (wake, woken) = bounded(1);
        let panics = || -> Result<u8, Error> { panic!("on purpose, in a test") };
        let thread =
            Thread::start_with_waker("panics", panics, move || wake.send(()).expect("heard")).expect("a thread");
        woken.recv_timeout(Duration::from_secs(10)).expect("woken");
        let told = thread.join().expect_err("it panicked");
        assert_eq!(told, Error::Bug("the thread panics panicked".into()));
    }

    #[test]
    fn dropping_it_cancels_it_and_waits() {
        let (stop, stopped) = bounded::<()>(1);
        let (tell, told) = bounded(1);
        let body = move || {
            let _ = stopped.recv();
            let _ = tell.send(());
            Ok(())
        };
        let thread = Thread::start("waits", body).expect("a thread");
        let thread = thread.cancelled_by(move || stop.try_send(()).unwrap_or_default());
        assert!(thread.result().is_none());
        drop(thread);
        assert_eq!(told.try_recv(), Ok(()));
    }
}
