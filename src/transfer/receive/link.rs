//! What every receiving connection has, whatever its role: the socket, the wire, and what is to be said over it.

use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::checksum::ChecksumKind;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::sys::{Interest, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::Progress;
use crate::transfer::machine::keep_alive::{IdleMeter, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::joins::Delivery;
use crate::transfer::net::listener::Listener;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::sink::block_receiver::{BlockReceiver, Received, Wanted};
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::survey::Surveyor;
use crate::transfer::tell::event::{Side, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::wire::native::{Farewell, Token};
use crate::wire::{Heard, ReceiveWire};

/// The most bytes of the wire that are read at once.
const CONTROL_BYTES_MAX: usize = 16 << 10;

/// What a sender reads from a slow disk between two keep-alives, and more.
const COMPARED_BYTES: u64 = 32 << 20;

/// The most bytes that a sender can have compared that has said so often that it is still there.
pub(super) fn compared_at_most(idle_messages: u64) -> u64 {
    idle_messages.saturating_mul(COMPARED_BYTES)
}

/// One connection and what is said over it.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) controls: Arc<Controls>,
    pub(super) options: Options,
    pub(super) wire: ReceiveWire,
    pub(super) outbox: Outbox,
    pub(super) probe: Probe,
    pub(super) events: EventSender,
    pub(super) publishing: PublishContext,
    /// Looks at what passes by.
    pub(super) surveyor: Option<Surveyor>,
    /// Where both ends are here, the sender alone keeps to the limit and to pauses.
    led_by_sender: bool,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    idle_meter: IdleMeter,
}

/// An array that is being received, as one connection sees it.
pub(super) struct Receiving {
    /// Before `array`, and so dropped before it: memory is kept for the next transfer only where nobody has a part of it.
    pub(super) blocks: BlockReceiver,
    pub(super) array: Arc<IncomingArray>,
    /// Over how many connections it may come.
    pub(super) streams: u16,
}

/// What came over the wire.
pub(super) enum Input {
    /// Nothing yet.
    Nothing,
    /// Bytes that ask for no decision.
    Bytes,
    /// Something that the connection's role decides on.
    Message(Heard),
}

/// What became of the bytes that were to be said.
pub(super) enum Flushed {
    /// All are with the kernel.
    Sent,
    /// The socket takes no more for now.
    Waits,
    /// The connection is gone.
    Broken,
}

/// What became of a connection that asked to join a transfer.
pub(super) enum JoinOutcome {
    /// The transfer has it.
    Taken,
    /// No transfer waits for it. The connection may have to linger for its peer to read that.
    TurnedAway { lingers: bool, was_known: bool },
}

impl JoinOutcome {
    pub(super) fn lingers(&self) -> bool {
        matches!(self, Self::TurnedAway { lingers: true, .. })
    }
}

impl Link {
    pub(super) fn new(
        connection: Connection,
        wire: ReceiveWire,
        led_by_sender: bool,
        options: &Options,
        mut context: MachineContext,
    ) -> Self {
        context.probe.watch(connection.as_fd());
        Self {
            connection,
            controls: context.controls,
            options: options.clone(),
            wire,
            outbox: Outbox::default(),
            probe: context.probe,
            events: context.events,
            publishing: context.publishing,
            surveyor: context.surveyor,
            led_by_sender,
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: awake_now(),
            idle_meter: IdleMeter::new(awake_now()),
        }
    }

    /// Fails where the sender is a process of a user that is not to be there. It has said what it wants, and so can hear
    /// why it does not get it.
    pub(super) fn check_user(&self) -> Result<(), Error> {
        self.connection.check_user(self.options.peer_user)
    }

    /// Sends what is to be said, as far as that goes without waiting.
    pub(super) fn flush(&mut self) -> Flushed {
        match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
            Ok(()) => Flushed::Sent,
            Err(error) if would_block(&error) => Flushed::Waits,
            Err(_) => Flushed::Broken,
        }
    }

    /// Reads at most `most` bytes of the wire with `read`, and takes what they say. Where no more will come, the error
    /// is `closed`.
    pub(super) fn hear(
        &mut self,
        most: usize,
        closed: impl Fn() -> Error,
        read: impl FnOnce(&mut Self, &mut [u8]) -> io::Result<usize>,
    ) -> Result<Input, Error> {
        let mut buffer = [0; CONTROL_BYTES_MAX];
        let most = most.clamp(1, CONTROL_BYTES_MAX);
        match read(self, &mut buffer[..most]) {
            Ok(0) => Err(closed()),
            Ok(received) => Ok(match self.wire.hear(&buffer[..received])? {
                None => Input::Bytes,
                Some(Heard::KeepAlive) => {
                    self.idle_meter.check(self.wire.idle_messages(), awake_now())?;
                    Input::Bytes
                }
                Some(message) => Input::Message(message),
            }),
            Err(error) if would_block(&error) => Ok(Input::Nothing),
            Err(error) => Err(broken(&error, closed)),
        }
    }

    /// # Errors
    /// So many messages that say nothing have come that they are a flood.
    pub(super) fn check_idle(&self, messages: u64) -> Result<(), Error> {
        self.idle_meter.check(messages, awake_now())
    }

    /// Reads without taking a descriptor: one that comes unasked is closed by the kernel.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(recv(self.connection.as_fd(), into, RecvFlags::empty())?.0)
    }

    /// Whether the first byte of an array has come that is offered without a word, or none is to come.
    pub(super) fn has_first_byte(&self) -> Result<bool, Error> {
        if self.wire.known_offer().is_none_or(|offer| offer.meta.byte_len() == 0) {
            return Ok(true);
        }
        match recv(self.connection.as_fd(), &mut [0; 1][..], RecvFlags::PEEK) {
            Ok((0, _)) => Err(closed_before_offer()),
            Ok(_) => Ok(true),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
            Err(error) => Err(broken(&error.into(), closed_before_offer)),
        }
    }

    /// Tells the sender that we are still here, where that is due.
    pub(super) fn keep_alive(&mut self, now: Instant) -> bool {
        if now < self.keep_alive_at {
            return false;
        }
        self.keep_alive_at = now + self.keep_alive_interval;
        let bytes = self.wire.keep_alive();
        self.outbox.push(bytes.as_deref().unwrap_or_default());
        bytes.is_some()
    }

    /// The next keep-alive is due in a whole interval.
    pub(super) fn put_off_keep_alive(&mut self, now: Instant) {
        self.keep_alive_at = now + self.keep_alive_interval;
    }

    /// Waits until the disk has done something, which is told by a wake; the sender hears that it is not forgotten.
    pub(super) fn wait_for_disk(&mut self, now: Instant, rest: Rest) -> Progress {
        // One that takes nothing is told nothing more.
        if !self.outbox.is_empty() {
            self.keep_alive_at = self.keep_alive_at.max(now + self.keep_alive_interval);
        } else if self.keep_alive(now) {
            return Progress::Moved;
        }
        self.probe.rests(rest);
        self.rest()
    }

    /// Waits until the next keep-alive is due, or a wake.
    pub(super) fn rest(&self) -> Progress {
        rest_until(Some(self.keep_alive_at))
    }

    /// Tells whether the array is on its way or paused, in a block and between two, and returns whether it is paused.
    pub(super) fn tell_pause(&mut self) -> bool {
        let is_paused = self.controls.is_paused();
        self.events
            .state(if is_paused { State::Paused } else { State::Transferring });
        is_paused
    }

    /// Takes bytes of the array, at most `len` from `at` on, unless the transfer is paused here.
    pub(super) fn receive(
        &mut self,
        receiving: &mut Receiving,
        at: u64,
        len: u64,
        now: Instant,
    ) -> Result<Progress, Error> {
        let is_paused = self.tell_pause();
        if is_paused && !self.led_by_sender {
            return Ok(self.pause(now));
        }
        let limit = self.controls.limit_bytes_per_s().filter(|_| !self.led_by_sender);
        let pace = self.controls.pace_bytes_per_s(Side::Receiver);
        self.events.limit(limit);
        if (limit.is_some() || pace.is_some()) && self.keep_alive(now) {
            return Ok(Progress::Moved);
        }
        let wanted = Wanted {
            at,
            len,
            span: self.wire.take_span(),
            limit_bytes_per_s: limit,
            pace_bytes_per_s: pace,
            chunk_bytes: self.options.chunk_bytes.max(1),
        };
        let Receiving { array, blocks, .. } = receiving;
        if let Some(surveyor) = &self.surveyor
            && self.wire.tells_checksums()
            && array.sink.ledger.checksum_kind() != ChecksumKind::None
        {
            surveyor.survey().verified(array.sink.ledger.verified_bytes());
        }
        let (wire, surveyor, idle) = (&mut self.wire, &mut self.surveyor, self.probe.idle());
        let (mut socket, mut seen_at) = (self.connection.as_fd(), at);
        let received = blocks.receive(array, &mut socket, wanted, now, &mut self.probe, &mut |bytes| {
            wire.absorb(bytes);
            if let Some(surveyor) = surveyor {
                surveyor.see(seen_at, bytes, now, idle);
                seen_at += bytes.len() as u64;
            }
        })?;
        match received {
            Received::Bytes(bytes, preview) => {
                self.wire.landed(bytes)?;
                if let Some(preview) = preview {
                    self.events.tell(*preview);
                }
                Ok(Progress::Moved)
            }
            Received::WaitsForDisk => Ok(self.wait_for_disk(now, Rest::Disk)),
            // A sender that is paused from here owes nothing.
            Received::Nothing => Ok(wait_to_read(!is_paused)),
            Received::NotBefore(then, rest) => {
                self.probe.rests(rest);
                Ok(rest_until(Some(then)))
            }
            Received::End => Err(closed_early(&array.sink.ledger)),
            Received::Broke(error) => Err(broken(&error, || closed_early(&array.sink.ledger))),
        }
    }

    /// Takes nothing until it is resumed; the sender hears that it is not forgotten.
    pub(super) fn pause(&mut self, now: Instant) -> Progress {
        if self.keep_alive(now) {
            return Progress::Moved;
        }
        self.probe.rests(Rest::Pause);
        self.rest()
    }

    /// Hands the connection to the transfer that waits at `listener` and drew the token. Where that has ended meanwhile
    /// nothing is lost: the sender is told, and knows it already.
    pub(super) fn join(&mut self, listener: Option<&Listener>, token: &Token) -> Result<JoinOutcome, Error> {
        let connection = self.connection.try_clone()?;
        let delivery = match listener {
            Some(listener) => listener.joins().deliver(token, connection),
            None => Delivery::Unknown,
        };
        if delivery == Delivery::Taken {
            return Ok(JoinOutcome::Taken);
        }
        Ok(JoinOutcome::TurnedAway {
            lingers: self.give_up(&"no transfer here waits for a connection that shows this token".into()),
            was_known: delivery == Delivery::TooLate,
        })
    }

    /// One look, without waiting, at what follows the array.
    pub(super) fn surplus(&self) -> Option<String> {
        let socket = self.connection.as_fd();
        match recv(socket, &mut [0; 1][..], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((seen, _)) if seen > 0 => {
                let more = rustix::io::ioctl_fionread(socket).unwrap_or(1);
                Some(format!(
                    "the peer sent at least {more} bytes more than the array has: they were not taken"
                ))
            }
            _ => None,
        }
    }

    /// Tells the sender why nothing more is taken. Returns whether the connection has to linger for that.
    pub(super) fn give_up(&mut self, farewell: &Farewell) -> bool {
        let bytes = self.wire.give_up(farewell);
        if bytes.is_empty() {
            return false;
        }
        // Behind what waits there, which is whole messages.
        self.outbox.push(&bytes);
        // The peer learns of the end by the closing connection all the same.
        matches!(self.flush(), Flushed::Sent)
    }
}

