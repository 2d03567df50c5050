//! A thread that writes what others have to say, so that they never wait for who reads it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::thread::Thread;

use super::backlog::Backlog;
use super::screen::{Said, Screen};

/// A reader who takes nothing for so long at the end is given up.
const QUIET_MAX: Duration = Duration::from_secs(2);
/// All that is left has to be written in this time.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// What is said together is written together, up to so many bytes: a pipe takes these whole or not at all. pipe(7),
/// `PIPE_BUF`.
const TOGETHER_BYTES: usize = 4096;

/// A thread that the system does not give is tried again so often in all, so much later each time: whoever speaks next may
/// do so much later.
const TRIES: u32 = 10;
const TRY_INTERVAL: Duration = Duration::from_millis(10);

/// One thread that writes, and what waits for it. It is never joined: it may wait for its reader for ever.
#[derive(Debug)]
pub(super) struct Printer {
    name: &'static str,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    backlog: Backlog<Said>,
    thread: Option<Thread>,
    /// How often the thread is tried again at once.
    tries_left: u32,
    /// More is said at once, and is written with what waits.
    is_held: bool,
    is_writing: bool,
    /// How often something was written.
    writes: u64,
    /// The reader was waited for in vain after so many writes.
    given_up_after: Option<u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            backlog: Backlog::default(),
            thread: None,
            tries_left: TRIES,
            is_held: false,
            is_writing: false,
            writes: 0,
            given_up_after: None,
        }
    }
}

impl Printer {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            shared: Arc::default(),
        }
    }

    /// Has this written, and returns at once.
    pub(super) fn push(&self, said: Said, is_sample: bool) {
        let mut state = self.shared.lock();
        let bytes = said.bytes();
        state.backlog.push(said, bytes, is_sample);
        if state.thread.is_none() {
            state.thread = self.start(&mut state.tries_left);
        }
        if !state.is_held {
            self.shared.changed.notify_all();
        }
    }

    /// The thread that writes. Where the system gives none now, it may in a moment, or when the next is said; until then
    /// what is said waits.
    fn start(&self, tries_left: &mut u32) -> Option<Thread> {
        loop {
            let shared = Arc::clone(&self.shared);
            let started = Thread::start(self.name, move || shared.write_on()).ok();
            if started.is_some() || *tries_left == 0 {
                return started;
            }
            *tries_left -= 1;
            std::thread::sleep(TRY_INTERVAL);
        }
    }

    /// Whether more is said at once, so that it is written together.
    pub(super) fn hold(&self, holds: bool) {
        self.shared.lock().is_held = holds;
        if !holds {
            self.shared.changed.notify_all();
        }
    }

    /// Waits until all is written, but not for a reader who takes nothing. Returns whether it is.
    pub(super) fn finish(&self) -> bool {
        let until = Instant::now() + LAST_WAIT;
        let mut quiet_until = Instant::now() + QUIET_MAX;
        self.write_without_a_thread();
        let mut state = self.shared.lock();
        state.is_held = false;
        self.shared.changed.notify_all();
        let mut writes = state.writes;
        while state.is_writing || !state.backlog.is_empty() {
            let left = quiet_until.min(until).saturating_duration_since(Instant::now());
            if left.is_zero() || state.given_up_after == Some(state.writes) {
                state.given_up_after = Some(state.writes);
                return false;
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.writes > writes {
                writes = state.writes;
                quiet_until = Instant::now() + QUIET_MAX;
            }
        }
        true
    }

    /// Writes what waits where the system gave no thread for that: the line that tells so is among it.
    fn write_without_a_thread(&self) {
        let mut screen = Screen::default();
        loop {
            let mut state = self.shared.lock();
            if state.thread.is_some() || state.backlog.is_empty() {
                return;
            }
            let omitted = state.backlog.take_omitted();
            let said = state.backlog.pop_up_to(TOGETHER_BYTES);
            drop(state);
            screen.show(omitted, said);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that panics is done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes for as long as the process lives.
    fn write_on(&self) -> ! {
        let mut screen = Screen::default();
        loop {
            let mut state = self.lock();
            while state.is_held || state.backlog.is_empty() {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_writing = true;
            let omitted = state.backlog.take_omitted();
            let said = state.backlog.pop_up_to(TOGETHER_BYTES);
            drop(state);
            screen.show(omitted, said);
            let mut state = self.lock();
            state.is_writing = false;
            state.writes += 1;
            drop(state);
            self.changed.notify_all();
        }
    }
}
