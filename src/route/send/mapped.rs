//! `send(2)` from a mapped file: the kernel copies from the page cache into the socket.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use crate::sys::SharedFile;
use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, index};

/// Sends from a file's mapping.
pub(crate) struct Mapped {
    file: Arc<SharedFile>,
    base: u64,
}

impl Mapped {
    /// Sends the file from byte `base` on.
    pub(crate) fn new(file: Arc<SharedFile>, base: u64) -> Self {
        Self { file, base }
    }
}

impl SendRoute for Mapped {
    fn name(&self) -> &'static str {
        "write"
    }

    fn another(&self) -> Option<Box<dyn SendRoute>> {
        Some(Box::new(Self::new(Arc::clone(&self.file), self.base)))
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        match digest.state() {
            Some(digest) => Ok(self.file.checksum(index(self.base + at)?, len, digest)?),
            None => Ok(()),
        }
    }

    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        index(self.base + at).is_ok_and(|at| self.file.copy_out(at, out).is_ok())
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        Ok(self.file.send_to(socket, index(self.base + at)?, len)?)
    }

    fn cost(&self, sent: usize) -> Cost {
        Cost::copied(sent)
    }
}
