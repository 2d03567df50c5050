//! One worker process as its service sees it: from its start or its request to join until it has gone.

use std::collections::VecDeque;
use std::fs::Metadata;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::{Error, reason};
use crate::sys::{awake_now, peer_of};
use crate::transfer::{EventKind, PartNumber, PromiseTable};

use super::channel::Channel;
use super::messages::{FromWorker, PlanMessage, ToWorker, with_part};
use crate::service::key::{Challenge, End, Key};
use crate::service::status::{AnyEvent, Status};

/// Connections that one worker may have been handed without having confirmed them.
const UNCONFIRMED_MAX: usize = 64;
/// A worker removes a file soon after it has told of the end of its transfer: the last so many may still be there.
const UNKEPT_MAX: usize = 1024;
/// A worker that has transfers and was not heard for so long is asked for a sign of life.
const ASKED_AFTER: Duration = Duration::from_secs(5);
/// Who asks to join has to show within this time that it has the key.
const INTRODUCTION_TIMEOUT: Duration = Duration::from_secs(5);

/// A worker, or a process that asks to be one.
pub(super) struct Worker {
    pub(super) channel: Channel,
    child: Option<Child>,
    pub(super) pid: u32,
    /// Tells it apart from every other worker that its service has had.
    pub(super) number: u64,
    state: State,
    /// Transfers that it was handed and that have not ended.
    pub(super) assigned: usize,
    /// The numbers of files of transfers that have ended: it removes them, or has done so.
    unkept: VecDeque<PartNumber>,
    /// Of the transfers that have not ended, connections that it has not confirmed.
    pub(super) unconfirmed: usize,
    pub(super) status: Status,
    /// When it has to be gone: it was told to take nothing new, and has nothing to do any more.
    pub(super) leaves_by: Option<Instant>,
    life: Life,
}

/// When a worker was last heard.
#[derive(Debug, Clone, Copy)]
struct Life {
    heard_at: Instant,
    /// When it was asked for a sign of life that it has not given.
    asked_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has to answer the challenge by this time.
    Introducing(Challenge, Instant),
    /// It knows the plan, and is not ready yet.
    Preparing,
    Ready,
    /// It takes no more connections.
    Leaving,
}

/// What each worker is given at its beginning.
pub(super) struct WorkerSetup {
    pub(super) plan: PlanMessage,
    /// What all of them have promised.
    pub(super) promises: PromiseTable,
}

/// Why a worker has gone.
#[derive(Debug)]
pub(super) enum Departure {
    /// It has closed its end.
    Gone,
    /// It cannot be read from or written to, or sent what is none of the messages.
    Broken(io::Error),
    /// It did not answer in time.
    Silent,
}

/// What a worker reports.
pub(super) enum WorkerReport {
    /// It takes connections from now on.
    Ready,
    /// Something happened to one of its transfers, or its counts have changed. The file of a transfer that has ended stays
    /// or goes.
    Event { event: Box<AnyEvent>, file_stays: bool },
}

