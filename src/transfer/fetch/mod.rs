//! Fetches a file from a web server: a machine as the others are, with HTTP in the place of a wire. Where bytes follow
//! the answer's head as they are, they are taken from the socket as a receiver takes them, and need not even be seen.

mod answer;
mod client;
pub(super) mod fetched;
mod link;

use std::io;
use std::ops::Range;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::array::{ArrayMeta, Dtype};
use crate::error::Error;
use crate::ledger::{Claim, Ledger};
use crate::route::ReceiveRouteChoice;
use crate::route::receive::Inflow as _;
use crate::sys::{Interest, Wake};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::would_block;
use crate::transfer::net::url::Url;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::sink::block_receiver::{BlockReceiver, Received, Wanted};
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::{Content, PreparedSink};
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::preview::Prefix;
use crate::transfer::trust::Trust;
use crate::wire::{Digest, Offer};

use answer::{Ask, Told};
use client::{Body, Client};
use fetched::Fetched;
use link::{Patience, Work};

/// After so many connections in a row that brought next to nothing it is given up.
const TRIES: u32 = 5;
/// A connection that brought so much was worth it.
const PROGRESS_BYTES: u64 = 1 << 20;
/// The wait before the second try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// Less than this is not worth a connection of its own.
const PART_BYTES_MIN: u64 = 8 << 20;

/// What is fetched, and where to.
#[derive(Debug)]
pub(super) struct FetchPlan {
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) sink: SinkSpec,
}

/// A file's first connection can do with further ones, one for each of these parts.
pub(super) struct PartRequest {
    pub(super) fetched: Arc<Fetched>,
    pub(super) parts: Vec<Range<u64>>,
}

/// Fetches a file over one connection after another, or a part of one.
pub(super) struct FetchMachine {
    client: Client,
    options: Options,
    controls: Arc<Controls>,
    wake: Arc<Wake>,
    requests: Option<Sender<PartRequest>>,
    /// What the first connection of a file has to know.
    plan: Option<FetchPlan>,
    /// What of the file is fetched here; it ends nowhere while the length is not known.
    part: Range<u64>,
    /// The next byte.
    at: u64,
    /// Bytes that come once more, and are not needed.
    again: u64,
    /// Dropped before what it leads to.
    inlet: Option<BlockReceiver>,
    /// That part, until all of it is here.
    claim: Option<Claim>,
    fetched: Option<Arc<Fetched>>,
    body: Option<Body>,
    digest: Digest,
    tries: Tries,
    /// When the server was last heard of.
    heard_at: Instant,
    /// Another connection tells how the file ends.
    is_further: bool,
    finished: Option<Box<Finished>>,
    probe: Probe,
    teller: EventSender,
}

/// How often it may still be tried, and when.
#[derive(Debug)]
struct Tries {
    left: u32,
    not_before: Instant,
    /// Where the file was when they were counted anew.
    from: u64,
}

impl FetchMachine {
    /// For all of a file, and to tell how it ends.
    pub(super) fn new(
        plan: FetchPlan,
        options: &Options,
        wake: &Arc<Wake>,
        requests: Sender<PartRequest>,
        gear: MachineContext,
    ) -> Self {
        let (url, trust) = (plan.url.clone(), plan.trust.clone());
        let whole = 0..u64::MAX;
        Self {
            plan: Some(plan),
            requests: Some(requests),
            ..Self::with(&url, &trust, whole, options, wake, gear)
        }
    }

    /// For a part of one whose first connection has begun.
    ///
    /// # Errors
    /// The file that it lands in cannot be written in another place, too.
    pub(super) fn further(
        fetched: &Arc<Fetched>,
        part: Range<u64>,
        options: &Options,
        wake: &Arc<Wake>,
        gear: MachineContext,
    ) -> Result<Self, Error> {
        let sink = &fetched.reception.sink;
        let inlet = BlockReceiver::new(sink.route()?);
        Ok(Self {
            inlet: Some(inlet),
            claim: Some(sink.ledger.claim(part.start, part.end - part.start)?),
            is_further: true,
            fetched: Some(Arc::clone(fetched)),
            ..Self::with(&fetched.url, &fetched.trust, part, options, wake, gear)
        })
    }

