//! The engine's end: one thread serves all viewers. It never waits for a viewer, and nothing else waits for it.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use serde::Serialize;
use slab::Slab;

use crate::error::Error;
use crate::line_queue::{LineQueue, json_line};
use crate::service::AnyEvent;
use crate::sys::{Peer, peer_of};
use crate::thread::Thread;
use crate::transfer::{Command, PrivateListener, Side, TransferId};

use super::folder::own_path;
use super::messages::{EngineEvent, EngineLine};
use super::snapshot::Snapshot;

const LISTENER: Token = Token(usize::MAX);
const WAKER: Token = Token(usize::MAX - 1);
const EVENTS: usize = 64;
const VIEWERS_MAX: usize = 256;
/// How often events are sent to the viewers.
const INTERVAL: Duration = Duration::from_millis(50);
/// While the queue of commands is full, how often it is tried again.
const FULL_INTERVAL: Duration = Duration::from_millis(5);
/// Events that were not sent yet. Beyond the first number samples are left out. Beyond the second all viewers are
/// closed, because they would miss more than samples.
const PENDING_SAMPLES_MAX: usize = 4096;
const PENDING_MAX: usize = 65_536;
/// The same two bounds for one viewer, in bytes.
const BACKLOG_SAMPLES_BYTES_MAX: usize = 1 << 20;
const BACKLOG_BYTES_MAX: usize = 16 << 20;
/// The longest line that a viewer may send.
const COMMAND_BYTES_MAX: usize = 4 << 10;
/// Commands that may wait for the owner.
const COMMANDS: usize = 64;

/// The control socket by which other processes watch and steer this one. Dropping it closes and removes the socket.
#[derive(Debug)]
pub(crate) struct Engine {
    shared: Arc<Mutex<Shared>>,
    commands: Receiver<Command>,
    _thread: Thread,
}

/// What the owner writes and the thread sends to the viewers.
#[derive(Debug, Default)]
struct Shared {
    snapshot: Snapshot,
    /// Events to be sent, kept only while a viewer is attached.
    pending: VecDeque<EngineLine>,
    is_watched: bool,
    /// An event other than a sample had no room.
    has_lost: bool,
    is_closing: bool,
}

struct Server {
    poll: Poll,
    listener: PrivateListener,
    greeting: EngineEvent,
    shared: Arc<Mutex<Shared>>,
    commands: Sender<Command>,
    viewers: Slab<Viewer>,
}

struct Viewer {
    stream: UnixStream,
    inbox: Vec<u8>,
    outbox: LineQueue,
}

impl Engine {
    /// Opens the control socket of this process, which runs `command` and shows this side of its transfers.
    ///
    /// # Errors
    /// The folder cannot be made or belongs to another user, or the system gives no thread or descriptor.
    pub(crate) fn open(command: &str, side: Side) -> Result<Self, Error> {
        Self::start(command, side).map_err(|error| Error::system("cannot open the control socket", &error))
    }

    /// Passes an event to all viewers. It does not wait.
    pub(crate) fn tell(&self, told: &AnyEvent) {
        let mut shared = lock(&self.shared);
        shared.snapshot.update(told, Instant::now());
        shared.push(|| EngineLine::Event(told.clone()), told.is_sample());
    }

    /// Tells viewers that a transfer has this source.
    pub(crate) fn job(&self, transfer: TransferId, source: &str) {
        let mut shared = lock(&self.shared);
        shared.snapshot.job(transfer, source);
        let job = || EngineEvent::Job {
            transfer,
            source: source.to_owned(),
        };
        shared.push(|| EngineLine::Engine(job()), false);
    }

    /// The commands of viewers.
    #[must_use]
    pub(crate) fn commands(&self) -> &Receiver<Command> {
        &self.commands
    }

    fn start(command: &str, side: Side) -> io::Result<Self> {
        let path = own_path()?;
        let listener = PrivateListener::bind(&path).map_err(io::Error::other)?;
        let poll = Poll::new()?;
        register(&poll, &listener, LISTENER, Interest::READABLE)?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (pass, commands) = bounded(COMMANDS);
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let server = Server {
            poll,
            listener,
            greeting: EngineEvent::Engine {
                version: env!("CARGO_PKG_VERSION").into(),
                pid: std::process::id(),
                command: command.into(),
                side,
                started_unix_s: since_1970.as_secs(),
            },
            shared: Arc::clone(&shared),
            commands: pass,
            viewers: Slab::new(),
        };
        let run = move || {
            server.run();
            Ok(())
        };
        let thread = Thread::start("arraylift-control", run)?.cancelled_by({
            let shared = Arc::clone(&shared);
            move || {
                lock(&shared).is_closing = true;
                // A counter takes it, which is never full.
                let _ = waker.wake();
            }
        });
        Ok(Self {
            shared,
            commands,
            _thread: thread,
        })
    }
}

impl Shared {
    fn push(&mut self, line: impl FnOnce() -> EngineLine, is_sample: bool) {
        if !self.is_watched || (is_sample && self.pending.len() >= PENDING_SAMPLES_MAX) {
            return;
        }
        if self.pending.len() < PENDING_MAX {
            self.pending.push_back(line());
        } else {
            self.has_lost = true;
        }
    }
}

