//! How bytes land.

mod discard;
mod file;
mod handoff;
mod map;
mod memory;
mod scratch;
mod splice;

use std::io;
use std::os::fd::BorrowedFd;

use crate::sys::Span;

use super::Cost;
pub(crate) use discard::Discard;
pub(crate) use file::RecvToFile;
pub(crate) use handoff::{Handed, UNSEALED};
pub(crate) use map::RecvToMap;
pub(crate) use memory::RecvToMemory;
pub(crate) use splice::{Splice, takes_splice};

/// Lets bytes of one array land. Positions count from the array's first byte.
pub(crate) trait ReceiveRoute: Send {
    /// The name for commands and screens.
    fn name(&self) -> &'static str;

    /// What comes next belongs to this part of the array, and to nobody else.
    fn begin(&mut self, _span: Span) {}

    /// Takes what the socket has, at most `len` bytes, to position `at`; `seen` gets the same bytes, in order, while
    /// they are still in cache, at once or in pieces. Zero bytes mean that the peer has closed the connection.
    fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError>;

    /// What the last `receive` has cost, which received so many bytes.
    fn cost(&self, received: usize) -> Cost;
}

/// Why bytes did not land.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    /// What the socket said, "would block" included.
    Socket(io::Error),
    /// What the sink said.
    Sink(io::Error),
}

/// `recv(2)` into a slice.
fn recv_slice(socket: BorrowedFd<'_>, into: &mut [u8]) -> Result<usize, ReceiveError> {
    match rustix::net::recv(socket, into, rustix::net::RecvFlags::empty()) {
        Ok((received, _)) => Ok(received),
        Err(error) => Err(ReceiveError::Socket(error.into())),
    }
}

/// `pwrite(2)` until all is written.
fn write_all_at(file: &std::fs::File, bytes: &[u8], at: u64) -> Result<(), ReceiveError> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at).map_err(ReceiveError::Sink)
}
