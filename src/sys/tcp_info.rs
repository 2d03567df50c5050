//! What the kernel knows of a TCP connection: `TCP_INFO` of `tcp(7)`, `struct tcp_info` of `linux/tcp.h`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// The end of the last field that is read; the structure grows at its end from kernel to kernel.
const INFO_BYTES: usize = 192;

/// One connection at an instant. What an older kernel does not tell is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TcpInfo {
    /// The smoothed round trip.
    pub(crate) rtt: Duration,
    /// What may be under way without an acknowledgement, by congestion control.
    pub(crate) congestion_window_bytes: u64,
    /// Segments that were sent again, so far.
    pub(crate) retransmits: u64,
    /// The latest rate at which bytes were delivered, in bytes a second.
    pub(crate) delivery_rate_bytes_per_s: u64,
    /// That rate was as low as it was because the program had no more to send.
    pub(crate) is_app_limited: bool,
    /// Time with something to send or unacknowledged, so far.
    pub(crate) busy: Duration,
    /// Of it, the time in which the peer's receive window was full.
    pub(crate) receive_window_limited: Duration,
    /// Of it, the time in which the send buffer was too small.
    pub(crate) send_buffer_limited: Duration,
}

/// Asks the kernel; an error on what is no TCP socket.
pub(crate) fn tcp_info(socket: BorrowedFd<'_>) -> io::Result<TcpInfo> {
    let mut bytes = [0_u8; INFO_BYTES];
    // At most 192.
    #[expect(clippy::cast_possible_truncation, reason = "a small constant")]
    let mut len = INFO_BYTES as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes to the buffer, which has that length, and the number that it wrote
    // to `len`; both pointers are to live values. Bytes have no invalid values.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            bytes.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(read(&bytes))
}

/// The fields at their places in `struct tcp_info`; the kernel leaves what it does not know zero.
fn read(bytes: &[u8; INFO_BYTES]) -> TcpInfo {
    let small = |at: usize| {
        let mut value = [0; 4];
        value.copy_from_slice(&bytes[at..at + 4]);
        u64::from(u32::from_ne_bytes(value))
    };
    let large = |at: usize| {
        let mut value = [0; 8];
        value.copy_from_slice(&bytes[at..at + 8]);
        u64::from_ne_bytes(value)
    };
    TcpInfo {
        // The lowest of the bits that follow the two window scales.
        is_app_limited: bytes[7] & 1 != 0,
        rtt: Duration::from_micros(small(68)),
        // Counted in segments of tcpi_snd_mss.
        congestion_window_bytes: small(80) * small(16),
        retransmits: small(100),
        delivery_rate_bytes_per_s: large(160),
        busy: Duration::from_micros(large(168)),
        receive_window_limited: Duration::from_micros(large(176)),
        send_buffer_limited: Duration::from_micros(large(184)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    #[cfg_attr(miri, ignore = "miri has no TCP_INFO")]
    fn a_connection_whose_peer_does_not_read_is_limited_by_the_peers_window() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let mut stream = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        let (mut peer, _) = listener.accept().expect("accept");
        let fresh = tcp_info(stream.as_fd()).expect("a TCP socket");
        assert_eq!((fresh.busy, fresh.retransmits), (Duration::ZERO, 0));
        assert!(fresh.congestion_window_bytes > 1000 && fresh.congestion_window_bytes < 10_000_000);
        stream.set_nonblocking(true).expect("non-blocking");
        while stream.write(&[0; 1 << 14]).is_ok() {}
        std::thread::sleep(Duration::from_millis(50));
        let full = tcp_info(stream.as_fd()).expect("a TCP socket");
        assert!(full.busy > Duration::ZERO && full.rtt > Duration::ZERO && full.rtt < Duration::from_secs(1));
        assert!(full.receive_window_limited > Duration::ZERO, "{full:?}");
        assert!(full.receive_window_limited + full.send_buffer_limited <= full.busy + Duration::from_millis(1));
        let _ = peer.read(&mut [0; 1 << 14]).expect("read");
        assert!(tcp_info(stream.as_fd()).expect("still").delivery_rate_bytes_per_s > 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no TCP_INFO")]
    fn a_unix_socket_has_none() {
        let (socket, _peer) = UnixStream::pair().expect("pair");
        assert!(tcp_info(socket.as_fd()).is_err());
    }

    #[test]
    fn fields_lie_where_the_header_puts_them() {
        let mut bytes = [0; INFO_BYTES];
        bytes[7] = 0b10;
        for (at, value) in [(16, 1448_u32), (68, 250), (80, 10), (100, 7)] {
            bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes());
        }
        for (at, value) in [(160, 5_000_000_000_u64), (168, 3_000_000), (176, 2_000_000), (184, 1)] {
            bytes[at..at + 8].copy_from_slice(&value.to_ne_bytes());
        }
        let expected = TcpInfo {
            rtt: Duration::from_micros(250),
            congestion_window_bytes: 14_480,
            retransmits: 7,
            delivery_rate_bytes_per_s: 5_000_000_000,
            is_app_limited: false,
            busy: Duration::from_secs(3),
            receive_window_limited: Duration::from_secs(2),
            send_buffer_limited: Duration::from_micros(1),
        };
        assert_eq!(read(&bytes), expected);
    }
}
