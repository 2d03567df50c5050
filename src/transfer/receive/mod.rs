//! The receiving machine: one for every wire and every receive route.

pub(crate) mod door;
mod handoff;
pub(crate) mod hosting;

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::net::{RecvFlags, recv};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::sys::Interest;
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::admission::Applicant;
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::keep_alive_interval;
use crate::transfer::machine::drive::{Machine, Progress, Remains};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::{Connection, would_block};
use crate::transfer::net::expected::Expected;
use crate::transfer::net::listener::Listener;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::sink::inlet::{Came, Inlet, Wanted};
use crate::transfer::sink::reception::Reception;
use crate::transfer::sink::{Content, Landing};
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::preview::Prefix;
use crate::wire::native::Token;
use crate::wire::{Heard, Offer, ReceiveWire, Want, WireChoice};

use handoff::Handing;

/// The most bytes of the wire that are read at once.
const CONTROL_BYTES_MAX: usize = 16 << 10;

/// Receives one array over one connection, or some blocks of one over a further connection.
pub(crate) struct ReceiveMachine {
    connection: Connection,
    controls: Arc<Controls>,
    requests: Option<Sender<JoinRequest>>,
    options: Options,
    role: Role,
    wire: ReceiveWire,
    outbox: Outbox,
    /// Dropped before what it leads to.
    inlet: Option<Inlet>,
    /// The sink, once it is known what comes.
    reception: Option<Arc<Reception>>,
    /// What takes the place of that, where the sender hands the array over.
    handing: Handing,
    /// The array comes over several connections.
    is_shared: bool,
    /// By then it must be known what comes.
    offer_due: Instant,
    /// Where both ends are here, the sender alone keeps to the limit and to pauses.
    led_by_sender: bool,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    /// The array is whole and published, and the receipt may still be on its way.
    finished: Option<Box<Finished>>,
    /// The connection has to stay for what it was told last.
    lingers: bool,
    /// Where offers need room that others may have, who asks for it, and what waits for it.
    applicant: Option<Applicant>,
    applies_for: Option<Box<Offer>>,
    probe: Probe,
    events: EventSender,
}

/// A transfer's first connection can do with further ones, which are taken as they come.
pub(crate) struct JoinRequest {
    pub(crate) reception: Arc<Reception>,
    pub(crate) expected: Expected,
    /// Nobody else takes connections at that listener.
    pub(crate) is_sole: bool,
}

/// What a connection is for.
enum Role {
    /// The first one of a transfer, which decides and speaks for it.
    First {
        plan: ReceivePlan,
        /// Where further connections can come in.
        listener: Option<Listener>,
    },
    /// One that joined.
    Further {
        /// The first one has been told that the array is whole.
        has_told_end: bool,
    },
    /// Only one that joins a transfer is taken.
    Door(Listener),
}

/// What the first connection of a transfer has to know.
pub(crate) struct ReceivePlan {
    pub(crate) sink: SinkSpec,
    /// What has to come, where that is known.
    pub(crate) expect: Option<ArrayMeta>,
    /// What the sender sends, where it is known here because both ends are.
    pub(crate) source: Option<String>,
}

impl ReceiveMachine {
    /// For the first connection of a transfer; further ones can come in at `listener`.
    pub(crate) fn new(
        connection: Connection,
        plan: ReceivePlan,
        listener: Option<Listener>,
        options: &Options,
        requests: Sender<JoinRequest>,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let wire = ReceiveWire::new(options.wire, plan.expect.as_ref())?;
        Ok(Self {
            requests: Some(requests),
            ..Self::with(connection, Role::First { plan, listener }, wire, options, context)
        })
    }

    /// For a connection that has joined; `led_by_sender` is as for the first one.
    pub(crate) fn further(
        connection: Connection,
        reception: Arc<Reception>,
        led_by_sender: bool,
        options: &Options,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let blocks = reception.blocks.clone();
        let blocks = blocks.ok_or_else(|| Error::Bug("a connection joins on a wire without blocks".into()))?;
        Ok(Self {
            inlet: Some(Inlet::new(reception.landing.route()?)),
            reception: Some(reception),
            led_by_sender,
            ..Self::with(
                connection,
                Role::Further { has_told_end: false },
                ReceiveWire::joined(blocks),
                options,
                context,
            )
        })
    }

