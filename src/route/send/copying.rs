//! The baseline to compare with: after every send the rest of the array is copied, as `data = data[sent:]` does.

use std::os::fd::BorrowedFd;

use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, copy_slice, index, send_slice};

/// Its time grows with the square of the length. Above this length it would look like a hang.
pub(crate) const COPYING_BYTES_MAX: u64 = 1_000_000_000;

/// Sends the front of a buffer, then replaces the buffer by a copy of what is left.
pub(crate) struct Copying {
    rest: Vec<u8>,
    rest_at: u64,
}

impl Copying {
    /// Sends the bytes of a whole array.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            rest: bytes,
            rest_at: 0,
        }
    }
}

impl SendRoute for Copying {
    fn name(&self) -> &'static str {
        "copying"
    }

    fn goes_back(&self) -> bool {
        false
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        let begin = index(at - self.rest_at)?;
        digest.update(&self.rest[begin..begin + len]);
        Ok(())
    }

    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        copy_slice(&self.rest, index(at - self.rest_at), out)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        let begin = index(at - self.rest_at)?;
        let sent = send_slice(socket, &self.rest[begin..begin + len])?;
        self.rest = self.rest[begin + sent..].to_vec();
        self.rest_at = at + sent as u64;
        Ok(sent)
    }

    fn cost(&self, sent: usize) -> Cost {
        let rest = if sent > 0 { self.rest.len() } else { 0 };
        Cost::copied(sent + rest)
    }
}
