//! A further connection of a transfer: it sends blocks, and the first one speaks for all.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::route::send::SendRoute;
use crate::telemetry::Probe;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::plan::Options;
use crate::wire::{SendStep, SendWire};

use super::link::{Link, Next, Reply};
use super::sending::Sending;

/// Sends some blocks of an array whose first connection has begun.
pub(crate) struct FurtherSender {
    link: Link,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No block has begun on it.
    Joining,
    /// No block has, and none will: the first connection has been told.
    Unused,
    /// Blocks are being sent.
    Sending,
    /// Its last block is sent, and the first connection has been told.
    Sent,
    /// Its receiver has closed it, and the first connection has not been told yet that nothing more is sent.
    Leaving,
    /// Its receiver has closed it, and the first connection has been told.
    Left,
}

impl FurtherSender {
    pub(crate) fn new(
        connection: Connection,
        sending: Arc<Sending>,
        route: Box<dyn SendRoute>,
        wire: SendWire,
        options: &Options,
        context: MachineContext,
    ) -> Self {
        Self {
            link: Link::new(connection, sending, route, wire, options, context),
            phase: Phase::Joining,
        }
    }

    /// Whether nothing more is to be sent over it.
    fn has_done_its_part(&self) -> bool {
        self.link.wire.agreed() && !self.link.wire.has_more()
    }

    /// Whether the receiver has said something.
    fn hear(&mut self) -> Result<bool, Error> {
        let reply = self.link.hear(self.has_done_its_part())?;
        if reply == Reply::Left {
            self.leave();
        }
        Ok(reply == Reply::Heard)
    }

    fn flush(&mut self) -> Result<Progress, Error> {
        if let Some(progress) = self.link.flush() {
            return Ok(progress);
        }
        if !self.has_done_its_part() {
            return Err(self.link.broken());
        }
        self.leave();
        self.link.outbox = Outbox::default();
        Ok(Progress::Moved)
    }

    /// The receiver has closed the connection, over which nothing more was to come.
    fn leave(&mut self) {
        self.phase = match self.phase {
            Phase::Joining | Phase::Sending | Phase::Leaving => Phase::Leaving,
            Phase::Unused | Phase::Sent | Phase::Left => Phase::Left,
        };
    }

    /// Nothing is to be sent now.
    fn wait(&mut self, now: Instant) -> Result<Progress, Error> {
        self.link.tell_waiting();
        if self.has_done_its_part() {
            let told = match self.phase {
                Phase::Joining => Phase::Unused,
                Phase::Sending => Phase::Sent,
                Phase::Leaving => Phase::Left,
                phase => phase,
            };
            if told != self.phase {
                self.phase = told;
                // The first one may have the result already.
                self.link.controls.wake();
            }
        }
        if self.phase == Phase::Left {
            // Another connection of ours knows whether all is well.
            Ok(self.link.await_others())
        } else if self.hear()? {
            Ok(Progress::Moved)
        } else {
            Ok(self.link.await_receiver(now))
        }
    }

    /// Steps as the machine does.
    fn advance(&mut self, now: Instant, ready: bool) -> Result<Progress, Error> {
        let has_knocked = self.link.wire.has_greeted() && self.link.outbox.is_empty();
        if has_knocked && self.link.sending.is_done.load(Ordering::SeqCst) {
            return Ok(Progress::Part);
        }
        if ready {
            // What is left unread would end the next wait at once.
            self.link.settled()?;
            if self.hear()? {
                return Ok(Progress::Moved);
            }
        }
        if !self.link.outbox.is_empty() {
            return self.flush();
        }
        let step = match self.link.next(self.link.wire.agreed(), now)? {
            Next::Rest(progress) | Next::Starved(progress) => return Ok(progress),
            Next::Step(step) => step,
        };
        match step {
            SendStep::Write(bytes) => {
                self.link.outbox.push(&bytes);
                Ok(Progress::Moved)
            }
            SendStep::Data { at, len } => {
                let progress = self.link.send(at, len, None, now)?;
                if matches!(progress, Progress::Moved) {
                    self.phase = Phase::Sending;
                }
                Ok(progress)
            }
            SendStep::Compare { at, len } => {
                // Nobody else will do it.
                self.phase = Phase::Sending;
                self.hear()?;
                self.link.compare(at, len, now)
            }
            SendStep::Await => self.wait(now),
            SendStep::LookAgain | SendStep::HandOver | SendStep::Done => {
                Err(Error::Bug("a further connection speaks for its transfer".into()))
            }
        }
    }
}

impl Machine for FurtherSender {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn step(&mut self, now: Instant, ready: bool) -> Result<Progress, Error> {
        self.advance(now, ready).map_err(|error| self.link.explained(error))
    }

    fn give_up(&mut self, reason: &str) -> bool {
        self.link.give_up(reason)
    }

    fn silence(&self, timeout: Duration) -> Error {
        self.link.silence(timeout)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        self.link.bytes()
    }

    fn is_needed(&self) -> bool {
        !matches!(self.phase, Phase::Joining | Phase::Unused)
    }
}
