//! The receiving machine: one for every wire and every receive route.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::route::receive::ReceiveError;
use crate::sys::{Interest, wait};
use crate::telemetry::Probe;
use crate::wire::{Heard, Offer, ReceiveWire, Want};

use super::controls::Controls;
use super::drive::{Machine, Prefix, Progress, Teller};
use super::endpoint::{Connection, would_block};
use super::event::{EventKind, Finished, Side, Started, State};
use super::limiter::{Allowance, Limiter};
use super::outbox::Outbox;
use super::plan::{Options, SinkSpec};
use super::sender::{Gear, keep_alive_interval};
use super::sink::Landing;

/// The most bytes of the wire that are read at once.
const CONTROL_BYTES_MAX: usize = 16 << 10;
/// A peer that has been told why it ends here gets so long to read it.
const LINGER: Duration = Duration::from_millis(500);

/// Receives one array over one connection.
pub(super) struct ReceiveMachine {
    connection: Connection,
    controls: Arc<Controls>,
    options: Options,
    sink: SinkSpec,
    source: Option<String>,
    expect: Option<ArrayMeta>,
    wire: ReceiveWire,
    outbox: Outbox,
    /// The sink, once it is known what comes.
    landing: Option<(Landing, Prefix)>,
    total_bytes: u64,
    /// By then it must be known what comes.
    offer_due: Instant,
    limiter: Limiter,
    /// Where both ends are here, the sender alone keeps to the limit and to pauses.
    led_by_sender: bool,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    /// The array is whole and published, and the receipt may still be on its way.
    finished: Option<Box<Finished>>,
    probe: Probe,
    teller: Teller,
}

impl ReceiveMachine {
    /// `source` is what the sender sends, where it is known here because both ends are.
    pub(super) fn new(
        connection: Connection,
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
        source: Option<String>,
        options: &Options,
        gear: Gear,
    ) -> Result<Self, Error> {
        let now = Instant::now();
        Ok(Self {
            connection,
            controls: gear.controls,
            options: options.clone(),
            sink,
            led_by_sender: source.is_some(),
            source,
            wire: ReceiveWire::new(options.wire, expect.as_ref())?,
            expect,
            outbox: Outbox::default(),
            landing: None,
            total_bytes: 0,
            offer_due: now + options.timeout,
            limiter: Limiter::new(now),
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: now,
            finished: None,
            probe: gear.probe,
            teller: gear.teller,
        })
    }

    fn decide(&mut self, offer: &Offer) -> Result<(), Error> {
        if let Some(expected) = self.expect.as_ref().filter(|expected| **expected != offer.meta) {
            return Err(Error::BadOffer(format!(
                "{} comes where {expected} was to come",
                offer.meta
            )));
        }
        let chunk_bytes = self.options.chunk_bytes.max(1);
        let landing = Landing::prepare(&self.sink, offer, self.options.receive_route, chunk_bytes)?;
        let meta = &offer.meta;
        self.total_bytes = meta.byte_len();
        self.teller.tell(EventKind::Started(Box::new(Started {
            source: self.source.clone().or_else(|| offer.name.clone()),
            sink: Some(self.sink.describe()),
            peer: self.connection.peer().into(),
            wire: self.wire.name(),
            send_route: None,
            receive_route: Some(landing.route.name()),
            route_reason: landing.reason,
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: self.total_bytes,
            congestion_control: self.connection.congestion_control().map(Into::into),
        })));
        let preview = Prefix::new(meta, self.options.preview_elements);
        self.teller.tell(preview.event());
        self.landing = Some((landing, preview));
        let answer = self.wire.accept();
        self.outbox.push(&answer);
        Ok(())
    }

