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

use rustix::net::{RecvFlags, recv};

use crate::ledger::Span;

use super::Cost;
pub(crate) use discard::Discard;
pub(crate) use file::RecvToFile;
pub(crate) use handoff::{Handed, UNSEALED};
pub(crate) use map::RecvToMap;
pub(crate) use memory::RecvToMemory;
pub(crate) use splice::{Splice, takes_splice};

/// Receives bytes of one array to where they belong. Positions count from the array's first byte.
pub(crate) trait ReceiveRoute: Send {
    /// The name for commands and screens.
    fn name(&self) -> &'static str;

    /// The bytes that come next belong to this part of the array, which no other connection writes.
    fn begin(&mut self, _span: Span) {}

    /// Receives the bytes that have arrived, at most `len`, to position `at`, and returns how many. `seen` gets the
    /// same bytes, in order, in one piece or several, while they are in cache. Zero bytes mean that the stream ended.
    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError>;

    /// What the last `receive` cost, which received `received` bytes.
    fn cost(&self, received: usize) -> Cost;
}

/// Where bytes come from.
pub(crate) trait Inflow {
    /// Reads the bytes that have arrived to the beginning of `into`. Zero bytes mean that the stream has ended.
    fn take(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// The socket that the bytes come from, for routes that keep them in the kernel; `None` if they have to be decoded
    /// here first.
    fn socket(&self) -> Option<BorrowedFd<'_>>;
}

impl Inflow for BorrowedFd<'_> {
    fn take(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (received, _) = recv(*self, into, RecvFlags::empty())?;
        Ok(received)
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(*self)
    }
}

/// Why bytes did not land.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    /// An error of the socket, "would block" included.
    Socket(io::Error),
    /// An error of the sink.
    Sink(io::Error),
    /// The route was called as it never should be.
    Bug(&'static str),
}

/// Reads bytes into a slice.
fn take(from: &mut dyn Inflow, into: &mut [u8]) -> Result<usize, ReceiveError> {
    from.take(into).map_err(ReceiveError::Socket)
}

/// The socket of a route that needs one.
fn socket_of(from: &dyn Inflow) -> Result<BorrowedFd<'_>, ReceiveError> {
    from.socket()
        .ok_or(ReceiveError::Bug("a route that takes bytes from a socket has none"))
}

/// `pwrite(2)` until all is written.
fn write_all_at(file: &std::fs::File, bytes: &[u8], at: u64) -> Result<(), ReceiveError> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at).map_err(ReceiveError::Sink)
}
