//! The messages between a service and its workers.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::array::{ArrayMeta, npy};
use crate::error::Error;
use crate::route::ReceiveRouteChoice;
use crate::transfer::{
    Command, Event, EventKind, KeepFree, Options, PartNumber, PeerUser, SinkSpec, StatsChoice, TransferId,
};
use crate::wire::WireChoice;

use crate::service::key::{Answer, Challenge};
use crate::service::limits::Limits;
use crate::service::plan::Plan;
use crate::service::status::AnyEvent;

/// From the service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum ToWorker {
    /// Asks a process that joins to show that it has the key.
    Challenge(Challenge),
    /// The service's answer to the worker's challenge.
    Answer(Answer),
    /// How connections are received, by the worker of that number. The descriptor of the table of promises comes with the
    /// message.
    Plan(Box<PlanMessage>, u64),
    /// A connection, whose descriptor comes with the message; `sent_ns` on the machine's monotonic clock. A file that is
    /// made for it gets the number `part`, so that the service finds it whatever becomes of the worker.
    Connection {
        id: TransferId,
        peer: String,
        sent_ns: u64,
        part: PartNumber,
    },
    /// A command for one transfer, or for all of them.
    Command(Command),
    /// Asks for a sign of life: the worker tells its counts.
    Ping,
}

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::service) enum FromWorker {
    /// The answer to the challenge, and a challenge for the service.
    Answer(Answer, Challenge),
    /// The worker takes connections from now on.
    Ready,
    /// The worker takes no more connections.
    Leaving,
    /// Something happened in the worker. Where it is a beginning, the path of the `.part` comes with it as bytes: in the
    /// event it is text, as for people. With a failure comes the path of what stays all the same.
    Event(Box<AnyEvent>, Option<Vec<u8>>),
}

impl FromWorker {
    /// What happened.
    pub(in crate::service) fn event(event: AnyEvent) -> Self {
        let part = match &event {
            AnyEvent::Transfer(Event {
                kind: EventKind::Started(started),
                ..
            }) => started.part.as_ref(),
            AnyEvent::Transfer(Event {
                kind: EventKind::Failed(failure),
                ..
            }) => failure.error.kept(),
            _ => None,
        };
        let part = part.map(|part| part.as_os_str().as_bytes().into());
        Self::Event(Box::new(event), part)
    }
}

/// An event with the path that came beside it.
pub(in crate::service) fn with_part(mut event: Box<AnyEvent>, part: Option<Vec<u8>>) -> Box<AnyEvent> {
    if let AnyEvent::Transfer(Event {
        kind: EventKind::Started(started),
        ..
    }) = &mut *event
    {
        started.part = part.map(|bytes| PathBuf::from(OsString::from_vec(bytes)));
    }
    event
}

/// A plan as a worker is told it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::service) struct PlanMessage {
    sink: SinkMessage,
    /// What has to come, as the header of a `.npy` file.
    expect: Option<Vec<u8>>,
    wire: String,
    receive_route: String,
    chunk_bytes: usize,
    limit_bytes_per_s: Option<u64>,
    reader_pace_bytes_per_s: Option<u64>,
    socket_buffer_bytes: Option<usize>,
    preview_elements: usize,
    timeout: Duration,
    bytes_each: Option<u64>,
    keep_free: KeepFree,
    slowest_bytes_per_s: Option<u64>,
    sync: bool,
    stats: bool,
    peer_user: PeerUser,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum SinkMessage {
    Memory,
    Discard,
    /// A path is bytes, and not always text.
    Folder(Vec<u8>),
}

impl PlanMessage {
    /// What a worker, wherever it runs on this machine, has to know of a plan.
    pub(in crate::service) fn of(plan: &Plan) -> Result<Self, Error> {
        let sink = match &plan.sink {
            SinkSpec::Memory => SinkMessage::Memory,
            SinkSpec::Discard => SinkMessage::Discard,
            SinkSpec::Folder(folder) => {
                let folder = folder.canonicalize().map_err(|error| Error::SinkUnwritable {
                    path: folder.clone(),
                    reason: crate::error::reason(&error),
                })?;
                SinkMessage::Folder(folder.as_os_str().as_bytes().into())
            }
            other => {
                let text = format!("a service takes many arrays, and {} takes one", other.describe());
                return Err(Error::Usage(text));
            }
        };
        let options = &plan.options;
        Ok(Self {
            sink,
            expect: plan.expect.as_ref().map(npy::write_header),
            wire: options.wire.name().into(),
            receive_route: options.receive_route.name().into(),
            chunk_bytes: options.chunk_bytes,
            limit_bytes_per_s: options.limit_bytes_per_s,
            reader_pace_bytes_per_s: options.reader_pace_bytes_per_s,
            socket_buffer_bytes: options.socket_buffer_bytes,
            preview_elements: options.preview_elements,
            timeout: options.timeout,
            bytes_each: plan.limits.bytes_each,
            keep_free: plan.limits.keep_free,
            slowest_bytes_per_s: plan.limits.slowest_bytes_per_s,
            sync: options.sync,
            stats: options.stats != StatsChoice::Off,
            peer_user: options.peer_user,
        })
    }

