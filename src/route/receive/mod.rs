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

    /// Takes what there is, at most `len` bytes, to position `at`; `seen` gets the same bytes, in order, while they are
    /// still in cache, at once or in pieces. Zero bytes mean that no more comes.
    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError>;

    /// What the last `receive` has cost, which received so many bytes.
    fn cost(&self, received: usize) -> Cost;
}

/// Where bytes come from.
pub(crate) trait Inflow {
    /// Takes what there is to the beginning of `into`; zero bytes mean that no more comes.
    fn take(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// The socket that the same bytes come from, for routes on which they stay in the kernel; `None` where they have
    /// to be seen first.
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
    /// What the socket said, "would block" included.
    Socket(io::Error),
    /// What the sink said.
    Sink(io::Error),
}

/// Takes bytes into a slice.
fn take(from: &mut dyn Inflow, into: &mut [u8]) -> Result<usize, ReceiveError> {
    from.take(into).map_err(ReceiveError::Socket)
}

/// The socket of a route that needs one.
fn socket_of(from: &dyn Inflow) -> Result<BorrowedFd<'_>, ReceiveError> {
    from.socket()
        .ok_or_else(|| ReceiveError::Sink(io::Error::other("this route takes bytes from a socket only")))
}

/// `pwrite(2)` until all is written.
fn write_all_at(file: &std::fs::File, bytes: &[u8], at: u64) -> Result<(), ReceiveError> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at).map_err(ReceiveError::Sink)
}
