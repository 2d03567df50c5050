//! `recv(2)` into a shared mapping of the file, to compare with. It needs no buffer, and costs a page fault a page.

use std::fs::File;
use std::io;

use crate::sys::{ReadError, WritableFile};

use super::{Cost, Inflow, ReceiveError, ReceiveRoute, socket_of};

/// Bytes are copied out and checked in pieces of this size, which stay in the nearest cache. Others could change the
/// file, so that its mapping is never a slice.
const LOOK_BYTES: usize = 32 << 10;

/// Receives into a file's mapping.
pub(crate) struct RecvToMap {
    map: WritableFile,
    base: u64,
    buffer: Vec<u8>,
}

impl RecvToMap {
    /// Receives `len` bytes into `file` from byte `base` on. The file must already be that long.
    pub(crate) fn new(file: &File, base: u64, len: u64) -> io::Result<Self> {
        Ok(Self {
            map: WritableFile::map(file.try_clone()?, base.saturating_add(len))?,
            base,
            buffer: vec![0; LOOK_BYTES],
        })
    }
}

impl ReceiveRoute for RecvToMap {
    fn name(&self) -> &'static str {
        "map"
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        let mut at = usize::try_from(self.base + at).map_err(|_| gone())?;
        let received = self
            .map
            .receive_from(socket_of(from)?, at, len)
            .map_err(|error| match error {
                ReadError::Shrunk => gone(),
                ReadError::Io(error) => ReceiveError::Socket(error),
            })?;
        let mut left = received;
        while left > 0 {
            let piece = &mut self.buffer[..left.min(LOOK_BYTES)];
            self.map.copy_out(at, piece).map_err(|_| gone())?;
            seen(piece);
            at += piece.len();
            left -= piece.len();
        }
        Ok(received)
    }

    fn cost(&self, received: usize) -> Cost {
        // One copy into the mapping, and one out of it for the checksum.
        Cost::copied(2 * received)
    }
}

fn gone() -> ReceiveError {
    ReceiveError::Sink(io::Error::other(
        "it was made shorter while the array was received into it, or its disk is full",
    ))
}
