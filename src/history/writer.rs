//! Gives what is to be kept to a thread that writes it, so that nobody else waits for a disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};

use crate::thread::Thread;
use crate::units;

use super::curve::Curves;
use super::entry::Entry;
use super::recording::Tell;
use super::writing::write_on;

/// What may wait to be written; what comes beyond is counted and told.
const ITEMS_MAX: usize = 4096;

/// At the end, what is left is waited for so long.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What is to be kept.
#[derive(Debug)]
pub(super) enum Item {
    /// As an entry of its own.
    Single(Box<Entry>, Curves),
    /// In a burst.
    Counted(Box<Entry>),
}

/// Gives what has ended to a thread, which is there from the first of it on.
pub(super) struct Writer {
    path: Option<PathBuf>,
    /// It is for a process that lives long.
    is_for_long: bool,
    tell: Tell,
    thread: Option<Running>,
    /// There is none, and that was told.
    is_off: bool,
    lost: u64,
}

struct Running {
    thread: Thread,
    items: Sender<Item>,
    is_ending: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Writer {
    /// For the history at `path`. Whoever lives long leaves no log behind: it can wait for the disk.
    pub(super) fn new(path: Option<PathBuf>, is_for_long: bool, tell: Tell) -> Self {
        Self {
            path,
            is_for_long,
            tell,
            thread: None,
            is_off: false,
            lost: 0,
        }
    }

    /// Has this written soon, and returns at once.
    pub(super) fn keep(&mut self, item: Item) {
        if self.is_off {
            return;
        }
        if self.thread.is_none() {
            match Running::start(self.path.clone(), self.is_for_long, &self.tell) {
                Ok(running) => self.thread = Some(running),
                Err(error) => {
                    self.is_off = true;
                    (self.tell)(&format!("no history is kept: {}", crate::error::reason(&error)));
                    return;
                }
            }
        }
        let sent = self.thread.as_ref().map(|running| running.items.try_send(item));
        match sent {
            Some(Err(TrySendError::Full(_))) => {
                if self.lost == 0 {
                    (self.tell)(
                        "transfers are missing in the history from now on: they come faster than it is written",
                    );
                }
                self.lost += 1;
            }
            // It has ended by itself, and has told why.
            Some(Err(TrySendError::Disconnected(_))) => self.is_off = true,
            _ => {}
        }
    }
}

impl Running {
    fn start(path: Option<PathBuf>, is_for_long: bool, tell: &Tell) -> std::io::Result<Self> {
        let (items, taken) = bounded(ITEMS_MAX);
        let (end, ended) = bounded(0);
        let is_ending = Arc::new(AtomicBool::new(false));
        let body = {
            let (is_ending, tell) = (Arc::clone(&is_ending), Arc::clone(tell));
            move || {
                // Dropped last: whoever waits for the end hears of it.
                let _end: Sender<()> = end;
                write_on(path.as_deref(), is_for_long, &taken, &is_ending, &tell);
                Ok(())
            }
        };
        Ok(Self {
            thread: Thread::start("history", body)?,
            items,
            is_ending,
            ended,
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(Running {
            thread,
            items,
            is_ending,
            ended,
        }) = self.thread.take()
        else {
            return;
        };
        is_ending.store(true, Ordering::Release);
        drop(items);
        thread.unpark();
        // It sends nothing: that it can no longer send says that it has ended.
        if ended.recv_timeout(LAST_WAIT) == Err(RecvTimeoutError::Timeout) {
            // A disk that does not answer holds nobody back: the thread goes with the process.
            std::mem::forget(thread);
            (self.tell)("the last transfers may not be in the history: it is in use, or its disk does not answer");
        }
        if self.lost > 0 {
            (self.tell)(&format!("{}: they came faster than it is written", missing(self.lost)));
        }
    }
}

/// `3 transfers are not in the history`.
pub(super) fn missing(transfers: u64) -> String {
    match transfers {
        1 => "1 transfer is not in the history".into(),
        several => format!("{} transfers are not in the history", units::count(several)),
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
