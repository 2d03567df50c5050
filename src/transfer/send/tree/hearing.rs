//! Hears what a tree's receiver says.

use std::os::fd::AsFd as _;
use std::time::Instant;

use rustix::net::{RecvFlags, recv};

use crate::checksum::ChecksumKind;
use crate::error::Error;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::wire::native::{Message, Parsed, version_of};

use super::{Phase, TreeSender};

/// So long is an honest receiver's message: a reason, and some numbers.
const INBOX_BYTES: usize = 64 << 10;

impl TreeSender {
    /// Takes what the receiver has said, and whether it has said something.
    pub(super) fn hear(&mut self, now: Instant) -> Result<bool, Error> {
        let before = self.inbox.len();
        self.inbox.resize(before + INBOX_BYTES, 0);
        let received = recv(self.connection.as_fd(), &mut self.inbox[before..], RecvFlags::DONTWAIT);
        let received = received.map(|(received, _)| received).map_err(std::io::Error::from);
        self.inbox.truncate(before + *received.as_ref().unwrap_or(&0));
        match received {
            Ok(0) => return Err(self.closed()),
            Ok(_) => {}
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) if is_broken(&error) => return Err(self.closed()),
            Err(error) => return Err(Error::system("cannot hear the receiver", &error)),
        }
        let mut at = 0;
        if self.phase == Phase::AwaitGreeting {
            let Some(greeting_bytes) = greeted(&self.inbox)? else {
                return Ok(true);
            };
            at = greeting_bytes;
            self.phase = Phase::AwaitWelcome;
        }
        while let Parsed::Message(message, len) = Message::parse(&self.inbox[at..])? {
            at += len;
            self.take(message)?;
        }
        self.inbox.drain(..at);
        self.idle_meter.check(self.idle_messages, now)?;
        Ok(true)
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match (self.phase, message) {
            (_, Message::KeepAlive | Message::Skipped) => self.idle_messages += 1,
            (_, Message::Abort(farewell)) => return Err(farewell.into_error(Error::Aborted)),
            (Phase::AwaitWelcome, Message::Refuse(farewell)) => return Err(farewell.into_error(Error::Refused)),
            (Phase::AwaitWelcome, Message::Welcome { is_fresh, more }) => {
                self.outgoing.is_eager = is_fresh && self.source.is_single();
                self.begin(more);
            }
            (Phase::AwaitWelcome, Message::Hello { .. }) => {
                return Err(Error::OtherProtocol(
                    "it sends back what it gets, as an echo service does: a receiver is needed there".into(),
                ));
            }
            (Phase::Moving | Phase::AwaitSummary, Message::Credit(credit)) => {
                // One that gives nothing moves nothing on.
                if !self.outgoing.give(credit) {
                    self.idle_messages += 1;
                }
            }
            (
                Phase::Moving,
                Message::Accept {
                    item,
                    handoff: false,
                    grain,
                },
            ) => self.outgoing.accept(item, grain)?,
            // Without checksums nobody could compare any.
            (Phase::Moving, Message::Claim { item, claims }) if self.checksum != ChecksumKind::None => {
                self.outgoing.claim(item, &claims)?;
            }
            (Phase::Moving, Message::Result(result)) => self.outgoing.settle(&result)?,
            // Between the last result and our noticing that it was the last one.
            (Phase::Moving | Phase::AwaitSummary, Message::Summary) if self.is_settled() => {
                self.phase = Phase::Done;
                self.sending.end();
            }
            (_, message) => return Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
        Ok(())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.has_finished && self.outgoing.is_settled()
    }

    /// The error for a socket that takes nothing more: what the peer said last tells why, if it said anything.
    pub(super) fn broken(&mut self, now: Instant) -> Error {
        loop {
            match self.hear(now) {
                Ok(true) => {}
                Ok(false) => return self.closed(),
                Err(error) => return error,
            }
        }
    }

    pub(super) fn closed(&self) -> Error {
        match self.phase {
            Phase::Hello | Phase::AwaitGreeting | Phase::AwaitWelcome => {
                Error::ClosedWhile("before it answered the offer")
            }
            _ => Error::ClosedWhile("before it had said what became of every file"),
        }
    }
}

/// How many bytes of what has come are the receiver's greeting; nothing before it is whole.
pub(super) fn greeted(inbox: &[u8]) -> Result<Option<usize>, Error> {
    let Some(first) = inbox.first_chunk::<8>() else {
        return Ok(None);
    };
    match version_of(first) {
        Some(_) => Ok(Some(first.len())),
        None => Err(Error::OtherProtocol("its answer is not a native receiver's".into())),
    }
}
