//! Asks for a file, makes room for it, and shares it out among connections.

use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::array::{ArrayMeta, Dtype};
use crate::error::Error;
use crate::ledger::{Claim, Ledger};
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
use crate::wire::Offer;

use super::answer::{Answer, FileInfo, RangeRequest};
use super::client::{Body, Client};
use super::connection::ConnectionContext;
use super::file::FetchedFile;
use super::part::{PartFetch, answer_to, watch};
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

impl FileRequest {
    /// Asks for the file, makes room for it, and shares it out. Returns the first part.
    ///
    /// # Errors
    /// There is no such file, or it cannot be kept.
    pub(super) fn ask(&self, context: &mut MachineContext) -> Result<PartFetch, Setback> {
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
        let (sink, reason) = self.make_room(&info, name, &body, publisher)?;
        let preview = self.preview(&info)?;
        let chosen = sink.route()?;
        let reason = reason.unwrap_or(chosen.reason);
        let receiver = BlockReceiver::new(&sink, chosen.route, context.publishing.clone());
        let (parts, fewer) = self.share_out(&info);
        let claim = sink.ledger.claim(0, parts.first)?;
        let streams = u16::try_from(parts.others.len() + 1).unwrap_or(u16::MAX);
        let connection = body.connection().socket();
        let started = self.started(&info, connection, &sink, &receiver, reason, streams)?;
        if let Some(surveyor) = &context.surveyor {
            let survey = surveyor.survey();
            survey.begin_again();
            match info.len {
                Some(len) => survey.begin(&bytes(len)?),
                None => survey.leave_out("the server did not say how long the file is".into()),
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
        if !parts.others.is_empty() {
            // There is room: whatever was asked for before is done, or given up.
            let _ = self.requests.try_send(PartRequest {
                file: Arc::clone(&file),
                parts: parts.others,
            });
        }
        let body = Some(Box::new(body));
        Ok(PartFetch::new(client, &self.options, receiver, file, claim, body))
    }

    /// A part that another connection has left.
    pub(super) fn further_part(
        &self,
        file: &Arc<FetchedFile>,
        part: Claim,
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
            grain: None,
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
        let sink = PreparedSink::prepare(SinkRequest {
            spec: sink.clone(),
            offer,
            content,
            ledger,
            route,
            chunk_bytes,
            keep_free: None,
            part_number: None,
            publisher: publisher.map(Arc::downgrade),
        })?;
        Ok((sink, reason))
    }

    /// Of a file whose length nobody knows, as many bytes are shown as fit.
    fn preview(&self, info: &FileInfo) -> Result<Prefix, Error> {
        let elements = self.options.preview_elements;
        Ok(Prefix::new(&bytes(info.len.unwrap_or(elements as u64))?, elements))
    }

    /// Leaves this connection the first part of the file, and gives further ones the others; and why there are none,
    /// where some were asked for.
    fn share_out(&self, info: &FileInfo) -> (Parts, Option<&'static str>) {
        let len = info.len.unwrap_or(u64::MAX);
        let too_small = (len < 2 * PART_BYTES_MIN).then_some("a part has 8 MiB at least");
        let fewer = (self.options.streams > 1)
            .then(|| info.one_stream().or(too_small))
            .flatten();
        let count = match fewer {
            None if info.len.is_some() => u64::from(self.options.streams).min(len / PART_BYTES_MIN).max(1),
            _ => 1,
        };
        let begin = |index: u64| {
            let begin = u128::from(len) * u128::from(index) / u128::from(count);
            u64::try_from(begin).unwrap_or(len)
        };
        let parts = Parts {
            first: begin(1),
            others: (1..count).map(|index| begin(index)..begin(index + 1)).collect(),
        };
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
            resumed_bytes: 0,
            streams,
            memory: sink.memory().map(Into::into),
            congestion_control: connection.congestion_control().map(Into::into),
            part: sink.part().map(Into::into),
            chunk_bytes: self.options.chunk_bytes.max(1),
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            connect_s: connection.connect_time().map(|time| time.as_secs_f64()),
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
