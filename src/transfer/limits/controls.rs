//! Pause, cancel, limit and paces: set from anywhere, in effect at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::sys::Wake;
use crate::transfer::limits::command::Command;
use crate::transfer::tell::event::Side;
use crate::wire::native::Farewell;

/// Shared by a transfer's handle and its threads.
#[derive(Debug)]
pub(crate) struct Controls {
    paused: AtomicBool,
    cancelled: AtomicBool,
    /// What was received is not to be gone on with.
    discards: AtomicBool,
    /// 0 is no limit.
    limit_bytes_per_s: AtomicU64,
    writer_pace_bytes_per_s: AtomicU64,
    reader_pace_bytes_per_s: AtomicU64,
    /// A connection of that side has failed, and the others have nothing to go on for: what they tell their peer.
    sender_failed: OnceLock<Farewell>,
    receiver_failed: OnceLock<Farewell>,
    /// The most that was seen of what shows that the peer gets on.
    progress_bytes: AtomicU64,
    /// For so many milliseconds no byte has moved, and others want its place; 0 where it may stay.
    gives_way_after_ms: AtomicU64,
    /// One for each thread of the transfer.
    wakes: Mutex<Vec<Arc<Wake>>>,
    /// How often something has changed, for those who have no such thread.
    changes: AtomicU64,
}

impl Controls {
    pub(crate) fn new(limit_bytes_per_s: Option<u64>) -> Self {
        Self {
            paused: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            discards: AtomicBool::new(false),
            limit_bytes_per_s: AtomicU64::new(limit_bytes_per_s.unwrap_or(0)),
            writer_pace_bytes_per_s: AtomicU64::new(0),
            reader_pace_bytes_per_s: AtomicU64::new(0),
            sender_failed: OnceLock::new(),
            receiver_failed: OnceLock::new(),
            progress_bytes: AtomicU64::new(0),
            gives_way_after_ms: AtomicU64::new(0),
            wakes: Mutex::default(),
            changes: AtomicU64::new(0),
        }
    }

    /// Does what was asked of this transfer, or of all that run.
    pub(crate) fn apply(&self, command: Command) {
        match command {
            Command::Pause { .. } => self.pause(true),
            Command::Resume { .. } => self.pause(false),
            Command::Cancel { .. } => self.cancel(),
            Command::Stop => self.stop(),
            Command::Limit { bytes_per_s, .. } => self.set_limit(bytes_per_s),
            // It is under way, and goes on to its end.
            Command::Drain => {}
        }
    }

    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        self.wake();
    }

    /// The peer has got on so far.
    pub(crate) fn reached(&self, bytes: u64) {
        self.progress_bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    /// How far the peer had got on when somebody last waited for it.
    pub(crate) fn progress_bytes(&self) -> u64 {
        self.progress_bytes.load(Ordering::Relaxed)
    }

    /// Gives up, for good: what was half received is removed.
    pub(crate) fn cancel(&self) {
        self.discards.store(true, Ordering::SeqCst);
        self.stop();
    }

    /// Gives up for now: what was half received stays, where it can be gone on with.
    pub(crate) fn stop(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn set_limit(&self, bytes_per_s: Option<u64>) {
        self.limit_bytes_per_s.store(bytes_per_s.unwrap_or(0), Ordering::SeqCst);
        self.wake();
    }

    /// How fast the program on that side takes or yields bytes, at most.
    pub(crate) fn set_pace(&self, side: Side, bytes_per_s: Option<u64>) {
        self.pace_of(side).store(bytes_per_s.unwrap_or(0), Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Whether somebody wants nothing of it any more, ever.
    pub(crate) fn discards(&self) -> bool {
        self.discards.load(Ordering::SeqCst)
    }

    pub(crate) fn limit_bytes_per_s(&self) -> Option<u64> {
        set(&self.limit_bytes_per_s)
    }

    pub(crate) fn pace_bytes_per_s(&self, side: Side) -> Option<u64> {
        set(self.pace_of(side))
    }

    /// The slowest of the limit and both paces.
    pub(crate) fn slowest_bytes_per_s(&self) -> Option<u64> {
        let paces = [Side::Sender, Side::Receiver].map(|side| self.pace_bytes_per_s(side));
        paces.into_iter().chain([self.limit_bytes_per_s()]).flatten().min()
    }

    /// Stops the other connections of a side, whose peer is told these words by each: it may read any of them first.
    /// The first cause stays.
    pub(crate) fn fail(&self, side: Side, words: Farewell) {
        let _ = self.failed(side).set(words);
        self.wake();
    }

    /// Why a connection of that side has failed, in words for its peer.
    pub(crate) fn failure(&self, side: Side) -> Option<&Farewell> {
        self.failed(side).get()
    }

    pub(crate) fn has_failed(&self, side: Side) -> bool {
        self.failure(side).is_some()
    }

    /// Ends it as too slow: no byte has moved for so long, and others want its place.
    pub(crate) fn give_way(&self, stuck_for: Duration) {
        let ms = u64::try_from(stuck_for.as_millis()).unwrap_or(u64::MAX);
        self.gives_way_after_ms.store(ms.max(1), Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn gives_way_after(&self) -> Option<Duration> {
        set(&self.gives_way_after_ms).map(Duration::from_millis)
    }

    /// What ends the waits of one thread of the transfer, from now on.
    pub(crate) fn new_wake(&self) -> io::Result<Arc<Wake>> {
        let mut wakes = self.wakes();
        let free = wakes.iter().find(|wake| Arc::strong_count(wake) == 1);
        // That of a thread that has ended may end one wait for nothing.
        let wake = free.map_or_else(|| Wake::new().map(Arc::new), |wake| Ok(Arc::clone(wake)))?;
        wakes.retain(|other| Arc::strong_count(other) > 1);
        if !wakes.iter().any(|other| Arc::ptr_eq(other, &wake)) {
            wakes.push(Arc::clone(&wake));
        }
        drop(wakes);
        Ok(wake)
    }

    /// Lets every thread look at what has changed.
    pub(crate) fn wake(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.wakes().iter().for_each(|wake| wake.wake());
    }

    /// How often that was.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    fn failed(&self, side: Side) -> &OnceLock<Farewell> {
        match side {
            Side::Sender => &self.sender_failed,
            Side::Receiver => &self.receiver_failed,
        }
    }

    fn pace_of(&self, side: Side) -> &AtomicU64 {
        match side {
            Side::Sender => &self.writer_pace_bytes_per_s,
            Side::Receiver => &self.reader_pace_bytes_per_s,
        }
    }

    fn wakes(&self) -> MutexGuard<'_, Vec<Arc<Wake>>> {
        // Nothing that panics is done under the lock.
        self.wakes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn set(value: &AtomicU64) -> Option<u64> {
    Some(value.load(Ordering::SeqCst)).filter(|value| *value > 0)
}
