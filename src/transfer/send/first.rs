//! The first connection of a transfer: it offers the array, sends, and tells how it ended.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::error::{Error, reason};
use crate::route::send::SendRoute;
use crate::sys::{awake_now, unacknowledged_bytes};
use crate::telemetry::Probe;
use crate::transfer::limits::limiter::Throttle;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress, Remains};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::would_block;
use crate::transfer::plan::Options;
use crate::transfer::source::Source;
use crate::transfer::source::send_path::SendPath;
use crate::transfer::survey::HANDED_OVER;
use crate::transfer::tell::event::{EventKind, Finished, Started};
use crate::transfer::tell::preview::Prefix;
use crate::wire::native::{Farewell, OutgoingBlocks, Token};
use crate::wire::{Grain, Offer, SendStep, SendWire};

use super::handoff::{Answer, Attempt, Handing};
use super::link::{Link, Next, Reply, limited_block_bytes, until_woken};
use super::sending::Sending;
use super::tree::TreeSending;

/// No event tells that the peer has acknowledged the last byte: that is looked at so often.
const LOOK_INTERVAL_MIN: Duration = Duration::from_micros(200);
const LOOK_INTERVAL_MAX: Duration = Duration::from_millis(50);

/// Sends one array, of which further connections may send blocks.
pub(crate) struct FirstSender {
    link: Link,
    handing: Handing,
    route_reason: &'static str,
    requests: Sender<StreamRequest>,
    preview: Prefix,
    /// What the receiver does with the array, where it is known here because both ends are.
    sink: Option<String>,
    /// Over how many connections in all, at most.
    streams: u16,
    phase: Phase,
}

/// Further connections that a transfer's first one can do with.
pub(crate) enum StreamRequest {
    /// For an array.
    Array(ArrayStreams),
    /// For a tree.
    Tree(TreeStreams),
}

/// So many connections for the blocks of files.
pub(crate) struct TreeStreams {
    pub(crate) sending: Arc<TreeSending>,
    pub(crate) token: Token,
    pub(crate) count: u16,
}

/// One connection for each route.
pub(crate) struct ArrayStreams {
    pub(crate) sending: Arc<Sending>,
    pub(crate) blocks: Arc<OutgoingBlocks>,
    pub(crate) token: Token,
    pub(crate) routes: Vec<Box<dyn SendRoute>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The receiver has not agreed to what is offered.
    Offering,
    /// Bytes of the array leave, or wait for the result.
    Sending,
    /// The source has nothing at hand.
    Starved,
    /// The receiver has the array where it belongs, and has left without a further word.
    Left,
    /// Nothing more is written; whether the kernel has handed all over is looked at again after so long.
    Ending { look_interval: Duration },
}

impl FirstSender {
    /// Offers `source` to whoever is at the other end. `requests` is asked for further connections.
    pub(crate) fn new(
        connection: Connection,
        source: Source,
        mut path: SendPath,
        options: &Options,
        sink: Option<String>,
        requests: Sender<StreamRequest>,
        mut context: MachineContext,
    ) -> Result<Self, Error> {
        let bytes = source.meta.byte_len();
        // What is read as it comes leaves in order, and in blocks of what is at hand. So does what no grid reaches over.
        let wanted = limited_block_bytes(context.controls.slowest_bytes_per_s());
        let grain = Some(Grain::for_array(bytes, wanted));
        let grain = grain.filter(|grain| path.route.goes_back() && grain.reaches_over(bytes));
        let offer = Offer {
            meta: source.meta.clone(),
            name: Some(source.name.clone()),
            plain: source.plain,
            identity: source.identity.clone(),
            checksum: options.checksum,
            grain,
            streams: grain.map_or(1, |grain| streams_for(bytes, grain, options.streams)),
            handoff: path.handoff.as_ref().map(|path| path.handoff.offer()),
        };
        let mut preview = Prefix::new(&source.meta, options.preview_elements);
        source.copy_prefix(preview.bytes_mut())?;
        path.route.begin(connection.as_fd()).map_err(|error| Error::System {
            doing: "the kernel refuses to send from here without a copy",
            reason: reason(&error).and("take another send route"),
        })?;
        let sending = Arc::new(Sending {
            source,
            sent: AtomicU64::new(0),
            throttle: Mutex::new(Throttle::new(awake_now())),
            is_done: AtomicBool::new(false),
        });
        let streams = offer.streams;
        let wire = SendWire::new(options.wire, offer);
        context.probe.begin_transfer();
        if let Some(surveyor) = &context.surveyor {
            surveyor.survey().begin(&sending.source.meta);
        }
        Ok(Self {
            link: Link::new(connection, sending, path.route, wire, options, context),
            handing: Handing::of(path.handoff),
            route_reason: path.reason,
            requests,
            preview,
            sink,
            streams,
            phase: Phase::Offering,
        })
    }

