//! A further connection of a tree's session: it brings blocks of large files, and the first one speaks for all.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::telemetry::{Probe, Rest};
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::receive::link::{Flushed, Link, rest_until, wait_to_read, wait_to_write};
use crate::transfer::receive::{ReceiveMachine, Remainder};
use crate::transfer::tell::event::Side;
use crate::wire::ReceiveWire;
use crate::wire::native::{Farewell, Message, TreeInbox, TreeWord};

use super::closed;
use super::junction::Junction;

/// Receives some blocks of the files of a tree whose first connection has begun.
pub(crate) struct FurtherTreeReceiver {
    link: Link,
    junction: Arc<Junction>,
    /// Once the sender was told that it may send.
    inbox: Option<TreeInbox>,
    idle_messages: u64,
    /// It has brought a block, whole or not.
    has_brought: bool,
}

impl FurtherTreeReceiver {
    /// For a connection that has joined.
    pub(crate) fn new(
        connection: Connection,
        junction: Arc<Junction>,
        options: &Options,
        context: MachineContext,
    ) -> Self {
        Self {
            link: Link::new(connection, ReceiveWire::joined_to_tree(), false, options, context),
            junction,
            inbox: None,
            idle_messages: 0,
            has_brought: false,
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if self.junction.is_over() {
            return Ok(Progress::Part);
        }
        if !self.link.outbox.is_empty() {
            return match self.link.flush() {
                Flushed::Sent => Ok(Progress::Moved),
                Flushed::Waits => Ok(wait_to_write()),
                Flushed::Broken => Err(closed()),
            };
        }
        let Some(inbox) = &mut self.inbox else {
            let (answer, read) = self.link.wire.accept_tree(false, None)?;
            self.link.outbox.push(&answer);
            self.inbox = Some(TreeInbox::after(&read));
            return Ok(Progress::Moved);
        };
        while let Some(word) = inbox.next()? {
            match word {
                TreeWord::Block(block) => {
                    self.has_brought = true;
                    self.link.probe.moved(block.data.len() as u64);
                    self.junction.put(block);
                }
                TreeWord::Message(Message::KeepAlive | Message::Skipped, _) => self.idle_messages += 1,
                TreeWord::Message(Message::Abort(farewell), _) => return Err(farewell.into_error(Error::Aborted)),
                TreeWord::Message(message, _) => {
                    return Err(Error::Protocol(format!("{} over a further connection", message.name())));
                }
            }
        }
        self.link.check_idle(self.idle_messages)?;
        if self.link.tell_pause() {
            return Ok(self.link.pause(now));
        }
        if !self.junction.has_room() {
            return Ok(self.link.wait_for_disk(now, Rest::Disk));
        }
        self.read(now)
    }

    fn read(&mut self, now: Instant) -> Result<Progress, Error> {
        let Some(inbox) = &mut self.inbox else {
            return Ok(Progress::Moved);
        };
        let room = inbox.room();
        let limit = self.link.controls.limit_bytes_per_s();
        let pace = self.link.controls.pace_bytes_per_s(Side::Receiver);
        let allowance = self.junction.throttle().allow(limit, pace, room.len() as u64, now);
        let allowed = match allowance {
            Ok(allowed) => usize::try_from(allowed).unwrap_or(room.len()),
            Err((then, rest)) => {
                if self.link.keep_alive(now) {
                    return Ok(Progress::Moved);
                }
                self.link.probe.rests(rest);
                return Ok(rest_until(Some(then)));
            }
        };
        let room = &mut room[..allowed];
        let wanted = room.len();
        let received = recv(self.link.connection.as_fd(), room, RecvFlags::DONTWAIT);
        match received.map(|(received, _)| received).map_err(std::io::Error::from) {
            Ok(0) => Err(closed()),
            Ok(received) => {
                self.link.probe.syscall(wanted, received);
                self.junction.throttle().spend(received as u64);
                inbox.filled(received);
                Ok(Progress::Moved)
            }
            // The sender may have nothing for it for as long as it likes; it says that it is there.
            Err(error) if would_block(&error) => Ok(wait_to_read(true)),
            Err(error) if is_broken(&error) => Err(closed()),
            Err(error) => Err(Error::system("cannot take bytes from the connection", &error)),
        }
    }
}

impl Machine for FurtherTreeReceiver {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        self.advance(now)
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        self.link.give_up(farewell)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        self.junction.bytes.load(Ordering::Relaxed)
    }

    fn progress_bytes(&self) -> u64 {
        self.junction.progress_bytes.load(Ordering::Relaxed)
    }

    fn recall(&self) -> bool {
        !self.junction.is_over()
    }

    fn lingers(&self) -> bool {
        // Its sender may have said that it is still here.
        self.junction.is_over()
    }

    fn is_needed(&self) -> bool {
        // Without a block it was of no use yet. Else nobody knows which others were on their way.
        let is_within_message = || self.inbox.as_ref().is_some_and(TreeInbox::is_within_message);
        !self.junction.is_over() && (self.has_brought || is_within_message())
    }
}

impl ReceiveMachine for FurtherTreeReceiver {
    fn connection(&self) -> &Connection {
        &self.link.connection
    }

    fn is_receiving(&self) -> bool {
        true
    }

    fn into_parts(self: Box<Self>) -> (Connection, Option<Remainder>) {
        (self.link.connection, None)
    }
}
