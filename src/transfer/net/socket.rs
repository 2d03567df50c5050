//! How sockets to peers are set up, and what their errors mean.

use std::io;

use socket2::{Domain, Socket};

/// Kernel buffers for a peer on this machine; over a network the kernel finds its own size, which follows the path.
const LOCAL_BUFFER_BYTES: usize = 4 << 20;
/// For a peer on this machine, in this order: both move bytes as fast as memory does, where others pace themselves.
const LOCAL_CONGESTION_CONTROLS: [&[u8]; 2] = [b"reno", b"cubic"];

/// Buffers of the size that was asked for. For a peer on this machine else large ones, and no pacing, as far as this
/// user may; whatever is refused only costs speed.
pub(crate) fn prepare(socket: &Socket, local: bool, buffer_bytes: Option<usize>) {
    if let Some(bytes) = buffer_bytes.or(local.then_some(LOCAL_BUFFER_BYTES)) {
        let _ = socket.set_send_buffer_size(bytes);
        let _ = socket.set_recv_buffer_size(bytes);
    }
    if local && socket.domain().is_ok_and(|domain| domain != Domain::UNIX) {
        let _ = LOCAL_CONGESTION_CONTROLS
            .iter()
            .any(|name| socket.set_tcp_congestion(name).is_ok());
    }
}

/// Whether an error only says that the call would have waited, or was interrupted.
pub(crate) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Whether an error of a socket says that the peer, or the way to it, is gone. Any other one is this system's own.
pub(crate) fn is_broken(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::BrokenPipe
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::ConnectionRefused
            | Kind::NotConnected
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::UnexpectedEof
    )
}
