//! A connection of which nobody knows yet what it wants.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::awake_now;
use crate::telemetry::Probe;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::wire::native::{Farewell, TreeRequest};
use crate::wire::{Heard, Offer, ReceiveWire, Want, WireChoice};

use super::link::{Flushed, Input, JoinOutcome, Link, closed_before_offer, wait_to_read, wait_to_write};

/// What is taken from those who connect. Whoever shows the token of a transfer that waits at the listener joins it in
/// any case.
pub(crate) enum Wanted {
    /// An array; of this description, where it does not come with one.
    Array(Option<ArrayMeta>),
    /// Nothing else: one is being received.
    JoinsOnly,
}

/// A sender that has said what it sends, and waits for an answer.
pub(crate) struct Offered {
    pub(crate) connection: Connection,
    /// It has heard the offer.
    pub(crate) wire: ReceiveWire,
    pub(crate) offer: Announced,
}

/// What is about to come.
pub(crate) enum Announced {
    Array(Box<Offer>),
    /// A tree of files.
    Tree(Box<TreeRequest>),
}

/// Hears what a connection wants.
pub(super) struct NewcomerReceiver {
    link: Link,
    listener: Listener,
    takes_offers: bool,
    phase: Phase,
}

enum Phase {
    /// It has not said what it wants, which is due by then.
    Greeting { due: Instant },
    /// It offers an array or a tree.
    Offered(Announced),
    /// Another transfer has it.
    Joined,
    /// None waits for it, and it was told so; it may have to stay to read that. One that was known here is no stranger.
    TurnedAway { lingers: bool, was_known: bool },
}

impl NewcomerReceiver {
    pub(super) fn new(
        connection: Connection,
        listener: Listener,
        wanted: &Wanted,
        options: &Options,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let wire = match wanted {
            Wanted::Array(expect) => ReceiveWire::new(options.wire, expect.as_ref())?,
            Wanted::JoinsOnly => ReceiveWire::new(WireChoice::Native, None)?,
        };
        Ok(Self {
            link: Link::new(connection, wire, false, options, context),
            listener,
            takes_offers: matches!(wanted, Wanted::Array(_)),
            phase: Phase::Greeting {
                due: awake_now() + options.timeout,
            },
        })
    }

    pub(super) fn peer(&self) -> &str {
        self.link.connection.peer()
    }

    pub(super) fn has_offered(&self) -> bool {
        matches!(self.phase, Phase::Offered(_))
    }

    /// Whether it joins a transfer that was never here.
    pub(super) fn is_stranger(&self) -> bool {
        matches!(self.phase, Phase::TurnedAway { was_known: false, .. })
    }

    /// What it offers, with the connection; `None` where it offers nothing.
    pub(super) fn into_offered(self) -> Option<Offered> {
        let Self { link, phase, .. } = self;
        match phase {
            Phase::Offered(offer) => Some(Offered {
                connection: link.connection,
                wire: link.wire,
                offer,
            }),
            _ => None,
        }
    }

    fn offer(&mut self, offer: Announced) -> Result<Progress, Error> {
        self.link.check_user()?;
        if !self.takes_offers {
            let text = "another array is being received here: send again when that is done";
            return Err(Error::BadOffer(text.into()));
        }
        self.phase = Phase::Offered(offer);
        Ok(Progress::Moved)
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
        let Phase::Greeting { due } = self.phase else {
            return Err(Error::Bug("a newcomer goes on after it was heard".into()));
        };
        // One byte now and then is no greeting: it does not keep a place for ever.
        let silent = || Err(Error::Silent(self.link.options.timeout));
        let most = match self.link.wire.want() {
            Want::Control(_) if now >= due => return silent(),
            Want::Control(most) => most,
            Want::Decision => {
                // Only the raw wire is here: whoever says nothing sends nothing.
                return match self.link.has_first_byte()? {
                    false if now >= due => silent(),
                    false => Ok(wait_to_read(true)),
                    true => {
                        let offer = self.link.wire.known_offer();
                        let offer = offer.ok_or_else(|| Error::Bug("an offer that was not considered".into()))?;
                        self.offer(Announced::Array(offer))
                    }
                };
            }
            Want::Data { .. } | Want::Done => return Err(Error::Bug("data before an offer".into())),
        };
        match self.link.hear(most, closed_before_offer, Link::read)? {
            Input::Nothing => Ok(wait_to_read(true)),
            Input::Bytes => Ok(Progress::Moved),
            Input::Message(Heard::Join(token)) => {
                self.link.check_user()?;
                self.phase = match self.link.join(Some(&self.listener), &token)? {
                    JoinOutcome::Taken => Phase::Joined,
                    JoinOutcome::TurnedAway { lingers, was_known } => Phase::TurnedAway { lingers, was_known },
                };
                Ok(Progress::Joined)
            }
            Input::Message(Heard::Offer(offer)) => self.offer(Announced::Array(offer)),
            Input::Message(Heard::Tree(request)) => self.offer(Announced::Tree(request)),
            Input::Message(_) => Err(Error::Bug("a newcomer hands an array over".into())),
        }
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        self.link.give_up(farewell)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn lingers(&self) -> bool {
        matches!(self.phase, Phase::TurnedAway { lingers: true, .. })
    }
}
