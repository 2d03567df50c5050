//! What a transfer tells while it runs. The window's model and the JSON Lines are made from these and nothing else.

use std::path::PathBuf;

use serde::Serialize;

use crate::array::Value;
use crate::error::{Error, Fault};
use crate::telemetry::{ProcessUsage, Sample, Verdict};

pub use crate::telemetry::Side;

/// Tells transfers of one process apart; counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TransferId(pub u64);

/// Something that happened to one side of a transfer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// To which transfer.
    pub transfer: TransferId,
    /// To which side of it.
    pub side: Side,
    /// Seconds since the transfer's clock began: just before connecting, or when a connection was accepted.
    pub elapsed_s: f64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The side is in another state.
    State {
        /// The new one.
        state: State,
    },
    /// Both ends know what is moved; the first byte can follow.
    Started(Box<Started>),
    /// The counters at an instant.
    Sample(Sample),
    /// The first elements as this side has them now; zeros on a receiver until they arrive.
    Preview {
        /// The index of the first value.
        offset: u64,
        /// The values, in memory order.
        values: Vec<Value>,
    },
    /// What the whole process has used so far; told once, right before the end of one that went well.
    Process(ProcessUsage),
    /// What held the transfer back, told once, right before its end: by the receiver where both ends are here.
    Bottleneck(Box<Verdict>),
    /// The side is done.
    Finished(Box<Finished>),
    /// The side failed.
    Failed(Failure),
    /// The side was cancelled.
    Cancelled {
        /// Bytes that had moved.
        bytes: u64,
    },
    /// The connection turned out to be a further one of another transfer, which has it now: nothing was lost, and
    /// nothing more is told of this one.
    Joined,
}

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its turn.
    Queued,
    /// Waits for a peer to connect.
    Listening,
    /// Reaches out to the peer, or both say hello.
    Connecting,
    /// Bytes move.
    Transferring,
    /// Someone asked for a pause.
    Paused,
    /// Every byte has moved; the receipt is awaited.
    Verifying,
}

/// What is moved, and how.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Started {
    /// The source in words, where this side knows it.
    pub source: Option<String>,
    /// The sink in words, where this side knows it.
    pub sink: Option<String>,
    /// The other end's address.
    pub peer: String,
    /// `native`, `npy` or `raw`.
    pub wire: &'static str,
    /// How bytes leave, where this side knows it.
    pub send_route: Option<&'static str>,
    /// How bytes land, where this side knows it.
    pub receive_route: Option<&'static str>,
    /// Why the side's own route was picked.
    pub route_reason: &'static str,
    /// The element type for people, such as `f64`.
    pub dtype: String,
    /// The shape, one length an axis.
    pub shape: Vec<u64>,
    /// Bytes in all.
    pub total_bytes: u64,
    /// Over how many connections at most.
    pub streams: u16,
    /// What kind of memory the array lands in, where it lands in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<&'static str>,
    /// The TCP congestion control that this side's socket uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion_control: Option<String>,
    /// The name of a new file until it is whole. What has landed can be read there, with zeros behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<PathBuf>,
    /// Bytes handed to one system call, at most.
    pub chunk_bytes: usize,
    /// The size of this side's send buffer as the kernel has it, its own bookkeeping included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_buffer_bytes: Option<usize>,
    /// The size of this side's receive buffer as the kernel has it, its own bookkeeping included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_buffer_bytes: Option<usize>,
}

/// How a side ended well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finished {
    /// Bytes of the array.
    pub bytes: u64,
    /// The mean: bytes / (verified - connect began), in bytes a second.
    pub rate_bytes_per_s: f64,
    /// True where checksums were compared and agreed; null where the wire has none.
    pub verified: Option<bool>,
    /// The checksum of the whole array with its kind, such as `crc64nvme:0123456789abcdef`.
    pub checksum: Option<String>,
    /// The file that was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Something that the user should know, such as surplus bytes from the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How a side failed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// Who has to act.
    pub fault: Fault,
    /// One line: what happened, to what, what to do.
    pub message: String,
    /// Bytes that had moved.
    pub bytes: u64,
    /// The other end's address, where there was one on another thread of control than ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The error itself.
    #[serde(skip)]
    pub error: Error,
}

/// How a whole transfer ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Every side is done. The receiver's view where both ends were here.
    Done(Finished),
    /// A side failed; the side that found the cause, where both did.
    Failed(Failure),
    /// Someone cancelled it.
    Cancelled,
    /// What had connected was a further connection of another transfer, which has it now.
    Joined,
}
