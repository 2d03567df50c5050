//! The worker processes of a service: who they are, how they come and go, and who has least to do.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use slab::Slab;

use crate::error::{Error, reason};

use super::channel::Channel;
use super::key::{Challenge, End, Key};
use super::messages::{FromWorker, ToWorker};
use super::status::{Status, Told};

/// Connections that were handed to a worker which has not said that it has them, at most.
const UNTAKEN_MAX: usize = 64;
/// Whoever joins has to show by then that it may.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// Where workers come from.
#[derive(Debug, Clone)]
pub struct Workers {
    /// Processes of this machine that the service starts itself.
    pub count: usize,
    /// The program for them, which is told `worker -`.
    pub program: PathBuf,
    /// Where others join, and the key that they have to have.
    pub door: Option<(PathBuf, Key)>,
}

/// A worker, or somebody who wants to be one.
pub(super) struct Worker {
    pub(super) channel: Channel,
    child: Option<Child>,
    pub(super) pid: u32,
    state: State,
    /// Transfers that it has.
    pub(super) assigned: usize,
    /// Of these, connections that it has not said to have.
    pub(super) untaken: usize,
    pub(super) status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Has yet to answer, until then.
    Introducing(Challenge, Instant),
    /// Has yet to say that it is ready.
    Preparing,
    Ready,
    /// Takes nothing new.
    Leaving,
}

/// Why a worker is one no longer.
#[derive(Debug)]
pub(super) enum Parting {
    /// It has closed its end.
    Gone,
    /// What it said, or how, makes no sense.
    Unheard(io::Error),
    /// It did not do in time what it had to.
    Silent,
}

/// What a worker said.
pub(super) enum Said {
    /// It may be given connections now.
    Ready,
    /// To one of its transfers, or to itself, something happened.
    Told(Box<Told>),
}

impl Worker {
    /// Starts a process that works for this one; the plan is the first that it hears.
    pub(super) fn start(program: &Path, plan: &ToWorker) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut channel = Channel::new(ours)?;
        let child = Command::new(program)
            .args(["worker", "-"])
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            // What a terminal's user wants is told to this process, which tells its workers.
            .process_group(0)
            .spawn()?;
        channel.say(plan, None)?;
        Ok(Self::new(channel, child.id(), Some(child), State::Preparing))
    }

    /// Somebody who has connected to where workers join; only this user's processes, or root's, are heard.
    pub(super) fn introduce(stream: UnixStream, now: Instant) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot let a worker join", &error);
        let who = socket_peercred(&stream).map_err(|error| failed(error.into()))?;
        let own = rustix::process::geteuid();
        if who.uid != own && !who.uid.is_root() {
            return Err(Error::Usage("a worker of another user was turned away".into()));
        }
        let pid = u32::try_from(who.pid.as_raw_nonzero().get()).unwrap_or(0);
        let challenge = Challenge::new()?;
        let mut channel = Channel::new(stream).map_err(failed)?;
        channel.say(&ToWorker::Challenge(challenge), None).map_err(failed)?;
        Ok(Self::new(
            channel,
            pid,
            None,
            State::Introducing(challenge, now + INTRODUCTION),
        ))
    }

    fn new(channel: Channel, pid: u32, child: Option<Child>, state: State) -> Self {
        Self {
            channel,
            child,
            pid,
            state,
            assigned: 0,
            untaken: 0,
            status: Status::default(),
        }
    }

    /// The next thing that it said, with what goes without saying done: `key` and `plan` are for those who join.
    ///
    /// # Errors
    /// It is no worker of this service.
    pub(super) fn hear(&mut self, key: Option<&Key>, plan: &ToWorker) -> io::Result<Option<Said>> {
        while let Some(message) = self.channel.hear()? {
            match (self.state, message) {
                (State::Introducing(challenge, _), FromWorker::Answer(answer, theirs)) => {
                    let key = key.filter(|key| key.accepts(&challenge, End::Worker, &answer));
                    let key = key.ok_or(io::ErrorKind::PermissionDenied)?;
                    self.channel
                        .say(&ToWorker::Answer(key.answer(&theirs, End::Service)), None)?;
                    self.channel.say(plan, None)?;
                    self.state = State::Preparing;
                }
                (State::Preparing, FromWorker::Ready) => {
                    self.state = State::Ready;
                    return Ok(Some(Said::Ready));
                }
                (State::Ready | State::Leaving, FromWorker::Leaving) => self.state = State::Leaving,
                (State::Ready | State::Leaving, FromWorker::Told(told)) => return Ok(Some(Said::Told(told))),
                _ => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        Ok(None)
    }

    /// Whether it was told who it works for.
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

    /// By then it has to have introduced itself.
    pub(super) fn due(&self) -> Option<Instant> {
        match self.state {
            State::Introducing(_, due) => Some(due),
            _ => None,
        }
    }

    fn has_room(&self) -> bool {
        self.is_ready() && self.untaken < UNTAKEN_MAX && self.channel.is_flushed()
    }

    /// Ends its process where that is ours, and says how it has ended.
    pub(super) fn end(mut self, parting: &Parting) -> String {
        let mut ended = None;
        if let Some(child) = &mut self.child {
            // It has ended already, or is not heard any more.
            let _ = child.kill();
            ended = child.wait().ok();
        }
        match (parting, ended) {
            (Parting::Silent, _) => "was let go, as it did not answer,".into(),
            (Parting::Unheard(error), _) => format!("was let go, as it could not be heard ({}),", reason(error)),
            (Parting::Gone, Some(status)) => format!("has ended ({status})"),
            (Parting::Gone, None) if self.child.is_some() => "has ended".into(),
            (Parting::Gone, None) => "has left".into(),
        }
    }
}

impl AsFd for Worker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// Who has room for a connection, and least to do.
pub(super) fn least_loaded(workers: &Slab<Worker>) -> Option<usize> {
    let with_room = workers.iter().filter(|(_, worker)| worker.has_room());
    with_room.min_by_key(|(_, worker)| worker.assigned).map(|(key, _)| key)
}
