//! What every sending connection has, whatever its role: the socket, the wire, the route, and what is to be said.

use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::route::send::{SendError, SendRoute};
use crate::sys::{Interest, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::limiter::whole_bytes;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::Progress;
use crate::transfer::machine::keep_alive::{IdleMeter, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::survey::Surveyor;
use crate::transfer::tell::event::{Side, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::preview::Prefix;
use crate::wire::{Grain, SendStep, SendWire};

use super::sending::Sending;

/// Under a limit, blocks last about this long, so that a pause or a cancel is not kept waiting by one.
const BLOCK_DURATION: Duration = Duration::from_millis(50);
const BLOCK_BYTES_MIN: u64 = 4 << 10;

/// One connection, how bytes leave over it, and what is said.
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) controls: Arc<Controls>,
    pub(super) sending: Arc<Sending>,
    pub(super) route: Box<dyn SendRoute>,
    pub(super) wire: SendWire,
    pub(super) outbox: Outbox,
    pub(super) chunk_bytes: usize,
    pub(super) probe: Probe,
    pub(super) events: EventSender,
    /// Looks at what passes by.
    pub(super) surveyor: Option<Surveyor>,
    /// Bytes from here to there are ready in the route.
    loaded: (u64, u64),
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    idle_meter: IdleMeter,
}

/// What the receiver has said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Something, which the wire has taken.
    Heard,
    /// Nothing yet.
    Nothing,
    /// It has closed the connection, over which nothing more was to come.
    Left,
}

/// What a connection does next.
pub(super) enum Next {
    /// This, of the wire.
    Step(SendStep),
    /// It rests, for it is paused.
    Rest(Progress),
    /// It rests until its source has something at hand.
    Starved(Progress),
}

impl Link {
    pub(super) fn new(
        connection: Connection,
        sending: Arc<Sending>,
        route: Box<dyn SendRoute>,
        wire: SendWire,
        options: &Options,
        mut context: MachineContext,
    ) -> Self {
        context.probe.watch(connection.as_fd());
        Self {
            connection,
            controls: context.controls,
            sending,
            route,
            wire,
            outbox: Outbox::default(),
            chunk_bytes: options.chunk_bytes.max(1),
            probe: context.probe,
            events: context.events,
            surveyor: context.surveyor,
            loaded: (0, 0),
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: awake_now(),
            idle_meter: IdleMeter::new(awake_now()),
        }
    }

    /// Bytes of the array that were sent, over all connections.
    pub(super) fn bytes(&self) -> u64 {
        self.sending.sent.load(Ordering::Relaxed)
    }

    /// Reads what the receiver says, as far as it has come; `may_leave` says that nothing more has to.
    pub(super) fn hear(&mut self, may_leave: bool) -> Result<Reply, Error> {
        let mut buffer = [0; 4096];
        match recv(self.connection.as_fd(), &mut buffer[..], RecvFlags::DONTWAIT) {
            Ok((received @ 1.., _)) => {
                self.wire.hear(&buffer[..received])?;
                self.idle_meter.check(self.wire.idle_messages(), awake_now())?;
                Ok(Reply::Heard)
            }
            Err(error) if would_block(&error.into()) => Ok(Reply::Nothing),
            Ok((0, _)) | Err(_) if may_leave => {
                self.outbox = Outbox::default();
                Ok(Reply::Left)
            }
            Ok((0, _)) => Err(self.closed()),
            Err(error) if is_broken(&error.into()) => Err(self.closed()),
            Err(error) => Err(Error::system("cannot hear the receiver", &error.into())),
        }
    }

    /// Writes what is to be said. `None` where the connection is gone.
    pub(super) fn flush(&mut self) -> Option<Progress> {
        // Only where data follows at once: else the kernel would hold the bytes back for 40 ms.
        let more = self.wire.agreed() && !self.controls.is_paused() && self.wire.has_more();
        let more = more && self.route.stream().is_none();
        match self.outbox.flush(self.connection.as_fd(), more, &mut self.probe) {
            Ok(()) => Some(Progress::Moved),
            Err(error) if would_block(&error) => Some(self.wait_to_write()),
            Err(_) => None,
        }
    }

    /// What to do next; `has_started` says that bytes of the array may leave.
    pub(super) fn next(&mut self, has_started: bool, now: Instant) -> Result<Next, Error> {
        let may_pause = self.wire.keep_alive().is_some() || !self.wire.listens();
        let has_more = has_started && self.wire.has_more();
        if has_more && may_pause && self.controls.is_paused() {
            self.events.state(State::Paused);
            return Ok(Next::Rest(self.rest(now, Rest::Pause)));
        }
        // A block begins when its bytes are at hand: within it nobody could say that we are still here.
        let at_hand = match has_more.then(|| self.at_hand()) {
            None => u64::MAX,
            Some(Ok(0)) if may_pause => return Ok(Next::Starved(self.rest(now, Rest::Pace))),
            // Told between two messages, so that the peer hears of it.
            Some(Err(_)) if !may_pause => 0,
            Some(at_hand) => at_hand?,
        };
        let block_bytes = u32::try_from(at_hand.min(self.block_bytes().into())).unwrap_or(Grain::MAX.get());
        let may_begin = !self.controls.is_paused() && block_bytes > 0;
        Ok(Next::Step(self.wire.step(may_begin.then_some(block_bytes))))
    }

