//! One thread that sends back what comes, over thousands of connections: whoever is ready gets a bounded turn.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use slab::Slab;

use crate::error::Error;
use crate::transfer::{Command, Connection, Listener, Outlet};

use super::deadlines::Deadlines;
use super::event_loop::WAKER;
use super::status::{ServiceEvent, Status, Tally, Told};

/// Readiness that one look at the sockets brings, at most.
const EVENTS: usize = 1024;
const LISTENER: Token = Token(usize::MAX);
/// Taken from a connection at once, and kept for it at most while it does not take it back.
const PIECE_BYTES: usize = 64 << 10;
/// One connection's turn: so many pieces, then the next one's.
const TURN_PIECES: usize = 16;
/// Connections that are taken between two looks at the sockets.
const ACCEPTS: usize = 64;
/// Where descriptors or memory run out, the next try is so much later.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// All connections of an echo service.
pub(super) struct EchoLoop {
    poll: Poll,
    /// Until it takes nobody any more.
    listener: Option<Listener>,
    connections_max: usize,
    /// Who takes nothing back for so long is closed; who says nothing may stay.
    timeout: Duration,
    commands: Receiver<Command>,
    outlet: Outlet<Told>,
    slots: Slab<Slot>,
    /// Whose turn it is next.
    ready: VecDeque<usize>,
    deadlines: Deadlines,
    /// What came last; only what finds no room is kept with its connection.
    piece: Box<[u8]>,
    /// The listener may have more.
    accepts_more: bool,
    /// Before then nobody is accepted.
    accepts_from: Option<Instant>,
    status_at: Instant,
    tally: Tally,
    told_status: Status,
    /// Something has changed since that was told.
    has_news: bool,
}

struct Slot {
    connection: Connection,
    /// What has to go back before more is taken.
    kept: Vec<u8>,
    /// How much of it has gone.
    sent: usize,
    /// Since when nothing of that has gone.
    stuck_since: Option<Instant>,
    /// The peer sends nothing more.
    is_over: bool,
    is_ready: bool,
}

/// What a turn has left to do.
enum Left {
    /// More, when the others had their turns.
    More,
    /// Nothing, until the socket is ready.
    Wait,
    /// Everything has gone back.
    Done,
    Failed,
}

impl EchoLoop {
    pub(super) fn new(
        poll: Poll,
        listener: Listener,
        connections_max: usize,
        timeout: Duration,
        commands: Receiver<Command>,
        events: Sender<Told>,
    ) -> io::Result<Self> {
        register(&poll, &listener, LISTENER, Interest::READABLE)?;
        let now = Instant::now();
        Ok(Self {
            poll,
            listener: Some(listener),
            connections_max,
            timeout,
            commands,
            outlet: Outlet::new(events),
            slots: Slab::new(),
            ready: VecDeque::new(),
            deadlines: Deadlines::default(),
            piece: vec![0; PIECE_BYTES].into(),
            accepts_more: true,
            accepts_from: None,
            status_at: now,
            tally: Tally::new(now),
            told_status: Status::default(),
            has_news: false,
        })
    }

    /// Sends back until it is closed and the last connection has ended.
    pub(super) fn run(mut self) -> Result<Status, Error> {
        let mut events = Events::with_capacity(EVENTS);
        while self.listener.is_some() || !self.slots.is_empty() {
            self.wait(&mut events)?;
            self.obey();
            self.accept();
            for _ in 0..self.ready.len() {
                // Who becomes ready meanwhile comes after the next look at the sockets.
                if let Some(key) = self.ready.pop_front() {
                    self.turn(key);
                }
            }
            while let Some(key) = self.deadlines.pop(Instant::now()) {
                self.make_ready(key);
            }
            let now = Instant::now();
            self.outlet.retry();
            if self.has_news && now >= self.status_at {
                self.tell_status(now);
                self.status_at = now + STATUS_INTERVAL;
            }
        }
        self.tell_status(Instant::now());
        self.outlet.finish();
        Ok(self.told_status)
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), Error> {
        let now = Instant::now();
        let timeout = if !self.ready.is_empty() || self.may_accept(now) {
            Some(Duration::ZERO)
        } else {
            let status = self.has_news.then_some(self.status_at);
            let until = [self.deadlines.next(), status, self.accepts_from];
            let until = until.into_iter().flatten().min();
            until.map(|until| until.saturating_duration_since(now))
        };
        match self.poll.poll(events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(Error::system("cannot wait for connections", &error)),
        }
        for event in &*events {
            match event.token() {
                LISTENER => self.accepts_more = true,
                WAKER => {}
                Token(key) => self.make_ready(key),
            }
        }
        Ok(())
    }

