//! What a transfer tells while it runs. The window's model and the JSON Lines are made from these and nothing else.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::array::{ArrayMeta, ArrayStats, Grid, TileStats, Value};
use crate::error::{Error, Fault};
use crate::telemetry::{ProcessUsage, Sample, Verdict};
use crate::units;

use super::items::Items;
use super::path_text;

pub use crate::telemetry::Side;

/// Tells transfers of one process apart; counts from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransferId(pub u64);

impl TransferId {
    /// One that no transfer of this process has yet.
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Something that happened to one side of a transfer.
///
/// ```
/// use arraylift::{Event, EventKind, Side};
///
/// /// The receiver's rate, in bytes a second, where the event tells it.
/// fn rate(event: &Event) -> Option<f64> {
///     match &event.kind {
///         EventKind::Sample(sample) if event.side == Side::Receiver => Some(sample.rate_bytes_per_s),
///         _ => None,
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// To which transfer.
    pub transfer: TransferId,
    /// To which side of it.
    pub side: Side,
    /// Seconds since the transfer's clock began: when the connection was there, and just before connecting until then.
    pub elapsed_s: f64,
}

impl Event {
    /// `kind` happened to a side of a transfer, so many seconds after its clock began.
    #[must_use]
    pub fn new(transfer: TransferId, side: Side, elapsed_s: f64, kind: EventKind) -> Self {
        Self {
            kind,
            transfer,
            side,
            elapsed_s,
        }
    }

    /// Whether the next event of its kind tells as much.
    pub(crate) fn is_sample(&self) -> bool {
        match &self.kind {
            EventKind::Sample(_) | EventKind::Items(_) => true,
            EventKind::Stats(stats) => !stats.is_last,
            _ => false,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// The side is in another state.
    State {
        /// The new one.
        state: State,
    },
    /// Someone connected and offered nothing, such as a scan of ports. Nothing was to be received from it.
    Stranger {
        /// Its address.
        peer: String,
        /// What it did, in one line.
        message: String,
        /// Nothing more is told of this transfer, as each connection is one. Else the sender is still waited for.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_last: bool,
    },
    /// A service has handed the connection to one of its worker processes.
    HandedOver {
        /// Its process id.
        worker: u32,
        /// Seconds from when it was sent until the worker had it.
        after_s: f64,
    },
    /// Both ends know what is moved; the first byte can follow.
    Started(Box<Started>),
    /// Another limit counts from now on.
    Limit {
        /// Null: none.
        bytes_per_s: Option<u64>,
    },
    /// The counters at an instant.
    Sample(Box<Sample>),
    /// How far a tree is, counted in items; told a few times a second.
    Items(Box<Items>),
    /// The first elements as this side has them now: on a receiver none until they have arrived.
    Preview {
        /// The index of the first value.
        offset: u64,
        /// The values, in memory order.
        values: Vec<Value>,
    },
    /// What the values are that this side has looked at; told right before the end by each end that is here, where that
    /// was asked for.
    Stats(Box<Stats>),
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
        /// What it has left behind, such as bytes in a file that was there before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The connection turned out to be a further one of another transfer, which has it now: nothing was lost, and
    /// nothing more is told of this one.
    Joined,
}

impl EventKind {
    /// Whether its side tells nothing more.
    pub(crate) fn is_last(&self) -> bool {
        matches!(
            self,
            Self::Finished(_)
                | Self::Failed(_)
                | Self::Cancelled { .. }
                | Self::Joined
                | Self::Stranger { is_last: true, .. }
        )
    }
}

/// Where a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    /// Every byte has moved; the result is awaited.
    Verifying,
}

/// What is moved, and how.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Started {
    /// The source in words, where this side knows it.
    pub source: Option<String>,
    /// The sink in words, where this side knows it.
    pub sink: Option<String>,
    /// The other end's address.
    pub peer: String,
    /// This end's address of the first connection, over TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_address: Option<String>,
    /// The process at the other end, over a Unix socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_process: Option<u32>,
    /// `native`, `npy` or `raw`.
    pub wire: Cow<'static, str>,
    /// How bytes leave, where this side knows it.
    pub send_route: Option<Cow<'static, str>>,
    /// How bytes land, where this side knows it.
    pub receive_route: Option<Cow<'static, str>>,
    /// Why the side's own route was picked.
    pub route_reason: Cow<'static, str>,
    /// The element type for people, such as `f64`.
    pub dtype: String,
    /// The shape, one length an axis.
    pub shape: Vec<u64>,
    /// Bytes in all; null where nobody knows before the end.
    pub total_bytes: Option<u64>,
    /// Bytes of them that were at the receiver already, from a transfer that broke. They do not move again, and are in no
    /// sample; where the source has other bytes now, some do move.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed_bytes: u64,
    /// It is a tree of files; what else is told of arrays says nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tree: bool,
    /// Over how many connections at most.
    pub streams: u16,
    /// What kind of memory the array lands in, where it lands in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Cow<'static, str>>,
    /// The TCP congestion control that this side's socket uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion_control: Option<String>,
    /// The name of a new file until it is whole. What has landed can be read there, with zeros behind it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "path_text::optional")]
    pub part: Option<PathBuf>,
    /// What comes is written down beside that file, so that it can be gone on with. Told by the receiver.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_on_record: bool,
    /// Bytes handed to one system call, at most.
    pub chunk_bytes: usize,
    /// The size of this side's send buffer as the kernel has it, its own bookkeeping included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_buffer_bytes: Option<usize>,
    /// The size of this side's receive buffer as the kernel has it, its own bookkeeping included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receive_buffer_bytes: Option<usize>,
    /// Seconds that it took to reach the peer, on the side that reached out. They are in no rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_s: Option<f64>,
}

