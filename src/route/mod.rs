//! How bytes leave and how they land: one file a route behind one small trait each.

mod decide;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod receive;
mod requested;
pub(crate) mod send;

pub(crate) use decide::{NoHandoff, Sending, SourceKind, send_route, why_no_handoff};
pub use requested::{ReceiveRouteChoice, SendRouteChoice};

/// What one call of a route cost beside its system call on the socket, counted from what the kernel does in that call:
/// `send(2)` and `recv(2)` copy each byte once; `sendfile(2)`, and `splice(2)` from a socket, pass pages on; a write
/// into a file copies into its page cache, and a read copies out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Further system calls.
    pub(crate) syscalls: u64,
    /// Bytes that the CPU copied from one place in memory to another, in the kernel or here.
    pub(crate) copied_bytes: u64,
}

impl Cost {
    /// The cost of a call that copied `bytes` and made no further system call.
    pub(crate) fn copied(bytes: usize) -> Self {
        Self {
            syscalls: 0,
            copied_bytes: bytes as u64,
        }
    }
}
