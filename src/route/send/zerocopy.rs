//! `send(2)` with `MSG_ZEROCOPY`, to compare with: the kernel may take the pages of the array rather than a copy, and
//! says later whether it did.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use crate::sys::{enable_zerocopy, next_completion, send_zerocopy};
use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, index, send_slice};

/// What the kernel has to say is read after so many sends: a queue that grows long is charged to the socket.
const SENDS_BETWEEN_LOOKS: u64 = 16;

/// Sends from private memory that is given back only when the kernel needs none of it any more.
pub(crate) struct Zerocopy {
    bytes: Vec<u8>,
    /// Sends that the kernel was lent the memory for,
    lent: u64,
    /// and how long those are that it is not done with, oldest first.
    lengths: VecDeque<usize>,
    /// Of these, the ones that it is done with,
    returned: u64,
    /// and the ones of these that it has copied.
    copied: u64,
    /// Sends that a limit turned into ordinary ones.
    plain: u64,
    /// What the last send, or the last look at what became of earlier ones, has cost.
    learned: Cost,
}

impl Zerocopy {
    /// Sends the bytes of a whole array.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            lent: 0,
            lengths: VecDeque::new(),
            returned: 0,
            copied: 0,
            plain: 0,
            learned: Cost::default(),
        }
    }

    fn look(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        loop {
            self.learned.syscalls += 1;
            let Some(completion) = next_completion(socket)? else {
                return Ok(());
            };
            // TCP is done with sends in their order.
            for _ in 0..completion.sends {
                let length = self.lengths.pop_front().unwrap_or_default();
                self.returned += 1;
                if completion.copied {
                    self.copied += 1;
                    self.learned.copied_bytes += length as u64;
                }
            }
        }
    }
}

impl SendRoute for Zerocopy {
    fn name(&self) -> &'static str {
        "zerocopy"
    }

    fn begin(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        enable_zerocopy(socket)
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        let begin = index(at)?;
        digest.update(&self.bytes[begin..begin + len]);
        Ok(())
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        let begin = index(at)?;
        let bytes = &self.bytes[begin..begin + len];
        self.learned = Cost::default();
        match send_zerocopy(socket, bytes) {
            Ok(sent) => {
                self.lent += 1;
                self.lengths.push_back(sent);
                if self.lent.is_multiple_of(SENDS_BETWEEN_LOOKS) {
                    self.look(socket).map_err(SendError::Socket)?;
                }
                Ok(sent)
            }
            // Too much memory is lent, or too much waits to be said.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                let sent = send_slice(socket, bytes)?;
                self.plain += 1;
                self.learned = Cost {
                    syscalls: 1,
                    ..Cost::copied(sent)
                };
                self.look(socket).map_err(SendError::Socket)?;
                Ok(sent)
            }
            Err(error) => Err(SendError::Socket(error)),
        }
    }

    /// Whether a send was copied is known only when the kernel has said it: what counts here is what it said last.
    fn cost(&self, _sent: usize) -> Cost {
        self.learned
    }

    fn settled(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        self.learned = Cost::default();
        if self.returned < self.lent {
            self.look(socket)?;
        }
        Ok(self.returned >= self.lent)
    }

    fn note(&self) -> Option<String> {
        let (copied, lent) = (self.copied, self.lent);
        let plain = match self.plain {
            0 => String::new(),
            plain => format!("; {plain} more were plain sends, because a limit for lent memory was reached"),
        };
        Some(format!("the kernel copied {copied} of {lent} sends{plain}"))
    }
}
