//! What a TCP socket knows of its peer.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Bytes written to a TCP socket that its peer has not acknowledged. `tcp(7)`, SIOCOUTQ.
pub(crate) fn unacknowledged_bytes(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (TIOCOUTQ by another name) writes one int to the pointer, which is to a live one.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;

    #[test]
    fn what_a_peer_leaves_in_a_full_window_is_unacknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let mut stream = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        assert_eq!(unacknowledged_bytes(stream.as_fd()).expect("a socket"), 0);
        stream.set_nonblocking(true).expect("non-blocking");
        while stream.write(&[0; 1 << 12]).is_ok() {}
        assert!(unacknowledged_bytes(stream.as_fd()).expect("a socket") > 0);
    }
}
