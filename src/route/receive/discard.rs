//! `recv(2)` into one small buffer again and again, to measure only.

use super::scratch::with_scratch;
use super::{Cost, Inflow, ReceiveError, ReceiveRoute, take};

/// Receives bytes and keeps none.
pub(crate) struct Discard {
    buffer_bytes: usize,
}

impl Discard {
    /// With a buffer of `buffer_bytes`.
    pub(crate) fn new(buffer_bytes: usize) -> Self {
        Self { buffer_bytes }
    }
}

impl ReceiveRoute for Discard {
    fn name(&self) -> &'static str {
        "recv"
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        _at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        with_scratch(len.min(self.buffer_bytes), |buffer| {
            let received = take(from, buffer)?;
            seen(&buffer[..received]);
            Ok(received)
        })
    }

    fn cost(&self, received: usize) -> Cost {
        Cost::copied(received)
    }
}