    /// The receiver has agreed: asks for further connections, and tells what is moved and how.
    fn start(&mut self) {
        self.phase = Phase::Sending;
        let mut streams = 1;
        if let Some((blocks, most, token)) = self.link.wire.take_more() {
            streams = most.min(self.streams);
            let routes = (1..streams).map_while(|_| self.link.route.another()).collect();
            // There is room: a transfer asks once.
            let _ = self.requests.try_send(StreamRequest::Array(ArrayStreams {
                sending: Arc::clone(&self.link.sending),
                blocks,
                token,
                routes,
            }));
        }
        let (source, connection) = (&self.link.sending.source, &self.link.connection);
        let meta = &source.meta;
        self.link.events.tell(EventKind::Started(Box::new(Started {
            source: Some(source.title.clone()),
            sink: self.sink.clone(),
            peer: connection.peer().into(),
            own_address: connection.own_address().ok().flatten(),
            peer_process: connection.peer_process(),
            wire: self.link.wire.name().into(),
            send_route: Some(self.handing.route_name().unwrap_or(self.link.route.name()).into()),
            receive_route: None,
            is_tree: false,
            route_reason: self.route_reason.into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: Some(meta.byte_len()),
            resumed_bytes: self.link.wire.claimed_bytes(),
            streams,
            memory: None,
            congestion_control: connection.congestion_control().map(Into::into),
            part: None,
            is_on_record: false,
            chunk_bytes: self.link.chunk_bytes,
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            connect_s: connection.connect_time().map(|time| time.as_secs_f64()),
        })));
        // The first elements of a stream are told when they have been read.
        if self.link.route.stream().is_none() {
            self.link.events.tell(self.preview.event());
        }
    }

    /// Whether the receiver, which has agreed, waits for the array to be handed over.
    fn awaits_handoff(&mut self) -> Result<bool, Error> {
        match self.handing.answer(&self.link.wire)? {
            Answer::Handoff => return Ok(true),
            Answer::Bytes => {}
            Answer::Declined(why) => self.route_reason = why.reason(),
        }
        Ok(false)
    }

    fn hand_over(&mut self) -> Result<Progress, Error> {
        match self.handing.hand_over(&mut self.link)? {
            Attempt::Done => {
                if let Some(surveyor) = &self.link.surveyor {
                    surveyor.survey().leave_out(HANDED_OVER.into());
                }
                self.start();
                let bytes = self.link.sending.source.meta.byte_len();
                self.link.sending.sent.fetch_add(bytes, Ordering::Relaxed);
                self.link.probe.moved(bytes);
            }
            Attempt::Waits(progress) => return Ok(progress),
            Attempt::Refused(why) => self.route_reason = why.reason(),
        }
        Ok(Progress::Moved)
    }

    /// Whether the receiver has said something.
    fn hear(&mut self) -> Result<bool, Error> {
        let reply = self.link.hear(self.link.wire.has_result())?;
        if reply == Reply::Left {
            self.phase = Phase::Left;
        }
        Ok(reply == Reply::Heard)
    }

    /// Nothing is to be sent now.
    fn wait(&mut self, now: Instant) -> Result<Progress, Error> {
        self.link.tell_waiting();
        if self.hear()? || self.phase == Phase::Left {
            Ok(Progress::Moved)
        } else {
            Ok(self.link.await_receiver(now))
        }
    }

    /// On a wire without a result: waits until the peer's system has all.
    ///
    /// Without that a peer that dies, or that has sent something which nobody read, could cost the last bytes after
    /// the transfer was called done.
    fn has_handed_over(&self) -> Result<bool, Error> {
        let socket = self.link.connection.as_fd();
        loop {
            match recv(socket, &mut [0; 4096][..], RecvFlags::DONTWAIT) {
                Ok((0, _)) => break,
                Ok(_) => {}
                Err(error) if would_block(&error.into()) => break,
                Err(_) => return Err(cut_at_end()),
            }
        }
        Ok(!self.link.connection.is_tcp() || unacknowledged_bytes(socket).is_ok_and(|bytes| bytes == 0))
    }