/// Until the socket has something; `peer_owes` says that it is the sender's turn.
pub(super) fn wait_to_read(peer_owes: bool) -> Progress {
    Progress::Wait {
        interest: Interest::READ,
        until: None,
        peer_owes,
    }
}

/// Until the socket takes bytes.
pub(super) fn wait_to_write() -> Progress {
    Progress::Wait {
        interest: Interest::WRITE,
        until: None,
        peer_owes: true,
    }
}

/// Until the clock says so, or a wake.
pub(super) fn rest_until(until: Option<Instant>) -> Progress {
    Progress::Wait {
        interest: Interest::NOTHING,
        until,
        peer_owes: false,
    }
}

/// The error for a connection from which nothing can be read any more: `closed` where the sender has left.
fn broken(error: &io::Error, closed: impl FnOnce() -> Error) -> Error {
    if is_broken(error) {
        closed()
    } else {
        Error::system("cannot take bytes from the connection", error)
    }
}

/// The error for a sender that has left before what the ledger is of was whole.
pub(super) fn closed_early(ledger: &Ledger) -> Error {
    let received = ledger.landed_bytes();
    closed(received, ledger.total_bytes().unwrap_or(received))
}

/// The error for a sender that has left when so many bytes had come.
pub(super) fn closed(received: u64, total: u64) -> Error {
    match total.saturating_sub(received) {
        0 => Error::ClosedWhile("before the checksum of the last block came"),
        missing => Error::ClosedEarly {
            missing,
            received,
            total,
        },
    }
}

/// The error for a sender that has left before it offered anything.
pub(super) fn closed_before_offer() -> Error {
    Error::ClosedWhile("before it said what it sends")
}
