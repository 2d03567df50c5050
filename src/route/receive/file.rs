//! `recv(2)` into a buffer that stays in cache, and `pwrite(2)` from there.

use std::fs::File;
use std::sync::Arc;

use super::scratch::with_scratch;
use super::{Cost, Inflow, ReceiveError, ReceiveRoute, take, write_all_at};

/// Receives into a file.
pub(crate) struct RecvToFile {
    file: Arc<File>,
    base: u64,
    buffer_bytes: usize,
}

impl RecvToFile {
    /// Receives into `file` from byte `base` on, through a buffer of `buffer_bytes`.
    pub(crate) fn new(file: Arc<File>, base: u64, buffer_bytes: usize) -> Self {
        Self {
            file,
            base,
            buffer_bytes,
        }
    }
}

impl ReceiveRoute for RecvToFile {
    fn name(&self) -> &'static str {
        "recv"
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        with_scratch(len.min(self.buffer_bytes), |buffer| {
            let received = take(from, buffer)?;
            let bytes = &buffer[..received];
            seen(bytes);
            write_all_at(&self.file, bytes, self.base + at)?;
            Ok(received)
        })
    }

    fn cost(&self, received: usize) -> Cost {
        Cost {
            syscalls: u64::from(received > 0),
            ..Cost::copied(2 * received)
        }
    }
}