impl Worker {
    /// Starts a worker process and sends it the plan.
    ///
    /// # Errors
    /// No process or descriptor is left.
    pub(super) fn start(program: &Path, setup: &WorkerSetup, number: u64) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut channel = Channel::new(ours)?;
        let child = Command::new(still(program))
            .args(["worker", "-"])
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            // Signals of a terminal reach this process, which commands its workers.
            .process_group(0)
            .spawn()?;
        setup.send(&mut channel, number)?;
        Ok(Self::preparing(channel, child.id(), number, Some(child)))
    }

    /// One that has been sent the plan.
    pub(super) fn preparing(channel: Channel, pid: u32, number: u64, child: Option<Child>) -> Self {
        Self::new(channel, pid, number, child, State::Preparing)
    }

    /// Challenges a process that has connected where workers join. Only this user's processes, and root's, may.
    ///
    /// # Errors
    /// It is another user's, or has gone.
    pub(super) fn challenge(stream: UnixStream, number: u64, now: Instant) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot let a worker join", &error);
        let who = peer_of(stream.as_fd()).map_err(failed)?;
        if !who.is_ours() {
            return Err(Error::Usage("a worker of another user was turned away".into()));
        }
        let challenge = Challenge::new()?;
        let mut channel = Channel::new(stream).map_err(failed)?;
        channel.send(&ToWorker::Challenge(challenge), None).map_err(failed)?;
        Ok(Self::new(
            channel,
            who.pid.unwrap_or(0),
            number,
            None,
            State::Introducing(challenge, now + INTRODUCTION_TIMEOUT),
        ))
    }

    fn new(channel: Channel, pid: u32, number: u64, child: Option<Child>, state: State) -> Self {
        Self {
            channel,
            child,
            pid,
            number,
            state,
            assigned: 0,
            unkept: VecDeque::new(),
            unconfirmed: 0,
            status: Status::default(),
            leaves_by: None,
            life: Life::at(awake_now()),
        }
    }

    /// Its next report. Who joins and shows that it has `key` is sent `setup` on the way.
    ///
    /// # Errors
    /// It does not have the key, or sends what a worker does not send.
    pub(super) fn receive(&mut self, key: Option<&Key>, setup: &WorkerSetup) -> io::Result<Option<WorkerReport>> {
        while let Some(message) = self.channel.receive()? {
            self.life = Life::at(awake_now());
            match (self.state, message) {
                (State::Introducing(challenge, _), FromWorker::Answer(answer, theirs)) => {
                    let key = key.filter(|key| key.accepts(&challenge, End::Worker, &answer));
                    let key = key.ok_or(io::ErrorKind::PermissionDenied)?;
                    self.channel
                        .send(&ToWorker::Answer(key.answer(&theirs, End::Service)), None)?;
                    setup.send(&mut self.channel, self.number)?;
                    self.state = State::Preparing;
                }
                (State::Preparing, FromWorker::Ready) => {
                    self.state = State::Ready;
                    return Ok(Some(WorkerReport::Ready));
                }
                (State::Ready | State::Leaving, FromWorker::Leaving) => self.state = State::Leaving,
                (State::Ready | State::Leaving, FromWorker::Event(event, part)) => {
                    return Ok(Some(WorkerReport::of_event(event, part)));
                }
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(None)
    }

    /// A transfer has ended, and its file goes.
    pub(super) fn keeps_not(&mut self, part: PartNumber) {
        if self.unkept.len() == UNKEPT_MAX {
            self.unkept.pop_front();
        }
        self.unkept.push_back(part);
    }

    /// Takes the numbers of those files.
    pub(super) fn take_unkept(&mut self) -> Vec<PartNumber> {
        std::mem::take(&mut self.unkept).into()
    }

    /// Whether it has shown that it may work here.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.state, State::Introducing(..))
    }

    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// Whether the service has started it itself.
    pub(super) fn is_own(&self) -> bool {
        self.child.is_some()
    }

    /// When it has to have shown that it has the key, to have given the sign of life that it was asked for at least
    /// `timeout` ago, or to be gone.
    pub(super) fn due(&self, timeout: Duration) -> Option<Instant> {
        if let State::Introducing(_, due) = self.state {
            return Some(due);
        }
        let answers_by = self.life.asked_at.map(|asked_at| asked_at + timeout);
        [self.leaves_by, answers_by].into_iter().flatten().min()
    }

    /// When it has to be asked for a sign of life: it has transfers and says nothing of them.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        (self.assigned > 0 && self.life.asked_at.is_none()).then(|| self.life.heard_at + ASKED_AFTER)
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(super) fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.life.asked_at = Some(now);
        self.channel.send(&ToWorker::Ping, None)
    }

    fn has_room(&self) -> bool {
        self.is_ready() && self.unconfirmed < UNCONFIRMED_MAX && self.channel.is_flushed()
    }

    /// Ends its process where that is ours, and says how it has ended.
    pub(super) fn end(mut self, departure: &Departure) -> String {
        let mut ended = None;
        if let Some(child) = &mut self.child {
            // One that has ended already needs no kill.
            let _ = child.kill();
            ended = child.wait().ok();
        }
        match (departure, ended) {
            (Departure::Silent, _) => "was let go, as it did not answer,".into(),
            (Departure::Broken(error), _) => format!("was let go, as it could not be heard ({}),", reason(error)),
            (Departure::Gone, Some(status)) => format!("has ended ({status})"),
            (Departure::Gone, None) if self.child.is_some() => "has ended".into(),
            (Departure::Gone, None) => "has left".into(),
        }
    }
}

impl WorkerReport {
    fn of_event(event: Box<AnyEvent>, part: Option<Vec<u8>>) -> Self {
        let file_stays = match &*event {
            AnyEvent::Transfer(event) => part.is_some() || matches!(event.kind, EventKind::Finished(_)),
            AnyEvent::Service(_) => false,
        };
        Self::Event {
            event: with_part(event, part),
            file_stays,
        }
    }
}

impl Life {
    fn at(heard_at: Instant) -> Self {
        Self {
            heard_at,
            asked_at: None,
        }
    }
}

impl WorkerSetup {
    fn send(&self, channel: &mut Channel, number: u64) -> io::Result<()> {
        let promises = self.promises.descriptor()?;
        channel.send(&ToWorker::Plan(Box::new(self.plan.clone()), number), Some(promises))
    }
}

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// This process's program, however its path was replaced meanwhile: its workers have to speak as it does.
fn still(program: &Path) -> &Path {
    const RUNNING: &str = "/proc/self/exe";
    let is_same = |there: &Metadata, here: &Metadata| (there.dev(), there.ino()) == (here.dev(), here.ino());
    match (std::fs::metadata(program), std::fs::metadata(RUNNING)) {
        (Ok(there), Ok(here)) if is_same(&there, &here) => program,
        (_, Ok(_)) => Path::new(RUNNING),
        (_, Err(_)) => program,
    }
}

/// The worker with the fewest transfers, of those that have room for one more.
pub(super) fn least_loaded(workers: &Slab<Worker>) -> Option<usize> {
    let with_room = workers.iter().filter(|(_, worker)| worker.has_room());
    with_room.min_by_key(|(_, worker)| worker.assigned).map(|(key, _)| key)
}