impl Server {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut unfinished: Vec<usize> = Vec::new();
        loop {
            let timeout = match (unfinished.is_empty(), self.viewers.is_empty()) {
                (false, _) if self.commands.is_full() => Some(FULL_INTERVAL),
                (false, _) => Some(Duration::ZERO),
                (true, false) => Some(INTERVAL),
                (true, true) => None,
            };
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
                // No viewer can attach any more. The transfers go on.
                Err(_) => return,
            }
            let mut keys = std::mem::take(&mut unfinished);
            for event in &events {
                match event.token() {
                    LISTENER => self.let_in(),
                    WAKER => {}
                    Token(key) => keys.push(key),
                }
            }
            for key in keys {
                if self.attend(key) {
                    unfinished.push(key);
                }
            }
            if self.send_on() {
                return;
            }
        }
    }

    fn let_in(&mut self) {
        while let Some(stream) = self.listener.accept() {
            let may_watch = peer_of(stream.as_fd()).is_ok_and(Peer::is_ours);
            if may_watch && self.viewers.len() < VIEWERS_MAX && stream.set_nonblocking(true).is_ok() {
                self.add(stream);
            }
        }
    }

    fn add(&mut self, stream: UnixStream) {
        // Both are taken under one lock, so that no event is missed between them or sent twice.
        let (pending, known) = {
            let mut shared = lock(&self.shared);
            shared.is_watched = true;
            let known: Vec<EngineLine> = shared.snapshot.lines(Instant::now()).collect();
            (std::mem::take(&mut shared.pending), known)
        };
        self.distribute(pending);
        let entry = self.viewers.vacant_entry();
        let both = Interest::READABLE | Interest::WRITABLE;
        if register(&self.poll, &stream, Token(entry.key()), both).is_err() {
            return;
        }
        let viewer = entry.insert(Viewer {
            stream,
            inbox: Vec::new(),
            outbox: LineQueue::default(),
        });
        viewer.say(line_of(&self.greeting), false);
        for line in known {
            viewer.say(line_of(&line), false);
        }
        viewer.say(line_of(&EngineEvent::Now), false);
    }

    /// Writes what is left for a viewer, and reads from it. Returns whether it may have more to read.
    fn attend(&mut self, key: usize) -> bool {
        let Some(viewer) = self.viewers.get_mut(key) else {
            return false;
        };
        let attended = viewer.flush().and_then(|()| viewer.hear(&self.shared, &self.commands));
        if attended.is_err() {
            self.viewers.remove(key);
        }
        attended.unwrap_or(false)
    }

    /// Sends events to the viewers. Returns whether the engine is closing.
    fn send_on(&mut self) -> bool {
        let (pending, has_lost, is_closing) = {
            let mut shared = lock(&self.shared);
            let has_lost = std::mem::take(&mut shared.has_lost);
            (std::mem::take(&mut shared.pending), has_lost, shared.is_closing)
        };
        self.distribute(pending);
        if has_lost {
            // They can attach again, and then see the present state.
            self.viewers.clear();
        }
        self.viewers
            .retain(|_, viewer| viewer.outbox.bytes() <= BACKLOG_BYTES_MAX && viewer.flush().is_ok());
        if self.viewers.is_empty() {
            let mut shared = lock(&self.shared);
            shared.is_watched = false;
            shared.pending.clear();
        }
        is_closing
    }

    fn distribute(&mut self, happened: VecDeque<EngineLine>) {
        if self.viewers.is_empty() {
            return;
        }
        for line in happened {
            let is_sample = line.is_sample();
            let line = line_of(&line);
            for (_, viewer) in &mut self.viewers {
                viewer.say(Arc::clone(&line), is_sample);
            }
        }
    }
}

impl Viewer {
    /// Queues a line for this viewer. A viewer that is far behind gets no samples.
    fn say(&mut self, line: Arc<[u8]>, is_sample: bool) {
        if !(is_sample && self.outbox.bytes() > BACKLOG_SAMPLES_BYTES_MAX) {
            self.outbox.push(line, None);
        }
    }

    /// Sends as much as the socket takes.
    fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush(&self.stream)
    }

    /// Answers one command, or reads what has arrived. Returns whether there may be more.
    fn hear(&mut self, shared: &Mutex<Shared>, commands: &Sender<Command>) -> io::Result<bool> {
        if let Some(end) = self.inbox.iter().position(|byte| *byte == b'\n') {
            // One command, then it is another viewer's turn; none while the queue is full.
            if !commands.is_full() {
                let line: Vec<u8> = self.inbox.drain(..=end).collect();
                self.say(line_of(&pass(&line, shared, commands)), false);
                self.flush()?;
            }
            return Ok(true);
        }
        if self.inbox.len() > COMMAND_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut piece = [0; COMMAND_BYTES_MAX];
        match self.stream.read(&mut piece) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.inbox.extend_from_slice(&piece[..read]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Passes a viewer's line on to the owner, and returns the answer.
fn pass(line: &[u8], shared: &Mutex<Shared>, commands: &Sender<Command>) -> EngineEvent {
    let refused = |why: String| EngineEvent::Refused { why };
    let command: Command = match serde_json::from_slice(line) {
        Err(error) => return refused(format!("that is no command: {error}")),
        Ok(command) => command,
    };
    if let Some(transfer) = command.transfer()
        && !lock(shared).snapshot.may_run(transfer)
    {
        return refused(format!("no transfer {} runs here: see arraylift status", transfer.0));
    }
    match commands.try_send(command) {
        Ok(()) => EngineEvent::Passed,
        Err(TrySendError::Full(_)) => refused("too many commands wait already".into()),
        Err(TrySendError::Disconnected(_)) => refused("it is about to end".into()),
    }
}

fn line_of(said: &impl Serialize) -> Arc<[u8]> {
    let why = |error| Error::Bug(format!("what happened has no form in JSON: {error}")).to_string();
    let line = json_line(said).or_else(|error| json_line(&EngineEvent::Refused { why: why(error) }));
    // Text always has one.
    line.unwrap_or_default().into()
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // Nothing that panics is done under the lock.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register(poll: &Poll, socket: &impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    poll.registry().register(&mut SourceFd(&descriptor), token, interest)
}
