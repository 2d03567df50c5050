//! One thread that receives over thousands of connections: whoever is ready gets a bounded turn.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::error::Error;
use crate::telemetry::Sample;
use crate::transfer::{
    Command, Connection, Ended, Event, EventKind, Host, Hosted, HostedTurn, Joining, Linger, Outlet, Side, State,
    TransferId, last_event,
};

use super::deadlines::Deadlines;
use super::intake::{Intake, Taken};
use super::status::{ServiceEvent, Status, Tally, Told};

/// Readiness that one look at the sockets brings, at most.
const EVENTS: usize = 1024;
const INTAKE: Token = Token(usize::MAX);
pub(super) const WAKER: Token = Token(usize::MAX - 1);
/// One connection's turn: so many steps or bytes, then the next one's.
const TURN_STEPS: usize = 16;
const TURN_BYTES: u64 = 2 << 20;
/// Connections that are taken between two looks at the sockets.
const ACCEPTS: usize = 64;
/// While so many events found no room with whoever reads them, nobody new is taken.
const KEPT_EVENTS_MAX: usize = 4096;
/// Where descriptors or memory run out, the next try is so much later.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);
const SAMPLES_INTERVAL: Duration = Duration::from_millis(50);
/// Of thousands that move at once no more are told each time.
const SAMPLES_MAX: usize = 256;
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

const CLOSING: &str = "the receiver is being shut down: send again when it is back";
const STOPPED: &str = "the receiver was stopped";

/// All of a service's connections.
pub(super) struct EventLoop {
    poll: Poll,
    host: Host,
    intake: Intake,
    /// Whether connections are taken.
    is_open: bool,
    connections_max: usize,
    commands: Receiver<Command>,
    outlet: Outlet<Told>,
    slots: Slab<Slot>,
    /// The first connection of each transfer.
    leads: HashMap<TransferId, usize>,
    groups: HashMap<TransferId, Group>,
    /// Whose turn it is next.
    ready: VecDeque<usize>,
    deadlines: Deadlines,
    /// The listener may have more.
    accepts_more: bool,
    /// Before then nobody is accepted.
    accepts_from: Option<Instant>,
    /// Which have moved bytes since they were told last.
    moved: Vec<usize>,
    samples_at: Instant,
    status_at: Instant,
    tally: Tally,
    told_status: Status,
    /// Something has changed since that was told.
    has_news: bool,
}

struct Slot {
    id: TransferId,
    phase: Phase,
    is_ready: bool,
    has_moved: bool,
    /// When and at how many bytes a sample was told last.
    told: (Duration, u64),
}

enum Phase {
    Receiving(Box<Hosted>),
    Lingering(Connection, Linger),
    /// It is about to be removed.
    Over,
}

/// A transfer over several connections.
struct Group {
    joining: Joining,
    members: Vec<usize>,
    /// Why it fails, where one of them has.
    cause: Option<Error>,
}

/// What a turn has left to do.
enum Left {
    /// More, when the others had their turns.
    More,
    Until(Instant),
    Nothing,
    Ended(Ended, Option<Linger>),
}

impl EventLoop {
    pub(super) fn new(
        poll: Poll,
        host: Host,
        intake: Intake,
        connections_max: usize,
        commands: Receiver<Command>,
        events: Sender<Told>,
    ) -> io::Result<Self> {
        register(&poll, &intake, INTAKE, Interest::READABLE)?;
        let now = Instant::now();
        Ok(Self {
            poll,
            host,
            intake,
            is_open: true,
            connections_max,
            commands,
            outlet: Outlet::new(events),
            slots: Slab::new(),
            leads: HashMap::new(),
            groups: HashMap::new(),
            ready: VecDeque::new(),
            deadlines: Deadlines::default(),
            accepts_more: true,
            accepts_from: None,
            moved: Vec::new(),
            samples_at: now,
            status_at: now,
            tally: Tally::new(now),
            told_status: Status::default(),
            has_news: false,
        })
    }

    /// Receives until it is closed and the last connection has ended.
    pub(super) fn run(mut self) -> Result<Status, Error> {
        let mut events = Events::with_capacity(EVENTS);
        while self.is_open || !self.slots.is_empty() {
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
            if let Some(key) = self.host.admissions.next() {
                self.make_ready(key);
            }
            self.tell();
        }
        self.tell_status(Instant::now());
        self.outlet.finish();
        Ok(self.told_status)
    }

