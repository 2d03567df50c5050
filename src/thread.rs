//! A thread with a name and an owner, who ends and joins it. A panic on it is told as a mistake of our own.

mod spare;

use std::ffi::CString;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use spare::Work;

#[cfg(feature = "app")]
pub(crate) use spare::SPARE_NAME;

/// Does `work` of `who`, and makes an error of a panic.
///
/// # Errors
/// Those of the work; [`Error::Bug`] where it panicked.
pub(crate) fn catch_panic<T>(who: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // What the work owns is gone with it: nobody sees it half changed.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::panicked(who)))
}

/// A thread that runs, and what comes of it. Dropping it cancels the thread and waits for its end.
///
/// The kernel's thread may have done other work before, and may do other work afterwards.
pub(crate) struct Thread<T = ()> {
    name: String,
    handle: std::thread::Thread,
    result: Arc<OnceLock<Result<T, Error>>>,
    /// Set once the thread has let go of all that it had.
    ended: Arc<OnceLock<()>>,
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

    /// The same; calls `waker` once the result is there, and to join it takes no time.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start_with_waker(
        name: &str,
        body: impl FnOnce() -> Result<T, Error> + Send + 'static,
        waker: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (result, ended) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let run = {
            let (result, name) = (Arc::clone(&result), name.to_owned());
            move || {
                let _ = result.set(catch_panic(&format!("the thread {name}"), body));
                drop(result);
            }
        };
        let done = {
            let ended = Arc::clone(&ended);
            move || {
                ended.set(()).unwrap_or_default();
                // The thread is to work on, whatever becomes of the waker.
                let _ = catch_unwind(AssertUnwindSafe(waker));
            }
        };
        let handle = spare::run(Work {
            name: CString::new(name).unwrap_or_default(),
            body: Box::new(run),
            done: Box::new(done),
        })?;
        Ok(Self {
            name: name.into(),
            handle,
            result,
            ended,
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
        self.ended.wait();
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
        self.handle.unpark();
    }
}

impl<T> Drop for Thread<T> {
    fn drop(&mut self) {
        if self.ended.get().is_none() {
            self.cancel();
            self.ended.wait();
        }
    }
}

impl<T> fmt::Debug for Thread<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("name", &self.name)
            .finish_non_exhaustive()
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

    #[test]
    fn short_pieces_of_work_one_after_the_other_take_few_threads() {
        let id = || Ok(std::thread::current().id());
        let ids = (0..200).map(|_| Thread::start("short", id).expect("a thread").join().expect("an id"));
        let ids: std::collections::HashSet<_> = ids.collect();
        // Other tests take spare threads, too.
        assert!(ids.len() < 50, "{}", ids.len());
    }

    #[test]
    fn a_thread_has_its_name_for_as_long_as_it_works() {
        let name = || Ok(rustix::thread::name().expect("a name"));
        for wanted in ["first", "arraylift-15-by"] {
            let thread = Thread::start(wanted, name).expect("a thread");
            let named = thread.join().expect("a name");
            assert_eq!(named.to_str(), Ok(wanted));
        }
    }

    #[test]
    fn a_thread_that_panicked_works_on() {
        for _ in 0..3 {
            let panics = || -> Result<u8, Error> { panic!("on purpose, in a test") };
            Thread::start("panics", panics)
                .expect("a thread")
                .join()
                .expect_err("it panicked");
            assert_eq!(Thread::start("works", || Ok(7)).expect("a thread").join(), Ok(7));
        }
    }
}