    fn with(
        url: &Url,
        trust: &Trust,
        part: Range<u64>,
        options: &Options,
        wake: &Arc<Wake>,
        gear: MachineContext,
    ) -> Self {
        let now = Instant::now();
        Self {
            client: Client::new(url, trust, patience(options, &gear.controls, wake)),
            options: options.clone(),
            controls: gear.controls,
            wake: Arc::clone(wake),
            requests: None,
            plan: None,
            at: part.start,
            tries: Tries {
                left: TRIES,
                not_before: now,
                from: part.start,
            },
            part,
            again: 0,
            inlet: None,
            claim: None,
            fetched: None,
            body: None,
            digest: Digest::new(options.checksum),
            heard_at: now,
            is_further: false,
            finished: None,
            probe: gear.probe,
            teller: gear.events,
        }
    }

    fn patience(&self) -> Patience {
        patience(&self.options, &self.controls, &self.wake)
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if let Some(finished) = self.finished.take() {
            return Ok(Progress::Done(finished));
        }
        if self.at == self.part.end {
            return self.end_of_part();
        }
        if self.body.is_none() {
            return self.ask(now);
        }
        if self.controls.is_paused() {
            self.teller.state(State::Paused);
            self.probe.rests(Rest::Pause);
            // Whatever the server does meanwhile, it is not silence that is waited for.
            self.heard_at = now;
            return Ok(rest(None));
        }
        self.teller.state(State::Transferring);
        if self.again > 0 {
            return self.skip(now);
        }
        self.receive(now)
    }

    /// Asks for what is missing, and waits for the head of the answer.
    fn ask(&mut self, now: Instant) -> Result<Progress, Error> {
        if now < self.tries.not_before {
            return Ok(rest(Some(self.tries.not_before)));
        }
        self.teller.state(State::Connecting);
        let told = self.fetched.as_ref().map(|fetched| &fetched.told);
        let is_rest = self.part.end == u64::MAX || told.is_some_and(|told| told.len == Some(self.part.end));
        let ask = Ask {
            from: self.at,
            to: (!is_rest).then_some(self.part.end),
            known: told,
        };
        let (answer, body, from) = match self.client.ask(&ask) {
            Ok(answered) => answered,
            Err(error) => return self.broke(error),
        };
        self.probe.watch(body.link().as_fd());
        self.take_note_of(&body);
        self.heard_at = Instant::now();
        if self.part.end == u64::MAX
            && let Some(len) = answer.told.len
        {
            self.part.end = len;
        }
        self.again = self.at - answer.at;
        if let Some(plan) = self.plan.take() {
            // The next redirect could lead to another file that is called the same version.
            self.client = Client::new(&from, &plan.trust, self.patience());
            self.prepare(plan, from, answer.told, &body)?;
        }
        self.body = Some(body);
        Ok(Progress::Moved)
    }

