//! The guest that receives over thousands of connections: whoever is ready gets a bounded turn.

use std::collections::HashMap;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::Error;
use crate::sys::awake_now;
use crate::telemetry::Sample;
use crate::transfer::{
    CANCELLED, Command, Connection, Ended, Event, EventKind, Farewell, FileClosing, JoinableTransfer, Linger,
    LoopReceiver, ReceiverFactory, ReceiverTurn, Side, State, TransferId, last_event,
};

use super::front::{Arrival, Closing, FrontContext, Guest, Turns};
use super::status::{AnyEvent, OpenCounts};

/// One connection's turn: so many steps or bytes, then the next one's.
const TURN_STEPS: usize = 16;
const TURN_BYTES: u64 = 2 << 20;
const SAMPLES_INTERVAL: Duration = Duration::from_millis(50);
/// Of thousands that move at once no more are told each time.
const SAMPLES_MAX: usize = 256;

/// Whoever removes what was half received says when that is done; it is looked for so often all the same.
const REMOVAL_LOOK: Duration = Duration::from_secs(1);

const CLOSING: &str = "the receiver is being shut down: send again when it is back";
const STOPPED: &str = "the receiver was stopped";

/// All connections that one thread receives over.
pub(super) struct ReceiveLoop {
    factory: ReceiverFactory,
    connections_max: usize,
    connections: Slab<Receiving>,
    /// The first connection of each transfer.
    firsts: HashMap<TransferId, usize>,
    groups: HashMap<TransferId, Group>,
    turns: Turns,
    /// Files of arrays that are whole. Nobody waits for them to be closed but the end of the loop.
    closings: Vec<FileClosing>,
    /// Which have moved bytes since the last samples.
    moved: Vec<usize>,
    next_samples_at: Instant,
}

/// One connection, and the transfer that it belongs to.
struct Receiving {
    id: TransferId,
    phase: Phase,
    has_moved: bool,
    /// When the last sample was taken, since the transfer began, and at how many bytes.
    last_sample: (Duration, u64),
}

enum Phase {
    Receiving(Box<LoopReceiver>),
    Leaving(Leaving),
    /// It is about to be removed.
    Over,
}

/// A connection whose receiver has ended. It closes when its peer has read the last words, and when what was half received
/// is gone.
struct Leaving {
    connection: Connection,
    linger: Option<Linger>,
    removal: Option<FileClosing>,
}

/// A transfer over several connections.
struct Group {
    transfer: JoinableTransfer,
    members: Vec<usize>,
    /// Why it fails, where one of them has.
    cause: Option<Error>,
}

/// What follows a turn.
enum Next {
    /// Another turn, after those of the others.
    Turn,
    /// A turn when the socket has changed, or then.
    WaitUntil(Instant),
    Close,
    End(Ended, Option<Linger>),
}

impl ReceiveLoop {
    /// Receives as `factory` says, over so many connections at the same time.
    pub(super) fn new(factory: ReceiverFactory, connections_max: usize) -> Self {
        Self {
            factory,
            connections_max,
            connections: Slab::new(),
            firsts: HashMap::new(),
            groups: HashMap::new(),
            turns: Turns::default(),
            closings: Vec::new(),
            moved: Vec::new(),
            next_samples_at: awake_now(),
        }
    }