    fn obey(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Drain => self.close(),
                Command::Stop => {
                    self.close();
                    let keys: Vec<usize> = self.slots.iter().map(|(key, _)| key).collect();
                    for key in keys {
                        self.remove(key, false);
                    }
                }
                // There are no transfers here.
                Command::Pause { .. } | Command::Resume { .. } | Command::Cancel { .. } | Command::Limit { .. } => {}
            }
        }
    }

    /// Takes nobody any more.
    fn close(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }

    fn may_accept(&self, now: Instant) -> bool {
        self.listener.is_some()
            && self.accepts_more
            && self.slots.len() < self.connections_max
            && self.accepts_from.is_none_or(|from| now >= from)
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let may = self.may_accept(Instant::now());
            let Some(listener) = self.listener.as_ref().filter(|_| may) else {
                return;
            };
            self.accepts_from = None;
            match listener.try_accept() {
                Ok(Some(connection)) => self.add(connection),
                Ok(None) => self.accepts_more = false,
                // No descriptor or memory is left: whoever ends gives its own back.
                Err(_) => self.rest(),
            }
        }
    }

    fn rest(&mut self) {
        self.accepts_from = Some(Instant::now() + EXHAUSTED_PAUSE);
        self.tally.exhausted();
    }

    fn add(&mut self, connection: Connection) {
        let entry = self.slots.vacant_entry();
        let key = entry.key();
        let both = Interest::READABLE | Interest::WRITABLE;
        if register(&self.poll, &connection, Token(key), both).is_err() {
            // It closes, and its client tries again.
            return self.rest();
        }
        entry.insert(Slot {
            connection,
            kept: Vec::new(),
            sent: 0,
            stuck_since: None,
            is_over: false,
            is_ready: false,
        });
        self.has_news = true;
        self.make_ready(key);
    }

    fn make_ready(&mut self, key: usize) {
        // What the kernel tells of a connection may come after its end.
        if let Some(slot) = self.slots.get_mut(key).filter(|slot| !slot.is_ready) {
            slot.is_ready = true;
            self.ready.push_back(key);
        }
    }

    fn turn(&mut self, key: usize) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        slot.is_ready = false;
        let (mut left, mut returned) = (Left::More, 0);
        for _ in 0..TURN_PIECES {
            left = slot.step(&mut self.piece, &mut returned);
            if !matches!(left, Left::More) {
                break;
            }
        }
        if returned > 0 {
            self.tally.landed(returned);
            self.has_news = true;
            slot.stuck_since = None;
        }
        match left {
            Left::More => self.make_ready(key),
            Left::Wait if slot.kept.is_empty() => self.deadlines.clear(key),
            Left::Wait => {
                let due = *slot.stuck_since.get_or_insert_with(Instant::now) + self.timeout;
                if Instant::now() >= due {
                    self.remove(key, false);
                } else {
                    self.deadlines.set(key, due);
                }
            }
            Left::Done => self.remove(key, true),
            Left::Failed => self.remove(key, false),
        }
    }

    fn remove(&mut self, key: usize, is_whole: bool) {
        if self.slots.try_remove(key).is_some() {
            self.deadlines.clear(key);
            self.tally.closed(is_whole);
            self.has_news = true;
        }
    }

    fn tell_status(&mut self, now: Instant) {
        let waiting = self.slots.iter().filter(|(_, slot)| !slot.kept.is_empty()).count();
        let counts = [self.slots.len(), 0, waiting];
        self.told_status = self.tally.status(counts, &self.told_status, now);
        self.has_news = false;
        self.outlet
            .offer(Told::Service(ServiceEvent::Service(self.told_status)));
    }
}

impl Slot {
    /// Sends back what is kept, or what comes; adds what has gone to `returned`.
    fn step(&mut self, piece: &mut [u8], returned: &mut u64) -> Left {
        if !self.kept.is_empty() {
            match write(&self.connection, &self.kept[self.sent..]) {
                Ok(0) => return Left::Wait,
                Ok(sent) => {
                    *returned += sent as u64;
                    self.sent += sent;
                }
                Err(_) => return Left::Failed,
            }
            if self.sent < self.kept.len() {
                return Left::More;
            }
            (self.kept, self.sent) = (Vec::new(), 0);
        }
        if self.is_over {
            return Left::Done;
        }
        match recv(&self.connection, &mut *piece, RecvFlags::empty()) {
            Ok((0, _)) => self.is_over = true,
            Ok((came, _)) => match write(&self.connection, &piece[..came]) {
                Ok(sent) => {
                    *returned += sent as u64;
                    self.kept = piece[sent..came].to_vec();
                }
                Err(_) => return Left::Failed,
            },
            Err(error) if is_for_later(error) => return Left::Wait,
            Err(_) => return Left::Failed,
        }
        Left::More
    }
}

/// Sends as much as there is room for, which may be nothing.
fn write(connection: &Connection, bytes: &[u8]) -> io::Result<usize> {
    match send(connection, bytes, SendFlags::NOSIGNAL) {
        Err(error) if is_for_later(error) => Ok(0),
        sent => Ok(sent?),
    }
}

/// Nothing can be done now; the socket tells when. An interrupted call of a socket that does not wait is not one.
fn is_for_later(error: rustix::io::Errno) -> bool {
    error == rustix::io::Errno::WOULDBLOCK
}

fn register(poll: &Poll, socket: &impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    poll.registry().register(&mut SourceFd(&descriptor), token, interest)
}
