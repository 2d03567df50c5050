//! Asks for a file, makes room for it, and shares it out among connections.

use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::array::{ArrayMeta, Dtype};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::route::ReceiveRouteChoice;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::url::Url;
use crate::transfer::plan::{Options, SinkSpec};
use crate::transfer::sink::block_receiver::BlockReceiver;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::publisher::Publisher;
use crate::transfer::sink::{Content, PreparedSink, SinkRequest};
use crate::transfer::tell::event::{EventKind, Started, State};
use crate::transfer::tell::preview::Prefix;
use crate::wire::{Grain, Offer};

use super::answer::{Answer, FileInfo, RangeRequest};
use super::claimed::ClaimedPart;
use super::client::{Body, Client};
use super::connection::ConnectionContext;
use super::file::FetchedFile;
use super::part::{PartFetch, answer_to, watch};
use super::ranges::{bytes_of, missing, share};
use super::setback::Setback;
use super::{FetchPlan, PartRequest};

/// Less than this is not worth a connection of its own.
const PART_BYTES_MIN: u64 = 8 << 20;

/// What it takes to ask for a file and to make room for it.
pub(super) struct FileRequest {
    pub(super) plan: FetchPlan,
    pub(super) options: Options,
    pub(super) connecting: ConnectionContext,
    /// Where further connections are asked for.
    pub(super) requests: Sender<PartRequest>,
}

/// What comes of asking for a file.
pub(super) enum Asked {
    /// The first part of it comes.
    Part(Box<PartFetch>),
    /// All of it was there from an earlier fetch.
    Whole(Arc<FetchedFile>),
}

impl FileRequest {
    /// Asks for the file, makes room for it, and shares out what is missing.
    ///
    /// # Errors
    /// There is no such file, or it cannot be kept.
    pub(super) fn ask(&self, context: &mut MachineContext) -> Result<Asked, Setback> {
        context.events.state(State::Connecting);
        let all = RangeRequest {
            from: 0,
            to: None,
            known: None,
        };
        let client = |url: &Url| Client::new(url, &self.plan.trust, self.connecting.clone());
        let answered = answer_to(&mut context.probe, || client(&self.plan.url).ask(&all));
        let (Answer { info, name, .. }, body, url) = answered?;
        watch(&mut context.probe, &body);
        let publisher = context.publishing.publisher(&self.options);
        let record = info.identity(&self.plan.url, &url).map(|identity| Record {
            identity,
            // Of a file that comes slowly so much is worth a record.
            grain: Grain::for_array(info.len.unwrap_or(0), Grain::MIB.bytes()),
        });
        let (sink, reason) = self.make_room(&info, name, record, &body, publisher)?;
        let ledger = Arc::clone(&sink.ledger);
        // The version is the one of then.
        ledger.keep(ledger.recorded_bytes())?;
        let mut preview = self.preview(&info)?;
        // No block is shorter than all that is shown.
        if ledger.is_recorded(0) {
            sink.copy_prefix(preview.bytes_mut())?;
        }
        let chosen = sink.route()?;
        let reason = reason.unwrap_or(chosen.reason);
        let receiver = BlockReceiver::new(&sink, chosen.route, context.publishing.clone());
        let (mut parts, fewer) = self.share_out(&info, &ledger);
        let streams = u16::try_from(parts.len()).unwrap_or(u16::MAX).max(1);
        let connection = body.connection().socket();
        let started = self.started(&info, connection, &sink, &receiver, reason, streams)?;
        if let Some(surveyor) = &context.surveyor {
            let survey = surveyor.survey();
            survey.begin_again();
            match info.len {
                Some(len) => survey.begin(&bytes(len)?),
                None => survey.leave_out("the server did not say how long the file is".into()),
            }
            if sink.is_resumed() {
                survey.leave_out("what was here before it went on was not looked at".into());
            }
        }
        context.probe.begin_transfer();
        context.events.tell(EventKind::Started(Box::new(started)));
        context.events.tell(preview.event());
        // The next redirect could lead to another file that is called the same version.
        let client = client(&url);
        let array = IncomingArray::new(sink, preview);
        let file = Arc::new(FetchedFile::new(url, self.plan.trust.clone(), info, array, streams));
        if let Some(why) = fewer {
            file.note(format!(
                "it came over one connection in place of {}: {why}",
                self.options.streams
            ));
        }
        let others = parts.split_off(parts.len().min(1));
        if !others.is_empty() {
            // There is room: whatever was asked for before is done, or given up.
            let _ = self.requests.try_send(PartRequest {
                file: Arc::clone(&file),
                parts: others,
            });
        }
        let Some(first) = parts.pop() else {
            return Ok(Asked::Whole(file));
        };
        let part = ClaimedPart::claim(&ledger, first)?;
        // The answer has the file from its first byte on. What is there already need not come.
        let body = Some(Box::new(body)).filter(|_| part.start() == 0);
        let part = PartFetch::new(client, &self.options, receiver, file, part, body);
        Ok(Asked::Part(Box::new(part)))
    }

