//! `recv(2)` into one small buffer, over and over: for measuring only.

use std::os::fd::BorrowedFd;

use super::{Cost, ReceiveError, ReceiveRoute, recv_slice};

/// Receives and forgets.
pub(crate) struct Discard(Vec<u8>);

impl Discard {
    /// With a buffer of `buffer_bytes`.
    pub(crate) fn new(buffer_bytes: usize) -> Self {
        Self(vec![0; buffer_bytes])
    }
}

impl ReceiveRoute for Discard {
    fn name(&self) -> &'static str {
        "recv"
    }

    fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        _at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        let len = len.min(self.0.len());
        let received = recv_slice(socket, &mut self.0[..len])?;
        seen(&self.0[..received]);
        Ok(received)
    }

    fn cost(&self, received: usize) -> Cost {
        Cost::copied(received)
    }
}