    fn hear(&mut self, most: usize) -> Result<Progress, Error> {
        let mut buffer = [0; CONTROL_BYTES_MAX];
        let most = most.clamp(1, CONTROL_BYTES_MAX);
        match recv(self.connection.as_fd(), &mut buffer[..most], RecvFlags::empty()) {
            Ok((0, _)) => Err(self.closed()),
            Ok((received, _)) => {
                if let Some(Heard::Offer(offer)) = self.wire.hear(&buffer[..received])? {
                    self.decide(&offer)?;
                }
                Ok(Progress::Moved)
            }
            Err(error) if would_block(&error.into()) => Ok(Self::wait_to_read()),
            Err(_) => Err(self.closed()),
        }
    }

    fn closed(&self) -> Error {
        let (received, total) = (self.probe.bytes(), self.total_bytes);
        match total - received {
            _ if self.landing.is_none() => Error::ClosedWhile("before it said what it sends"),
            0 => Error::ClosedWhile("before the checksum of the last block came"),
            missing => Error::ClosedEarly {
                missing,
                received,
                total,
            },
        }
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
        self.teller.state(State::Paused);
        if self.keep_alive(now) {
            return Progress::Moved;
        }
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
        let wanted = len.min(self.options.chunk_bytes.max(1) as u64);
        let limit = self.controls.limit_bytes_per_s().filter(|_| !self.led_by_sender);
        if limit.is_some() && self.keep_alive(now) {
            return Ok(Progress::Moved);
        }
        let allowed = match self.limiter.allow(limit, wanted, now) {
            Allowance::Bytes(bytes) => bytes,
            Allowance::NotBefore(then) => return Ok(Self::rest(then)),
        };
        // At most a chunk, which is a usize.
        let most = usize::try_from(allowed).unwrap_or(self.options.chunk_bytes);
        let Some((landing, preview)) = &mut self.landing else {
            return Err(Error::Protocol("data before an offer".into()));
        };
        let (wire, mut preview_whole) = (&mut self.wire, false);
        let received = landing.route.receive(self.connection.as_fd(), at, most, &mut |bytes| {
            wire.absorb(bytes);
            preview_whole |= preview.take(at, bytes);
        });
        self.probe.syscall(most, *received.as_ref().unwrap_or(&0));
        match received {
            Ok(0) => Err(self.closed()),
            Ok(received) => {
                let received = received as u64;
                self.limiter.spend(received);
                self.wire.landed(received);
                self.probe.moved(received);
                landing.landed(received, self.probe.bytes());
                if preview_whole {
                    self.teller.tell(preview.event());
                }
                Ok(Progress::Moved)
            }
            Err(ReceiveError::Socket(error)) if would_block(&error) => Ok(Self::wait_to_read()),
            Err(ReceiveError::Socket(_)) => Err(self.closed()),
            Err(ReceiveError::Sink(error)) => Err(landing.write_error(&error, self.total_bytes)),
        }
    }

    fn publish(&mut self) -> Result<Progress, Error> {
        self.teller.state(State::Verifying);
        let surplus = if self.wire.ends_with_data() {
            self.surplus()
        } else {
            None
        };
        let (path, note) = match &mut self.landing {
            Some((landing, _)) => landing.publish()?,
            None => (None, None),
        };
        let checksum = self.wire.verified_checksum();
        let bytes = self.probe.bytes();
        let elapsed = self.probe.elapsed();
        self.finished = Some(Box::new(Finished {
            bytes,
            rate_bytes_per_s: bytes as f64 / elapsed.as_secs_f64().max(1e-9),
            verified: checksum.is_some().then_some(true),
            checksum,
            path,
            note: note.or(surplus),
        }));
        let receipt = self.wire.receipt();
        self.outbox.push(&receipt);
        Ok(Progress::Moved)
    }