/// What the values of an array are, of which one side has looked at some as they passed by.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// Values of the whole array.
    pub values: u64,
    /// Those that were looked at.
    #[serde(flatten)]
    pub array: ArrayStats,
    /// Why others were not, beside that looking at all of them would have held the transfer up.
    pub left_out: Option<String>,
    /// More may follow where it is false. Of those that go on to another process none is left out.
    #[serde(skip, default = "is_last")]
    pub(crate) is_last: bool,
    /// Bytes of the blocks whose checksums have agreed by now, where there are any to compare on this side.
    #[serde(skip)]
    pub(crate) verified_bytes: Option<u64>,
    /// The same tile by tile.
    #[serde(skip)]
    pub(crate) tiles: Option<Arc<TiledArray>>,
}

fn is_last() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What has been looked at of an array, tile by tile.
#[derive(Debug, PartialEq)]
pub(crate) struct TiledArray {
    /// What the array is.
    pub(crate) meta: ArrayMeta,
    /// How the array is divided.
    pub(crate) grid: Grid,
    /// All across the first rows, and so on.
    pub(crate) tiles: Vec<TileStats>,
}

/// How a side ended well.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finished {
    /// Bytes of the array.
    pub bytes: u64,
    /// Bytes of them that were at the receiver already, from a transfer that broke, and are in no rate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed_bytes: u64,
    /// The mean, in bytes a second: from the offer, or the head of a server's answer, until all was verified and, where
    /// it is synced, on disk; without pauses of this end. No wire tells of a pause of the other end, which counts.
    pub rate_bytes_per_s: f64,
    /// True where checksums were compared and agreed; null where the wire has none.
    pub verified: Option<bool>,
    /// True where the array is on disk, so that it outlasts a loss of power; false where that was not waited for
    /// ([`Options::sync`](crate::Options::sync)); null where it is not kept on a disk, or at the other end.
    /// Of a tree it is said of all files that were stored, and null where none was.
    #[serde(default)]
    pub durable: Option<bool>,
    /// Seconds from the last byte until it was on disk, which are in the rate; null where that was not waited for, or
    /// is not known at this end.
    #[serde(default)]
    pub sync_s: Option<f64>,
    /// The checksum of the whole array with its kind, such as `crc64nvme:0123456789abcdef`.
    pub checksum: Option<String>,
    /// What became of the files, folders and links of a tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Items>>,
    /// The file that was published, or where a tree is: what all of it is in, or the folder that it was received into.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "path_text::optional")]
    pub path: Option<PathBuf>,
    /// Something that the user should know, such as surplus bytes from the peer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Finished {
    /// Bytes that have moved.
    #[must_use]
    pub fn moved_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.resumed_bytes)
    }

    /// Whether the array is on disk, and how much of the time that took; `None` where there is nothing to say.
    pub(crate) fn on_disk_in_words(&self) -> Option<String> {
        match (self.durable?, self.sync_s) {
            (true, Some(sync_s)) => Some(format!("on disk (the last {})", units::duration(sync_s))),
            (true, None) => Some("on disk".into()),
            (false, _) => Some("not synced to disk".into()),
        }
    }
}

/// How a side failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "ToldFailure")]
#[non_exhaustive]
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
    /// The error itself. Other processes are told whether the same may go well later.
    #[serde(rename = "may_pass", serialize_with = "may_pass")]
    pub error: Error,
}

fn may_pass<S: serde::Serializer>(error: &Error, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bool(error.may_pass())
}

/// A failure as it is read back.
#[derive(Deserialize)]
struct ToldFailure {
    fault: Fault,
    message: String,
    bytes: u64,
    peer: Option<String>,
    #[serde(default)]
    may_pass: bool,
}

impl From<ToldFailure> for Failure {
    fn from(told: ToldFailure) -> Self {
        let ToldFailure {
            fault,
            message,
            bytes,
            peer,
            may_pass,
        } = told;
        let error = Error::Told {
            fault,
            message: message.clone(),
            may_pass,
        };
        Self {
            fault,
            message,
            bytes,
            peer,
            error,
        }
    }
}