    /// A part that another connection has left.
    pub(super) fn further_part(
        &self,
        file: &Arc<FetchedFile>,
        part: ClaimedPart,
        context: &MachineContext,
    ) -> Result<PartFetch, Error> {
        let client = Client::new(&file.url, &file.trust, self.connecting.clone());
        let receiver = BlockReceiver::new(
            &file.array.sink,
            file.array.sink.route()?.route,
            context.publishing.clone(),
        );
        Ok(PartFetch::new(
            client,
            &self.options,
            receiver,
            Arc::clone(file),
            part,
            None,
        ))
    }

    /// Prepares where the file lands; and why by that route, where it is not the sink that decides.
    fn make_room(
        &self,
        info: &FileInfo,
        name: Option<String>,
        record: Option<Record>,
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
            name: name
                .filter(|_| self.options.name_from_server)
                .or_else(|| url.file_name()),
            plain: true,
            identity: Vec::new(),
            checksum,
            grain: record.as_ref().map(|record| record.grain),
            streams: self.options.streams,
            handoff: None,
        };
        let (route, reason) = if body.is_bare() {
            (self.options.receive_route, None)
        } else {
            let why = "bytes pass through a buffer, where they are taken out of TLS or of chunks";
            (ReceiveRouteChoice::Recv, Some(why))
        };
        let chunk_bytes = self.options.chunk_bytes.max(1);
        let sink = PreparedSink::prepare(SinkRequest {
            spec: sink.clone(),
            offer,
            content,
            identity: record.map(|record| record.identity),
            ledger,
            route,
            chunk_bytes,
            keep_free: None,
            part_number: None,
            publisher: publisher.map(Arc::downgrade),
            wanted: None,
        })?;
        Ok((sink, reason))
    }

    /// Of a file whose length nobody knows, as many bytes are shown as fit.
    fn preview(&self, info: &FileInfo) -> Result<Prefix, Error> {
        let elements = self.options.preview_elements;
        Ok(Prefix::new(&bytes(info.len.unwrap_or(elements as u64))?, elements))
    }

    /// The ranges that are missing, shared out among connections, of which this one is the first; and why there are no
    /// others, where some were asked for.
    fn share_out(&self, info: &FileInfo, ledger: &Ledger) -> (Vec<Vec<Range<u64>>>, Option<&'static str>) {
        let len = info.len.unwrap_or(u64::MAX);
        let ranges = match ledger.grain() {
            Some(grain) => missing(len, grain, ledger.recorded().into_iter().map(|(index, _)| index)),
            // An empty file is a part, too.
            None => std::iter::once(0..len).collect(),
        };
        let left = bytes_of(&ranges);
        let too_small = (left < 2 * PART_BYTES_MIN).then_some("a part has 8 MiB at least");
        let fewer = (self.options.streams > 1)
            .then(|| info.one_stream().or(too_small))
            .flatten();
        let count = match fewer {
            None if info.len.is_some() => u64::from(self.options.streams).min(left / PART_BYTES_MIN),
            _ => 1,
        };
        let mut parts = share(ranges, count, ledger.grain().map_or(1, Grain::bytes));
        parts.retain(|part| !part.is_empty());
        (parts, fewer)
    }

    /// What is told at the beginning.
    fn started(
        &self,
        info: &FileInfo,
        connection: &Connection,
        sink: &PreparedSink,
        receiver: &BlockReceiver,
        reason: &'static str,
        streams: u16,
    ) -> Result<Started, Error> {
        let url = &self.plan.url;
        let meta = bytes(info.len.unwrap_or(0))?;
        Ok(Started {
            source: Some(url.to_string()),
            sink: Some(self.plan.sink.describe()),
            peer: connection.peer().into(),
            own_address: connection.own_address().ok().flatten(),
            peer_process: connection.peer_process(),
            wire: if url.is_https() { "https" } else { "http" }.into(),
            is_tree: false,
            send_route: None,
            receive_route: Some(receiver.route.name().into()),
            route_reason: reason.into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: info.len,
            resumed_bytes: sink.resumed_bytes,
            streams,
            memory: sink.memory().map(Into::into),
            congestion_control: connection.congestion_control().map(Into::into),
            part: sink.part().map(Into::into),
            is_on_record: sink.ledger.grain().is_some(),
            chunk_bytes: self.options.chunk_bytes.max(1),
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            connect_s: connection.connect_time().map(|time| time.as_secs_f64()),
        })
    }
}

/// How a file is written down, so that another process can go on with it.
struct Record {
    identity: [u8; 32],
    grain: Grain,
}

/// So many bytes as an array.
fn bytes(len: u64) -> Result<ArrayMeta, Error> {
    ArrayMeta::vector(Dtype::u8(), len).map_err(|_| Error::Protocol("its length is more than there is".into()))
}