    /// Makes room for the file, which is asked for where it was found from now on.
    fn prepare(&mut self, plan: FetchPlan, from: Url, told: Told, body: &Body) -> Result<(), Error> {
        let FetchPlan { url, trust, sink } = plan;
        let content = match told.len {
            Some(_) => Content::Bytes,
            None => Content::Growing,
        };
        let takes_any_length = matches!(sink, SinkSpec::Discard | SinkSpec::File(_) | SinkSpec::Folder(_));
        if content == Content::Growing && !takes_any_length {
            return Err(Error::LengthUntold(url.to_string()));
        }
        let too_long = |_| Error::Protocol("its length is more than there is".into());
        let meta = ArrayMeta::vector(Dtype::u8(), told.len.unwrap_or(0)).map_err(too_long)?;
        let offer = Offer {
            meta,
            name: url.file_name(),
            plain: true,
            identity: Vec::new(),
            checksum: self.options.checksum,
            streams: 1,
            handoff: None,
        };
        let (choice, reason) = if body.is_bare() {
            (self.options.receive_route, None)
        } else {
            let why = "bytes pass through a buffer, where they are taken out of TLS or of chunks";
            (ReceiveRouteChoice::Recv, Some(why))
        };
        let chunk_bytes = self.options.chunk_bytes.max(1);
        let ledger = match told.len {
            Some(len) => Ledger::new(len, self.options.checksum, self.options.streams),
            None => Ledger::growing(self.options.checksum),
        };
        let landing = PreparedSink::prepare(&sink, &offer, content, Arc::clone(&ledger), choice, chunk_bytes)?;
        let inlet = BlockReceiver::new(landing.route()?);
        let parts = self.divide(&told);
        self.claim = Some(ledger.claim(0, self.part.end)?);
        let preview = match told.len {
            Some(_) => Prefix::new(&offer.meta, self.options.preview_elements),
            None => Prefix::new(
                &ArrayMeta::vector(Dtype::u8(), self.options.preview_elements as u64).map_err(too_long)?,
                self.options.preview_elements,
            ),
        };
        let connection = body.link().connection();
        self.teller.tell(EventKind::Started(Box::new(Started {
            source: Some(url.to_string()),
            sink: Some(sink.describe()),
            peer: connection.peer().into(),
            wire: if url.is_https() { "https" } else { "http" }.into(),
            send_route: None,
            receive_route: Some(inlet.route.name().into()),
            route_reason: reason.unwrap_or(landing.reason).into(),
            dtype: offer.meta.dtype().name(),
            shape: offer.meta.shape().dimensions().to_vec(),
            total_bytes: told.len,
            streams: u16::try_from(parts.len() + 1).unwrap_or(u16::MAX),
            memory: landing.memory().map(Into::into),
            congestion_control: connection.congestion_control().map(Into::into),
            part: landing.part().map(Into::into),
            chunk_bytes,
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
        })));
        self.teller.tell(preview.event());
        let reception = IncomingArray::new(landing, preview);
        let fetched = Arc::new(Fetched::new(from, trust, told, reception));
        (self.inlet, self.fetched) = (Some(inlet), Some(Arc::clone(&fetched)));
        if let Some(requests) = self.requests.as_ref().filter(|_| !parts.is_empty()) {
            // There is room: a transfer asks once.
            let _ = requests.try_send(PartRequest { fetched, parts });
        }
        Ok(())
    }

    /// Leaves this connection the first part of the file, and returns the others.
    fn divide(&mut self, told: &Told) -> Vec<Range<u64>> {
        let Some(len) = told.len.filter(|_| told.has_parts()) else {
            return Vec::new();
        };
        let count = u64::from(self.options.streams).min(len / PART_BYTES_MIN).max(1);
        let begin = |index: u64| {
            let begin = u128::from(len) * u128::from(index) / u128::from(count);
            u64::try_from(begin).unwrap_or(len)
        };
        self.part.end = begin(1);
        (1..count).map(|index| begin(index)..begin(index + 1)).collect()
    }