    /// Ends those that are to be ended, with these words to their senders: they may find another service here soon.
    fn dismiss(&mut self, words: &str, ends: impl Fn(&LoopReceiver) -> bool, front: &mut FrontContext) {
        let farewell = Farewell {
            reason: words.into(),
            returns: true,
        };
        let keys: Vec<usize> = self.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            if let Some(Phase::Receiving(receiver)) =
                self.connections.get_mut(key).map(|connection| &mut connection.phase)
                && ends(receiver)
                && let Some(ReceiverTurn::Ended(ended, linger)) = receiver.dismiss(&farewell)
            {
                self.end(key, ended, linger, front);
            }
        }
    }

    /// Takes further connections of transfers, which others have told apart.
    fn take_joined(&mut self, front: &mut FrontContext) {
        let came = |(id, group): (&TransferId, &Group)| group.transfer.connection().map(|connection| (*id, connection));
        while let Some((id, connection)) = self.groups.iter().find_map(came) {
            let Some(group) = self.groups.get_mut(&id) else { return };
            let entry = self.connections.vacant_entry();
            let key = entry.key();
            // Where there is no room for it, it closes and the others go on.
            let Ok(receiver) = self.factory.further(connection, &group.transfer, key) else {
                continue;
            };
            if front.watch(&receiver, key).is_ok() {
                entry.insert(Receiving::new(id, receiver));
                group.members.push(key);
                self.turns.ready(key);
            }
        }
    }

    fn turn(&mut self, key: usize, front: &mut FrontContext) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        front.has_moved();
        let id = connection.id;
        let next = match &mut connection.phase {
            Phase::Receiving(receiver) => {
                let before = receiver.bytes();
                let next = step(receiver, before);
                let moved = receiver.bytes().saturating_sub(before);
                if moved > 0 {
                    front.counters.add_bytes(moved);
                    if !std::mem::replace(&mut connection.has_moved, true) {
                        self.moved.push(key);
                    }
                }
                if let Some(transfer) = self.factory.take_join_request(receiver) {
                    let group = Group {
                        transfer,
                        members: vec![key],
                        cause: None,
                    };
                    self.groups.insert(id, group);
                }
                next
            }
            Phase::Leaving(leaving) => leaving.step(awake_now()).map_or(Next::Close, Next::WaitUntil),
            Phase::Over => Next::Close,
        };
        for (elapsed, kind) in self.factory.take_events() {
            if matches!(kind, EventKind::Started(_)) {
                front.counts_have_changed();
            }
            tell(front, id, elapsed, kind);
        }
        match next {
            Next::Turn => self.turns.ready(key),
            Next::WaitUntil(until) => self.turns.ready_at(key, until),
            Next::Close => {
                self.remove(key);
                front.counts_have_changed();
            }
            Next::End(ended, linger) => self.end(key, ended, linger, front),
        }
        self.wake_group(id);
    }

    /// Gives the other connections of a transfer a turn where something has changed for all of them.
    fn wake_group(&mut self, id: TransferId) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.transfer.has_changed() {
            for key in &group.members {
                self.turns.ready(*key);
            }
        }
    }

    /// A machine has ended: tells it, and closes its connection now or when the peer has read the last words.
    fn end(&mut self, key: usize, ended: Ended, linger: Option<Linger>, front: &mut FrontContext) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let Phase::Receiving(mut receiver) = std::mem::replace(&mut connection.phase, Phase::Over) else {
            return;
        };
        front.counts_have_changed();
        let id = connection.id;
        let has_joined = matches!(ended, Ended::Joined);
        if has_joined {
            // The transfer that it joined has the same connection, of which nothing is to be heard here any more.
            front.unwatch(&*receiver);
        }
        if self.firsts.get(&id) == Some(&key) {
            self.end_transfer(id, ended, &mut receiver, front);
        } else if let Some(group) = self.groups.get_mut(&id) {
            group.members.retain(|member| *member != key);
            if let Ended::Failed { error, .. } = ended {
                group.transfer.fail((&error).into());
                group.cause.get_or_insert(error);
            }
        }
        let (socket, closing) = self.factory.part(*receiver, key);
        let (kept, removal) = match closing {
            Some(closing) if closing.is_kept => (Some(closing), None),
            removal => (None, removal),
        };
        self.closings.extend(kept.filter(|closing| !closing.is_over()));
        if linger.is_none() && removal.is_none() {
            drop(socket);
            self.remove(key);
        } else if let Some(connection) = self.connections.get_mut(key) {
            connection.phase = Phase::Leaving(Leaving {
                connection: socket,
                linger,
                removal,
            });
            self.turns.ready(key);
        }
        if has_joined {
            self.take_joined(front);
        }
    }

    /// The first connection of a transfer has ended, and so does the transfer.
    fn end_transfer(&mut self, id: TransferId, ended: Ended, first: &mut LoopReceiver, front: &mut FrontContext) {
        self.firsts.remove(&id);
        let ended = match self.groups.remove(&id) {
            Some(group) => {
                for key in &group.members {
                    self.turns.ready(*key);
                }
                group.end(ended)
            }
            None => ended,
        };
        if let Some(stats) = first.stats() {
            tell(front, id, first.elapsed(), stats);
        }
        let last = last_event(ended, Some(first.peer()));
        front.counters.count_transfer(&last);
        tell(front, id, first.elapsed(), last);
    }

    fn remove(&mut self, key: usize) {
        self.turns.clear_deadline(key);
        self.connections.try_remove(key);
    }

    fn tell_samples(&mut self, front: &mut FrontContext) {
        for (index, key) in std::mem::take(&mut self.moved).into_iter().enumerate() {
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            connection.has_moved = false;
            if index < SAMPLES_MAX
                && let Some((elapsed, sample)) = connection.sample()
            {
                tell(front, connection.id, elapsed, EventKind::Sample(Box::new(sample)));
            }
        }
    }
}

