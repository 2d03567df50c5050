//! The first connection of a file: it finds the file, makes room for it, shares it out, fetches the first part, waits
//! for the others, and publishes what has come.

use std::ops::Range;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::Sender;

use crate::array::{ArrayMeta, Dtype};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::route::ReceiveRouteChoice;
use crate::sys::Wake;
use crate::telemetry::Probe;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::url::Url;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::sink::block_receiver::BlockReceiver;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::publisher::{Publication, Publisher};
use crate::transfer::sink::{Content, PreparedSink, Published};
use crate::transfer::tell::event::{EventKind, Finished, Started, State};
use crate::transfer::tell::preview::Prefix;
use crate::wire::Offer;

use super::answer::{Answer, FileInfo, RangeRequest};
use super::client::{Body, Client};
use super::connection::ConnectionContext;
use super::file::FetchedFile;
use super::part::{PartFetch, rest, watch};
use super::{FetchPlan, PartRequest};

/// Less than this is not worth a connection of its own.
const PART_BYTES_MIN: u64 = 8 << 20;

/// Fetches the first part of a file, which is all of it where there are no others, and tells how the file ends.
pub(in crate::transfer) struct FirstFetcher {
    wake: Arc<Wake>,
    context: MachineContext,
    phase: Phase,
}

/// Where it is. What belongs to a phase is in it.
enum Phase {
    /// The server is asked for the file.
    Asking(Box<FileRequest>),
    /// The first part comes.
    Fetching(Box<PartFetch>),
    /// The first part is whole, and others are not.
    WaitingForOtherParts(Arc<FetchedFile>),
    /// Every byte has landed; what has to be is put on disk.
    Publishing(Arc<FetchedFile>, Option<Publication>),
    /// The file is where it belongs.
    TellingTheEnd(Arc<FetchedFile>, Box<Finished>),
}

/// What it takes to ask for a file and to make room for it.
struct FileRequest {
    plan: FetchPlan,
    options: Options,
    connecting: ConnectionContext,
    /// Where further connections are asked for.
    requests: Sender<PartRequest>,
}

impl FirstFetcher {
    pub(in crate::transfer) fn new(
        plan: FetchPlan,
        options: &Options,
        wake: &Arc<Wake>,
        requests: Sender<PartRequest>,
        context: MachineContext,
    ) -> Self {
        Self {
            wake: Arc::clone(wake),
            phase: Phase::Asking(Box::new(FileRequest {
                plan,
                options: options.clone(),
                connecting: ConnectionContext::new(options, &context.controls, wake),
                requests,
            })),
            context,
        }
    }

    /// The file, once the server has told of it.
    fn file(&self) -> Option<&Arc<FetchedFile>> {
        match &self.phase {
            Phase::Asking(_) => None,
            Phase::Fetching(part) => Some(part.file()),
            Phase::WaitingForOtherParts(file) | Phase::Publishing(file, _) | Phase::TellingTheEnd(file, _) => {
                Some(file)
            }
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        let next = match &mut self.phase {
            Phase::Asking(request) => Phase::Fetching(Box::new(request.ask(&mut self.context)?)),
            Phase::Fetching(part) => {
                if let Some(progress) = part.step(&mut self.context, now)? {
                    return Ok(progress);
                }
                Phase::WaitingForOtherParts(Arc::clone(part.file()))
            }
            Phase::WaitingForOtherParts(file) => {
                if !file.array.sink.ledger.is_whole() {
                    return Ok(rest(None));
                }
                self.context.events.state(State::Verifying);
                let sink = &file.array.sink;
                let publishing = &self.context.publishing;
                let publication = sink.has_to_be_synced().then(|| publishing.publish(&file.array));
                Phase::Publishing(Arc::clone(file), publication)
            }
            Phase::Publishing(file, publication) => {
                let published = match publication.as_ref().map(Publication::result) {
                    None => file.array.sink.publish()?,
                    Some(Some(result)) => result?,
                    Some(None) => return Ok(rest(None)),
                };
                let finished = finished(file, published, &self.context.probe);
                Phase::TellingTheEnd(Arc::clone(file), Box::new(finished))
            }
            Phase::TellingTheEnd(_, finished) => return Ok(Progress::Done(finished.clone())),
        };
        if let Phase::Fetching(part) = std::mem::replace(&mut self.phase, next) {
            part.finish();
        }
        Ok(Progress::Moved)
    }
}

impl Machine for FirstFetcher {
    fn is_settled(&self) -> bool {
        match &self.phase {
            Phase::Publishing(_, Some(publication)) => publication.is_past_recall(),
            phase => matches!(phase, Phase::TellingTheEnd(..)),
        }
    }