    /// Sends a chunk at most, of `len` bytes from `at` on. `preview` is of a stream's first elements, told when the last
    /// of them has been read.
    pub(super) fn send(
        &mut self,
        at: u64,
        len: u64,
        preview: Option<&mut Prefix>,
        now: Instant,
    ) -> Result<Progress, Error> {
        self.events.state(State::Transferring);
        if !(self.loaded.0..self.loaded.1).contains(&at)
            && let Some(progress) = self.load(at, len, preview, now)?
        {
            return Ok(progress);
        }
        let ready = usize::try_from(self.loaded.1 - at).unwrap_or(self.chunk_bytes);
        let sent = self.route.send(self.connection.as_fd(), at, ready);
        let moved = *sent.as_ref().unwrap_or(&0);
        self.probe.syscall(ready, moved);
        let cost = self.route.cost(moved);
        self.probe.cost(cost.syscalls, cost.copied_bytes);
        match sent {
            Ok(sent) => {
                let sent = sent as u64;
                let mut throttle = self.sending.throttle.lock().unwrap_or_else(PoisonError::into_inner);
                throttle.spend(sent);
                drop(throttle);
                self.sending.sent.fetch_add(sent, Ordering::Relaxed);
                self.wire.sent(sent)?;
                self.probe.moved(sent);
                Ok(Progress::Moved)
            }
            Err(error) => self.send_error(error),
        }
    }

