//! Waiting on a socket and on a wake descriptor at once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

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
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
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
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    let is_timeout = match poll(&mut descriptors, timeout.as_ref()) {
        Ok(count) => count == 0,
        Err(rustix::io::Errno::INTR) => false,
        Err(error) => return Err(error.into()),
    };
    let woken = !descriptors[0].revents().is_empty();
    let is_ready = !flags.is_empty() && !descriptors[1].revents().is_empty();
    if woken {
        wake.clear();
    }
    Ok(Waited { is_ready, is_timeout })
}

/// Waits until one of these sockets can be written to or has failed, someone wakes us, or the time is over.
pub(crate) fn wait_for_writable<'a>(
    sockets: impl Iterator<Item = BorrowedFd<'a>>,
    wake: &'a Wake,
    timeout: Duration,
) -> io::Result<()> {
    let mut descriptors = vec![PollFd::new(&wake.0, PollFlags::IN)];
    descriptors.extend(sockets.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::OUT)));
    let timeout = Timespec::try_from(timeout).ok();
    match poll(&mut descriptors, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    if !descriptors[0].revents().is_empty() {
        wake.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    const READ: Interest = Interest {
        read: true,
        write: false,
    };

    #[test]
    fn a_wake_before_or_during_the_wait_ends_it_once() {
        let (socket, _peer) = UnixStream::pair().expect("pair");
        let wake = Wake::new().expect("eventfd");
        wake.wake();
        wake.wake();
        assert!(!wait(socket.as_fd(), READ, &wake, None).expect("woken"));
        assert!(!wait(socket.as_fd(), READ, &wake, Some(Duration::ZERO)).expect("timed out"));
    }

    #[test]
    fn a_readable_socket_ends_the_wait() {
        let (socket, mut peer) = UnixStream::pair().expect("pair");
        let wake = Wake::new().expect("eventfd");
        peer.write_all(b"x").expect("write");
        assert!(wait(socket.as_fd(), READ, &wake, None).expect("ready"));
        assert!(
            !wait(
                socket.as_fd(),
                Interest {
                    read: false,
                    write: false
                },
                &wake,
                Some(Duration::ZERO)
            )
            .expect("none")
        );
    }
}
