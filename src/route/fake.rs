//! Routes for tests. They wrap real ones and do what the kernel may do at any time: move less than was asked, or would
//! block.

use std::io;
use std::os::fd::BorrowedFd;

use crate::ledger::Span;
use crate::wire::Digest;

use super::Cost;
use super::receive::{Inflow, ReceiveError, ReceiveRoute};
use super::send::{SendError, SendRoute};

/// Moves at most so many bytes a call, and would block every third time.
pub(crate) struct Stingy<R: ?Sized> {
    bytes_max: usize,
    calls: u64,
    route: Box<R>,
}

impl<R: ?Sized> Stingy<R> {
    pub(crate) fn new(route: Box<R>, bytes_max: usize) -> Self {
        Self {
            bytes_max,
            calls: 0,
            route,
        }
    }

    fn refuses(&mut self) -> bool {
        self.calls += 1;
        self.calls.is_multiple_of(3)
    }
}

impl SendRoute for Stingy<dyn SendRoute> {
    fn name(&self) -> &'static str {
        self.route.name()
    }

    fn goes_back(&self) -> bool {
        self.route.goes_back()
    }

    fn at_hand(&mut self, at: u64) -> Result<Option<&[u8]>, SendError> {
        self.route.at_hand(at)
    }

    fn stream(&self) -> Option<BorrowedFd<'_>> {
        self.route.stream()
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        self.route.load(at, len, digest)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        if self.refuses() {
            return Err(SendError::Socket(io::ErrorKind::WouldBlock.into()));
        }
        self.route.send(socket, at, len.min(self.bytes_max))
    }

    fn cost(&self, sent: usize) -> Cost {
        self.route.cost(sent)
    }
}

impl ReceiveRoute for Stingy<dyn ReceiveRoute> {
    fn name(&self) -> &'static str {
        self.route.name()
    }

    fn begin(&mut self, span: Span) {
        self.route.begin(span);
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        if self.refuses() {
            return Err(ReceiveError::Socket(io::ErrorKind::WouldBlock.into()));
        }
        self.route.receive(from, at, len.min(self.bytes_max), seen)
    }

    fn cost(&self, received: usize) -> Cost {
        self.route.cost(received)
    }
}
