//! Hands over the descriptor of sealed memory or of a file in place of bytes. It takes the same time for every length.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use crate::sys::{SharedFile, send_with_descriptor};
use crate::wire;

/// What is handed over if the receiver asks for it. It is no [`super::SendRoute`]: it sends no byte of the array.
pub(crate) struct Handoff {
    file: Arc<SharedFile>,
    position: u64,
}

impl Handoff {
    /// Hands over `file`, in which the array begins at byte `position`.
    pub(crate) fn new(file: Arc<SharedFile>, position: u64) -> Self {
        Self { file, position }
    }

    /// The name for commands and screens.
    pub(crate) fn name() -> &'static str {
        "handoff"
    }

    /// What the offer says can be handed over.
    pub(crate) fn offer(&self) -> wire::Handoff {
        if self.file.is_sealed() {
            wire::Handoff::Sealed
        } else {
            wire::Handoff::Unsealed
        }
    }

    /// The offset of the array in what is handed over, in bytes.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Sends the descriptor with the first byte of `message`; returns how many bytes of the message went.
    pub(crate) fn hand_over(&self, socket: BorrowedFd<'_>, message: &[u8]) -> io::Result<usize> {
        send_with_descriptor(socket, message, self.file.as_fd())
    }
}
