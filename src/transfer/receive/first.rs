//! The first connection of a transfer: it hears the offer, decides, and speaks for all of them.

mod ending;
mod offer;
mod preparing;

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::route::receive::Handed;
use crate::sys::{Interest, awake_now};
use crate::telemetry::Probe;
use crate::transfer::limits::admission::Applicant;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress, Remains};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::expected::Expected;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::Options;
use crate::transfer::sink::file_system::Effort;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::{PreparedSink, Publication};
use crate::transfer::tell::event::Finished;
use crate::wire::native::{Farewell, Token, TreeRequest};
use crate::wire::{Heard, Offer, ReceiveWire, Want};

use super::handoff::AwaitedHandoff;
use super::link::{
    Flushed, Input, Link, Receiving, closed, closed_before_offer, compared_at_most, wait_to_read, wait_to_write,
};
use super::newcomer::{Announced, Offered};
use super::plan::ReceivePlan;
use super::tree::{Junction, TreeReceiving};
use super::{ReceiveMachine, Remainder};
use preparing::Preparing;

/// Receives one array, of which further connections may bring blocks.
pub(crate) struct FirstReceiver {
    link: Link,
    plan: ReceivePlan,
    /// Where further connections can come in, until they are expected there.
    listener: Option<Listener>,
    requests: Sender<JoinRequest>,
    /// Who asks for room, where offers need some that others may have.
    applicant: Option<Applicant>,
    /// Each who connects here is heard: one that offers nothing has failed no transfer.
    is_one_of_many: bool,
    /// What is received, once that is known.
    meta: Option<ArrayMeta>,
    phase: Phase,
}

/// A transfer's first connection can do with further ones, which are taken as they come.
pub(crate) struct JoinRequest {
    pub(crate) transfer: Joinable,
    pub(crate) expected: Expected,
    /// Nobody else takes connections at that listener.
    pub(crate) is_sole: bool,
}

/// What further connections bring blocks of.
#[derive(Clone)]
pub(crate) enum Joinable {
    /// An array.
    Array(Arc<IncomingArray>),
    /// The files of a tree.
    Tree(Arc<Junction>),
}

enum Phase {
    /// The sender has not said what it sends, which is due by then.
    Greeting { due: Instant },
    /// It has said what it sends.
    Offered(Box<Offer>),
    /// It has said that it sends a tree.
    TreeOffered(Box<TreeRequest>),
    /// What it offers waits for room.
    Applying(Box<Offer>),
    /// There is room for it, which is being made ready.
    Preparing(Preparing),
    /// The array was asked for as it lies in the sender's memory.
    AwaitingHandoff(AwaitedHandoff),
    /// Bytes of the array come.
    Receiving(Receiving),
    /// All of it is here, and is put on disk.
    Publishing {
        receiving: Receiving,
        publication: Publication,
        surplus: Option<String>,
    },
    /// The array is where it belongs, and the result may still be on its way, until its reader has had the time for it.
    Confirming {
        kept: Kept,
        finished: Box<Finished>,
        until: Instant,
    },
    /// All is said.
    Over(Kept),
    /// A tree of files comes.
    Tree(Box<TreeReceiving>),
    /// It joined another transfer, or `lingers` to read that none waits for it.
    Joined { lingers: bool },
}

/// Where the array is.
enum Kept {
    /// In the sink.
    Sink(Receiving),
    /// In the sender's memory, which is mapped here until whoever drives the machine takes it.
    Handed { array: Option<Handed>, bytes: u64 },
}

impl FirstReceiver {
    /// Further connections can come in at `listener`, and are asked for by `requests`.
    pub(crate) fn new(
        connection: Connection,
        plan: ReceivePlan,
        listener: Option<Listener>,
        options: &Options,
        requests: Sender<JoinRequest>,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let wire = ReceiveWire::new(options.wire, plan.expect.as_ref())?;
        let due = awake_now() + options.timeout;
        Ok(Self {
            link: Link::new(connection, wire, plan.source.is_some(), options, context),
            plan,
            listener,
            requests,
            applicant: None,
            is_one_of_many: false,
            meta: None,
            phase: Phase::Greeting { due },
        })
    }

    /// The same for a sender that has said already what it sends.
    pub(crate) fn of_offer(
        offered: Offered,
        plan: ReceivePlan,
        listener: Listener,
        options: &Options,
        requests: Sender<JoinRequest>,
        context: MachineContext,
    ) -> Self {
        let Offered {
            connection,
            wire,
            offer,
        } = offered;
        Self {
            link: Link::new(connection, wire, false, options, context),
            plan,
            listener: Some(listener),
            requests,
            applicant: None,
            is_one_of_many: false,
            meta: None,
            phase: match offer {
                Announced::Array(offer) => Phase::Offered(offer),
                Announced::Tree(request) => Phase::TreeOffered(request),
            },
        }
    }

    /// Whether its connection is one of many that are heard side by side.
    pub(crate) fn one_of_many(self, is_one_of_many: bool) -> Self {
        Self { is_one_of_many, ..self }
    }