    fn receive(&mut self, now: Instant) -> Result<Progress, Error> {
        let limit_bytes_per_s = self.controls.limit_bytes_per_s();
        self.teller.limit(limit_bytes_per_s);
        let (Some(fetched), Some(inlet), Some(claim), Some(body)) =
            (&self.fetched, &mut self.inlet, &mut self.claim, &mut self.body)
        else {
            return Err(Error::Protocol("data before an answer".into()));
        };
        let wanted = Wanted {
            at: self.at,
            len: self.part.end - self.at,
            span: claim.take_span(),
            limit_bytes_per_s,
            pace_bytes_per_s: self.controls.pace_bytes_per_s(Side::Receiver),
            chunk_bytes: self.options.chunk_bytes.max(1),
        };
        let digest = &mut self.digest;
        let came = inlet.receive(&fetched.reception, body, wanted, now, &mut self.probe, &mut |bytes| {
            digest.update(bytes);
        });
        let is_bare = body.is_bare();
        let work = body.take_work();
        note(&mut self.probe, work);
        match came? {
            Received::Bytes(bytes, preview) => {
                if let Some(preview) = preview {
                    self.teller.tell(*preview);
                }
                claim.landed(bytes);
                self.at += bytes;
                self.took(bytes, now)
            }
            Received::NotBefore(then, why) => {
                self.probe.rests(why);
                self.heard_at = now;
                Ok(rest(Some(then)))
            }
            // Woken by whoever changed something.
            Received::Nothing if !is_bare => Ok(Progress::Moved),
            Received::Nothing => self.wait(now),
            // The end tells the length; an answer that breaks off between two chunks is told from one that ends.
            Received::End if self.part.end == u64::MAX => {
                self.part.end = self.at;
                Ok(Progress::Moved)
            }
            Received::End => self.broke(self.closed()),
            Received::Broke(error) => self.broke(self.broken(&error)),
        }
    }

    /// Takes bytes that came before.
    fn skip(&mut self, now: Instant) -> Result<Progress, Error> {
        let Some(body) = &mut self.body else {
            return Ok(Progress::Moved);
        };
        let mut buffer = vec![0; self.options.chunk_bytes.max(1)];
        let most = usize::try_from(self.again).unwrap_or(buffer.len()).min(buffer.len());
        match body.take(&mut buffer[..most]) {
            Ok(0) => self.broke(self.closed()),
            Ok(bytes) => {
                self.again -= bytes as u64;
                self.took(bytes as u64, now)
            }
            Err(error) if would_block(&error) => self.wait(now),
            Err(error) => self.broke(self.broken(&error)),
        }
    }

    fn took(&mut self, bytes: u64, now: Instant) -> Result<Progress, Error> {
        self.heard_at = now;
        if let Some(body) = &mut self.body {
            body.took(bytes);
            // A server may send less than was asked for: the rest is asked for next.
            if body.is_over() && self.at < self.part.end {
                self.body = None;
                if !self.may_try() {
                    return Err(self.closed());
                }
            }
        }
        Ok(Progress::Moved)
    }

    /// Whether another connection may be tried, which counts as one that brings next to nothing until it has not.
    fn may_try(&mut self) -> bool {
        if self.at - self.tries.from >= PROGRESS_BYTES {
            (self.tries.left, self.tries.from) = (TRIES, self.at);
        }
        let may_try = self.tries.left > 0;
        self.tries.left = self.tries.left.saturating_sub(1);
        may_try
    }

    /// Until the socket has something. A server that is silent for too long has broken the connection.
    fn wait(&mut self, now: Instant) -> Result<Progress, Error> {
        let patience = self.heard_at + self.options.timeout;
        if now >= patience {
            return self.broke(Error::Silent(self.options.timeout));
        }
        Ok(Progress::Wait {
            interest: Interest {
                read: true,
                write: false,
            },
            until: Some(patience),
            peer_owes: false,
        })
    }

    /// A connection is of no more use: another one goes on where it was, if that is sure to be the same file.
    fn broke(&mut self, error: Error) -> Result<Progress, Error> {
        self.body = None;
        let fetched = self.fetched.as_ref();
        // One that did not tell its length could not be told from a part of it.
        let fetched = fetched.filter(|it| it.told.is_known_again() && it.told.len.is_some());
        let Some(fetched) = fetched.cloned() else {
            return Err(error);
        };
        if !may_pass(&error) || self.controls.is_cancelled() || !self.may_try() {
            return Err(error);
        }
        self.tries.not_before = Instant::now() + FIRST_WAIT * 2_u32.pow(TRIES - 1 - self.tries.left);
        fetched.broke();
        Ok(Progress::Moved)
    }