    fn socket(&self) -> BorrowedFd<'_> {
        let socket = match &self.phase {
            Phase::Fetching(part) => part.socket(),
            _ => None,
        };
        // Where nothing comes, nothing but a wake is waited for.
        socket.unwrap_or_else(|| self.wake.as_fd())
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        step.map_err(|cause| match self.file() {
            Some(file) => file.array.sink.failure(cause),
            None => cause,
        })
    }

    fn give_up(&mut self, _reason: &str) -> bool {
        // A server has no ear for it: it sees the connection close.
        false
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.context.probe
    }

    fn bytes(&self) -> u64 {
        self.file().map_or(0, |file| file.landed_bytes())
    }
}

impl FileRequest {
    /// Asks for the file, makes room for it, and shares it out. Returns the first part.
    ///
    /// # Errors
    /// There is no such file, or it cannot be kept.
    fn ask(&self, context: &mut MachineContext) -> Result<PartFetch, Error> {
        context.events.state(State::Connecting);
        let all = RangeRequest {
            from: 0,
            to: None,
            known: None,
        };
        let client = |url: &Url| Client::new(url, &self.plan.trust, self.connecting.clone());
        let (Answer { info, .. }, body, url) = client(&self.plan.url).ask(&all)?;
        watch(&mut context.probe, &body);
        let publisher = context.publishing.publisher(&self.options);
        let (sink, reason) = self.make_room(&info, &body, publisher)?;
        let preview = self.preview(&info)?;
        let receiver = BlockReceiver::new(sink.route()?);
        let parts = self.share_out(&info);
        let claim = sink.ledger.claim(0, parts.first)?;
        let streams = u16::try_from(parts.others.len() + 1).unwrap_or(u16::MAX);
        let connection = body.connection().socket();
        let started = self.started(&info, connection, &sink, &receiver, reason, streams)?;
        context.events.tell(EventKind::Started(Box::new(started)));
        context.events.tell(preview.event());
        // The next redirect could lead to another file that is called the same version.
        let client = client(&url);
        let array = IncomingArray::new(sink, preview);
        let file = Arc::new(FetchedFile::new(url, self.plan.trust.clone(), info, array));
        if !parts.others.is_empty() {
            // There is room: a transfer asks once.
            let _ = self.requests.try_send(PartRequest {
                file: Arc::clone(&file),
                parts: parts.others,
            });
        }
        let body = Some(Box::new(body));
        Ok(PartFetch::new(client, &self.options, receiver, file, claim, body))
    }

