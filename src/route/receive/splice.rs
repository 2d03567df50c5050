//! `splice(2)` from the socket through a pipe into the file. The bytes stay in the kernel; for a checksum they are read
//! back from the page cache.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_getpipe_size, fcntl_setpipe_size, pipe_with, splice};

use super::scratch::with_scratch;
use super::{Cost, Inflow, ReceiveError, ReceiveRoute, take, write_all_at};

const PIPE_BYTES: usize = 1 << 20;
/// What every pipe has that nobody has made larger or smaller: `recv` is faster than through a smaller one.
const LARGE_PIPE_BYTES_MIN: usize = 64 << 10;

/// Whether the file system of a file takes bytes from a pipe. It tries: a zero byte is written to position `at`, where
/// nothing is to be yet.
pub(crate) fn takes_splice(file: &File, at: u64) -> bool {
    let try_once = || -> io::Result<usize> {
        let (pipe_out, pipe_in) = pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::write(&pipe_in, &[0])?;
        Ok(splice(&pipe_out, None, file, Some(&mut { at }), 1, SpliceFlags::MOVE)?)
    };
    try_once().is_ok_and(|moved| moved == 1)
}

/// The size of a pipe after it was asked to be large.
fn enlarged_bytes(pipe: &OwnedFd) -> usize {
    // If the user's limit is lower, it stays smaller.
    let _ = fcntl_setpipe_size(pipe, PIPE_BYTES);
    fcntl_getpipe_size(pipe).unwrap_or(0)
}

/// Receives into a file.
pub(crate) struct Splice {
    file: Arc<File>,
    base: u64,
    pipe_out: OwnedFd,
    pipe_in: OwnedFd,
    pipe_bytes: usize,
    buffer_bytes: usize,
    /// System calls that the last bytes took from the pipe to the file.
    writes: u64,
}

impl Splice {
    /// Receives into `file` from byte `base` on, at most `buffer_bytes` at once.
    pub(crate) fn new(file: Arc<File>, base: u64, buffer_bytes: usize) -> io::Result<Self> {
        let (pipe_out, pipe_in) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let pipe_bytes = enlarged_bytes(&pipe_in);
        Ok(Self {
            file,
            base,
            pipe_out,
            pipe_in,
            pipe_bytes,
            buffer_bytes,
            writes: 0,
        })
    }

    /// Whether its pipe is so large that it is worth the way through it. Past a user's limit of pages in pipes
    /// (`fs.pipe-user-pages-soft`), new ones have two.
    pub(crate) fn has_large_pipe(&self) -> bool {
        self.pipe_bytes >= LARGE_PIPE_BYTES_MIN
    }
}

impl ReceiveRoute for Splice {
    fn name(&self) -> &'static str {
        "splice"
    }

    fn receive(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        let len = len.min(self.buffer_bytes);
        let Some(socket) = from.socket() else {
            return self.write(from, at, len, seen);
        };
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let received = splice(socket, None, &self.pipe_in, None, len, flags)
            .map_err(|error| ReceiveError::Socket(error.into()))?;
        let start = self.base + at;
        let mut offset = start;
        let mut left = received;
        self.writes = 0;
        while left > 0 {
            self.writes += 1;
            match splice(
                &self.pipe_out,
                None,
                &*self.file,
                Some(&mut offset),
                left,
                SpliceFlags::MOVE,
            ) {
                Ok(0) => return Err(ReceiveError::Sink(io::ErrorKind::WriteZero.into())),
                Ok(written) => left -= written,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(ReceiveError::Sink(error.into())),
            }
        }
        with_scratch(received, |bytes| {
            self.file.read_exact_at(bytes, start).map_err(ReceiveError::Sink)?;
            seen(bytes);
            Ok(received)
        })
    }

    fn cost(&self, received: usize) -> Cost {
        Cost {
            // The calls that wrote to the file, and the one that read back.
            syscalls: if received > 0 { self.writes + 1 } else { 0 },
            ..Cost::copied(2 * received)
        }
    }
}

impl Splice {
    /// Bytes that were already read from the socket are written.
    fn write(
        &mut self,
        from: &mut dyn Inflow,
        at: u64,
        len: usize,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, ReceiveError> {
        self.writes = 0;
        with_scratch(len, |buffer| {
            let taken = take(from, buffer)?;
            seen(&buffer[..taken]);
            write_all_at(&self.file, &buffer[..taken], self.base + at)?;
            Ok(taken)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_file_takes_bytes_from_a_pipe_and_one_that_cannot_be_written_does_not() {
        let file = tempfile::NamedTempFile::new().expect("file");
        assert!(takes_splice(file.as_file(), 5));
        assert_eq!(std::fs::read(file.path()).expect("read"), [0; 6]);
        assert!(!takes_splice(&File::open(file.path()).expect("file"), 0));
    }
}
