//! A further connection of a tree's session: it sends blocks of large files, and the first one speaks for all.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::sys::{Interest, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::machine::keep_alive::{IdleMeter, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::tell::event::Side;
use crate::wire::native::{Farewell, Message, Parsed, Token, greeting};

use super::file::Sent;
use super::hearing::greeted;
use super::sending::TreeSending;

/// Sends some blocks of the files of a tree whose first connection has begun.
pub(crate) struct FurtherTreeSender {
    connection: Connection,
    sending: Arc<TreeSending>,
    controls: Arc<Controls>,
    probe: Probe,
    outbox: Outbox,
    inbox: Vec<u8>,
    phase: Phase,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    idle_messages: u64,
    idle_meter: IdleMeter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The receiver has not greeted.
    AwaitGreeting,
    /// It has not let it join.
    AwaitWelcome,
    /// No block was sent over it.
    Unused,
    /// Blocks are sent.
    Sending,
    /// The receiver has closed it behind the last block. If it did so because all is well, whoever speaks for all is told
    /// in time.
    Left,
}

impl FurtherTreeSender {
    /// Joins the session that the token is of.
    pub(crate) fn new(
        connection: Connection,
        sending: Arc<TreeSending>,
        token: Token,
        options: &Options,
        mut context: MachineContext,
    ) -> Self {
        context.probe.watch(connection.as_fd());
        let mut outbox = Outbox::default();
        outbox.push(&greeting());
        Message::Join { token }.encode(outbox.buffer());
        let now = awake_now();
        Self {
            connection,
            sending,
            controls: context.controls,
            probe: context.probe,
            outbox,
            inbox: Vec::new(),
            phase: Phase::AwaitGreeting,
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: now,
            idle_messages: 0,
            idle_meter: IdleMeter::new(now),
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if self.sending.is_done() {
            return Ok(Progress::Part);
        }
        if self.phase == Phase::Left {
            self.probe.rests(Rest::Others);
            return Ok(Progress::Wait {
                interest: Interest::NOTHING,
                until: None,
                peer_owes: true,
            });
        }
        if self.hear(now)? {
            return Ok(Progress::Moved);
        }
        if !self.outbox.is_empty() {
            return match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
                Ok(()) => Ok(Progress::Moved),
                Err(error) if would_block(&error) => Ok(wait(true, None, true)),
                Err(_) => Err(closed()),
            };
        }
        if matches!(self.phase, Phase::AwaitGreeting | Phase::AwaitWelcome) {
            return Ok(wait(false, None, true));
        }
        if self.controls.is_paused() {
            return Ok(self.rest(Rest::Pause, None, now));
        }
        let Some(file) = self.sending.file().filter(|file| !file.is_over()) else {
            return Ok(self.rest(Rest::Others, None, now));
        };
        let limit = self.controls.limit_bytes_per_s();
        let pace = self.controls.pace_bytes_per_s(Side::Sender);
        let allowance = self.sending.throttle().allow(limit, pace, 1, now);
        if let Err((then, rest)) = allowance {
            return Ok(self.rest(rest, Some(then), now));
        }
        match file.send(self.outbox.buffer()) {
            Ok(Sent::Block(bytes)) => {
                self.phase = Phase::Sending;
                self.sending.moved(bytes);
                self.probe.moved(bytes);
            }
            // Whoever speaks for all says what became of the file.
            Ok(Sent::Kept) | Err(_) => {}
            Ok(Sent::Nothing) => return Ok(self.rest(Rest::Others, None, now)),
        }
        if file.is_over() {
            self.sending.wake_others();
        }
        Ok(Progress::Moved)
    }

    /// Nothing is to be sent now.
    fn rest(&mut self, rest: Rest, until: Option<Instant>, now: Instant) -> Progress {
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + self.keep_alive_interval;
            Message::KeepAlive.encode(self.outbox.buffer());
            return Progress::Moved;
        }
        self.probe.rests(rest);
        let until = until.map_or(self.keep_alive_at, |until| until.min(self.keep_alive_at));
        wait(false, Some(until), false)
    }

    /// Whether no block is on its way over it, and none is to be had now.
    fn has_said_all(&self) -> bool {
        let is_idle = self.sending.file().is_none_or(|file| file.is_over());
        self.outbox.is_empty() && is_idle
    }

    /// Takes what the receiver has said, and whether it has said something.
    fn hear(&mut self, now: Instant) -> Result<bool, Error> {
        let mut buffer = [0; 4096];
        let received = recv(self.connection.as_fd(), &mut buffer[..], RecvFlags::DONTWAIT);
        match received.map(|(received, _)| received).map_err(std::io::Error::from) {
            Ok(0) if self.phase == Phase::Sending && self.has_said_all() => {
                self.phase = Phase::Left;
                return Ok(true);
            }
            Ok(0) => return Err(closed()),
            Ok(received) => self.inbox.extend_from_slice(&buffer[..received]),
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) if is_broken(&error) => return Err(closed()),
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
            match (self.phase, message) {
                (_, Message::KeepAlive | Message::Skipped) => self.idle_messages += 1,
                (_, Message::Abort(farewell)) => return Err(farewell.into_error(Error::Aborted)),
                (Phase::AwaitWelcome, Message::Refuse(farewell)) => return Err(farewell.into_error(Error::Refused)),
                (Phase::AwaitWelcome, Message::Welcome { .. }) => self.phase = Phase::Unused,
                (_, message) => return Err(Error::Protocol(format!("{} out of turn", message.name()))),
            }
        }
        self.inbox.drain(..at);
        self.idle_meter.check(self.idle_messages, now)?;
        Ok(true)
    }
}

impl Machine for FurtherTreeSender {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        self.advance(now)
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        // Behind what waits there, which is whole messages.
        Message::Abort(farewell.clone()).encode(self.outbox.buffer());
        // The peer learns of the end by the closing connection all the same.
        let flushed = self.outbox.flush(self.connection.as_fd(), false, &mut self.probe);
        flushed.is_ok()
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.probe
    }

    fn bytes(&self) -> u64 {
        self.sending.bytes()
    }

    fn is_needed(&self) -> bool {
        // Nobody knows which of its blocks have come.
        matches!(self.phase, Phase::Sending | Phase::Left)
    }
}

fn wait(write: bool, until: Option<Instant>, peer_owes: bool) -> Progress {
    Progress::Wait {
        interest: Interest { read: true, write },
        until,
        peer_owes,
    }
}

fn closed() -> Error {
    Error::ClosedWhile("before it had said what became of every file")
}
