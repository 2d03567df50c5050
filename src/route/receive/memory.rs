//! `recv(2)` straight into the array's memory: the one copy that there is.

use crate::sys::{Part, Region, Span};

use super::{Cost, Inflow, ReceiveError, ReceiveRoute, take};

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
        let place = self.part.as_mut().and_then(|part| {
            let begin = usize::try_from(at.checked_sub(part.at())?).ok()?;
            let end = begin.saturating_add(len).min(part.len());
            part.get_mut(begin..end)
        });
        // A machine begins a part before it receives into it.
        let place = place.ok_or_else(|| ReceiveError::Sink(std::io::ErrorKind::InvalidInput.into()))?;
        let received = take(from, place)?;
        seen(&place[..received]);
        Ok(received)
    }

    fn cost(&self, received: usize) -> Cost {
        Cost::copied(received)
    }
}
