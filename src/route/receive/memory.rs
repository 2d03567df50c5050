//! `recv(2)` straight into the array's memory: the one copy that there is.

use std::os::fd::BorrowedFd;

use crate::sys::Memory;

use super::{ReceiveError, ReceiveRoute, recv_slice};

/// Receives into memory of the array's length.
pub(crate) struct RecvToMemory(Memory);

impl RecvToMemory {
    /// Receives into `memory`.
    pub(crate) fn new(memory: Memory) -> Self {
        Self(memory)
    }
}

impl ReceiveRoute for RecvToMemory {
    fn name(&self) -> &'static str {
        "recv"
    }

    fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        // The wire never wants more than what was offered, and the memory has that length.
        let begin = usize::try_from(at).unwrap_or(usize::MAX).min(self.0.len());
        let end = begin.saturating_add(len).min(self.0.len());
        let place = &mut self.0[begin..end];
        let received = recv_slice(socket, place)?;
        seen(&place[..received]);
        Ok(received)
    }
}
