//! The sending machine: one for every wire and every send route.

mod handoff;
pub(crate) mod sending;

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::error::{Error, reason};
use crate::route::send::{SendError, SendRoute};
use crate::sys::{Interest, unacknowledged_bytes};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::limiter::Throttle;
use crate::transfer::limits::limiter::whole_bytes;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress, Remains, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::{Connection, would_block};
use crate::transfer::plan::Options;
use crate::transfer::send::sending::Sending;
use crate::transfer::source::Source;
use crate::transfer::source::send_path::SendPath;
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::preview::Prefix;
use crate::wire::native::{BLOCK_BYTES_MAX, OutgoingBlocks, Token};
use crate::wire::{Offer, SendStep, SendWire};

use handoff::Handing;

/// Under a limit, blocks last about this long, so that a pause or a cancel is not kept waiting by one.
const BLOCK_DURATION: Duration = Duration::from_millis(50);
const BLOCK_BYTES_MIN: u64 = 4 << 10;
/// No event tells that the peer has acknowledged the last byte.
const HAND_OVER_INTERVAL_MIN: Duration = Duration::from_micros(200);
const HAND_OVER_INTERVAL_MAX: Duration = Duration::from_millis(50);

/// Sends one array over one connection, or some blocks of one over a further connection.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is true or false whatever the others are"
)]
pub(crate) struct SendMachine {
    connection: Connection,
    controls: Arc<Controls>,
    requests: Option<Sender<StreamRequest>>,
    sending: Arc<Sending>,
    route: Box<dyn SendRoute>,
    route_reason: &'static str,
    handing: Handing,
    wire: SendWire,
    outbox: Outbox,
    /// Bytes from here to there are ready in the route.
    loaded: (u64, u64),
    chunk_bytes: usize,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    role: Role,
    started: bool,
    /// The source has nothing at hand.
    starved: bool,
    /// The peer has closed the connection, and nothing more was to come from it.
    peer_left: bool,
    /// Nothing more will be written, and the peer has been told.
    shut: bool,
    /// Grows while the peer takes its time.
    hand_over_interval: Duration,
    probe: Probe,
    events: EventSender,
}

/// Further connections that a transfer's first one can do with, one for each route.
pub(crate) struct StreamRequest {
    pub(crate) sending: Arc<Sending>,
    pub(crate) blocks: Arc<OutgoingBlocks>,
    pub(crate) token: Token,
    pub(crate) routes: Vec<Box<dyn SendRoute>>,
}

/// Which of a transfer's connections it is.
enum Role {
    /// The first one, which speaks for the transfer.
    First {
        preview: Prefix,
        sink: Option<String>,
        /// Over how many connections in all, at most.
        streams: u16,
    },
    /// One that joined.
    Further(Further),
}

/// What a connection that joined has done.
#[derive(Default)]
struct Further {
    /// A block has begun on it.
    has_begun: bool,
    /// The first one has been told that no further block begins on it.
    has_told_end: bool,
}

impl SendMachine {
    pub(crate) fn new(
        connection: Connection,
        source: Source,
        mut path: SendPath,
        options: &Options,
        sink: Option<String>,
        requests: Sender<StreamRequest>,
        mut context: MachineContext,
    ) -> Result<Self, Error> {
        let offer = Offer {
            meta: source.meta.clone(),
            name: Some(source.name.clone()),
            plain: source.plain,
            identity: source.identity.clone(),
            checksum: options.checksum,
            // What is read as it comes leaves in order.
            streams: match path.route.stream() {
                Some(_) => 1,
                None => streams_for(source.meta.byte_len(), options.streams),
            },
            handoff: path.handoff.as_ref().map(|path| path.handoff.offer()),
        };
        let mut preview = Prefix::new(&source.meta, options.preview_elements);
        source.copy_prefix(preview.bytes_mut())?;
        path.route.begin(connection.as_fd()).map_err(|error| Error::System {
            doing: "the kernel refuses to send from here without a copy",
            reason: reason(&error).and("take another send route"),
        })?;
        let now = Instant::now();
        context.probe.watch(connection.as_fd());
        Ok(Self {
            connection,
            controls: context.controls,
            requests: Some(requests),
            route: path.route,
            route_reason: path.reason,
            handing: Handing::of(path.handoff),
            role: Role::First {
                preview,
                sink,
                streams: offer.streams,
            },
            wire: SendWire::new(options.wire, offer),
            sending: Arc::new(Sending {
                source,
                sent: AtomicU64::new(0),
                throttle: Mutex::new(Throttle::new(now)),
                is_done: AtomicBool::new(false),
            }),
            outbox: Outbox::default(),
            loaded: (0, 0),
            chunk_bytes: options.chunk_bytes.max(1),
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: now,
            started: false,
            starved: false,
            peer_left: false,
            shut: false,
            hand_over_interval: HAND_OVER_INTERVAL_MIN,
            probe: context.probe,
            events: context.events,
        })
    }

