//! Closing a connection so that the peer can read what it was told last: closing with bytes of its own unread would
//! reset the connection under its hands.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::sys::{Interest, Wake, awake_now, wait};
use crate::transfer::net::socket::would_block;

/// A peer gets so long to read why it ends here.
const LONGEST: Duration = Duration::from_millis(500);
const DISCARDED_BYTES: usize = 16 << 10;

/// A connection over which nothing more is said, and that closes when the peer has read what was, or had time to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linger {
    deadline: Instant,
}

impl Linger {
    /// Says that nothing more comes; `None` where nobody is there to read it.
    pub(crate) fn begin(socket: BorrowedFd<'_>, now: Instant) -> Option<Self> {
        shutdown(socket, Shutdown::Write).ok()?;
        Some(Self {
            deadline: now + LONGEST,
        })
    }

    /// When it is over at the latest.
    pub(crate) fn deadline(self) -> Instant {
        self.deadline
    }

    /// Reads away what comes, without waiting. Until when to come again; `None` when it is over.
    pub(crate) fn step(self, socket: BorrowedFd<'_>, now: Instant) -> Option<Instant> {
        let mut discarded = [0; DISCARDED_BYTES];
        if now >= self.deadline {
            return None;
        }
        match recv(socket, &mut discarded[..], RecvFlags::DONTWAIT) {
            // More of it is looked at when it is asked again.
            Ok((1.., _)) => Some(now),
            Err(error) if would_block(&error.into()) => Some(self.deadline),
            Ok((0, _)) | Err(_) => None,
        }
    }

    /// Waits until it is over, or a wake.
    pub(crate) fn wait(self, socket: BorrowedFd<'_>, wake: &Wake) {
        let interest = Interest::READ;
        while let Some(until) = self.step(socket, awake_now()) {
            let left = until.saturating_duration_since(awake_now());
            if wait(socket, interest, wake, Some(left)).is_err() {
                return;
            }
        }
    }
}
