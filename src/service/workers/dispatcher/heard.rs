//! Hears lines that are at hand in place of a worker or of its service: what the fuzzers drive.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crossbeam_channel::bounded;

use super::{Assignment, Dispatcher};
use crate::error::Error;
use crate::service::front::{ConnectionSource, Front, Guest};
use crate::service::limits::Limits;
use crate::service::plan::{Plan, Workers};
use crate::service::workers::channel::Channel;
use crate::service::workers::handover::HandoverSource;
use crate::service::workers::messages::ToWorker;
use crate::service::workers::worker::Worker;
use crate::sys::{awake_now, send_with_descriptor};
use crate::transfer::{Options, SinkSpec, TransferId};

/// Transfers that the worker was handed, from 1 on.
const TRANSFERS: u64 = 2;

/// Has a service hear these lines of a worker that has the plan, or of a process that asks to join and has not shown
/// that it has the key.
///
/// # Errors
/// The system gives no socket.
pub(crate) fn hear_worker(lines: &[u8], is_stranger: bool) -> Result<(), Error> {
    let failed = |error: io::Error| Error::system("cannot hear a worker", &error);
    let plan = Plan {
        sink: SinkSpec::Discard,
        expect: None,
        options: Options::default(),
        limits: Limits::default(),
        workers: None,
    };
    let wanted = Workers {
        count: 0,
        program: PathBuf::new(),
        join_at: None,
    };
    let (sender, _events) = bounded(64);
    let (mut front, _) = Front::new(Nobody, sender).map_err(failed)?;
    let front = front.context();
    let mut dispatcher = Dispatcher::new(&plan, wanted, 8, front)?;
    let (socket, _other) = said(lines, false).map_err(failed)?;
    let mut worker = if is_stranger {
        Worker::challenge(socket, 1, awake_now())?
    } else {
        Worker::preparing(Channel::new(socket).map_err(failed)?, 0, 1, None)
    };
    if !is_stranger {
        let ids = 1..=TRANSFERS;
        (worker.assigned, worker.unconfirmed) = (ids.clone().count(), ids.clone().count());
        let assigned = |id| (TransferId(id), Assignment::new(0, "a peer".into()));
        dispatcher.assigned.extend(ids.map(assigned));
    }
    dispatcher.add(worker, front).map_err(failed)?;
    dispatcher.read_worker(0, front);
    dispatcher.work(front)?;
    front.tell_due(|| dispatcher.open_counts());
    Ok(())
}

/// Has a worker hear these lines of its service: a plan, and connections and commands after it. With each line comes a
/// descriptor, where it `has_descriptors`. Gives how many connections it was handed.
///
/// # Errors
/// The system gives no socket, or nothing can be done with the plan.
pub(crate) fn hear_service(lines: &[u8], has_descriptors: bool) -> Result<usize, Error> {
    let failed = |error: io::Error| Error::system("cannot hear a service", &error);
    let (socket, _other) = said(lines, has_descriptors).map_err(failed)?;
    let mut channel = Channel::new(socket).map_err(failed)?;
    let first = channel.receive().map_err(failed)?;
    if let Some(ToWorker::Plan(plan, _)) = first {
        drop(channel.descriptor());
        plan.plan()?;
    }
    let mut source = HandoverSource::new(channel, None);
    source.read();
    let mut arrivals = 0;
    while let Some(arrival) = source.take().map_err(failed)? {
        arrivals += usize::from(arrival.connection.is_ok());
    }
    Ok(arrivals)
}

/// A socket over which these lines have come, and its other end, which says nothing more. What finds no room is left out.
fn said(lines: &[u8], has_descriptors: bool) -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    theirs.set_nonblocking(true)?;
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let sent = if has_descriptors {
            send_with_descriptor(theirs.as_fd(), line, ours.as_fd())
        } else {
            io::Write::write(&mut &theirs, line)
        };
        if sent.is_err() {
            break;
        }
    }
    theirs.shutdown(Shutdown::Write)?;
    Ok((ours, theirs))
}

/// Nobody connects.
struct Nobody;

impl ConnectionSource<(OwnedFd, String)> for Nobody {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn take(&mut self) -> io::Result<Option<(OwnedFd, String)>> {
        Ok(None)
    }
}
