//! Events on their way to a reader that is never waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{SendTimeoutError, Sender, TrySendError};

/// At the end, a reader that does not read is waited for so long in all.
const LAST_CHANCE: Duration = Duration::from_millis(200);

/// Who waits for room looks so often whether that is still wanted.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Called from a transfer's thread after events were sent, at most some 20 times a second.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// Sends events through a bounded channel. An event that finds no room is kept for later, or dropped if it is a sample:
/// the next one tells as much.
#[derive(Debug)]
pub(crate) struct EventQueue<T> {
    events: Sender<T>,
    pending: VecDeque<T>,
}

impl<T> EventQueue<T> {
    pub(crate) fn new(events: Sender<T>) -> Self {
        Self {
            events,
            pending: VecDeque::new(),
        }
    }

    /// Sends an event, now or when there is room.
    pub(crate) fn keep(&mut self, event: T) {
        self.retry();
        self.pending.push_back(event);
        self.retry();
    }

    /// Keeps an event for the next [`EventQueue::retry`], so that many events wake their reader once.
    pub(crate) fn hold(&mut self, event: T) {
        self.pending.push_back(event);
    }

    /// Sends an event if there is room, and drops it if not.
    pub(crate) fn offer(&mut self, event: T) {
        self.retry();
        if self.pending.is_empty() {
            // Full, or nobody listens any more.
            let _ = self.events.try_send(event);
        }
    }

    /// Sends the events that are kept, as far as there is room.
    pub(crate) fn retry(&mut self) {
        while let Some(event) = self.pending.pop_front() {
            if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
                self.pending.push_front(event);
                return;
            }
        }
    }

    /// Sends the events that are kept, and waits for room while `keep_waiting` says so and anyone may read.
    pub(crate) fn make_room(&mut self, keep_waiting: impl Fn() -> bool) {
        while let Some(event) = self.pending.pop_front() {
            if let Err(SendTimeoutError::Timeout(event)) = self.events.send_timeout(event, LOOK_INTERVAL) {
                self.pending.push_front(event);
                if !keep_waiting() {
                    return;
                }
            }
        }
    }

    /// The number of events that are kept.
    pub(crate) fn kept(&self) -> usize {
        self.pending.len()
    }

    /// Sends what is left, for as long as a reader can be hoped for.
    pub(crate) fn finish(mut self) {
        let deadline = Instant::now() + LAST_CHANCE;
        while let Some(event) = self.pending.pop_front() {
            if self.events.send_deadline(event, deadline).is_err() {
                break;
            }
        }
    }
}
