//! Lines of JSON on their way over a Unix stream that nobody waits for.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::net::{SendFlags, send};
use serde::Serialize;

use crate::sys::send_with_descriptor;

/// Lines that wait for room in the stream, some of them with a descriptor (`SCM_RIGHTS`). It has no bound of its own: who
/// adds to it looks at [`LineQueue::bytes`].
#[derive(Debug, Default)]
pub(crate) struct LineQueue {
    lines: VecDeque<Line>,
    /// Bytes of the first line that have been sent.
    sent: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Line {
    bytes: Arc<[u8]>,
    descriptor: Option<OwnedFd>,
}

/// A message as one line.
///
/// # Errors
/// JSON has no form for it.
pub(crate) fn json_line(message: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    Ok(line)
}

impl LineQueue {
    /// Adds a line, which may be shared with other queues.
    pub(crate) fn push(&mut self, bytes: Arc<[u8]>, descriptor: Option<OwnedFd>) {
        self.bytes += bytes.len();
        self.lines.push_back(Line { bytes, descriptor });
    }

    /// Bytes that have not been sent.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Sends as much as the stream has room for.
    ///
    /// # Errors
    /// The other end has gone.
    pub(crate) fn flush(&mut self, stream: &UnixStream) -> io::Result<()> {
        while let Some(line) = self.lines.front_mut() {
            let rest = &line.bytes[self.sent..];
            let sent = match &line.descriptor {
                Some(descriptor) => send_with_descriptor(stream.as_fd(), rest, descriptor.as_fd()),
                None => send(stream, rest, SendFlags::NOSIGNAL).map_err(io::Error::from),
            };
            match sent {
                Ok(sent) => {
                    // The descriptor went with the first byte.
                    line.descriptor = None;
                    self.sent += sent;
                    self.bytes -= sent;
                    if self.sent == line.bytes.len() {
                        self.sent = 0;
                        self.lines.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