    /// What it is offered waits until there is room for it, in order.
    pub(crate) fn apply_as(&mut self, applicant: Applicant) {
        self.applicant = Some(applicant);
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if let Phase::Tree(tree) = &mut self.phase {
            return tree.step(&mut self.link, &mut self.applicant, now);
        }
        if !self.link.outbox.is_empty() {
            let flushed = self.link.flush();
            return self.after_flush(&flushed, now);
        }
        match &self.phase {
            Phase::Confirming { until, .. } => {
                let until = *until;
                self.confirm(until, now)
            }
            Phase::Offered(offer) => {
                let offer = offer.clone();
                self.consider(offer)?;
                Ok(Progress::Moved)
            }
            Phase::TreeOffered(request) => {
                let request = request.clone();
                self.consider_tree(*request)?;
                match self.phase {
                    Phase::TreeOffered(_) => self.wait_for_room(now),
                    _ => Ok(Progress::Moved),
                }
            }
            Phase::Applying(_) => self.apply(now),
            Phase::Preparing(_) => self.await_sink(now),
            Phase::Greeting { due } => {
                let due = *due;
                self.greet(due, now)
            }
            Phase::AwaitingHandoff(_) | Phase::Receiving(_) => self.take(now),
            Phase::Publishing { .. } => self.await_publication(now),
            Phase::Tree(_) | Phase::Over(_) | Phase::Joined { .. } => {
                Err(Error::Bug("a receiver goes on after its end".into()))
            }
        }
    }

    /// Goes on after the sender was told something, or was not: what has its place already stays there all the same.
    fn after_flush(&mut self, flushed: &Flushed, now: Instant) -> Result<Progress, Error> {
        match (flushed, &self.phase) {
            (Flushed::Sent, _) => Ok(Progress::Moved),
            (Flushed::Waits, Phase::Publishing { .. }) => self.await_publication(now),
            (Flushed::Waits, Phase::Confirming { until, .. }) if now < *until => Ok(Progress::Wait {
                interest: Interest::WRITE,
                until: Some(*until),
                peer_owes: false,
            }),
            (Flushed::Waits, Phase::Confirming { .. }) => self.end_unheard(),
            (Flushed::Waits, _) => Ok(wait_to_write()),
            (Flushed::Broken, _) if self.recall() => Err(self.closed()),
            (Flushed::Broken, Phase::Publishing { .. }) => {
                self.link.outbox = Outbox::default();
                self.await_publication(now)
            }
            // A sender that did not wait for the result lost nothing here.
            (Flushed::Broken, _) => self.end_unheard(),
        }
    }

    /// Ends with the array kept, whether its sender has read the result or not.
    fn end_unheard(&mut self) -> Result<Progress, Error> {
        self.finish()
            .ok_or_else(|| Error::Bug("an array is kept and not told of".into()))
    }

    /// Takes what comes of the array.
    fn take(&mut self, now: Instant) -> Result<Progress, Error> {
        match (self.link.wire.want(), &mut self.phase) {
            (Want::Control(most), phase) => {
                if matches!(phase, Phase::Receiving(_)) {
                    self.link.tell_pause();
                }
                self.hear(most)
            }
            (Want::Data { at, len }, Phase::Receiving(receiving)) => self.link.receive(receiving, at, len, now),
            (Want::Done, Phase::Receiving(_)) => self.publish(now),
            _ => Err(Error::Bug("data where a handoff was asked for".into())),
        }
    }

    fn hear(&mut self, most: usize) -> Result<Progress, Error> {
        let (received, total) = (self.bytes(), self.total_bytes());
        let ended = || total.map_or_else(closed_before_offer, |total| closed(received, total));
        let phase = &mut self.phase;
        let input = self.link.hear(most, ended, |link, into| match phase {
            Phase::AwaitingHandoff(awaited) => awaited.read(link, into),
            _ => link.read(into),
        })?;
        match input {
            Input::Nothing => return Ok(wait_to_read(true)),
            Input::Message(Heard::Offer(offer)) => self.consider(offer)?,
            Input::Message(Heard::Tree(request)) => self.consider_tree(*request)?,
            Input::Message(Heard::Join(token)) => return self.join(&token),
            Input::Message(Heard::Handoff { position }) => self.take_over(position)?,
            Input::Message(Heard::BlocksInstead) => self.take_blocks_instead()?,
            Input::Bytes | Input::Message(Heard::KeepAlive) => {}
        }
        Ok(Progress::Moved)
    }

    fn join(&mut self, token: &Token) -> Result<Progress, Error> {
        self.link.check_user()?;
        let outcome = self.link.join(self.listener.as_ref(), token)?;
        self.phase = Phase::Joined {
            lingers: outcome.lingers(),
        };
        Ok(Progress::Joined)
    }

    fn closed(&self) -> Error {
        self.total_bytes()
            .map_or_else(closed_before_offer, |total| closed(self.bytes(), total))
    }

