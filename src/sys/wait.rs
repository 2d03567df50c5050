//! Waiting on a socket and on a wake descriptor at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::{Errno, retry_on_intr};

use super::awake::{awake_now, ticking};

/// Ends another thread's [`wait`] at once. `eventfd(2)`.
#[derive(Debug)]
pub(crate) struct Wake(OwnedFd);

impl Wake {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Ends the current wait, or the next one.
    pub(crate) fn wake(&self) {
        // A full counter means that a wake is pending already.
        let _ = retry_on_intr(|| rustix::io::write(&self.0, &1_u64.to_ne_bytes()));
    }

    fn clear(&self) {
        // An empty counter means that nobody woke us.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What a socket should be ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interest {
    pub(crate) read: bool,
    pub(crate) write: bool,
}

impl Interest {
    pub(crate) const READ: Self = Self {
        read: true,
        write: false,
    };
    pub(crate) const WRITE: Self = Self {
        read: false,
        write: true,
    };
    /// Nothing but an end or an error.
    pub(crate) const NOTHING: Self = Self {
        read: false,
        write: false,
    };
}

/// Waits until the socket is ready, someone wakes us, or the time is over (`None`: it never is).
/// Returns whether the socket is ready; an error or hang-up of the socket counts as ready, so that the next call tells.
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    interest: Interest,
    wake: &Wake,
    timeout: Option<Duration>,
) -> io::Result<bool> {
    wait_also_for(None, socket, interest, wake, timeout).map(|waited| waited.is_ready)
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waited {
    /// The socket is ready.
    pub(crate) is_ready: bool,
    /// The time was over. A clock cannot tell: a thread may run late after a wake, too.
    pub(crate) is_timeout: bool,
}

/// As [`wait`], and ends, too, when `readable` is.
pub(crate) fn wait_also_for(
    readable: Option<BorrowedFd<'_>>,
    socket: BorrowedFd<'_>,
    interest: Interest,
    wake: &Wake,
    timeout: Option<Duration>,
) -> io::Result<Waited> {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, interest.read);
    flags.set(PollFlags::OUT, interest.write);
    // Without interest a hang-up must not end the wait again and again: then the wake descriptor stands in.
    let of_wake = || PollFd::new(&wake.0, PollFlags::IN);
    let mut descriptors = [
        of_wake(),
        if flags.is_empty() {
            of_wake()
        } else {
            PollFd::from_borrowed_fd(socket, flags)
        },
        readable.map_or_else(of_wake, |readable| PollFd::from_borrowed_fd(readable, PollFlags::IN)),
    ];
    let is_timeout = poll_for(&mut descriptors, timeout)?;
    let woken = !descriptors[0].revents().is_empty();
    let is_ready = !flags.is_empty() && !descriptors[1].revents().is_empty();
    if woken {
        wake.clear();
    }
    Ok(Waited { is_ready, is_timeout })
}

/// Waits until one of these sockets is ready for what is wanted of it or has failed, someone wakes us, or the time is
/// over (`None`: it never is).
pub(crate) fn wait_for_any<'a>(
    sockets: impl Iterator<Item = (BorrowedFd<'a>, Interest)>,
    wake: &'a Wake,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut descriptors = vec![PollFd::new(&wake.0, PollFlags::IN)];
    for (socket, interest) in sockets {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, interest.read);
        flags.set(PollFlags::OUT, interest.write);
        // Without interest a hang-up must not end the wait again and again.
        if !flags.is_empty() {
            descriptors.push(PollFd::from_borrowed_fd(socket, flags));
        }
    }
    poll_for(&mut descriptors, timeout)?;
    if !descriptors[0].revents().is_empty() {
        wake.clear();
    }
    Ok(())
}

/// Polls until one of them is ready, a signal comes, or the time is over, which it returns. Time that is slept through
/// does not count.
fn poll_for(descriptors: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    let end = timeout.map(|timeout| awake_now() + timeout);
    loop {
        let left = end.map(|end| end.saturating_duration_since(awake_now()));
        let polled = ticking(left, |part| {
            let part = part.and_then(|part| Timespec::try_from(part).ok());
            poll(descriptors, part.as_ref())
        });
        match polled {
            Ok(0) if end.is_some_and(|end| awake_now() < end) => {}
            Ok(count) => return Ok(count == 0),
            Err(Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_wake_before_or_during_the_wait_ends_it_once() {
        let (socket, _peer) = UnixStream::pair().expect("pair");
        let wake = Wake::new().expect("eventfd");
        wake.wake();
        wake.wake();
        assert!(!wait(socket.as_fd(), Interest::READ, &wake, None).expect("woken"));
        assert!(!wait(socket.as_fd(), Interest::READ, &wake, Some(Duration::ZERO)).expect("timed out"));
    }

    #[test]
    fn a_readable_socket_ends_the_wait() {
        let (socket, mut peer) = UnixStream::pair().expect("pair");
        let wake = Wake::new().expect("eventfd");
        peer.write_all(b"x").expect("write");
        assert!(wait(socket.as_fd(), Interest::READ, &wake, None).expect("ready"));
        assert!(!wait(socket.as_fd(), Interest::NOTHING, &wake, Some(Duration::ZERO)).expect("none"));
    }
}