    /// For a further connection of a transfer that has begun.
    pub(crate) fn further(
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
            requests: None,
            sending,
            route,
            route_reason: "",
            handing: Handing::No,
            wire,
            outbox: Outbox::default(),
            loaded: (0, 0),
            chunk_bytes: options.chunk_bytes.max(1),
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: Instant::now(),
            role: Role::Further(Further::default()),
            started: false,
            starved: false,
            peer_left: false,
            shut: false,
            hand_over_interval: HAND_OVER_INTERVAL_MIN,
            probe: context.probe,
            events: context.events,
        }
    }

    fn start(&mut self) {
        self.started = true;
        let Role::First { preview, sink, streams } = &self.role else {
            return;
        };
        let (meta, mut over) = (&self.sending.source.meta, 1);
        if let Some((blocks, most, token)) = self.wire.take_more() {
            over = most.min(*streams);
            let routes: Vec<_> = (1..over).map_while(|_| self.route.another()).collect();
            let sending = Arc::clone(&self.sending);
            if let Some(requests) = &self.requests {
                // There is room: a transfer asks once.
                let _ = requests.try_send(StreamRequest {
                    sending,
                    blocks,
                    token,
                    routes,
                });
            }
        }
        self.events.tell(EventKind::Started(Box::new(Started {
            source: Some(self.sending.source.title.clone()),
            sink: sink.clone(),
            peer: self.connection.peer().into(),
            wire: self.wire.name().into(),
            send_route: Some(self.route_name().into()),
            receive_route: None,
            route_reason: self.route_reason.into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: Some(meta.byte_len()),
            streams: over,
            memory: None,
            congestion_control: self.connection.congestion_control().map(Into::into),
            part: None,
            chunk_bytes: self.chunk_bytes,
            send_buffer_bytes: self.connection.buffers().send,
            receive_buffer_bytes: self.connection.buffers().receive,
        })));
        // The first elements of a stream are told when they have been read.
        if self.route.stream().is_none() {
            self.events.tell(preview.event());
        }
    }

    /// Reads what the receiver says, as far as it has come.
    fn hear(&mut self) -> Result<bool, Error> {
        let mut buffer = [0; 4096];
        let received = recv(self.connection.as_fd(), &mut buffer[..], RecvFlags::DONTWAIT);
        match received {
            Ok((received @ 1.., _)) => {
                self.wire.hear(&buffer[..received])?;
                Ok(true)
            }
            Err(error) if would_block(&error.into()) => Ok(false),
            Ok((0, _)) | Err(_) if self.has_done_its_part() || self.wire.has_receipt() => {
                self.peer_left = true;
                self.outbox = Outbox::default();
                Ok(false)
            }
            Ok((0, _)) | Err(_) => Err(self.closed()),
        }
    }

    /// The error for a connection that the peer has closed.
    fn closed(&self) -> Error {
        let (total, received) = (self.sending.source.meta.byte_len(), self.bytes());
        match total - received {
            _ if self.wire.listens() && !self.wire.agreed() => Error::ClosedWhile("before it answered the offer"),
            0 => Error::ClosedWhile("before its receipt came"),
            missing => Error::ClosedEarly {
                missing,
                received,
                total,
            },
        }
    }

    fn send_error(&mut self, error: SendError) -> Result<Progress, Error> {
        match error {
            SendError::Socket(error) if would_block(&error) => Ok(self.wait_to_write()),
            SendError::Socket(_) => Err(self.broken()),
            SendError::Source(error) => Err(self.sending.source.unreadable(&error)),
            SendError::SourceChanged => Err(self.sending.source.changed()),
            SendError::SourceEnded => Err(self.sending.source.ended(self.bytes())),
        }
    }

    /// The socket takes nothing more: what the peer said last tells why, if it said anything.
    fn broken(&mut self) -> Error {
        while self.wire.listens() {
            match self.hear() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return error,
            }
        }
        self.closed()
    }

    fn wait_to_write(&self) -> Progress {
        Progress::Wait {
            interest: Interest {
                read: self.wire.listens(),
                write: true,
            },
            until: None,
            peer_owes: true,
        }
    }

    /// Until someone changes something that concerns this connection.
    fn until_woken() -> Progress {
        Progress::Wait {
            interest: Interest {
                read: false,
                write: false,
            },
            until: None,
            peer_owes: false,
        }
    }

    fn wait_to_hear(&self, until: Option<Instant>, peer_owes: bool) -> Progress {
        Progress::Wait {
            interest: Interest {
                read: self.wire.listens(),
                write: false,
            },
            until,
            peer_owes,
        }
    }

    /// Nothing is to be sent for a while, and the peer is to know that we are still here.
    fn rest(&mut self, now: Instant) -> Progress {
        if now >= self.keep_alive_at {
            self.keep_alive_at = now + self.keep_alive_interval;
            if let Some(bytes) = self.wire.keep_alive() {
                self.outbox.push(&bytes);
                return Progress::Moved;
            }
        }
        self.probe.rests(Rest::Pause);
        self.wait_to_hear(Some(self.keep_alive_at), false)
    }

    /// Bytes that can be sent without waiting for the source, from the next one on.
    fn at_hand(&mut self) -> Result<u64, Error> {
        match self.route.at_hand(self.sending.sent.load(Ordering::Relaxed)) {
            Ok(None) => Ok(u64::MAX),
            Ok(Some(bytes)) => Ok(bytes.len() as u64),
            Err(error) => self.send_error(error).map(|_| 0),
        }
    }

    /// Tells the first elements of a stream when the last of them is among the `len` bytes that were loaded.
    fn show(&mut self, at: u64, len: usize) {
        if let Role::First { preview, .. } = &mut self.role
            && let Ok(Some(bytes)) = self.route.at_hand(at)
            && preview.take(at, &bytes[..len.min(bytes.len())])
        {
            self.events.tell(preview.event());
        }
    }

    /// Whether this is a further connection over which nothing more is to come.
    fn has_done_its_part(&self) -> bool {
        matches!(self.role, Role::Further(_)) && self.wire.agreed() && !self.wire.has_more()
    }

    fn send(&mut self, at: u64, len: u64, now: Instant) -> Result<Progress, Error> {
        if self.loaded.1 <= at {
            let wanted = len.min(self.chunk_bytes as u64).min(self.at_hand()?);
            let (limit, pace) = (
                self.controls.limit_bytes_per_s(),
                self.controls.pace_bytes_per_s(Side::Sender),
            );
            self.events.limit(limit);
            let allowance = {
                let mut throttle = self.sending.throttle.lock().unwrap_or_else(PoisonError::into_inner);
                throttle.allow(limit, pace, wanted, now)
            };
            let len = match allowance {
                Ok(bytes) => bytes,
                Err((then, rest)) => {
                    self.probe.rests(rest);
                    return Ok(self.wait_to_hear(Some(then), false));
                }
            };
            if self.wire.ends_with(at + len) {
                // Before the last byte leaves: without it the receiver keeps nothing.
                self.sending.source.check_unchanged()?;
            }
            // At most a chunk, which is a usize.
            let piece = usize::try_from(len).unwrap_or(self.chunk_bytes);
            if let Err(error) = self.route.load(at, piece, self.wire.digest()) {
                return self.send_error(error);
            }
            self.show(at, piece);
            self.loaded = (at, at + len);
        }
        let ready = usize::try_from(self.loaded.1 - at).unwrap_or(self.chunk_bytes);
        let sent = self.route.send(self.connection.as_fd(), at, ready);
        let moved = *sent.as_ref().unwrap_or(&0);
        self.probe.syscall(ready, moved);
        let cost = self.route.cost(moved);
        self.probe.cost(cost.syscalls, cost.copied_bytes);
        match sent {
            Ok(sent) => {
                if let Role::Further(further) = &mut self.role {
                    further.has_begun = true;
                }
                self.sending
                    .throttle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .spend(sent as u64);
                self.sending.sent.fetch_add(sent as u64, Ordering::Relaxed);
                self.wire.sent(sent as u64);
                self.probe.moved(sent as u64);
                Ok(Progress::Moved)
            }
            Err(error) => self.send_error(error),
        }
    }

    fn block_bytes(&self) -> u32 {
        let bytes = self.controls.slowest_bytes_per_s().map_or(u64::MAX, |limit| {
            whole_bytes(limit as f64 * BLOCK_DURATION.as_secs_f64()).max(BLOCK_BYTES_MIN)
        });
        u32::try_from(bytes).unwrap_or(BLOCK_BYTES_MAX).min(BLOCK_BYTES_MAX)
    }

    /// On a wire without a receipt: says that this was all, and waits until the peer's system has it.
    ///
    /// Without that a peer that dies, or that has sent something which nobody read, could cost the last bytes after
    /// the transfer was called done.
    fn hand_over(&mut self, now: Instant) -> Result<Option<Progress>, Error> {
        let ended = || Error::ClosedWhile("as the last bytes were sent");
        if !self.shut {
            shutdown(self.connection.as_fd(), Shutdown::Write).map_err(|_| ended())?;
            self.shut = true;
        }
        loop {
            match recv(self.connection.as_fd(), &mut [0; 4096][..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => break,
                Ok(_) => {}
                Err(error) if would_block(&error.into()) => break,
                Err(_) => return Err(ended()),
            }
        }
        if self.connection.is_tcp() && unacknowledged_bytes(self.connection.as_fd()).is_ok_and(|bytes| bytes > 0) {
            let until = Some(now + self.hand_over_interval);
            self.hand_over_interval = (2 * self.hand_over_interval).min(HAND_OVER_INTERVAL_MAX);
            return Ok(Some(self.wait_to_hear(until, true)));
        }
        Ok(None)
    }

    /// Whether the kernel needs nothing of the route's any more; what it has to say of that is read.
    fn settled(&mut self) -> Result<bool, Error> {
        let settled = self.route.settled(self.connection.as_fd());
        let cost = self.route.cost(0);
        self.probe.cost(cost.syscalls, cost.copied_bytes);
        settled.map_err(|error| Error::system("cannot ask the kernel what became of the sends", &error))
    }

    fn finish(&mut self, now: Instant) -> Result<Progress, Error> {
        let checksum = self.wire.verified_checksum();
        if !self.wire.listens()
            && let Some(progress) = self.hand_over(now)?
        {
            return Ok(progress);
        }
        if !self.settled()? {
            let until = Some(now + self.hand_over_interval);
            self.hand_over_interval = (2 * self.hand_over_interval).min(HAND_OVER_INTERVAL_MAX);
            return Ok(Progress::Wait {
                // The peer may have gone, which is nobody's fault any more.
                interest: Interest {
                    read: false,
                    write: false,
                },
                until,
                peer_owes: true,
            });
        }
        self.sending.is_done.store(true, Ordering::SeqCst);
        self.controls.wake();
        let (bytes, elapsed) = (self.bytes(), self.probe.elapsed());
        Ok(Progress::Done(Box::new(Finished {
            bytes,
            rate_bytes_per_s: bytes as f64 / elapsed.as_secs_f64().max(1e-9),
            verified: checksum.is_some().then_some(true),
            checksum,
            path: None,
            note: self.handoff_note().or_else(|| self.route.note()),
        })))
    }
}

