//! `sendfile(2)`: the socket takes the file's own pages, and no byte is copied on this side.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};

use crate::sys::SharedFile;
use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, index};

/// Sends from a file's page cache. The mapping is only for the checksum.
pub(crate) struct Sendfile {
    file: Arc<SharedFile>,
    base: u64,
}

impl Sendfile {
    /// Sends the file from byte `base` on.
    pub(crate) fn new(file: Arc<SharedFile>, base: u64) -> Self {
        Self { file, base }
    }
}

/// Whether `sendfile(2)` works from this file. Some file systems do not support it, and a sandbox can refuse it.
///
/// It tries with the byte at `at`, which must exist, and sends that nowhere.
pub(crate) fn takes_sendfile(file: &SharedFile, at: u64) -> bool {
    use rustix::io::Errno;
    static NOWHERE: OnceLock<Option<File>> = OnceLock::new();
    let nowhere = NOWHERE.get_or_init(|| File::options().write(true).open("/dev/null").ok());
    let Some(nowhere) = nowhere else { return true };
    let mut offset = at;
    !matches!(
        rustix::fs::sendfile(nowhere, file.as_fd(), Some(&mut offset), 1),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM)
    )
}

impl SendRoute for Sendfile {
    fn name(&self) -> &'static str {
        "sendfile"
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
        let mut offset = self.base + at;
        match rustix::fs::sendfile(socket, self.file.as_fd(), Some(&mut offset), len) {
            // The file ends here, though bytes were asked for.
            Ok(0) if len > 0 => Err(SendError::SourceChanged),
            Ok(sent) => Ok(sent),
            // A page could not be read, as on a failing disk.
            Err(rustix::io::Errno::IO) => Err(SendError::Source(rustix::io::Errno::IO.into())),
            Err(error) => Err(SendError::Socket(error.into())),
        }
    }

    fn cost(&self, _sent: usize) -> Cost {
        Cost::default()
    }
}
