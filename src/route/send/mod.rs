//! How bytes leave.

mod copying;
mod generated;
mod handoff;
mod mapped;
mod sendfile;
mod streamed;
mod zerocopy;

use std::io;
use std::os::fd::BorrowedFd;

use super::Cost;
use crate::sys::ReadError;
use crate::wire::Digest;

pub(crate) use copying::{COPYING_BYTES_MAX, Copying};
pub(crate) use generated::Generated;
pub(crate) use handoff::Handoff;
pub(crate) use mapped::Mapped;
pub(crate) use sendfile::{Sendfile, takes_sendfile};
pub(crate) use streamed::Streamed;
pub(crate) use zerocopy::Zerocopy;

/// Sends bytes of one array. Positions count from the first byte that is sent, which need not be the source's first.
pub(crate) trait SendRoute: Send {
    /// The name for commands and screens.
    fn name(&self) -> &'static str;

    /// A route of its own for another connection that sends other bytes of the same array; `None` where they have to
    /// leave in order.
    fn another(&self) -> Option<Box<dyn SendRoute>> {
        None
    }

    /// What can be sent from `at` on without waiting for the source: at least one byte, or none where it is to be
    /// waited for. `None` where a source never lets anyone wait.
    fn at_hand(&mut self, at: u64) -> Result<Option<&[u8]>, SendError> {
        let _ = at;
        Ok(None)
    }

    /// What becomes readable when a source that was waited for has more; only such a source has it.
    fn stream(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Makes the socket ready, before anything is said over it.
    fn begin(&mut self, _socket: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Makes `at..at + len` ready to be sent, and adds it to the checksum while it is still in cache.
    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError>;

    /// Sends bytes from `at` on, at most `len`, all of them loaded, as many as the socket takes now.
    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError>;

    /// What the last `send` has cost, which sent so many bytes.
    fn cost(&self, sent: usize) -> Cost;

    /// Whether the kernel needs nothing of this route's any more; does not wait for it.
    fn settled(&mut self, _socket: BorrowedFd<'_>) -> io::Result<bool> {
        Ok(true)
    }

    /// What the user should know of how it went.
    fn note(&self) -> Option<String> {
        None
    }
}

/// Why bytes did not leave.
#[derive(Debug)]
pub(crate) enum SendError {
    /// The source is not what it was when it was opened.
    SourceChanged,
    /// The source has no more bytes.
    SourceEnded,
    /// The source could not be read.
    Source(io::Error),
    /// What the socket said, "would block" included.
    Socket(io::Error),
}

impl From<ReadError> for SendError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Shrunk => Self::SourceChanged,
            ReadError::Io(error) => Self::Socket(error),
        }
    }
}

/// `send(2)` of a slice.
fn send_slice(socket: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, SendError> {
    rustix::net::send(socket, bytes, rustix::net::SendFlags::NOSIGNAL).map_err(|error| SendError::Socket(error.into()))
}

/// A position in memory. Sources are mapped whole, so that every position in one is a `usize`.
fn index(at: u64) -> Result<usize, SendError> {
    usize::try_from(at).map_err(|_| SendError::SourceChanged)
}
