//! Bytes of the wire that wait to be written.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::net::{SendFlags, send};

use crate::telemetry::Probe;

/// What the wire says, on its way to the socket.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    written: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer().extend_from_slice(bytes);
    }

    /// Where more is to be appended, behind what is there.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.is_empty() {
            self.bytes.clear();
            self.written = 0;
        }
        &mut self.bytes
    }

    /// How many bytes it has, of which some may be written.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Writes what the socket takes; `more` says that data follows at once, so that the kernel may wait for it.
    pub(crate) fn flush(&mut self, socket: BorrowedFd<'_>, more: bool, probe: &mut Probe) -> io::Result<()> {
        while !self.is_empty() {
            let rest = &self.bytes[self.written..];
            let flags = if more {
                SendFlags::NOSIGNAL | SendFlags::MORE
            } else {
                SendFlags::NOSIGNAL
            };
            let sent = send(socket, rest, flags);
            probe.syscall(rest.len(), sent.unwrap_or(0));
            self.written += sent?;
        }
        Ok(())
    }
}
