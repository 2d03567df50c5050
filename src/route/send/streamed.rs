//! `read(2)` from a pipe or a device into one buffer, and `send(2)` from there.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::route::Cost;
use crate::wire::Digest;

use super::{SendError, SendRoute, copy_slice, index, send_slice};

/// Sends a source that can be read only once, in order, as it comes.
pub(crate) struct Streamed {
    file: File,
    buffer: Vec<u8>,
    filled: usize,
    /// Position of the buffer's first byte.
    buffer_at: u64,
    /// Bytes that may still be read. Whatever follows them in the source stays there.
    left: u64,
    /// System calls on the source since the last byte was sent, and those that count for the last send.
    reads: u64,
    reads_of_last_send: u64,
}

impl Streamed {
    /// Sends `len` bytes that are read from `file`, at most `buffer_bytes` at a time.
    pub(crate) fn new(file: File, len: u64, buffer_bytes: usize) -> Self {
        Self {
            file,
            buffer: vec![0; buffer_bytes],
            filled: 0,
            buffer_at: 0,
            left: len,
            reads: 0,
            reads_of_last_send: 0,
        }
    }

    /// Reads what has arrived into the empty buffer. It polls before each read: other programs may share the
    /// descriptor, so that it cannot be made non-blocking.
    fn fill(&mut self) -> Result<(), SendError> {
        loop {
            let room = self.buffer.len() - self.filled;
            let most = usize::try_from(self.left).unwrap_or(room).min(room);
            if most == 0 {
                break;
            }
            self.reads += 1;
            if !is_readable(self.file.as_fd()).map_err(SendError::Source)? {
                break;
            }
            self.reads += 1;
            match self.file.read(&mut self.buffer[self.filled..][..most]) {
                Ok(0) if self.filled == 0 => return Err(SendError::SourceEnded),
                Ok(0) => break,
                Ok(read) => {
                    self.filled += read;
                    self.left -= read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The bytes before the error are sent first.
                Err(_) if self.filled > 0 => break,
                Err(error) => return Err(SendError::Source(error)),
            }
        }
        Ok(())
    }

    fn place_of(&self, at: u64, len: usize) -> Result<std::ops::Range<usize>, SendError> {
        let begin = index(at.wrapping_sub(self.buffer_at))?;
        let end = begin.saturating_add(len).min(self.filled);
        if begin <= end {
            Ok(begin..end)
        } else {
            Err(SendError::SourceEnded)
        }
    }
}

impl SendRoute for Streamed {
    fn name(&self) -> &'static str {
        "write"
    }

    fn at_hand(&mut self, at: u64) -> Result<Option<&[u8]>, SendError> {
        if at - self.buffer_at >= self.filled as u64 {
            (self.buffer_at, self.filled) = (at, 0);
            self.fill()?;
        }
        let place = self.place_of(at, usize::MAX)?;
        Ok(Some(&self.buffer[place]))
    }

    fn stream(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }

    fn goes_back(&self) -> bool {
        false
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        let place = self.place_of(at, len)?;
        digest.update(&self.buffer[place]);
        Ok(())
    }

    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        copy_slice(&self.buffer[..self.filled], index(at.wrapping_sub(self.buffer_at)), out)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        let place = self.place_of(at, len)?;
        self.reads_of_last_send = std::mem::take(&mut self.reads);
        send_slice(socket, &self.buffer[place])
    }

    fn cost(&self, sent: usize) -> Cost {
        // One copy out of the pipe, and one into the socket.
        Cost {
            syscalls: self.reads_of_last_send,
            copied_bytes: 2 * sent as u64,
        }
    }
}

/// Whether a read would return at once: with bytes, the end or an error. A named pipe that no writer has opened yet is
/// not ready, because a read would take it for ended.
fn is_readable(file: BorrowedFd<'_>) -> io::Result<bool> {
    let mut descriptors = [PollFd::from_borrowed_fd(file, PollFlags::IN)];
    match poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ChecksumKind;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_are_at_hand_as_they_come_and_the_end_is_told_after_the_last() {
        let (reader, mut writer) = std::io::pipe().expect("pipe");
        let mut route = Streamed::new(File::from(std::os::fd::OwnedFd::from(reader)), 11, 8);
        let (socket, mut peer) = UnixStream::pair().expect("pair");
        assert_eq!(route.at_hand(0).expect("open"), Some(&b""[..]));
        writer.write_all(b"0123456789").expect("write");
        assert_eq!(
            route.at_hand(0).expect("open"),
            Some(&b"01234567"[..]),
            "no more than the buffer"
        );
        let mut digest = Digest::new(ChecksumKind::None);
        route.load(0, 8, &mut digest).expect("loaded");
        assert_eq!(route.send(socket.as_fd(), 0, 8).expect("sent"), 8);
        assert_eq!(route.at_hand(8).expect("open"), Some(&b"89"[..]));
        drop(writer);
        assert_eq!(route.at_hand(8).expect("still there"), Some(&b"89"[..]));
        assert_eq!(route.send(socket.as_fd(), 8, 2).expect("sent"), 2);
        assert!(matches!(route.at_hand(10), Err(SendError::SourceEnded)));
        drop(socket);
        let mut got = Vec::new();
        peer.read_to_end(&mut got).expect("read");
        assert_eq!(got, b"0123456789");
    }
}
