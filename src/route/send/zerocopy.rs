//! `send(2)` with `MSG_ZEROCOPY`, to compare with. The kernel may take the pages of the array in place of a copy, and
//! reports later whether it did.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use crate::sys::{FrozenMemory, enable_zerocopy, next_completion, send_zerocopy};
use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, copy_slice, index, send_slice};

/// Reports of the kernel are read after so many sends, because their queue is charged to the socket.
const SENDS_BETWEEN_LOOKS: u64 = 16;

/// Sends from private memory that nobody can change while the kernel may read it.
pub(crate) struct Zerocopy {
    bytes: FrozenMemory,
    /// Sends for which the kernel was lent the memory.
    lent: u64,
    /// The lengths of those that it has not finished, oldest first.
    lengths: VecDeque<usize>,
    /// How many of the sends it has finished.
    returned: u64,
    /// How many of the finished ones it has copied.
    copied: u64,
    /// Sends that a limit of the kernel made ordinary ones.
    plain: u64,
    /// What the last send cost, or the last reading of reports.
    learned: Cost,
}

impl Zerocopy {
    /// Sends the bytes of a whole array.
    pub(crate) fn new(bytes: FrozenMemory) -> Self {
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
            // TCP finishes sends in their order.
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

    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        copy_slice(&self.bytes, index(at), out)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        let begin = index(at)?;
        let place = begin..begin + len;
        self.learned = Cost::default();
        match send_zerocopy(socket, &self.bytes, place.clone()) {
            Ok(sent) => {
                self.lent += 1;
                self.lengths.push_back(sent);
                if self.lent.is_multiple_of(SENDS_BETWEEN_LOOKS) {
                    self.look(socket).map_err(SendError::Socket)?;
                }
                Ok(sent)
            }
            // Too much memory is lent, or too many reports wait.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOBUFS.raw_os_error()) => {
                let sent = send_slice(socket, &self.bytes[place])?;
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

    /// The kernel reports only later whether it copied a send. This counts the reports that were read last.
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
