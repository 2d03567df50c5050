//! A connection that is taken only if it joins a transfer that has begun.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use crate::error::Error;
use crate::telemetry::Probe;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::transfer::tell::event::State;
use crate::wire::{Heard, ReceiveWire, Want, WireChoice};

use super::link::{Flushed, Input, Link, closed_before_offer, wait_to_read, wait_to_write};

/// Hears what a connection wants. One that shows the token of a transfer that waits at the listener is handed to it;
/// any other learns why it is turned away.
pub(super) struct NewcomerReceiver {
    link: Link,
    listener: Listener,
    phase: Phase,
}

enum Phase {
    /// It has not said what it wants, which is due by then.
    Greeting { due: Instant },
    /// Another transfer has it, or it was told that none waits for it and `lingers` to read that.
    Joined { lingers: bool },
}

impl NewcomerReceiver {
    pub(super) fn new(
        connection: Connection,
        listener: Listener,
        options: &Options,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let wire = ReceiveWire::new(WireChoice::Native, None)?;
        Ok(Self {
            link: Link::new(connection, wire, false, options, context),
            listener,
            phase: Phase::Greeting {
                due: Instant::now() + options.timeout,
            },
        })
    }
}

impl Machine for NewcomerReceiver {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        if !self.link.outbox.is_empty() {
            return match self.link.flush() {
                Flushed::Sent => Ok(Progress::Moved),
                Flushed::Waits => Ok(wait_to_write()),
                Flushed::Broken => Err(closed_before_offer()),
            };
        }
        let (Want::Control(most), Phase::Greeting { due }) = (self.link.wire.want(), &self.phase) else {
            return Err(Error::Bug("a newcomer sends an array".into()));
        };
        self.link.events.state(State::Connecting);
        if now >= *due {
            return Err(Error::Silent(self.link.options.timeout));
        }
        match self.link.hear(most, closed_before_offer, Link::read)? {
            Input::Nothing => Ok(wait_to_read(true)),
            Input::Bytes => Ok(Progress::Moved),
            Input::Message(Heard::Join(token)) => {
                let lingers = self.link.join(Some(&self.listener), &token)?.lingers();
                self.phase = Phase::Joined { lingers };
                Ok(Progress::Joined)
            }
            Input::Message(Heard::Offer(_)) => {
                let text = "another array is being received here: send again when that is done";
                Err(Error::BadOffer(text.into()))
            }
            Input::Message(_) => Err(Error::Bug("a newcomer hands an array over".into())),
        }
    }

    fn give_up(&mut self, reason: &str) -> bool {
        self.link.give_up(reason)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn lingers(&self) -> bool {
        matches!(self.phase, Phase::Joined { lingers: true })
    }
}