impl Guest for ReceiveLoop {
    type Arrival = Arrival;

    const ANSWERS_LATECOMERS: bool = true;

    fn has_room(&self) -> bool {
        self.connections.len() < self.connections_max
    }

    fn accept(&mut self, arrival: Arrival, front: &mut FrontContext) {
        let Arrival {
            id,
            connection,
            part_number,
            event,
        } = arrival;
        front.counts_have_changed();
        if let Some(event) = event {
            tell(front, id, Duration::ZERO, event);
        }
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        let receiver = connection.and_then(|connection| self.factory.first(connection, key, part_number));
        let receiver = receiver.and_then(|receiver| match front.watch(&receiver, key) {
            Ok(()) => Ok(receiver),
            Err(error) => Err(Error::system("cannot watch a connection", &error)),
        });
        match receiver {
            Ok(receiver) => {
                entry.insert(Receiving::new(id, receiver));
                self.firsts.insert(id, key);
                let state = State::Connecting;
                tell(front, id, Duration::ZERO, EventKind::State { state });
                self.turns.ready(key);
            }
            // It closes, and its sender tries again.
            Err(error) => {
                let last = last_event(Ended::Failed { error, bytes: 0 }, None);
                front.counters.count_transfer(&last);
                tell(front, id, Duration::ZERO, last);
                front.pause();
            }
        }
    }

    fn ready(&mut self, token: usize, _front: &mut FrontContext) {
        // What the kernel tells of a connection may come after its end.
        if self.connections.contains(token) {
            self.turns.ready(token);
        }
    }

    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        for _ in 0..self.turns.round() {
            if let Some(key) = self.turns.next() {
                self.turn(key, front);
            }
        }
        for key in self.factory.take_published() {
            if self.connections.contains(key) {
                self.turns.ready(key);
            }
        }
        self.closings.retain(|closing| !closing.is_over());
        let now = awake_now();
        self.turns.wake_due(now);
        if let Some(key) = self.factory.admissions.next() {
            self.turns.ready(key);
        }
        if now >= self.next_samples_at {
            self.tell_samples(front);
            self.next_samples_at = now + SAMPLES_INTERVAL;
        }
        Ok(())
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let samples = (!self.moved.is_empty()).then_some(self.next_samples_at);
        [self.turns.due(now), samples].into_iter().flatten().min()
    }

    fn apply(&mut self, command: Command, transfer: TransferId, _front: &mut FrontContext) {
        let Some(key) = self.firsts.get(&transfer).copied() else {
            return;
        };
        if let Some(Phase::Receiving(receiver)) = self.connections.get(key).map(|connection| &connection.phase) {
            receiver.controls().apply(command);
            self.turns.ready(key);
            self.wake_group(transfer);
        }
    }

    fn close(&mut self, how: Closing, front: &mut FrontContext) {
        match how {
            Closing::Drain => self.dismiss(CLOSING, |receiver| !receiver.is_receiving(), front),
            Closing::Stop => self.dismiss(STOPPED, |_| true, front),
            Closing::SourceOver => {}
        }
    }

    fn is_idle(&self) -> bool {
        self.connections.is_empty() && self.closings.is_empty()
    }

    fn open_counts(&self) -> OpenCounts {
        let is_receiving =
            |open: &Receiving| matches!(&open.phase, Phase::Receiving(receiver) if receiver.is_receiving());
        OpenCounts {
            connections: self.connections.len(),
            receiving: self.connections.iter().filter(|(_, open)| is_receiving(open)).count(),
            waiting: self.factory.admissions.waiting(),
        }
    }
}

