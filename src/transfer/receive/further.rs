//! A further connection of a transfer: it brings blocks, and the first one speaks for all.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::error::Error;
use crate::telemetry::{Probe, Rest};
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::Connection;
use crate::transfer::plan::Options;
use crate::transfer::sink::block_receiver::BlockReceiver;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::wire::native::Farewell;
use crate::wire::{ReceiveWire, Want};

use super::link::{Flushed, Input, Link, Receiving, closed_early, rest_until, wait_to_read, wait_to_write};
use super::{ReceiveMachine, Remainder};

/// Receives some blocks of an array whose first connection has begun.
pub(crate) struct FurtherReceiver {
    link: Link,
    receiving: Receiving,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Blocks come, or will.
    Receiving,
    /// No more comes here, and the first connection has been told.
    Waiting,
    /// The array is published. The connection stays a while: its sender may have said that it is still here.
    Over,
}

impl FurtherReceiver {
    /// For a connection that has joined; `led_by_sender` says that both ends are here, so that the sender alone keeps to
    /// the limit and to pauses.
    pub(crate) fn new(
        connection: Connection,
        array: Arc<IncomingArray>,
        led_by_sender: bool,
        options: &Options,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let blocks = BlockReceiver::new(&array.sink, array.sink.route()?.route, context.publishing.clone());
        let wire = ReceiveWire::joined(array.grain);
        Ok(Self {
            link: Link::new(connection, wire, led_by_sender, options, context),
            receiving: Receiving {
                array,
                blocks,
                streams: 1,
            },
            phase: Phase::Receiving,
        })
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        let ledger = &self.receiving.array.sink.ledger;
        if !self.link.outbox.is_empty() {
            return match self.link.flush() {
                Flushed::Sent => Ok(Progress::Moved),
                Flushed::Waits => Ok(wait_to_write()),
                Flushed::Broken => Err(closed_early(ledger)),
            };
        }
        match self.link.wire.want() {
            Want::Control(most) => match self.link.hear(most, || closed_early(ledger), Link::read)? {
                Input::Nothing => Ok(wait_to_read(true)),
                Input::Bytes => Ok(Progress::Moved),
                Input::Message(_) => Err(Error::Bug("an offer on a further connection".into())),
            },
            Want::Decision => {
                let answer = self.link.wire.accept(ledger, None)?;
                self.link.outbox.push(&answer);
                Ok(Progress::Moved)
            }
            Want::Data { at, len } => self.link.receive(&mut self.receiving, at, len, now),
            Want::Done => Ok(self.end_of_blocks()),
        }
    }

    /// Nothing more comes: waits until the first connection has published the array.
    fn end_of_blocks(&mut self) -> Progress {
        if self.receiving.array.is_published.load(Ordering::SeqCst) {
            self.phase = Phase::Over;
            return Progress::Part;
        }
        if self.phase == Phase::Receiving {
            self.phase = Phase::Waiting;
            self.link.controls.wake();
        }
        let is_being_synced = self.receiving.array.is_being_synced.load(Ordering::SeqCst);
        let rest = if is_being_synced { Rest::Sync } else { Rest::Others };
        self.link.probe.rests(rest);
        rest_until(None)
    }
}

impl Machine for FurtherReceiver {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        step.map_err(|cause| self.receiving.array.sink.failure(cause))
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        self.link.give_up(farewell)
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.link.probe
    }

    fn bytes(&self) -> u64 {
        self.receiving.array.sink.ledger.received_bytes()
    }

    fn discard(&self) {
        self.receiving.array.sink.discard();
    }

    fn left_behind(&self) -> Option<String> {
        self.receiving.array.sink.left_behind()
    }

    fn lingers(&self) -> bool {
        self.phase == Phase::Over
    }

    fn recall(&self) -> bool {
        !self.receiving.array.is_published.load(Ordering::SeqCst)
    }

    fn is_needed(&self) -> bool {
        // Bytes that it did not bring come by another connection, or the sender says why not.
        self.link.wire.is_within_block()
    }
}

impl ReceiveMachine for FurtherReceiver {
    fn connection(&self) -> &Connection {
        &self.link.connection
    }

    fn is_receiving(&self) -> bool {
        true
    }

    fn into_parts(self: Box<Self>) -> (Connection, Option<Remainder>) {
        let Self { link, receiving, .. } = *self;
        let remainder = receiving.array.sink.is_in_file().then(|| Remainder {
            effort: receiving.array.sink.effort(),
            all: Box::new(receiving),
        });
        (link.connection, remainder)
    }
}
