//! Pause, cancel and limit: set from anywhere, in effect at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::sys::Wake;

use super::event::Side;

/// Shared by a transfer's handle and its threads.
#[derive(Debug)]
pub(super) struct Controls {
    paused: AtomicBool,
    cancelled: AtomicBool,
    /// 0 is no limit.
    limit_bytes_per_s: AtomicU64,
    sender: Wake,
    receiver: Wake,
}

impl Controls {
    pub(super) fn new(limit_bytes_per_s: Option<u64>) -> io::Result<Self> {
        Ok(Self {
            paused: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            limit_bytes_per_s: AtomicU64::new(limit_bytes_per_s.unwrap_or(0)),
            sender: Wake::new()?,
            receiver: Wake::new()?,
        })
    }

    pub(super) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn set_limit(&self, bytes_per_s: Option<u64>) {
        self.limit_bytes_per_s.store(bytes_per_s.unwrap_or(0), Ordering::SeqCst);
        self.wake();
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst)
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    pub(super) fn limit_bytes_per_s(&self) -> Option<u64> {
        Some(self.limit_bytes_per_s.load(Ordering::SeqCst)).filter(|limit| *limit > 0)
    }

    /// What ends a wait of that side's thread.
    pub(super) fn wake_of(&self, side: Side) -> &Wake {
        match side {
            Side::Sender => &self.sender,
            Side::Receiver => &self.receiver,
        }
    }

    fn wake(&self) {
        self.sender.wake();
        self.receiver.wake();
    }
}