    /// Waits until something is to be done.
    fn wait(&mut self, events: &mut Events) -> Result<(), Error> {
        let now = Instant::now();
        let timeout = if !self.ready.is_empty() || self.may_accept(now) {
            Some(Duration::ZERO)
        } else {
            let samples = (!self.moved.is_empty() || self.outlet.kept() > 0).then_some(self.samples_at);
            let status = self.has_news.then_some(self.status_at);
            let until = [self.deadlines.next(), samples, status, self.accepts_from];
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
                INTAKE => self.accepts_more = true,
                WAKER => {}
                Token(key) => self.make_ready(key),
            }
        }
        Ok(())
    }

    fn obey(&mut self) {
        let mut commands: Vec<Command> = self.commands.try_iter().collect();
        let was_over = self.intake.is_over();
        commands.extend(self.intake.commands());
        // It may have come after the last look at the sockets, and is not told of by the next one: it has been read.
        self.accepts_more |= self.intake.holds_some();
        for command in commands {
            match command {
                Command::Drain => self.close(CLOSING, |hosted| !hosted.is_receiving()),
                Command::Stop => self.close(STOPPED, |_| true),
                Command::Pause { transfer }
                | Command::Resume { transfer }
                | Command::Cancel { transfer }
                | Command::Limit { transfer, .. } => self.apply(command, transfer),
            }
        }
        if !was_over && self.intake.is_over() {
            // What runs goes on to its end.
            self.close(CLOSING, |_| false);
        }
    }

    fn apply(&mut self, command: Command, transfer: TransferId) {
        let Some(key) = self.leads.get(&transfer).copied() else {
            return;
        };
        if let Some(Phase::Receiving(hosted)) = self.slots.get(key).map(|slot| &slot.phase) {
            hosted.controls().apply(command);
            self.make_ready(key);
            self.rouse(transfer);
        }
    }

    /// Takes nobody any more, and ends those that are to be.
    fn close(&mut self, words: &str, ends: impl Fn(&Hosted) -> bool) {
        // Those who have connected already are told, too.
        while let Ok(Some(taken)) = self.intake.take() {
            self.admit(taken);
        }
        self.intake.close();
        self.is_open = false;
        let keys: Vec<usize> = self.slots.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(Phase::Receiving(hosted)) = self.slots.get_mut(key).map(|slot| &mut slot.phase)
                && ends(hosted)
                && let HostedTurn::Ended(ended, linger) = hosted.dismiss(words)
            {
                self.end(key, ended, linger);
            }
        }
    }

    fn may_accept(&self, now: Instant) -> bool {
        self.is_open
            && self.accepts_more
            && self.slots.len() < self.connections_max
            && self.outlet.kept() < KEPT_EVENTS_MAX
            && self.accepts_from.is_none_or(|from| now >= from)
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            if !self.may_accept(Instant::now()) {
                return;
            }
            self.accepts_from = None;
            match self.intake.take() {
                Ok(Some(taken)) => self.admit(taken),
                Ok(None) => self.accepts_more = false,
                // No descriptor or memory is left: whoever ends gives its own back.
                Err(_) => self.rest(),
            }
        }
    }

    /// Accepts nobody for a moment.
    fn rest(&mut self) {
        self.accepts_from = Some(Instant::now() + EXHAUSTED_PAUSE);
        self.tally.exhausted();
    }

    fn admit(&mut self, taken: Taken) {
        let Taken { id, connection, event } = taken;
        if let Some(event) = event {
            self.emit(id, Duration::ZERO, event);
        }
        let entry = self.slots.vacant_entry();
        let key = entry.key();
        let hosted = connection.and_then(|connection| self.host.receiver(connection, key));
        let hosted = hosted.and_then(|hosted| match register(&self.poll, &hosted, Token(key), both()) {
            Ok(()) => Ok(hosted),
            Err(error) => Err(Error::system("cannot watch a connection", &error)),
        });
        match hosted {
            Ok(hosted) => {
                entry.insert(Slot::new(id, hosted));
                self.leads.insert(id, key);
                self.emit(
                    id,
                    Duration::ZERO,
                    EventKind::State {
                        state: State::Connecting,
                    },
                );
                self.make_ready(key);
            }
            // It closes, and its sender tries again.
            Err(error) => {
                let last = last_event(Ended::Failed { error, bytes: 0 }, None);
                self.tally.ended(&last);
                self.emit(id, Duration::ZERO, last);
                self.rest();
            }
        }
    }

    /// Lets further connections of transfers in, which others have told apart.
    fn let_in(&mut self) {
        let came = |(id, group): (&TransferId, &Group)| group.joining.connection().map(|connection| (*id, connection));
        while let Some((id, connection)) = self.groups.iter().find_map(came) {
            let Some(group) = self.groups.get_mut(&id) else { return };
            // Where there is no room for it, it closes and the others go on.
            let Ok(hosted) = self.host.joined(connection, &group.joining) else {
                continue;
            };
            let entry = self.slots.vacant_entry();
            let key = entry.key();
            if register(&self.poll, &hosted, Token(key), both()).is_ok() {
                entry.insert(Slot::new(id, hosted));
                group.members.push(key);
                self.make_ready(key);
            }
        }
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
        self.has_news = true;
        let id = slot.id;
        let left = match &mut slot.phase {
            Phase::Receiving(hosted) => {
                let before = hosted.bytes();
                let left = steps(hosted, before);
                let moved = hosted.bytes().saturating_sub(before);
                if moved > 0 {
                    self.tally.landed(moved);
                    if !std::mem::replace(&mut slot.has_moved, true) {
                        self.moved.push(key);
                    }
                }
                if let Some(joining) = self.host.asked(hosted) {
                    let group = Group {
                        joining,
                        members: vec![key],
                        cause: None,
                    };
                    self.groups.insert(id, group);
                }
                left
            }
            Phase::Lingering(connection, linger) => match linger.step(connection.as_fd(), Instant::now()) {
                Some(until) => Left::Until(until),
                None => Left::Nothing,
            },
            Phase::Over => Left::Nothing,
        };
        let told: Vec<_> = self.host.told().collect();
        for (elapsed, kind) in told {
            self.emit(id, elapsed, kind);
        }
        match left {
            Left::More => self.make_ready(key),
            Left::Until(until) => self.deadlines.set(key, until),
            Left::Nothing => self.remove(key),
            Left::Ended(ended, linger) => self.end(key, ended, linger),
        }
        self.rouse(id);
    }

    /// Lets the other connections of a transfer look at what has changed.
    fn rouse(&mut self, id: TransferId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.joining.has_changed() {
            for key in group.members.clone() {
                self.make_ready(key);
            }
        }
    }

    /// A machine has ended: tells it, and closes its connection now or when the peer has read the last words.
    fn end(&mut self, key: usize, ended: Ended, linger: Option<Linger>) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        let Phase::Receiving(hosted) = std::mem::replace(&mut slot.phase, Phase::Over) else {
            return;
        };
        let id = slot.id;
        let has_joined = matches!(ended, Ended::Joined);
        if has_joined {
            // Another slot has the same connection, of which nothing is to be heard here any more.
            let _ = self
                .poll
                .registry()
                .deregister(&mut SourceFd(&hosted.as_fd().as_raw_fd()));
        }
        if self.leads.get(&id) == Some(&key) {
            self.end_transfer(id, ended, &hosted);
        } else if let Some(group) = self.groups.get_mut(&id) {
            group.members.retain(|member| *member != key);
            if let Ended::Failed { error, .. } = ended {
                group.cause.get_or_insert(error);
                group.joining.fail();
            }
        }
        // What was half received goes before the connection does.
        let connection = hosted.into_connection();
        if let (Some(linger), Some(slot)) = (linger, self.slots.get_mut(key)) {
            slot.phase = Phase::Lingering(connection, linger);
            self.make_ready(key);
        } else {
            drop(connection);
            self.remove(key);
        }
        if has_joined {
            self.let_in();
        }
    }

    /// The first connection of a transfer has ended, and so does the transfer.
    fn end_transfer(&mut self, id: TransferId, ended: Ended, first: &Hosted) {
        self.leads.remove(&id);
        let ended = match self.groups.remove(&id) {
            Some(group) => {
                for key in &group.members {
                    self.make_ready(*key);
                }
                group.end(ended)
            }
            None => ended,
        };
        let last = last_event(ended, Some(first.peer()));
        self.tally.ended(&last);
        self.emit(id, first.elapsed(), last);
    }

    fn remove(&mut self, key: usize) {
        self.deadlines.clear(key);
        self.slots.try_remove(key);
    }

    fn emit(&mut self, transfer: TransferId, elapsed: Duration, kind: EventKind) {
        let is_sample = matches!(kind, EventKind::Sample(_));
        let event = Told::Transfer(Event {
            kind,
            transfer,
            side: Side::Receiver,
            elapsed_s: elapsed.as_secs_f64(),
        });
        if is_sample {
            self.outlet.offer(event);
        } else {
            self.outlet.hold(event);
        }
    }

    /// Tells samples and counts, when they are due.
    fn tell(&mut self) {
        self.outlet.retry();
        let now = Instant::now();
        if now >= self.samples_at {
            self.tell_samples();
            self.samples_at = now + SAMPLES_INTERVAL;
        }
        if self.has_news && now >= self.status_at {
            self.tell_status(now);
            self.status_at = now + STATUS_INTERVAL;
        }
    }

    fn tell_samples(&mut self) {
        for (index, key) in std::mem::take(&mut self.moved).into_iter().enumerate() {
            let Some(slot) = self.slots.get_mut(key) else { continue };
            slot.has_moved = false;
            if index < SAMPLES_MAX
                && let Some((elapsed, sample)) = slot.sample()
            {
                let id = slot.id;
                self.emit(id, elapsed, EventKind::Sample(sample));
            }
        }
    }

    fn tell_status(&mut self, now: Instant) {
        let is_receiving = |slot: &Slot| matches!(&slot.phase, Phase::Receiving(hosted) if hosted.is_receiving());
        let receiving = self.slots.iter().filter(|(_, slot)| is_receiving(slot)).count();
        let counts = [self.slots.len(), receiving, self.host.admissions.waiting()];
        self.told_status = self.tally.status(counts, &self.told_status, now);
        self.has_news = false;
        self.outlet
            .offer(Told::Service(ServiceEvent::Service(self.told_status)));
    }
}