    /// For a connection that is taken only if it joins a transfer that waits at `listener`.
    pub(crate) fn door(
        connection: Connection,
        listener: Listener,
        options: &Options,
        context: MachineContext,
    ) -> Result<Self, Error> {
        let wire = ReceiveWire::new(WireChoice::Native, None)?;
        Ok(Self::with(connection, Role::Door(listener), wire, options, context))
    }

    fn with(
        connection: Connection,
        role: Role,
        wire: ReceiveWire,
        options: &Options,
        mut context: MachineContext,
    ) -> Self {
        let now = Instant::now();
        context.probe.watch(connection.as_fd());
        Self {
            connection,
            controls: context.controls,
            requests: None,
            options: options.clone(),
            led_by_sender: matches!(&role, Role::First { plan, .. } if plan.source.is_some()),
            role,
            wire,
            outbox: Outbox::default(),
            inlet: None,
            reception: None,
            handing: Handing::default(),
            is_shared: false,
            offer_due: now + options.timeout,
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: now,
            finished: None,
            lingers: false,
            applicant: None,
            applies_for: None,
            probe: context.probe,
            events: context.events,
        }
    }

    /// What it is offered waits until there is room for it, in order.
    pub(crate) fn applies(&mut self, applicant: Applicant) {
        self.applicant = Some(applicant);
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection alone: a sink that was not published is removed.
    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    /// Whether an array is on its way, for which there is room.
    pub(crate) fn is_receiving(&self) -> bool {
        self.reception.is_some() || self.handing.has_begun()
    }

    /// Asks again for room. Until it is its turn the sender hears that it is not forgotten.
    fn apply(&mut self, offer: &Offer, now: Instant) -> Result<Progress, Error> {
        self.decide(offer)?;
        if self.applies_for.is_none() || self.keep_alive(now) {
            return Ok(Progress::Moved);
        }
        let left = recv(
            self.connection.as_fd(),
            &mut [0; 1][..],
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        );
        if matches!(left, Ok((0, _))) {
            return Err(self.closed());
        }
        Ok(Self::rest(self.keep_alive_at))
    }

    fn decide(&mut self, offer: &Offer) -> Result<(), Error> {
        let Role::First { plan, .. } = &self.role else {
            let text = "another array is being received here: send again when that is done";
            return Err(Error::BadOffer(text.into()));
        };
        if let Some(expected) = plan.expect.as_ref().filter(|expected| **expected != offer.meta) {
            return Err(Error::BadOffer(format!(
                "{} comes where {expected} was to come",
                offer.meta
            )));
        }
        if let Some(applicant) = &mut self.applicant
            && !applicant.ask(offer.meta.byte_len())?
        {
            self.applies_for = Some(Box::new(offer.clone()));
            return Ok(());
        }
        if self.takes_handoff(offer, &plan.sink) {
            self.ask_for_handoff(offer);
            return Ok(());
        }
        let more = self.prepare(offer)?;
        let answer = self.wire.accept(more);
        self.outbox.push(&answer);
        Ok(())
    }

    /// Makes room for an array that comes in blocks. Returns over how many connections it may come, and what the further
    /// ones have to show.
    fn prepare(&mut self, offer: &Offer) -> Result<Option<(u16, Token)>, Error> {
        let Role::First { plan, listener } = &mut self.role else {
            return Err(Error::Bug("an offer on a further connection".into()));
        };
        let listener = listener.take();
        let chunk_bytes = self.options.chunk_bytes.max(1);
        let landing = Landing::prepare(
            &plan.sink,
            offer,
            Content::Array,
            self.options.receive_route,
            chunk_bytes,
        )?;
        let meta = &offer.meta;
        let total_bytes = meta.byte_len();
        let route = landing.route()?;
        let preview = Prefix::new(meta, self.options.preview_elements);
        let first_values = preview.event();
        let (streams, is_sole) = match &listener {
            Some(listener) => (offer.streams.clamp(1, Options::STREAMS_MAX), listener.is_sole()),
            None => (1, false),
        };
        let expected = match listener.filter(|_| streams > 1) {
            Some(listener) => Some(Expected::at(&listener, usize::from(streams) - 1)?),
            None => None,
        };
        self.tell_started(offer, route.name(), landing.reason, streams, Some(&landing));
        self.events.tell(first_values);
        let blocks = self.wire.blocks().cloned();
        let reception = Arc::new(Reception::new(landing, total_bytes, blocks, preview));
        let more = expected.as_ref().map(|expected| (streams, expected.token));
        if let Some(expected) = expected {
            self.is_shared = true;
            // There is room: a transfer asks once.
            if let Some(requests) = &self.requests {
                let _ = requests.try_send(JoinRequest {
                    reception: Arc::clone(&reception),
                    expected,
                    is_sole,
                });
            }
        }
        (self.inlet, self.reception) = (Some(Inlet::new(route)), Some(reception));
        Ok(more)
    }

    fn tell_started(
        &self,
        offer: &Offer,
        route: &'static str,
        reason: &'static str,
        streams: u16,
        landing: Option<&Landing>,
    ) {
        let Role::First { plan, .. } = &self.role else { return };
        let meta = &offer.meta;
        self.events.tell(EventKind::Started(Box::new(Started {
            source: plan.source.clone().or_else(|| offer.name.clone()),
            sink: Some(plan.sink.describe()),
            peer: self.connection.peer().into(),
            wire: self.wire.name().into(),
            send_route: None,
            receive_route: Some(route.into()),
            route_reason: reason.into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: Some(meta.byte_len()),
            streams,
            memory: landing.and_then(Landing::memory).map(Into::into),
            congestion_control: self.connection.congestion_control().map(Into::into),
            part: landing.and_then(Landing::part).map(Into::into),
            chunk_bytes: self.options.chunk_bytes.max(1),
            send_buffer_bytes: self.connection.buffers().send,
            receive_buffer_bytes: self.connection.buffers().receive,
        })));
    }

    /// Hands the connection to the transfer that it joins. Where that has ended meanwhile nothing is lost: the sender
    /// is told, and knows it already.
    fn join(&mut self, token: &Token) -> Result<Progress, Error> {
        let listener = match &self.role {
            Role::First { listener, .. } => listener.as_ref(),
            Role::Door(listener) => Some(listener),
            Role::Further { .. } => None,
        };
        let connection = self.connection.try_clone()?;
        if !listener.is_some_and(|listener| listener.joins().deliver(token, connection)) {
            self.lingers = self.give_up("no transfer here waits for a connection that shows this token");
        }
        Ok(Progress::Joined)
    }

    fn hear(&mut self, most: usize) -> Result<Progress, Error> {
        let mut buffer = [0; CONTROL_BYTES_MAX];
        let most = most.clamp(1, CONTROL_BYTES_MAX);
        match self.read(&mut buffer[..most]) {
            Ok(0) => Err(self.closed()),
            Ok(received) => {
                match self.wire.hear(&buffer[..received])? {
                    Some(Heard::Offer(offer)) => self.decide(&offer)?,
                    Some(Heard::Join(token)) => return self.join(&token),
                    Some(Heard::Handoff { position }) => self.take_over(position)?,
                    Some(Heard::BlocksInstead) => self.take_blocks_instead()?,
                    Some(Heard::KeepAlive) | None => {}
                }
                Ok(Progress::Moved)
            }
            Err(error) if would_block(&error) => Ok(Self::wait_to_read()),
            Err(_) => Err(self.closed()),
        }
    }

    fn closed(&self) -> Error {
        let (received, total) = (self.bytes(), self.total_bytes());
        match total.saturating_sub(received) {
            _ if self.reception.is_none() && !self.handing.has_begun() => {
                Error::ClosedWhile("before it said what it sends")
            }
            0 => Error::ClosedWhile("before the checksum of the last block came"),
            missing => Error::ClosedEarly {
                missing,
                received,
                total,
            },
        }
    }

    fn total_bytes(&self) -> u64 {
        let reception = self.reception.as_ref();
        reception.map_or(self.handing.total_bytes(), |reception| reception.total_bytes)
    }

    fn wait_to_read() -> Progress {
        Progress::Wait {
            interest: Interest {
                read: true,
                write: false,
            },
            until: None,
            peer_owes: true,
        }
    }

    /// Until the clock says so, or a wake.
    fn rest(until: Instant) -> Progress {
        Progress::Wait {
            interest: Interest {
                read: false,
                write: false,
            },
            until: Some(until),
            peer_owes: false,
        }
    }

    fn paused(&mut self, now: Instant) -> Progress {
        self.events.state(State::Paused);
        if self.keep_alive(now) {
            return Progress::Moved;
        }
        self.probe.rests(Rest::Pause);
        Self::rest(self.keep_alive_at)
    }

    /// Tells the sender that we are still here, where that is due.
    fn keep_alive(&mut self, now: Instant) -> bool {
        if now < self.keep_alive_at {
            return false;
        }
        self.keep_alive_at = now + self.keep_alive_interval;
        let bytes = self.wire.keep_alive();
        self.outbox.push(bytes.as_deref().unwrap_or_default());
        bytes.is_some()
    }

    fn receive(&mut self, at: u64, len: u64, now: Instant) -> Result<Progress, Error> {
        let limit = self.controls.limit_bytes_per_s().filter(|_| !self.led_by_sender);
        let pace = self.controls.pace_bytes_per_s(Side::Receiver);
        self.events.limit(limit);
        if (limit.is_some() || pace.is_some()) && self.keep_alive(now) {
            return Ok(Progress::Moved);
        }
        let (Some(reception), Some(inlet)) = (&self.reception, &mut self.inlet) else {
            return Err(Error::Bug("data before an offer".into()));
        };
        let wanted = Wanted {
            at,
            len,
            limit_bytes_per_s: limit,
            pace_bytes_per_s: pace,
            chunk_bytes: self.options.chunk_bytes.max(1),
        };
        let wire = &mut self.wire;
        let mut socket = self.connection.as_fd();
        let came = inlet.receive(reception, &mut socket, wanted, now, &mut self.probe, &mut |bytes| {
            wire.absorb(bytes);
        })?;
        match came {
            Came::Bytes(received, preview) => {
                self.wire.landed(received);
                if let Some(preview) = preview {
                    self.events.tell(*preview);
                }
                Ok(Progress::Moved)
            }
            Came::Nothing => Ok(Self::wait_to_read()),
            Came::NotBefore(then, rest) => {
                self.probe.rests(rest);
                Ok(Self::rest(then))
            }
            Came::End | Came::Broke(_) => Err(self.closed()),
        }
    }

    /// The array is whole: the first connection publishes it, a further one waits until that is done.
    fn end_of_data(&mut self) -> Result<Progress, Error> {
        let Some(reception) = self.reception.clone() else {
            return self.keep_handed();
        };
        let Role::Further { has_told_end } = &mut self.role else {
            return self.publish(&reception);
        };
        if reception.is_published.load(Ordering::SeqCst) {
            self.lingers = true;
            return Ok(Progress::Part);
        }
        if !std::mem::replace(has_told_end, true) {
            self.controls.wake();
        }
        Ok(Progress::Wait {
            interest: Interest {
                read: false,
                write: false,
            },
            until: None,
            peer_owes: false,
        })
    }

    fn publish(&mut self, reception: &Reception) -> Result<Progress, Error> {
        self.events.state(State::Verifying);
        let surplus = if self.wire.ends_with_data() {
            self.surplus()
        } else {
            None
        };
        let (path, note) = reception.landing.publish()?;
        reception.is_published.store(true, Ordering::SeqCst);
        if let Some(applicant) = &mut self.applicant {
            applicant.is_whole();
        }
        // Further connections wait for it.
        self.controls.wake();
        Ok(self.conclude(path, note.or(surplus)))
    }

    /// The array is where it belongs: says so to the sender.
    fn conclude(&mut self, path: Option<PathBuf>, note: Option<String>) -> Progress {
        let checksum = self.wire.verified_checksum();
        let bytes = self.bytes();
        let elapsed = self.probe.elapsed();
        self.finished = Some(Box::new(Finished {
            bytes,
            rate_bytes_per_s: bytes as f64 / elapsed.as_secs_f64().max(1e-9),
            verified: checksum.is_some().then_some(true),
            checksum,
            path,
            note,
        }));
        let receipt = self.wire.receipt();
        self.outbox.push(&receipt);
        Progress::Moved
    }

    /// One look, without waiting, at what follows the array.
    fn surplus(&self) -> Option<String> {
        let mut look = [0; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match recv(self.connection.as_fd(), &mut look[..], flags) {
            Ok((seen, _)) if seen > 0 => {
                let more = rustix::io::ioctl_fionread(self.connection.as_fd()).unwrap_or(1);
                Some(format!(
                    "the peer sent at least {more} bytes more than the array has: they were not taken"
                ))
            }
            _ => None,
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if !self.outbox.is_empty() {
            return match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
                Ok(()) => Ok(Progress::Moved),
                Err(error) if would_block(&error) => Ok(Progress::Wait {
                    interest: Interest {
                        read: false,
                        write: true,
                    },
                    until: None,
                    peer_owes: true,
                }),
                Err(_) => match self.finished.take() {
                    // The array is whole and published: a sender that did not wait for the receipt lost nothing here.
                    Some(finished) => Ok(Progress::Done(finished)),
                    None => Err(self.closed()),
                },
            };
        }
        if let Some(finished) = self.finished.take() {
            // Its sender may have said that it is still here while others sent.
            self.lingers = self.is_shared;
            return Ok(Progress::Done(finished));
        }
        if let Some(offer) = self.applies_for.take() {
            return self.apply(&offer, now);
        }
        match self.wire.want() {
            Want::Control(most) => {
                if self.reception.is_none() && !self.handing.has_begun() {
                    self.events.state(State::Connecting);
                    // One byte now and then is no greeting: it does not keep a place for ever.
                    if now >= self.offer_due {
                        return Err(Error::Silent(self.options.timeout));
                    }
                }
                self.hear(most)
            }
            Want::Decision => {
                if matches!(self.role, Role::Further { .. }) {
                    let answer = self.wire.accept(None);
                    self.outbox.push(&answer);
                } else if let Some(offer) = self.wire.known_offer() {
                    // Only the raw wire is here: the others decide as they hear the offer.
                    self.decide(&offer)?;
                }
                Ok(Progress::Moved)
            }
            Want::Data { .. } if self.controls.is_paused() && !self.led_by_sender => Ok(self.paused(now)),
            Want::Data { at, len } => {
                let paused = self.led_by_sender && self.controls.is_paused();
                self.events
                    .state(if paused { State::Paused } else { State::Transferring });
                let progress = self.receive(at, len, now)?;
                Ok(match progress {
                    // A sender that is paused from here owes nothing.
                    Progress::Wait { interest, until, .. } if paused => Progress::Wait {
                        interest,
                        until,
                        peer_owes: false,
                    },
                    progress => progress,
                })
            }
            Want::Done => self.end_of_data(),
        }
    }
}

impl Machine for ReceiveMachine {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        step.map_err(|cause| match &self.reception {
            Some(reception) => reception.landing.failure(cause, reception.landed_bytes()),
            None => cause,
        })
    }

    fn give_up(&mut self, reason: &str) -> bool {
        let bytes = self.wire.give_up(reason);
        if !self.outbox.is_empty() || bytes.is_empty() {
            return false;
        }
        self.outbox.push(&bytes);
        // The peer learns of the end by the closing connection all the same.
        let told = self.outbox.flush(self.connection.as_fd(), false, &mut self.probe);
        told.is_ok()
    }

    fn end(&mut self) {
        self.probe.end();
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.probe
    }

    fn bytes(&self) -> u64 {
        let reception = self.reception.as_ref();
        reception.map_or(self.handing.moved_bytes(), |reception| reception.landed_bytes())
    }

    fn lingers(&self) -> bool {
        self.lingers
    }

    fn is_settled(&self) -> bool {
        let is_published = |reception: &Arc<Reception>| reception.is_published.load(Ordering::SeqCst);
        self.finished.is_some() || self.reception.as_ref().is_some_and(is_published)
    }

    fn is_needed(&self) -> bool {
        // Bytes that a further connection did not bring come by another one, or the sender says why not.
        !matches!(self.role, Role::Further { .. }) || self.wire.is_within_block()
    }

    fn remains(&mut self) -> Option<Remains> {
        self.handing.take().map(|handed| Box::new(handed) as Remains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Range;
    use crate::route::SendRouteChoice;
    use crate::route::fake::Stingy;
    use crate::transfer::net::listener::loopback_pair;
    use crate::transfer::plan::{Origin, SourceSpec};
    use crate::transfer::send::SendMachine;
    use crate::transfer::source::{Asked, SendPath, Source};
    use crate::wire::WireChoice;
    use crossbeam_channel::bounded;

    fn context() -> MachineContext {
        let clock = Instant::now();
        let (probe, _) = Probe::new(clock);
        let (notes, _) = bounded(64);
        MachineContext {
            controls: Arc::new(Controls::new(None)),
            probe,
            events: EventSender::new(notes, clock, None),
        }
    }

    /// Steps both machines by turns on one thread, over routes that move `bytes_max` bytes a call at most.
    fn moved(wire: WireChoice, range: &str, bytes_max: usize) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("folder");
        let into = folder.path().join("a.bin");
        let options = Options {
            wire,
            chunk_bytes: 4096,
            ..Options::default()
        };
        let origin = Origin::Range(Range::parse(range, None).expect("range"));
        let source = Source::open(&SourceSpec { origin, slice: None }).expect("source");
        let asked = Asked {
            route: SendRouteChoice::Auto,
            wire,
            chunk_bytes: 4096,
            unix: false,
            cancelled: &|| false,
        };
        let path = source.send_path(&asked).expect("route").expect("not cancelled");
        let path = SendPath {
            route: Box::new(Stingy::new(path.route, bytes_max)),
            ..path
        };
        let (sending, receiving) = loopback_pair().expect("pair");
        let (meta, sink) = (source.meta.clone(), SinkSpec::File(into.clone()));
        let mut sender =
            SendMachine::new(sending, source, path, &options, None, bounded(1).0, context()).expect("sender");
        let plan = ReceivePlan {
            sink,
            expect: Some(meta),
            source: None,
        };
        let mut receiver =
            ReceiveMachine::new(receiving, plan, None, &options, bounded(1).0, context()).expect("receiver");
        let (mut stingy, mut sent, mut received) = (false, false, false);
        for _ in 0..1_000_000 {
            let now = Instant::now();
            sent = sent || matches!(sender.step(now, true).expect("sender"), Progress::Done(_));
            received = received || matches!(receiver.step(now, true).expect("receiver"), Progress::Done(_));
            if !stingy && let Some(Inlet { route, .. }) = receiver.inlet.take() {
                receiver.inlet = Some(Inlet::new(Box::new(Stingy::new(route, bytes_max))));
                stingy = true;
            }
            if sent && received {
                assert!(stingy, "the receiver's route was never replaced");
                return std::fs::read(into).expect("read");
            }
        }
        panic!("the machines never end");
    }

    #[test]
    fn machines_come_through_whatever_little_the_kernel_moves() {
        let expected: Vec<u8> = (0..1500).flat_map(|i| f64::from(i).to_le_bytes()).collect();
        for wire in WireChoice::ALL {
            for bytes_max in [1, 7, 4095, usize::MAX] {
                assert!(
                    moved(wire, "0:1500", bytes_max) == expected,
                    "{} by {bytes_max}",
                    wire.name()
                );
            }
        }
    }
}