    /// Prepares where the file lands; and why by that route, where it is not the sink that decides.
    fn make_room(
        &self,
        info: &FileInfo,
        body: &Body,
        publisher: Option<&Arc<Publisher>>,
    ) -> Result<(PreparedSink, Option<&'static str>), Error> {
        let FetchPlan { url, sink, .. } = &self.plan;
        let takes_any_length = matches!(sink, SinkSpec::Discard | SinkSpec::File(_) | SinkSpec::Folder(_));
        let checksum = self.options.checksum;
        let (content, ledger) = match info.len {
            Some(len) => (Content::Bytes, Ledger::new(len, checksum, self.options.streams)),
            None if takes_any_length => (Content::Growing, Ledger::growing(checksum)),
            None => return Err(Error::LengthUntold(url.to_string())),
        };
        let offer = Offer {
            meta: bytes(info.len.unwrap_or(0))?,
            name: url.file_name(),
            plain: true,
            identity: Vec::new(),
            checksum,
            streams: 1,
            handoff: None,
        };
        let (route, reason) = if body.is_bare() {
            (self.options.receive_route, None)
        } else {
            let why = "bytes pass through a buffer, where they are taken out of TLS or of chunks";
            (ReceiveRouteChoice::Recv, Some(why))
        };
        let chunk_bytes = self.options.chunk_bytes.max(1);
        let sink = PreparedSink::prepare(sink, &offer, content, ledger, route, chunk_bytes, publisher)?;
        Ok((sink, reason))
    }

    /// Of a file whose length nobody knows, as many bytes are shown as fit.
    fn preview(&self, info: &FileInfo) -> Result<Prefix, Error> {
        let elements = self.options.preview_elements;
        Ok(Prefix::new(&bytes(info.len.unwrap_or(elements as u64))?, elements))
    }

    /// Leaves this connection the first part of the file, and gives further ones the others.
    fn share_out(&self, info: &FileInfo) -> Parts {
        let Some(len) = info.len else {
            return Parts {
                first: u64::MAX,
                others: Vec::new(),
            };
        };
        let count = if info.has_parts() {
            u64::from(self.options.streams).min(len / PART_BYTES_MIN).max(1)
        } else {
            1
        };
        let begin = |index: u64| {
            let begin = u128::from(len) * u128::from(index) / u128::from(count);
            u64::try_from(begin).unwrap_or(len)
        };
        Parts {
            first: begin(1),
            others: (1..count).map(|index| begin(index)..begin(index + 1)).collect(),
        }
    }

    /// What is told at the beginning.
    fn started(
        &self,
        info: &FileInfo,
        connection: &Connection,
        sink: &PreparedSink,
        receiver: &BlockReceiver,
        reason: Option<&'static str>,
        streams: u16,
    ) -> Result<Started, Error> {
        let url = &self.plan.url;
        let meta = bytes(info.len.unwrap_or(0))?;
        Ok(Started {
            source: Some(url.to_string()),
            sink: Some(self.plan.sink.describe()),
            peer: connection.peer().into(),
            wire: if url.is_https() { "https" } else { "http" }.into(),
            send_route: None,
            receive_route: Some(receiver.route.name().into()),
            route_reason: reason.unwrap_or(sink.reason).into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: info.len,
            streams,
            memory: sink.memory().map(Into::into),
            congestion_control: connection.congestion_control().map(Into::into),
            part: sink.part().map(Into::into),
            chunk_bytes: self.options.chunk_bytes.max(1),
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
        })
    }
}

/// How a file is shared out.
struct Parts {
    /// The end of the first part, which begins at 0. It ends nowhere while the length is not known.
    first: u64,
    others: Vec<Range<u64>>,
}

/// So many bytes as an array.
fn bytes(len: u64) -> Result<ArrayMeta, Error> {
    ArrayMeta::vector(Dtype::u8(), len).map_err(|_| Error::Protocol("its length is more than there is".into()))
}

/// What is told of a file that is where it belongs.
fn finished(file: &FetchedFile, published: Published, probe: &Probe) -> Finished {
    let Published { path, note, durable } = published;
    let bytes = file.landed_bytes();
    Finished {
        bytes,
        rate_bytes_per_s: bytes as f64 / probe.elapsed().as_secs_f64().max(1e-9),
        verified: None,
        durable,
        checksum: file.array.sink.ledger.checksum().map(|checksum| checksum.to_string()),
        path,
        note: file.note(note),
    }
}