    /// All is said: ends once the kernel needs nothing of ours any more.
    fn finish(&mut self, now: Instant) -> Result<Progress, Error> {
        let listens = self.link.wire.listens();
        let look_interval = if let Phase::Ending { look_interval } = self.phase {
            look_interval
        } else {
            if !listens {
                shutdown(self.link.connection.as_fd(), Shutdown::Write).map_err(|_| cut_at_end())?;
            }
            LOOK_INTERVAL_MIN
        };
        if (listens || self.has_handed_over()?) && self.link.settled()? {
            return Ok(Progress::Done(Box::new(self.conclude())));
        }
        self.phase = Phase::Ending {
            look_interval: (2 * look_interval).min(LOOK_INTERVAL_MAX),
        };
        // The peer may have gone, which is nobody's fault any more: its socket is not waited for.
        Ok(until_woken(Some(now + look_interval), true))
    }

    fn conclude(&mut self) -> Finished {
        self.link.sending.is_done.store(true, Ordering::SeqCst);
        if self.streams > 1 {
            self.link.controls.wake();
        }
        let kept_bytes = self.link.wire.kept_bytes();
        let moved_bytes = self.link.bytes();
        let checksum = self.link.wire.verified_checksum();
        Finished {
            bytes: kept_bytes + moved_bytes,
            resumed_bytes: kept_bytes,
            rate_bytes_per_s: self.link.probe.mean_rate(moved_bytes, self.link.events.paused_for()),
            verified: checksum.is_some().then_some(true),
            durable: None,
            sync_s: None,
            checksum,
            items: None,
            path: None,
            note: self
                .handing
                .note()
                .or_else(|| self.link.route.note())
                .or_else(|| self.link.sending.source.note()),
        }
    }

    /// Steps as the machine does.
    fn advance(&mut self, now: Instant, ready: bool) -> Result<Progress, Error> {
        if self.phase == Phase::Starved {
            self.phase = Phase::Sending;
        }
        if ready {
            // What is left unread would end the next wait at once.
            self.link.settled()?;
            if self.link.wire.listens() && self.hear()? {
                return Ok(Progress::Moved);
            }
        }
        if !self.link.outbox.is_empty() {
            return match self.link.flush() {
                Some(progress) => Ok(progress),
                None => Err(self.link.broken()),
            };
        }
        if self.phase == Phase::Left {
            return self.finish(now);
        }
        if self.phase == Phase::Offering && self.link.wire.agreed() && !self.awaits_handoff()? {
            self.start();
        }
        let step = match self.link.next(self.phase != Phase::Offering, now)? {
            Next::Rest(progress) => return Ok(progress),
            Next::Starved(progress) => {
                self.phase = Phase::Starved;
                return Ok(progress);
            }
            Next::Step(step) => step,
        };
        match step {
            SendStep::Write(bytes) => {
                self.link.outbox.push(&bytes);
                Ok(Progress::Moved)
            }
            SendStep::Data { at, len } => self.link.send(at, len, Some(&mut self.preview), now),
            SendStep::Compare { at, len } => {
                // Nothing is waited for meanwhile.
                self.hear()?;
                self.link.compare(at, len, now)
            }
            SendStep::LookAgain => {
                self.link.sending.source.check_unchanged()?;
                let bytes = self.link.wire.unchanged()?;
                self.link.outbox.push(&bytes);
                Ok(Progress::Moved)
            }
            SendStep::HandOver => self.hand_over(),
            SendStep::Await => self.wait(now),
            SendStep::Done => self.finish(now),
        }
    }
}

impl Machine for FirstSender {
    fn socket(&self) -> BorrowedFd<'_> {
        self.link.connection.as_fd()
    }

    fn source(&self) -> Option<BorrowedFd<'_>> {
        self.link.route.stream().filter(|_| self.phase == Phase::Starved)
    }

    fn step(&mut self, now: Instant, ready: bool) -> Result<Progress, Error> {
        self.advance(now, ready).map_err(|error| self.link.explained(error))
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        self.link.give_up(&farewell.reason)
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

    fn remains(&mut self) -> Option<Remains> {
        self.handing.take().map(|path| Box::new(path) as Remains)
    }
}

fn cut_at_end() -> Error {
    Error::ClosedWhile("as the last bytes were sent")
}

/// Blocks are what connections share: more than there are blocks would have nothing to do.
fn streams_for(bytes: u64, grain: Grain, wanted: u16) -> u16 {
    let blocks = bytes.div_ceil(grain.bytes());
    u16::try_from(blocks)
        .unwrap_or(u16::MAX)
        .min(wanted)
        .clamp(1, Options::STREAMS_MAX)
}
