//! How long a thread was ready to run and had no core: the second number of `/proc/thread-self/schedstat`, `proc(5)`.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

thread_local! {
    // Opened once for all that a thread does: finding it takes longer than reading it.
    static OF_THIS_THREAD: Option<Arc<File>> = File::open("/proc/thread-self/schedstat").ok().map(Arc::new);
}

/// The file of the thread that opened it. It is about that thread, whichever thread reads it later.
#[derive(Debug)]
pub(super) struct CoreWait(Option<Arc<File>>);

impl CoreWait {
    /// The file of the calling thread.
    pub(super) fn of_this_thread() -> Self {
        Self(OF_THIS_THREAD.with(Clone::clone))
    }

    /// The time so far; `None` if the kernel does not count it.
    pub(super) fn read(&self) -> Option<Duration> {
        let mut text = [0; 64];
        let len = self.0.as_ref()?.read_at(&mut text, 0).ok()?;
        parse(std::str::from_utf8(&text[..len]).ok()?)
    }
}

/// `ON_CORE_NS WAITED_NS SLICES`.
fn parse(text: &str) -> Option<Duration> {
    let waited = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(waited))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_wait() {
        assert_eq!(parse("561994 1500 7\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(parse(""), None);
        assert_eq!(parse("12 x 1"), None);
    }

    #[test]
    fn it_never_falls() {
        let wait = CoreWait::of_this_thread();
        let before = wait.read();
        std::thread::yield_now();
        assert!(wait.read() >= before);
    }
}
