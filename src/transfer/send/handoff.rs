//! Handing the array over in place of sending its bytes.

use std::os::fd::AsFd as _;

use crate::error::{Error, reason};
use crate::route::NoHandoff;
use crate::route::receive::UNSEALED;
use crate::route::send::Handoff;
use crate::transfer::machine::drive::Progress;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::source::send_path::HandoffPath;
use crate::wire::{self, SendWire};

use super::link::Link;

/// What is handed over in place of bytes.
pub(super) enum Handing {
    /// Nothing: bytes are sent.
    No,
    /// This, where the receiver asks for it.
    Offered(HandoffPath),
    /// This has been.
    Done(HandoffPath),
}

/// What the receiver wants of what was offered.
pub(super) enum Answer {
    /// The array as it lies here.
    Handoff,
    /// Bytes, which it gets.
    Bytes,
    /// Bytes, though a handoff was offered.
    Declined(NoHandoff),
}

/// What came of handing the array over.
pub(super) enum Attempt {
    /// The receiver will have it.
    Done,
    /// Nothing yet.
    Waits(Progress),
    /// The system lets no descriptor through: bytes are sent.
    Refused(NoHandoff),
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

    /// The name of the route by which the array leaves, where it is handed over.
    pub(super) fn route_name(&self) -> Option<&'static str> {
        matches!(self, Self::Done(_)).then(Handoff::name)
    }

    /// What the receiver, which has agreed, has asked for.
    ///
    /// # Errors
    /// The user asked for a handoff and the receiver takes none.
    pub(super) fn answer(&mut self, wire: &SendWire) -> Result<Answer, Error> {
        match self {
            Self::Offered(_) if wire.is_asked_for_handoff() => Ok(Answer::Handoff),
            Self::Offered(path) if path.by_name => Err(Error::HandoffNotTaken),
            Self::Offered(_) => {
                *self = Self::No;
                Ok(Answer::Declined(NoHandoff::NotTaken))
            }
            Self::No | Self::Done(_) => Ok(Answer::Bytes),
        }
    }

    /// Sends the descriptor, or finds that the system does not let it through.
    pub(super) fn hand_over(&mut self, link: &mut Link) -> Result<Attempt, Error> {
        // Before it counts as handed over: what follows the result is for whoever writes to it.
        link.sending.source.check_unchanged()?;
        let Self::Offered(path) = self else {
            return Err(Error::Bug("a handoff that was not offered".into()));
        };
        let message = link.wire.handoff(path.handoff.position());
        match path.handoff.hand_over(link.connection.as_fd(), &message) {
            Ok(sent) => {
                link.probe.syscall(message.len(), sent);
                link.outbox.push(&message[sent..]);
                link.wire.handed_over(true)?;
                *self = self.take().map_or(Self::No, Self::Done);
                Ok(Attempt::Done)
            }
            Err(error) if would_block(&error) => Ok(Attempt::Waits(link.wait_to_write())),
            Err(error) if is_broken(&error) => Err(link.broken()),
            Err(error) if path.by_name => Err(Error::System {
                doing: "the system does not let the descriptor through to the peer",
                reason: reason(&error).and("send by another route"),
            }),
            Err(_) => {
                link.wire.handed_over(false)?;
                *self = Self::No;
                Ok(Attempt::Refused(NoHandoff::Refused))
            }
        }
    }

    /// What the user should know of an array that was handed over.
    pub(super) fn note(&self) -> Option<String> {
        match self {
            Self::Done(path) if path.handoff.offer() == wire::Handoff::Unsealed => Some(UNSEALED.into()),
            _ => None,
        }
    }
}
