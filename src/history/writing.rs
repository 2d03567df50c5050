//! What the thread of the history does: it writes what ended, a batch a moment. What cannot be written now is tried again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::bursts::Bursts;
use super::recording::Tell;
use super::store::{Change, FileId, Store, StoreError};
use super::writer::{Item, missing};

/// What ends within this time is written together.
const MOMENT: Duration = Duration::from_millis(100);

/// What could not be written is tried again so often.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Trouble that has lasted so long is told: another process may write for a moment.
const TROUBLE_TOLD_AFTER: Duration = Duration::from_secs(10);

/// So many entries wait for the trouble to pass; what comes beyond is counted and told.
const WAITING_MAX: usize = 4096;

/// Writes what comes until nothing more can come, or nothing can ever be written.
pub(super) fn write_on(
    path: Option<&Path>,
    is_for_long: bool,
    items: &Receiver<Item>,
    is_ending: &AtomicBool,
    tell: &Tell,
) {
    let Some(path) = path else {
        return tell(&format!("no history is kept: {}", StoreError::NoPlace));
    };
    let mut writing = Writing::new(path, tell);
    loop {
        let first = if writing.waits() {
            items.recv_timeout(RETRY_INTERVAL)
        } else {
            items.recv().map_err(RecvTimeoutError::from)
        };
        match first {
            Ok(first) => {
                let until = Instant::now() + MOMENT;
                // While it rests nobody who sends has to wake it.
                while !is_ending.load(Ordering::Acquire) && Instant::now() < until {
                    std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
                }
                writing.take(std::iter::once(first).chain(items.try_iter()));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if let Err(error) = writing.write(Instant::now()) {
            let more = if writing.file.is_some() { "more " } else { "" };
            return tell(&format!("no {more}history is kept: {error}"));
        }
    }
    writing.end(is_for_long);
}

struct Writing<'a> {
    path: &'a Path,
    tell: &'a Tell,
    store: Option<Store>,
    /// The file in which the bursts have their numbers.
    file: Option<FileId>,
    bursts: Bursts,
    /// Entries that wait to be written.
    singles: Vec<Change>,
    /// Why they could not be written.
    trouble: Option<Trouble>,
    /// Transfers that found no place to wait.
    lost: u64,
}

struct Trouble {
    error: StoreError,
    since: Instant,
    tried: Instant,
    is_told: bool,
}

impl<'a> Writing<'a> {
    fn new(path: &'a Path, tell: &'a Tell) -> Self {
        Self {
            path,
            tell,
            store: None,
            file: None,
            bursts: Bursts::default(),
            singles: Vec::new(),
            trouble: None,
            lost: 0,
        }
    }

    /// Whether anything is still to be written.
    fn waits(&self) -> bool {
        self.trouble.is_some()
    }

    fn take(&mut self, items: impl Iterator<Item = Item>) {
        let now = Instant::now();
        for item in items {
            match item {
                Item::Counted(entry) => self.bursts.add(*entry, now),
                Item::Single(entry, curves) if self.singles.len() < WAITING_MAX => {
                    let curves = (!curves.is_empty()).then(|| curves.encode());
                    self.singles.push(Change::New(entry, curves));
                }
                Item::Single(..) => self.lose(),
            }
        }
    }

    fn lose(&mut self) {
        if self.lost == 0 {
            let why = self.trouble.as_ref().map(|trouble| trouble.error.to_string());
            let why = why.unwrap_or_else(|| "they come faster than it is written".into());
            (self.tell)(&format!("transfers are missing in the history from now on: {why}"));
        }
        self.lost += 1;
    }

    /// Writes what waits, unless that went wrong a moment ago.
    ///
    /// # Errors
    /// One that never passes.
    fn write(&mut self, now: Instant) -> Result<(), StoreError> {
        let has_rest = |trouble: &Trouble| now < trouble.tried + RETRY_INTERVAL;
        if self.trouble.as_ref().is_some_and(has_rest) {
            return Ok(());
        }
        match self.try_write() {
            Ok(()) => self.trouble = None,
            Err(error) if error.may_pass() => self.meet(error, now),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn meet(&mut self, error: StoreError, now: Instant) {
        let known = self.trouble.as_ref();
        let (since, was_told) = known.map_or((now, false), |trouble| (trouble.since, trouble.is_told));
        let is_long = now.saturating_duration_since(since) >= TROUBLE_TOLD_AFTER;
        if is_long && !was_told {
            (self.tell)(&format!(
                "the history is not written now, which is tried again: {error}"
            ));
        }
        self.trouble = Some(Trouble {
            error,
            since,
            tried: now,
            is_told: was_told || is_long,
        });
    }

    fn try_write(&mut self) -> Result<(), StoreError> {
        let singles = self.singles.len();
        self.open()?;
        let Some(store) = &mut self.store else { return Ok(()) };
        self.singles.extend(self.bursts.changes());
        match store.write(&self.singles) {
            Ok(ids) => {
                self.singles.clear();
                self.bursts.written(ids.into_iter().skip(singles));
                Ok(())
            }
            Err(error) => {
                self.singles.truncate(singles);
                // A connection that met an error of its disk may not find out that this is over.
                self.store = None;
                Err(error)
            }
        }
    }

    /// Opens the history where it is not open, or where its file has been moved away.
    fn open(&mut self) -> Result<(), StoreError> {
        if self.store.as_ref().is_some_and(Store::is_in_place) {
            return Ok(());
        }
        let store = Store::open(self.path)?;
        if self
            .file
            .replace(store.file())
            .is_some_and(|known| known != store.file())
        {
            self.bursts.leave();
        }
        self.store = Some(store);
        Ok(())
    }

    /// Nothing more comes: tries once more what waits, and tells what is lost.
    fn end(mut self, is_for_long: bool) {
        let trouble = match self.trouble.take() {
            Some(_) => self.try_write().err(),
            None => None,
        };
        if trouble.is_some() {
            self.lost += self.singles.len() as u64 + self.bursts.unwritten();
        }
        if self.lost > 0 {
            let why = trouble.map(|error| format!(": {error}")).unwrap_or_default();
            (self.tell)(&(missing(self.lost) + &why));
        }
        if let Some(store) = self.store.filter(|_| is_for_long) {
            store.close_whole();
        }
    }
}