    fn closed(&self) -> Error {
        let received = self.bytes();
        match self.fetched.as_ref().and_then(|fetched| fetched.told.len) {
            Some(total) => Error::ClosedEarly {
                missing: total.saturating_sub(received),
                received,
                total,
            },
            None => Error::ClosedWhile("in the middle of the file"),
        }
    }

    /// The error for bytes that did not come.
    fn broken(&self, error: &io::Error) -> Error {
        let timed_out = error.get_ref().is_some_and(|inner| {
            inner
                .downcast_ref::<ureq::Error>()
                .is_some_and(|error| matches!(error, ureq::Error::Timeout(_)))
        });
        if timed_out {
            Error::Silent(self.options.timeout)
        } else {
            self.closed()
        }
    }

    /// The first connection waits for the others and publishes the file; the others have done their part.
    fn end_of_part(&mut self) -> Result<Progress, Error> {
        let Some(fetched) = self.fetched.clone() else {
            return Err(Error::Protocol("an end before an answer".into()));
        };
        self.body = None;
        let ledger = &fetched.reception.sink.ledger;
        if let Some(mut claim) = self.claim.take() {
            // Nobody else says what its checksum should be.
            claim.ends_here();
            claim.verified(&self.digest);
            self.controls.wake();
        }
        if self.is_further {
            return Ok(Progress::Part);
        }
        if !ledger.is_whole() {
            return Ok(rest(None));
        }
        self.teller.state(State::Verifying);
        let (path, note) = fetched.reception.sink.publish()?;
        let bytes = self.bytes();
        self.finished = Some(Box::new(Finished {
            bytes,
            rate_bytes_per_s: bytes as f64 / self.probe.elapsed().as_secs_f64().max(1e-9),
            verified: None,
            checksum: ledger.checksum().map(|checksum| checksum.to_string()),
            path,
            note: fetched.note(note),
        }));
        Ok(Progress::Moved)
    }

    fn take_note_of(&mut self, body: &Body) {
        note(&mut self.probe, body.take_work());
    }
}

impl Machine for FetchMachine {
    fn is_settled(&self) -> bool {
        self.finished.is_some()
    }

    fn socket(&self) -> BorrowedFd<'_> {
        match &self.body {
            Some(body) => body.link().as_fd(),
            // Nothing but a wake is waited for.
            None => self.wake.as_fd(),
        }
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        step.map_err(|cause| match &self.fetched {
            Some(fetched) => fetched.reception.sink.failure(cause),
            None => cause,
        })
    }

    fn give_up(&mut self, _reason: &str) -> bool {
        // A server has no ear for it: it sees the connection close.
        false
    }

    fn end(&mut self) {
        self.probe.end();
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.probe
    }

    fn bytes(&self) -> u64 {
        self.fetched
            .as_ref()
            .map_or(0, |fetched| fetched.reception.sink.ledger.landed_bytes())
    }
}

fn patience(options: &Options, controls: &Arc<Controls>, wake: &Arc<Wake>) -> Patience {
    Patience {
        controls: Arc::clone(controls),
        wake: Arc::clone(wake),
        timeout: options.timeout,
        buffer_bytes: options.socket_buffer_bytes,
    }
}

/// Until then, or a wake.
fn rest(until: Option<Instant>) -> Progress {
    Progress::Wait {
        interest: Interest {
            read: false,
            write: false,
        },
        until,
        peer_owes: false,
    }
}

fn note(probe: &mut Probe, work: Work) {
    probe.cost(work.syscalls, 0);
    if !work.waited.is_zero() {
        let read = Interest {
            read: true,
            write: false,
        };
        probe.waited(read, work.waited, true);
    }
}

/// Whether the same may work a moment later.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::ClosedEarly { .. }
        | Error::ClosedWhile(_)
        | Error::Silent(_)
        | Error::NobodyListening(_)
        | Error::Endpoint { .. } => true,
        // RFC 9110, 15.6; RFC 6585, 4.
        Error::Answered { status, .. } => matches!(status, 429 | 500 | 502..=504),
        _ => false,
    }
}