impl Slot {
    fn new(id: TransferId, hosted: Hosted) -> Self {
        Self {
            id,
            phase: Phase::Receiving(Box::new(hosted)),
            is_ready: false,
            has_moved: false,
            told: (Duration::ZERO, 0),
        }
    }

    /// What has moved since the last sample.
    fn sample(&mut self) -> Option<(Duration, Sample)> {
        let Phase::Receiving(hosted) = &self.phase else {
            return None;
        };
        let (elapsed, bytes) = (hosted.elapsed(), hosted.bytes());
        let (before, bytes_before) = std::mem::replace(&mut self.told, (elapsed, bytes));
        let seconds = elapsed.saturating_sub(before).as_secs_f64().max(1e-9);
        let sample = Sample {
            bytes,
            rate_bytes_per_s: bytes.saturating_sub(bytes_before) as f64 / seconds,
            counters: None,
        };
        Some((elapsed, sample))
    }
}

impl Group {
    /// How the transfer ends, where its first connection ends so.
    fn end(self, ended: Ended) -> Ended {
        let bytes = match &ended {
            Ended::Cancelled { bytes } | Ended::Failed { bytes, .. } => *bytes,
            _ => return ended,
        };
        self.joining.fail();
        match self.cause {
            Some(error) => Ended::Failed { error, bytes },
            None => ended,
        }
    }
}