    /// The plan that it tells.
    ///
    /// # Errors
    /// Nothing can be done as it says.
    pub(in crate::service) fn plan(self) -> Result<Plan, Error> {
        let unknown = |name: &str| Error::Protocol(format!("its service speaks of {name}, which is unknown here"));
        let wire = WireChoice::ALL.into_iter().find(|choice| choice.name() == self.wire);
        let route = ReceiveRouteChoice::ALL.into_iter();
        let route = route.into_iter().find(|choice| choice.name() == self.receive_route);
        let options = Options {
            wire: wire.ok_or_else(|| unknown(&self.wire))?,
            receive_route: route.ok_or_else(|| unknown(&self.receive_route))?,
            chunk_bytes: self.chunk_bytes,
            limit_bytes_per_s: self.limit_bytes_per_s,
            reader_pace_bytes_per_s: self.reader_pace_bytes_per_s,
            socket_buffer_bytes: self.socket_buffer_bytes,
            preview_elements: self.preview_elements,
            timeout: self.timeout,
            sync: self.sync,
            stats: if self.stats {
                StatsChoice::AtEnd
            } else {
                StatsChoice::Off
            },
            peer_user: self.peer_user,
            ..Options::default()
        };
        if let Some((_, mistake)) = options.mistakes().into_iter().next() {
            let text = format!("its service asks for what cannot be done: {mistake}");
            return Err(Error::Protocol(text));
        }
        Ok(Plan {
            sink: match self.sink {
                SinkMessage::Memory => SinkSpec::Memory,
                SinkMessage::Discard => SinkSpec::Discard,
                SinkMessage::Folder(path) => SinkSpec::Folder(PathBuf::from(OsString::from_vec(path))),
            },
            expect: self.expect.as_deref().map(expected).transpose()?,
            options,
            limits: Limits {
                bytes_each: self.bytes_each,
                keep_free: self.keep_free,
                slowest_bytes_per_s: self.slowest_bytes_per_s,
                ..Limits::default()
            },
            workers: None,
        })
    }
}

fn expected(header: &[u8]) -> Result<ArrayMeta, Error> {
    match npy::read_header(header) {
        Ok(npy::HeaderProgress::Done { meta, .. }) => Ok(meta),
        _ => Err(Error::Protocol(
            "its service expects what has no dtype and shape".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{Dtype, Order, Shape};

    #[test]
    fn a_worker_is_told_nothing_that_cannot_be_done() {
        let plan = Plan {
            sink: SinkSpec::Discard,
            expect: None,
            options: Options {
                timeout: Duration::MAX,
                ..Options::default()
            },
            limits: Limits::default(),
            workers: None,
        };
        let told = PlanMessage::of(&plan).expect("a message").plan();
        assert!(matches!(told, Err(Error::Protocol(text)) if text.contains("timeout")));
    }

    #[test]
    fn a_worker_is_told_all_of_a_plan() {
        let folder = tempfile::tempdir().expect("folder");
        let shape = Shape::parse("3,4").expect("a shape");
        let plan = Plan {
            sink: SinkSpec::Folder(folder.path().into()),
            expect: Some(
                ArrayMeta::new(Dtype::from_name(">i2").expect("a dtype"), shape, Order::Fortran).expect("small"),
            ),
            options: Options {
                wire: WireChoice::Raw,
                receive_route: ReceiveRouteChoice::Recv,
                chunk_bytes: 12345,
                limit_bytes_per_s: Some(5),
                reader_pace_bytes_per_s: Some(6),
                socket_buffer_bytes: Some(70_000),
                preview_elements: 8,
                timeout: Duration::from_millis(1500),
                peer_user: PeerUser::Uid(5),
                stats: StatsChoice::AtEnd,
                ..Options::default()
            },
            limits: Limits {
                bytes_each: Some(9),
                keep_free: KeepFree::Bytes(10),
                slowest_bytes_per_s: None,
                ..Limits::default()
            },
            workers: None,
        };
        let line = serde_json::to_string(&PlanMessage::of(&plan).expect("a message")).expect("written");
        let told: PlanMessage = serde_json::from_str(&line).expect("read");
        let told = told.plan().expect("a plan");
        assert_eq!(
            (told.sink, told.expect, told.options),
            (plan.sink, plan.expect, plan.options)
        );
        assert_eq!(told.limits, plan.limits);
    }
}