    /// Lets the peer read why: closing with bytes of its own unread would reset the connection under its hands.
    fn linger(&self) {
        let socket = self.connection.as_fd();
        let deadline = Instant::now() + LINGER;
        let wake = self.controls.wake_of(Side::Receiver);
        let mut discarded = vec![0; CONTROL_BYTES_MAX];
        if shutdown(socket, Shutdown::Write).is_err() {
            return;
        }
        loop {
            match recv(socket, &mut discarded[..], RecvFlags::DONTWAIT) {
                Ok((1.., _)) => {}
                Err(error) if would_block(&error.into()) => {}
                Ok((0, _)) | Err(_) => return,
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero()
                || wait(
                    socket,
                    Interest {
                        read: true,
                        write: false,
                    },
                    wake,
                    Some(left),
                )
                .is_err()
            {
                return;
            }
        }
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
            return Ok(Progress::Done(finished));
        }
        match self.wire.want() {
            Want::Control(most) => {
                if self.landing.is_none() {
                    self.teller.state(State::Connecting);
                    // One byte now and then is no greeting: it does not keep a place for ever.
                    if now >= self.offer_due {
                        return Err(Error::Silent(self.options.timeout));
                    }
                }
                self.hear(most)
            }
            Want::Decision => {
                // Only the raw wire is here: the others decide as they hear the offer.
                if let Some(offer) = self.wire.known_offer() {
                    self.decide(&offer)?;
                }
                Ok(Progress::Moved)
            }
            Want::Data { .. } if self.controls.is_paused() && !self.led_by_sender => Ok(self.paused(now)),
            Want::Data { at, len } => {
                let paused = self.led_by_sender && self.controls.is_paused();
                self.teller
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
            Want::Done => self.publish(),
        }
    }
}

impl Machine for ReceiveMachine {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        let bytes = self.probe.bytes();
        step.map_err(|cause| match &self.landing {
            Some((landing, _)) => landing.failure(cause, bytes),
            None => cause,
        })
    }

    fn give_up(&mut self, reason: &str) {
        let bytes = self.wire.give_up(reason);
        if self.outbox.is_empty() && !bytes.is_empty() {
            self.outbox.push(&bytes);
            // The peer learns of the end by the closing connection all the same.
            if self
                .outbox
                .flush(self.connection.as_fd(), false, &mut self.probe)
                .is_ok()
            {
                self.linger();
            }
        }
    }

    fn end(&mut self) {
        self.probe.end();
    }

    fn bytes(&self) -> u64 {
        self.probe.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Range;
    use crate::route::SendRouteChoice;
    use crate::route::fake::Stingy;
    use crate::transfer::endpoint::loopback_pair;
    use crate::transfer::plan::{Origin, SourceSpec};
    use crate::transfer::sender::SendMachine;
    use crate::transfer::source::{SendPath, Source};
    use crate::wire::WireChoice;
    use crossbeam_channel::bounded;

    fn gear() -> Gear {
        let clock = Instant::now();
        let (probe, _) = Probe::new(clock);
        let (notes, _) = bounded(64);
        Gear {
            controls: Arc::new(Controls::new(None).expect("controls")),
            probe,
            teller: Teller::new(notes, clock, None),
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
        let SendPath { route, reason } = source.send_path(SendRouteChoice::Auto, wire, 4096).expect("route");
        let path = SendPath {
            route: Box::new(Stingy::new(route, bytes_max)),
            reason,
        };
        let (sending, receiving) = loopback_pair().expect("pair");
        let (meta, sink) = (source.meta.clone(), SinkSpec::File(into.clone()));
        let mut sender = SendMachine::new(sending, source, path, &options, None, gear()).expect("sender");
        let mut receiver = ReceiveMachine::new(receiving, sink, Some(meta), None, &options, gear()).expect("receiver");
        let (mut stingy, mut sent, mut received) = (false, false, false);
        for _ in 0..1_000_000 {
            let now = Instant::now();
            sent = sent || matches!(sender.step(now, true).expect("sender"), Progress::Done(_));
            received = received || matches!(receiver.step(now, true).expect("receiver"), Progress::Done(_));
            if let (false, Some((landing, _))) = (stingy, &mut receiver.landing) {
                let route = std::mem::replace(&mut landing.route, Box::new(crate::route::receive::Discard::new(1)));
                landing.route = Box::new(Stingy::new(route, bytes_max));
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