impl Receiving {
    fn new(id: TransferId, receiver: LoopReceiver) -> Self {
        Self {
            id,
            phase: Phase::Receiving(Box::new(receiver)),
            has_moved: false,
            last_sample: (Duration::ZERO, 0),
        }
    }

    /// What has moved since the last sample.
    fn sample(&mut self) -> Option<(Duration, Sample)> {
        let Phase::Receiving(receiver) = &self.phase else {
            return None;
        };
        let (elapsed, bytes) = (receiver.elapsed(), receiver.bytes());
        let (before, bytes_before) = std::mem::replace(&mut self.last_sample, (elapsed, bytes));
        let seconds = elapsed.saturating_sub(before).as_secs_f64().max(1e-9);
        let sample = Sample {
            bytes,
            rate_bytes_per_s: bytes.saturating_sub(bytes_before) as f64 / seconds,
            counters: None,
            ..Sample::default()
        };
        Some((elapsed, sample))
    }
}

impl Leaving {
    /// Goes on without waiting. Until when to come again; `None` when it is over.
    fn step(&mut self, now: Instant) -> Option<Instant> {
        if let Some(linger) = self.linger {
            if let Some(until) = linger.step(self.connection.as_fd(), now) {
                return Some(until);
            }
            self.linger = None;
        }
        let removes = self.removal.as_ref().is_some_and(|removal| !removal.is_over());
        removes.then(|| now + REMOVAL_LOOK)
    }
}

impl Group {
    /// How the transfer ends, where its first connection ends so.
    fn end(self, ended: Ended) -> Ended {
        let (bytes, words) = match &ended {
            Ended::Cancelled { bytes, .. } => (*bytes, CANCELLED.into()),
            Ended::Failed { error, bytes } => (*bytes, error.into()),
            _ => return ended,
        };
        self.transfer.fail(words);
        match self.cause {
            Some(error) => Ended::Failed { error, bytes },
            None => ended,
        }
    }
}

/// Steps a machine until it waits, or its turn is over.
fn step(receiver: &mut LoopReceiver, before: u64) -> Next {
    for _ in 0..TURN_STEPS {
        match receiver.turn(awake_now()) {
            ReceiverTurn::Again if receiver.bytes().saturating_sub(before) < TURN_BYTES => {}
            ReceiverTurn::Again => break,
            ReceiverTurn::Wait(until) => return Next::WaitUntil(until),
            ReceiverTurn::Ended(ended, linger) => return Next::End(ended, linger),
        }
    }
    Next::Turn
}

fn tell(front: &mut FrontContext, transfer: TransferId, elapsed: Duration, kind: EventKind) {
    front.tell(AnyEvent::Transfer(Event {
        kind,
        transfer,
        side: Side::Receiver,
        elapsed_s: elapsed.as_secs_f64(),
    }));
}

#[cfg(test)]
mod tests;
