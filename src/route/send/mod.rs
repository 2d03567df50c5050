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

    /// A further route to the same array, for another connection; `None` if the bytes have to leave in order.
    fn another(&self) -> Option<Box<dyn SendRoute>> {
        None
    }

    /// Whether bytes can be loaded again, and in any order.
    fn goes_back(&self) -> bool {
        true
    }

    /// The bytes that can be sent from `at` on without waiting for the source: none if it has to be waited for. `None`
    /// if the source never makes anyone wait.
    fn at_hand(&mut self, at: u64) -> Result<Option<&[u8]>, SendError> {
        let _ = at;
        Ok(None)
    }

    /// The descriptor that becomes readable when the source has more; only a source that has to be waited for has one.
    fn stream(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Prepares the socket before anything is sent over it.
    fn begin(&mut self, _socket: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// Makes `at..at + len` ready to be sent, and adds it to the checksum while it is in cache.
    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError>;

    /// Copies bytes that are loaded, from `at` on, for whoever wants to look at them; false where that cannot be.
    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        let _ = (at, out);
        false
    }

    /// Sends as many bytes as the socket takes now, at most `len` from `at` on, all of them loaded. Returns how many.
    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError>;

    /// What the last `send` cost, which sent `sent` bytes.
    fn cost(&self, sent: usize) -> Cost;

    /// Whether the kernel has finished with the memory of this route. It does not wait.
    fn settled(&mut self, _socket: BorrowedFd<'_>) -> io::Result<bool> {
        Ok(true)
    }

    /// A note for the user, if there is one.
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
    /// An error of the socket, "would block" included.
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

/// Copies what lies in `bytes` from `begin` on; false where it does not.
fn copy_slice(bytes: &[u8], begin: Result<usize, SendError>, out: &mut [u8]) -> bool {
    let from = begin.ok().and_then(|begin| bytes.get(begin..begin + out.len()));
    from.map(|from| out.copy_from_slice(from)).is_some()
}

/// `send(2)` of a slice.
fn send_slice(socket: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, SendError> {
    rustix::net::send(socket, bytes, rustix::net::SendFlags::NOSIGNAL).map_err(|error| SendError::Socket(error.into()))
}

/// A position in memory. Sources are mapped whole, so that every position in one is a `usize`.
fn index(at: u64) -> Result<usize, SendError> {
    usize::try_from(at).map_err(|_| SendError::SourceChanged)
}