    /// Looks at a chunk at most, of `len` bytes from `at` on, which the receiver says that it has. No limit holds it back:
    /// nothing is sent but that we are still here.
    pub(super) fn compare(&mut self, at: u64, len: u64, now: Instant) -> Result<Progress, Error> {
        self.events.state(State::Verifying);
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + self.keep_alive_interval;
            self.outbox.push(&self.wire.keep_alive().unwrap_or_default());
        }
        // At most a chunk, which is a usize.
        let piece = usize::try_from(len).unwrap_or(usize::MAX).min(self.chunk_bytes);
        // A block that turns out to be another one is loaded again: what a route has at hand is the last of it.
        self.loaded = (0, 0);
        if let Err(error) = self.route.load(at, piece, self.wire.digest()) {
            return self.send_error(error);
        }
        self.wire.compared(piece as u64)?;
        Ok(Progress::Moved)
    }

    /// Makes the next chunk ready in the route. Returns what to wait for where a limit does not let it go yet.
    fn load(
        &mut self,
        at: u64,
        len: u64,
        preview: Option<&mut Prefix>,
        now: Instant,
    ) -> Result<Option<Progress>, Error> {
        let wanted = len.min(self.chunk_bytes as u64).min(self.at_hand()?);
        let limit = self.controls.limit_bytes_per_s();
        let pace = self.controls.pace_bytes_per_s(Side::Sender);
        self.events.limit(limit);
        let allowance = {
            let mut throttle = self.sending.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.allow(limit, pace, wanted, now)
        };
        let len = match allowance {
            Ok(bytes) => bytes,
            Err((then, rest)) => {
                self.probe.rests(rest);
                return Ok(Some(self.wait_to_hear(Some(then), false)));
            }
        };
        if self.wire.ends_with(at + len) {
            // Before the last byte leaves: without it the receiver keeps nothing.
            self.sending.source.check_unchanged()?;
        }
        // At most a chunk, which is a usize.
        let piece = usize::try_from(len).unwrap_or(self.chunk_bytes);
        if let Err(error) = self.route.load(at, piece, self.wire.digest()) {
            return self.send_error(error).map(Some);
        }
        if let Some(surveyor) = &mut self.surveyor {
            let (route, idle) = (&self.route, self.probe.idle());
            surveyor.see_copies(at, piece, now, idle, |at, out| route.copy_loaded(at, out));
        }
        if let Some(preview) = preview
            && let Ok(Some(bytes)) = self.route.at_hand(at)
            && preview.take(at, &bytes[..piece.min(bytes.len())])
        {
            self.events.tell(preview.event());
        }
        self.loaded = (at, at + len);
        Ok(None)
    }

    /// Bytes that can be sent without waiting for the source, from the next one on.
    fn at_hand(&mut self) -> Result<u64, Error> {
        match self.route.at_hand(self.bytes()) {
            Ok(None) => Ok(u64::MAX),
            Ok(Some(bytes)) => Ok(bytes.len() as u64),
            Err(error) => self.send_error(error).map(|_| 0),
        }
    }

    fn block_bytes(&self) -> u32 {
        let bytes = limited_block_bytes(self.controls.slowest_bytes_per_s()).max(BLOCK_BYTES_MIN);
        u32::try_from(bytes).unwrap_or(u32::MAX).min(Grain::MAX.get())
    }

    /// Whether the kernel needs nothing of the route's any more; what it has to say of that is read.
    pub(super) fn settled(&mut self) -> Result<bool, Error> {
        let settled = self.route.settled(self.connection.as_fd());
        let cost = self.route.cost(0);
        self.probe.cost(cost.syscalls, cost.copied_bytes);
        settled.map_err(|error| Error::system("cannot ask the kernel what became of the sends", &error))
    }

    fn send_error(&mut self, error: SendError) -> Result<Progress, Error> {
        match error {
            SendError::Socket(error) if would_block(&error) => Ok(self.wait_to_write()),
            SendError::Socket(error) if is_broken(&error) => Err(self.broken()),
            SendError::Socket(error) => Err(Error::system("cannot send over the connection", &error)),
            SendError::Source(error) => Err(self.sending.source.unreadable(&error)),
            SendError::SourceChanged => Err(self.sending.source.changed()),
            SendError::SourceEnded => Err(self.sending.source.ended(self.bytes())),
        }
    }

    /// The error for a socket that takes nothing more: what the peer said last tells why, if it said anything.
    pub(super) fn broken(&mut self) -> Error {
        while self.wire.listens() {
            match self.hear(false) {
                Ok(Reply::Heard) => {}
                Ok(Reply::Nothing | Reply::Left) => break,
                Err(error) => return error,
            }
        }
        self.closed()
    }

    /// The error behind one that the peer told: where the source has changed, a block that was damaged is no wonder.
    pub(super) fn explained(&self, error: Error) -> Error {
        match error {
            Error::Aborted(_) | Error::GoesAway(_) => self.sending.source.check_unchanged().err().unwrap_or(error),
            _ => error,
        }
    }

    /// The error for a connection that the peer has closed.
    fn closed(&self) -> Error {
        let (total, received) = (
            self.sending.source.meta.byte_len(),
            self.bytes() + self.wire.there_bytes(),
        );
        match total.saturating_sub(received) {
            _ if self.wire.listens() && !self.wire.agreed() => Error::ClosedWhile("before it answered the offer"),
            0 => Error::ClosedWhile("before its result came"),
            missing => Error::ClosedEarly {
                missing,
                received,
                total,
            },
        }
    }

    /// Waits for the receiver, where the wire has nothing to send now.
    pub(super) fn await_receiver(&mut self, now: Instant) -> Progress {
        if self.wire.awaits_others() {
            self.rest(now, Rest::Others)
        } else {
            self.wait_to_hear(None, true)
        }
    }

    /// Waits for the transfer's other connections, one of which learns how it ended.
    pub(super) fn await_others(&mut self) -> Progress {
        self.probe.rests(Rest::Others);
        until_woken(None, false)
    }

    /// Tells the state of a connection that waits for the receiver.
    pub(super) fn tell_waiting(&mut self) {
        self.events.state(if self.wire.agreed() {
            State::Verifying
        } else {
            State::Connecting
        });
    }

    /// Nothing is to be sent for a while, for this reason, and the peer is to know that we are still here.
    fn rest(&mut self, now: Instant, rest: Rest) -> Progress {
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + self.keep_alive_interval;
            if let Some(bytes) = self.wire.keep_alive() {
                self.outbox.push(&bytes);
                return Progress::Moved;
            }
        }
        self.probe.rests(rest);
        self.wait_to_hear(Some(self.keep_alive_at), false)
    }

    pub(super) fn wait_to_write(&self) -> Progress {
        Progress::Wait {
            interest: Interest {
                read: self.wire.listens(),
                write: true,
            },
            until: None,
            peer_owes: true,
        }
    }

    pub(super) fn wait_to_hear(&self, until: Option<Instant>, peer_owes: bool) -> Progress {
        Progress::Wait {
            interest: Interest {
                read: self.wire.listens(),
                write: false,
            },
            until,
            peer_owes,
        }
    }

    /// Tells the receiver why nothing more comes, as far as that goes without waiting. Returns whether the connection
    /// has to linger for that.
    pub(super) fn give_up(&mut self, reason: &str) -> bool {
        let Some(bytes) = self.wire.abort(reason).filter(|_| self.outbox.is_empty()) else {
            return false;
        };
        self.outbox.push(&bytes);
        // The peer learns of the end by the closing connection all the same.
        let flushed = self.outbox.flush(self.connection.as_fd(), false, &mut self.probe);
        flushed.is_ok()
    }

    /// The error for a receiver that has said nothing for so long.
    pub(super) fn silence(&self, timeout: Duration) -> Error {
        if self.wire.agreed() {
            Error::Silent(timeout)
        } else {
            Error::Unanswered(timeout)
        }
    }
}

/// How long a block may be at most that leaves with so many bytes a second, so that a pause is not kept waiting by it.
pub(super) fn limited_block_bytes(limit_bytes_per_s: Option<u64>) -> u64 {
    limit_bytes_per_s.map_or(u64::MAX, |limit| {
        whole_bytes(limit as f64 * BLOCK_DURATION.as_secs_f64())
    })
}

/// Until someone changes something that concerns this connection, or the clock says so.
pub(super) fn until_woken(until: Option<Instant>, peer_owes: bool) -> Progress {
    Progress::Wait {
        interest: Interest::NOTHING,
        until,
        peer_owes,
    }
}
