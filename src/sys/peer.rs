//! Who is at the other end of a Unix socket.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// A process as it was when it connected, or began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) uid: u32,
    /// `None` where it has no number here: it runs in a container, or on the host of this one.
    pub(crate) pid: Option<u32>,
}

impl Peer {
    /// Whether it is this user's, or root's.
    pub(crate) fn is_ours(self) -> bool {
        is_ours(self.uid, rustix::process::geteuid().as_raw(), knows_all_users())
    }
}

/// Every user that a user namespace does not know has this number there. `user_namespaces(7)`.
const OVERFLOW_UID: u32 = 65534;

/// Whether a process of user `uid` is of the user `own`, or root's. Where not all users are known, that number is nobody's.
fn is_ours(uid: u32, own: u32, knows_all: bool) -> bool {
    uid == 0 || (uid == own && (knows_all || uid != OVERFLOW_UID))
}

/// Whether every user has a number of its own in this user namespace.
fn knows_all_users() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let fields: Vec<&str> = map.split_whitespace().collect();
    matches!(fields[..], ["0", _, "4294967295"])
}

/// The process at the other end. `unix(7)`, `SO_PEERCRED`. A process of another PID namespace has the number 0 there
/// (`pid_namespaces(7)`), for which rustix has no value.
///
/// # Errors
/// It is no socket.
pub(crate) fn peer_of(socket: BorrowedFd<'_>) -> io::Result<Peer> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = libc::socklen_t::try_from(size_of::<libc::ucred>()).unwrap_or(0);
    // SAFETY: the kernel writes at most `length` bytes to the structure, and the length to `length`; both live until the
    // call returns.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    let pid = u32::try_from(found.pid).ok().filter(|pid| *pid != 0);
    Ok(Peer { uid: found.uid, pid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_user_that_a_namespace_does_not_know_is_never_oneself() {
        for (uid, own, knows_all, is_one) in [
            (1000, 1000, false, true),
            (1001, 1000, true, false),
            (0, 1000, false, true),
            (1000, 0, true, false),
            (OVERFLOW_UID, OVERFLOW_UID, false, false),
            (OVERFLOW_UID, OVERFLOW_UID, true, true),
        ] {
            assert_eq!(is_ours(uid, own, knows_all), is_one, "{uid} {own} {knows_all}");
        }
    }

    #[test]
    fn the_other_end_of_a_pair_is_this_process() {
        let (ours, _theirs) = UnixStream::pair().expect("pair");
        let peer = peer_of(ours.as_fd()).expect("a socket");
        assert!(peer.is_ours());
        assert_eq!(peer.pid, Some(std::process::id()));
    }
}
