//! Handing the array over in place of sending its bytes.

use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;

use crate::error::{Error, reason};
use crate::route::NoHandoff;
use crate::route::receive::UNSEALED;
use crate::route::send::Handoff;
use crate::transfer::machine::drive::Progress;
use crate::transfer::net::connection::would_block;
use crate::transfer::source::send_path::HandoffPath;
use crate::wire;

use super::first::FirstSender;

/// What is handed over in place of bytes.
pub(super) enum Handing {
    /// Nothing: bytes are sent.
    No,
    /// This, where the receiver asks for it.
    Offered(HandoffPath),
    /// This has been.
    Done(HandoffPath),
}

impl Handing {
    pub(super) fn of(path: Option<HandoffPath>) -> Self {
        path.map_or(Self::No, Self::Offered)
    }

    /// What was offered or handed over.
    pub(super) fn take(&mut self) -> Option<HandoffPath> {
        match std::mem::replace(self, Self::No) {
            Self::No => None,
            Self::Offered(path) | Self::Done(path) => Some(path),
        }
    }
}

impl FirstSender {
    /// How the array leaves.
    pub(super) fn route_name(&self) -> &'static str {
        match self.handing {
            Handing::Done(_) => Handoff::name(),
            Handing::No | Handing::Offered(_) => self.link.route.name(),
        }
    }

    /// Whether the receiver wants the array handed over, which is not done yet. One that does not want it gets bytes.
    pub(super) fn awaits_handing_over(&mut self) -> Result<bool, Error> {
        let Handing::Offered(path) = &self.handing else {
            return Ok(false);
        };
        if self.link.wire.is_asked_for_handoff() {
            return Ok(true);
        }
        if path.by_name {
            return Err(Error::HandoffNotTaken);
        }
        self.send_bytes_because(NoHandoff::NotTaken);
        Ok(false)
    }

    /// Sends the descriptor, or finds that the system does not let it through.
    pub(super) fn hand_array_over(&mut self) -> Result<Progress, Error> {
        // Before it counts as handed over: what follows the receipt is for whoever writes to it.
        self.link.sending.source.check_unchanged()?;
        let Handing::Offered(path) = &self.handing else {
            return Err(Error::Bug("a handoff that was not offered".into()));
        };
        let message = self.link.wire.handoff(path.handoff.position());
        match path.handoff.hand_over(self.link.connection.as_fd(), &message) {
            Ok(sent) => {
                self.link.probe.syscall(message.len(), sent);
                self.link.outbox.push(&message[sent..]);
                self.link.wire.handed_over(true);
                self.handing = self.handing.take().map_or(Handing::No, Handing::Done);
                self.start();
                let bytes = self.link.sending.source.meta.byte_len();
                self.link.sending.sent.fetch_add(bytes, Ordering::Relaxed);
                self.link.probe.moved(bytes);
                Ok(Progress::Moved)
            }
            Err(error) if would_block(&error) => Ok(self.link.wait_to_write()),
            Err(error) if is_broken(&error) => Err(self.link.broken()),
            Err(error) if path.by_name => Err(Error::System {
                doing: "the system does not let the descriptor through to the peer",
                reason: reason(&error).and("send by another route"),
            }),
            Err(_) => {
                self.link.wire.handed_over(false);
                self.send_bytes_because(NoHandoff::Refused);
                Ok(Progress::Moved)
            }
        }
    }

    /// What the user should know of an array that was handed over.
    pub(super) fn handoff_note(&self) -> Option<String> {
        match &self.handing {
            Handing::Done(path) if path.handoff.offer() == wire::Handoff::Unsealed => Some(UNSEALED.into()),
            _ => None,
        }
    }

    fn send_bytes_because(&mut self, why: NoHandoff) {
        self.handing = Handing::No;
        self.route_reason = why.reason();
    }
}

/// Whether the connection is gone, rather than the descriptor refused.
fn is_broken(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected)
}
