//! `recv(2)` straight into the array's memory: the only copy on this side.

use crate::ledger::Span;
use crate::sys::{Part, Region};

use super::{Cost, Inflow, ReceiveError, ReceiveRoute};

/// Receives into memory of the array's length.
pub(crate) struct RecvToMemory {
    region: Region,
    part: Option<Part>,
}

impl RecvToMemory {
    /// Receives into parts of `region`.
    pub(crate) fn new(region: Region) -> Self {
        Self { region, part: None }
    }
}

impl ReceiveRoute for RecvToMemory {
    fn name(&self) -> &'static str {
        "recv"
    }

    fn begin(&mut self, span: Span) {
        self.part = self.region.part(span);
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        // A machine begins a part before it receives into it, and continues where it stopped.
        let part = self.part.as_mut().filter(|part| part.next_at() == at);
        let part = part.ok_or(ReceiveError::Bug("bytes are received into memory that was not claimed"))?;
        let received = match from.socket() {
            Some(socket) => part.receive_from(socket, len),
            None => part.fill_with(len, |room| from.take(room)),
        };
        let received = received.map_err(ReceiveError::Socket)?;
        seen(received);
        Ok(received.len())
    }

    fn cost(&self, received: usize) -> Cost {
        Cost::copied(received)
    }
}
