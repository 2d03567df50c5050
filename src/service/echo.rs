//! The guest that sends back what comes, over thousands of connections: whoever is ready gets a bounded turn.

use std::io;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use slab::Slab;

use crate::error::Error;
use crate::sys::awake_now;
use crate::transfer::{Connection, PeerUser};

use super::front::{Closing, FrontContext, Guest, Turns};
use super::status::OpenCounts;

/// Taken from a connection at once, and kept for it at most while it does not take it back.
const PIECE_BYTES: usize = 64 << 10;
/// One connection's turn: so many pieces, then the next one's.
const TURN_PIECES: usize = 16;

/// All connections of an echo service.
pub(super) struct EchoLoop {
    connections_max: usize,
    /// Who takes nothing back for so long is closed; who says nothing may stay, until the service is to end.
    timeout: Duration,
    /// Whose processes may come over a Unix socket.
    peer_user: PeerUser,
    drains: bool,
    connections: Slab<Echoing>,
    turns: Turns,
    /// What came last; only what finds no room is kept with its connection.
    piece: Box<[u8]>,
}

/// One connection, and what is on its way back.
struct Echoing {
    connection: Connection,
    /// What has to go back before more is taken.
    kept: Vec<u8>,
    /// How much of it has gone.
    sent: usize,
    /// Since when nothing has gone back, where that is to have an end.
    still_since: Option<Instant>,
    /// The peer sends nothing more.
    is_over: bool,
}

/// What follows a step.
enum Next {
    /// Another one.
    Step,
    /// Nothing, until the socket is ready.
    Wait,
    /// Everything has gone back, or the connection has broken.
    Close { is_whole: bool },
}

impl EchoLoop {
    /// Echoes over so many connections at the same time. Who takes nothing back for the `timeout` is closed.
    pub(super) fn new(connections_max: usize, timeout: Duration, peer_user: PeerUser) -> Self {
        Self {
            connections_max,
            timeout,
            peer_user,
            drains: false,
            connections: Slab::new(),
            turns: Turns::default(),
            piece: vec![0; PIECE_BYTES].into(),
        }
    }

    fn turn(&mut self, key: usize, front: &mut FrontContext) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let (mut next, mut returned) = (Next::Step, 0);
        for _ in 0..TURN_PIECES {
            next = connection.step(&mut self.piece, &mut returned);
            if !matches!(next, Next::Step) {
                break;
            }
        }
        if returned > 0 {
            front.counters.add_bytes(returned);
            front.has_moved();
            connection.still_since = None;
        }
        match next {
            Next::Step => self.turns.ready(key),
            Next::Wait if connection.kept.is_empty() && !self.drains => self.turns.clear_deadline(key),
            Next::Wait => {
                let due = *connection.still_since.get_or_insert_with(awake_now) + self.timeout;
                if awake_now() >= due {
                    let is_whole = connection.kept.is_empty();
                    self.remove(key, is_whole, front);
                } else {
                    self.turns.ready_at(key, due);
                }
            }
            Next::Close { is_whole } => self.remove(key, is_whole, front),
        }
    }

    fn remove(&mut self, key: usize, is_whole: bool, front: &mut FrontContext) {
        if self.connections.try_remove(key).is_some() {
            self.turns.clear_deadline(key);
            front.counters.count_connection(is_whole);
            front.counts_have_changed();
        }
    }
}

impl Guest for EchoLoop {
    type Arrival = Connection;

    fn has_room(&self) -> bool {
        self.connections.len() < self.connections_max
    }

    fn accept(&mut self, connection: Connection, front: &mut FrontContext) {
        if let Err(error) = connection.check_user(self.peer_user) {
            front.tell_stranger(connection.peer(), &error);
            front.counts_have_changed();
            return front.counters.count_connection(false);
        }
        let entry = self.connections.vacant_entry();
        let key = entry.key();
        if front.watch(&connection, key).is_err() {
            // It closes, and its client tries again.
            return front.pause();
        }
        entry.insert(Echoing {
            connection,
            kept: Vec::new(),
            sent: 0,
            still_since: None,
            is_over: false,
        });
        front.counts_have_changed();
        self.turns.ready(key);
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
        self.turns.wake_due(awake_now());
        Ok(())
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        self.turns.due(now)
    }

    fn close(&mut self, how: Closing, front: &mut FrontContext) {
        let keys: Vec<usize> = self.connections.iter().map(|(key, _)| key).collect();
        self.drains = true;
        for key in keys {
            if how == Closing::Stop {
                self.remove(key, false, front);
            } else {
                self.turns.ready(key);
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.connections.is_empty()
    }

    fn open_counts(&self) -> OpenCounts {
        let is_stuck = |connection: &Echoing| !connection.kept.is_empty();
        OpenCounts {
            connections: self.connections.len(),
            receiving: 0,
            waiting: self
                .connections
                .iter()
                .filter(|(_, connection)| is_stuck(connection))
                .count(),
        }
    }
}

impl Echoing {
    /// Sends back what is kept, or what comes; adds what has gone to `returned`.
    fn step(&mut self, piece: &mut [u8], returned: &mut u64) -> Next {
        if !self.kept.is_empty() {
            match write(&self.connection, &self.kept[self.sent..]) {
                Ok(0) => return Next::Wait,
                Ok(sent) => {
                    *returned += sent as u64;
                    self.sent += sent;
                }
                Err(_) => return Next::Close { is_whole: false },
            }
            if self.sent < self.kept.len() {
                return Next::Step;
            }
            (self.kept, self.sent) = (Vec::new(), 0);
        }
        if self.is_over {
            return Next::Close { is_whole: true };
        }
        match recv(&self.connection, &mut *piece, RecvFlags::empty()) {
            Ok((0, _)) => self.is_over = true,
            Ok((came, _)) => match write(&self.connection, &piece[..came]) {
                Ok(sent) => {
                    *returned += sent as u64;
                    self.kept = piece[sent..came].to_vec();
                }
                Err(_) => return Next::Close { is_whole: false },
            },
            Err(error) if is_for_later(error) => return Next::Wait,
            Err(_) => return Next::Close { is_whole: false },
        }
        Next::Step
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
