//! What the first connection of a transfer has to know, and what it tells of it.

use std::sync::Arc;

use crate::array::ArrayMeta;
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::plan::SinkSpec;
use crate::transfer::sink::PreparedSink;
use crate::transfer::sink::part_name::PartNumber;
use crate::transfer::sink::received::ReceivedCell;
use crate::transfer::tell::event::Started;
use crate::wire::Offer;

use super::link::Link;

/// What the first connection of a transfer has to know.
pub(crate) struct ReceivePlan {
    pub(crate) sink: SinkSpec,
    /// What has to come, where that is known.
    pub(crate) expect: Option<ArrayMeta>,
    /// Where an array in memory is left that is to outlive its transfer.
    pub(crate) keep: Option<Arc<ReceivedCell>>,
    /// What stays free of the disk, where the array is kept on one.
    pub(crate) keep_free: Option<KeepFree>,
    /// The number of a new file until it is whole, where it was given out.
    pub(crate) part_number: Option<PartNumber>,
    /// What the sender sends, where it is known here because both ends are.
    pub(crate) source: Option<String>,
}

impl ReceivePlan {
    /// What is told once it is known what comes, and how.
    pub(super) fn started(
        &self,
        link: &Link,
        offer: &Offer,
        route: &'static str,
        reason: &'static str,
        streams: u16,
        sink: Option<&PreparedSink>,
    ) -> Started {
        let (meta, connection) = (&offer.meta, &link.connection);
        Started {
            source: self.source.clone().or_else(|| offer.name.clone()),
            sink: Some(self.sink.describe()),
            peer: connection.peer().into(),
            own_address: connection.own_address().ok().flatten(),
            peer_process: connection.peer_process(),
            wire: link.wire.name().into(),
            is_tree: false,
            send_route: None,
            receive_route: Some(route.into()),
            route_reason: reason.into(),
            dtype: meta.dtype().name(),
            shape: meta.shape().dimensions().to_vec(),
            total_bytes: Some(meta.byte_len()),
            resumed_bytes: sink.map_or(0, |sink| sink.resumed_bytes),
            streams,
            memory: sink.and_then(PreparedSink::memory).map(Into::into),
            congestion_control: connection.congestion_control().map(Into::into),
            part: sink.and_then(PreparedSink::part).map(Into::into),
            is_on_record: sink.is_some_and(|sink| sink.ledger.grain().is_some()),
            chunk_bytes: link.options.chunk_bytes.max(1),
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            connect_s: None,
        }
    }
}