/// How a whole transfer ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Bottleneck, Counters, TcpCounters};

    fn event(kind: EventKind) -> Event {
        Event {
            kind,
            transfer: TransferId(7),
            side: Side::Receiver,
            elapsed_s: 0.25,
        }
    }

    fn read_back(event: &Event) -> Event {
        let line = serde_json::to_string(event).expect("written");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one of each kind of event")]
    fn whatever_is_told_can_be_read_back() {
        let counters = Counters {
            syscalls: 5,
            cpu_user_s: 0.1,
            tcp: Some(TcpCounters {
                tcp_rtt_s: 1e-4,
                ..TcpCounters::default()
            }),
            ..Counters::default()
        };
        let sample = |counters| Sample {
            bytes: u64::MAX,
            rate_bytes_per_s: 1.5e9,
            counters,
            ..Sample::default()
        };
        let mut bottleneck = Bottleneck::new(&[Side::Receiver]);
        for index in 0..5_u32 {
            let at = f64::from(index);
            let counters = Counters {
                thread_s: at,
                cpu_user_s: at,
                ..Counters::default()
            };
            bottleneck.push(Side::Receiver, at, u64::from(index), &counters);
        }
        bottleneck.finish();
        let started = Started {
            source: None,
            sink: Some("memory".into()),
            peer: "here".into(),
            own_address: Some("10.0.0.1:5".into()),
            peer_process: Some(7),
            wire: "native".into(),
            is_tree: true,
            send_route: None,
            receive_route: Some("recv".into()),
            route_reason: "asked for".into(),
            dtype: "f64".into(),
            shape: vec![3, 4],
            total_bytes: Some(96),
            resumed_bytes: 0,
            streams: 1,
            memory: Some("huge pages".into()),
            congestion_control: None,
            part: Some("a.part".into()),
            is_on_record: false,
            chunk_bytes: 1,
            send_buffer_bytes: None,
            receive_buffer_bytes: Some(5),
            connect_s: Some(0.5),
        };
        let finished = Finished {
            bytes: 96,
            resumed_bytes: 0,
            rate_bytes_per_s: 3.0,
            verified: None,
            durable: Some(false),
            sync_s: Some(0.25),
            items: Some(Box::default()),
            checksum: None,
            path: None,
            note: Some("a note".into()),
        };
        let usage = ProcessUsage {
            cpu_s: 1.0,
            resident_bytes: 2,
            peak_resident_bytes: 3,
        };
        let stats = Stats {
            values: 1000,
            array: ArrayStats {
                seen: 5,
                min: Some(Value::Int(-3)),
                max: Some(Value::Float(2.5)),
                mean: Some(0.25),
                ..ArrayStats::default()
            },
            left_out: Some("a reason".into()),
            is_last: true,
            ..Stats::default()
        };
        let values = vec![
            Value::Int(-1),
            Value::Bool(true),
            Value::Float(0.5),
            Value::Text("nan".into()),
        ];
        for kind in [
            EventKind::State { state: State::Paused },
            EventKind::HandedOver {
                worker: 5,
                after_s: 2e-5,
            },
            EventKind::Started(Box::new(started)),
            EventKind::Sample(Box::new(sample(None))),
            EventKind::Sample(Box::new(sample(Some(counters)))),
            EventKind::Preview { offset: 0, values },
            EventKind::Process(usage),
            EventKind::Stats(Box::new(stats)),
            EventKind::Bottleneck(Box::new(bottleneck.verdict().expect("a verdict"))),
            EventKind::Finished(Box::new(finished)),
            EventKind::Cancelled { bytes: 1, note: None },
            EventKind::Joined,
            EventKind::Stranger {
                peer: "there:1".into(),
                message: "said nothing".into(),
                is_last: true,
            },
            EventKind::Limit { bytes_per_s: Some(5) },
            EventKind::Limit { bytes_per_s: None },
        ] {
            let event = event(kind);
            assert_eq!(read_back(&event), event);
        }
    }

    #[test]
    fn a_failure_that_is_read_back_says_the_same() {
        let error = Error::ResultMismatch;
        let failure = Failure {
            fault: error.fault(),
            message: error.to_string(),
            bytes: 5,
            peer: Some("there:1".into()),
            error,
        };
        let EventKind::Failed(read) = read_back(&event(EventKind::Failed(failure.clone()))).kind else {
            panic!("a failure")
        };
        assert_eq!(
            (read.error.to_string(), read.error.fault()),
            (failure.message.clone(), failure.fault)
        );
        assert_eq!(
            (read.message, read.peer, read.bytes),
            (failure.message, failure.peer, 5)
        );
    }

    #[test]
    fn values_that_are_read_back_print_the_same() {
        for value in [
            Value::UInt(u64::MAX),
            Value::UInt(3),
            Value::Float32(0.1),
            Value::Float(f64::NAN),
            Value::Float(f64::NEG_INFINITY),
            Value::Float(1e300),
            Value::Float(2.0),
        ] {
            let line = serde_json::to_string(&value).expect("written");
            let read: Value = serde_json::from_str(&line).expect("read");
            assert_eq!(read.to_string(), value.to_string(), "{line}");
        }
    }
}