    /// How many bytes are to come, once that is agreed.
    fn total_bytes(&self) -> Option<u64> {
        match &self.phase {
            Phase::Greeting { .. }
            | Phase::Offered(_)
            | Phase::TreeOffered(_)
            | Phase::Applying(_)
            | Phase::Tree(_)
            | Phase::Joined { .. } => None,
            Phase::Preparing(preparing) => Some(preparing.byte_len()),
            Phase::AwaitingHandoff(awaited) => Some(awaited.offer.meta.byte_len()),
            Phase::Receiving(receiving) | Phase::Publishing { receiving, .. } => {
                receiving.array.sink.ledger.total_bytes()
            }
            Phase::Confirming { kept, .. } | Phase::Over(kept) => match kept {
                Kept::Sink(receiving) => receiving.array.sink.ledger.total_bytes(),
                Kept::Handed { bytes, .. } => Some(*bytes),
            },
        }
    }

    /// Bytes that were here before and that the sender may have compared by now: meanwhile none of them comes, and it only
    /// says that it is still there.
    fn compared_bytes(&self) -> u64 {
        let Some(Receiving { array, .. }) = self.receiving() else {
            return 0;
        };
        let (sink, total) = (&array.sink, array.sink.ledger.total_bytes());
        // What is missing comes first.
        let all_came = total.is_some_and(|total| sink.ledger.received_bytes() >= total - sink.resumed_bytes.min(total));
        if all_came {
            sink.resumed_bytes.min(compared_at_most(self.link.wire.idle_messages()))
        } else {
            0
        }
    }

    /// What the array is received into.
    fn receiving(&self) -> Option<&Receiving> {
        match &self.phase {
            Phase::Receiving(receiving)
            | Phase::Publishing { receiving, .. }
            | Phase::Over(Kept::Sink(receiving))
            | Phase::Confirming {
                kept: Kept::Sink(receiving),
                ..
            } => Some(receiving),
            _ => None,
        }
    }
}

impl Machine for FirstReceiver {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        self.advance(now).map_err(|cause| match self.receiving() {
            Some(Receiving { array, .. }) => array.sink.failure(cause),
            None => cause,
        })
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        self.link.give_up(farewell)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        match (&self.phase, self.receiving()) {
            (Phase::Tree(tree), _) => tree.bytes(),
            (_, Some(receiving)) => receiving.array.sink.ledger.received_bytes(),
            (Phase::Confirming { kept, .. } | Phase::Over(kept), None) => match kept {
                Kept::Handed { bytes, .. } => *bytes,
                Kept::Sink(_) => 0,
            },
            _ => 0,
        }
    }

    fn progress_bytes(&self) -> u64 {
        match &self.phase {
            Phase::Tree(tree) => tree.progress_bytes(),
            _ => self.bytes() + self.compared_bytes(),
        }
    }

    fn awaits_offer_of_many(&self) -> bool {
        self.is_one_of_many && matches!(self.phase, Phase::Greeting { .. })
    }

    fn discard(&self) {
        if let Phase::Tree(tree) = &self.phase {
            tree.discard();
        }
        if let Some(receiving) = self.receiving() {
            receiving.array.sink.discard();
        }
    }

    fn left_behind(&self) -> Option<String> {
        self.receiving()?.array.sink.left_behind()
    }

    fn lingers(&self) -> bool {
        match &self.phase {
            Phase::Joined { lingers } => *lingers,
            // Its sender may have said that it is still here while others sent.
            Phase::Over(Kept::Sink(receiving)) => receiving.streams > 1,
            _ => false,
        }
    }

    fn recall(&self) -> bool {
        match &self.phase {
            Phase::Tree(tree) => tree.recall(),
            Phase::Publishing { publication, .. } => publication.recall(),
            Phase::Confirming { .. } | Phase::Over(_) => false,
            _ => true,
        }
    }

    fn remains(&mut self) -> Option<Remains> {
        match &mut self.phase {
            Phase::Confirming { kept, .. } | Phase::Over(kept) => match kept {
                Kept::Handed { array, .. } => array.take().map(|array| Box::new(array) as Remains),
                Kept::Sink(_) => None,
            },
            _ => None,
        }
    }
}

impl ReceiveMachine for FirstReceiver {
    fn connection(&self) -> &Connection {
        &self.link.connection
    }

    fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::Tree(_)) || self.total_bytes().is_some()
    }

    fn into_parts(self: Box<Self>) -> (Connection, Option<Remainder>) {
        let sink = self.receiving().map(|receiving| &receiving.array.sink);
        let effort = match &self.phase {
            Phase::Preparing(_) | Phase::Tree(_) => Some(Effort::MayLast),
            _ => sink.filter(|sink| sink.is_in_file()).map(PreparedSink::effort),
        };
        let Self {
            link, phase, applicant, ..
        } = *self;
        // Its place is free for others when its file is closed.
        let remainder = effort.map(|effort| Remainder {
            effort,
            all: Box::new((phase, applicant)),
        });
        (link.connection, remainder)
    }
}

#[cfg(test)]
mod tests;