impl Machine for SendMachine {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    fn source(&self) -> Option<BorrowedFd<'_>> {
        self.route.stream().filter(|_| self.starved)
    }

    fn step(&mut self, now: Instant, ready: bool) -> Result<Progress, Error> {
        self.starved = false;
        let has_knocked = self.wire.has_greeted() && self.outbox.is_empty();
        if matches!(self.role, Role::Further(_)) && has_knocked && self.sending.is_done.load(Ordering::SeqCst) {
            return Ok(Progress::Part);
        }
        if ready {
            // What is left unread would end the next wait at once.
            self.settled()?;
        }
        if ready && self.wire.listens() && self.hear()? {
            return Ok(Progress::Moved);
        }
        if !self.outbox.is_empty() {
            // Only where data follows at once: else the kernel would hold the bytes back for 40 ms.
            let more = self.wire.agreed() && !self.controls.is_paused() && self.wire.has_more();
            let more = more && self.route.stream().is_none();
            return match self.outbox.flush(self.connection.as_fd(), more, &mut self.probe) {
                Ok(()) => Ok(Progress::Moved),
                Err(error) if would_block(&error) => Ok(self.wait_to_write()),
                Err(_) if self.has_done_its_part() => {
                    self.peer_left = true;
                    self.outbox = Outbox::default();
                    Ok(Progress::Moved)
                }
                Err(_) => Err(self.broken()),
            };
        }
        if self.wire.agreed() && !self.started && !self.awaits_handing_over()? {
            self.start();
        }
        let may_pause = self.wire.keep_alive().is_some() || !self.wire.listens();
        if self.started && may_pause && self.controls.is_paused() && self.wire.has_more() {
            self.events.state(State::Paused);
            return Ok(self.rest(now));
        }
        // A block begins when its bytes are at hand: within it nobody could say that we are still here.
        let at_hand = match (self.started && self.wire.has_more()).then(|| self.at_hand()) {
            None => u64::MAX,
            Some(Ok(0)) if may_pause => {
                self.starved = true;
                return Ok(self.rest(now));
            }
            // Told between two messages, so that the peer hears of it.
            Some(Err(_)) if !may_pause => 0,
            Some(at_hand) => at_hand?,
        };
        let block_bytes = u32::try_from(at_hand.min(self.block_bytes().into())).unwrap_or(BLOCK_BYTES_MAX);
        let may_begin = !self.controls.is_paused() && block_bytes > 0;
        match self.wire.step(may_begin.then_some(block_bytes))? {
            SendStep::Write(bytes) => {
                self.outbox.push(&bytes);
                Ok(Progress::Moved)
            }
            SendStep::Data { at, len } => {
                self.events.state(State::Transferring);
                self.send(at, len, now)
            }
            SendStep::HandOver => self.hand_array_over(),
            SendStep::Await => {
                self.events.state(if self.wire.agreed() {
                    State::Verifying
                } else {
                    State::Connecting
                });
                let has_done_its_part = self.has_done_its_part();
                if let Role::Further(further) = &mut self.role
                    && has_done_its_part
                    && !std::mem::replace(&mut further.has_told_end, true)
                {
                    // The first one may have the receipt already.
                    self.controls.wake();
                }
                if self.peer_left {
                    // Another connection of ours knows whether all is well.
                    Ok(Self::until_woken())
                } else if self.hear()? {
                    Ok(Progress::Moved)
                } else if self.wire.awaits_others() {
                    Ok(self.rest(now))
                } else {
                    Ok(self.wait_to_hear(None, true))
                }
            }
            SendStep::Done => self.finish(now),
        }
    }

    fn give_up(&mut self, reason: &str) -> bool {
        if let Some(bytes) = self.wire.abort(reason).filter(|_| self.outbox.is_empty()) {
            self.outbox.push(&bytes);
            // The peer learns of the end by the closing connection all the same.
            let _ = self.outbox.flush(self.connection.as_fd(), false, &mut self.probe);
        }
        false
    }

    fn silence(&self, timeout: Duration) -> Error {
        if self.wire.agreed() {
            Error::Silent(timeout)
        } else {
            Error::Unanswered(timeout)
        }
    }

    fn end(&mut self) {
        self.probe.end();
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.probe
    }

    fn bytes(&self) -> u64 {
        self.sending.sent.load(Ordering::Relaxed)
    }

    fn is_needed(&self) -> bool {
        !matches!(self.role, Role::Further(Further { has_begun: false, .. }))
    }

    fn remains(&mut self) -> Option<Remains> {
        self.handing.take().map(|path| Box::new(path) as Remains)
    }
}

/// Blocks are what connections share: more than there are blocks would have nothing to do.
fn streams_for(bytes: u64, wanted: u16) -> u16 {
    let blocks = bytes.div_ceil(BLOCK_BYTES_MAX.into());
    u16::try_from(blocks)
        .unwrap_or(u16::MAX)
        .min(wanted)
        .clamp(1, Options::STREAMS_MAX)
}
