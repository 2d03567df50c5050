//! The thread that writes the history, a batch a moment, so that nobody else waits for a disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::thread::Thread;
use crate::units;

use super::bursts::Bursts;
use super::curve::Curves;
use super::entry::Entry;
use super::recording::Tell;
use super::store::{Change, Store, StoreError};

/// What may wait to be written; what comes beyond is counted and told.
const ITEMS_MAX: usize = 4096;

/// What ends within this time is written together.
const MOMENT: Duration = Duration::from_millis(100);

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
    pub(super) fn new(path: Option<PathBuf>, tell: Tell) -> Self {
        Self {
            path,
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
            match Running::start(self.path.clone(), &self.tell) {
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
            Some(Err(TrySendError::Full(_))) => self.lost += 1,
            // It has ended by itself, and has told why.
            Some(Err(TrySendError::Disconnected(_))) => self.is_off = true,
            _ => {}
        }
    }
}

impl Running {
    fn start(path: Option<PathBuf>, tell: &Tell) -> std::io::Result<Self> {
        let (items, taken) = bounded(ITEMS_MAX);
        let (end, ended) = bounded(0);
        let is_ending = Arc::new(AtomicBool::new(false));
        let body = {
            let (is_ending, tell) = (Arc::clone(&is_ending), Arc::clone(tell));
            move || {
                // Dropped last: whoever waits for the end hears of it.
                let _end: Sender<()> = end;
                write_on(path.as_deref(), &taken, &is_ending, &tell);
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
        if ended.recv_timeout(LAST_WAIT) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
            // A disk that does not answer holds nobody back: the thread goes with the process.
            std::mem::forget(thread);
            (self.tell)("the last transfers may not be in the history: its disk does not answer");
        }
        if self.lost > 0 {
            let lost = units::count(self.lost);
            (self.tell)(&format!(
                "{lost} transfers are not in the history: they came faster than it is written"
            ));
        }
    }
}

/// Writes what comes until nothing more can come, or nothing can be written.
fn write_on(path: Option<&Path>, items: &Receiver<Item>, is_ending: &AtomicBool, tell: &Tell) {
    let mut store = match path.ok_or(StoreError::NoPlace).and_then(Store::open) {
        Ok(store) => store,
        Err(error) => return tell(&format!("no history is kept: {error}")),
    };
    let mut bursts = Bursts::default();
    while let Ok(first) = items.recv() {
        let until = Instant::now() + MOMENT;
        // While it rests nobody who sends has to wake it.
        while !is_ending.load(Ordering::Acquire) && Instant::now() < until {
            std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
        }
        let batch = std::iter::once(first).chain(items.try_iter());
        if let Err(error) = write(&mut store, batch, &mut bursts) {
            return tell(&format!("no more history is kept: {error}"));
        }
    }
}

fn write(store: &mut Store, batch: impl Iterator<Item = Item>, bursts: &mut Bursts) -> Result<(), StoreError> {
    let now = Instant::now();
    let mut changes = Vec::new();
    for item in batch {
        match item {
            Item::Counted(entry) => bursts.add(*entry, now),
            Item::Single(entry, curves) => {
                changes.push(Change::New(entry, (!curves.is_empty()).then(|| curves.encode())));
            }
        }
    }
    let singles = changes.len();
    changes.extend(bursts.changes());
    let ids = store.write(&changes)?;
    bursts.written(ids.into_iter().skip(singles));
    Ok(())
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