/// Steps a machine until it waits, or its turn is over.
fn steps(hosted: &mut Hosted, before: u64) -> Left {
    for _ in 0..TURN_STEPS {
        match hosted.turn(Instant::now()) {
            HostedTurn::Again if hosted.bytes().saturating_sub(before) < TURN_BYTES => {}
            HostedTurn::Again => break,
            HostedTurn::Wait(until) => return Left::Until(until),
            HostedTurn::Ended(ended, linger) => return Left::Ended(ended, linger),
        }
    }
    Left::More
}

fn register(poll: &Poll, socket: &impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
    let socket: BorrowedFd<'_> = socket.as_fd();
    poll.registry()
        .register(&mut SourceFd(&socket.as_raw_fd()), token, interest)
}

fn both() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::channel::Channel;
    use crate::service::intake::now_ns;
    use crate::service::limits::Limits;
    use crate::service::messages::ToWorker;
    use crate::transfer::{Admissions, Options, SinkSpec};
    use crossbeam_channel::bounded;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_connection_that_is_heard_of_between_two_looks_at_the_sockets_is_taken() {
        let (service, worker) = UnixStream::pair().expect("pair");
        let mut service = Channel::new(service).expect("channel");
        let intake = Intake::handed(Channel::new(worker).expect("channel"), None);
        let host = Host::new(
            SinkSpec::Discard,
            None,
            Options::default(),
            Admissions::new(Limits::default().admission(&SinkSpec::Discard, 8)),
        );
        let ((_command, commands), (tell, told)) = (bounded(1), bounded(64));
        let poll = Poll::new().expect("poll");
        let mut all = EventLoop::new(poll, host, intake, 8, commands, tell).expect("a loop");
        all.accept();
        assert!(!all.accepts_more, "nobody has come");

        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let sender = TcpStream::connect(listener.local_addr().expect("address")).expect("connects");
        let (connection, _) = listener.accept().expect("accepts");
        let message = ToWorker::Connection {
            id: TransferId::next(),
            peer: "127.0.0.1:1".into(),
            sent_ns: now_ns(),
        };
        service.say(&message, Some(connection.into())).expect("said");
        all.obey();
        all.accept();
        assert_eq!(all.slots.len(), 1);
        all.tell();
        let told = told.try_iter().next().expect("it is told");
        let told = serde_json::to_string(&told).expect("serializes");
        assert!(told.contains("handed_over"), "{told}");
        drop(sender);
    }
}
