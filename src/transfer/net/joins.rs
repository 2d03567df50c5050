//! Connections that join a transfer which has begun on another one: each shows a token that the receiver drew.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::transfer::net::connection::Connection;
use crate::wire::native::Token;

/// So many transfers that are over are known by their tokens: connections of theirs may still wait to be accepted.
const OVER_MAX: usize = 256;

/// Who waits at one listener for connections that join.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joins(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    waiting: HashMap<Token, Place>,
    /// Of transfers that wait no more; the last one at the end.
    over: VecDeque<Token>,
}

/// Where connections of one transfer go, and how many more may.
#[derive(Debug)]
struct Place {
    connections: Sender<Connection>,
    left: usize,
}

/// What became of a connection that shows a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The transfer that drew the token has it.
    Taken,
    /// That transfer is over, or has as many as it expected.
    TooLate,
    /// No transfer here drew that token, or not lately.
    Unknown,
}

impl Joins {
    /// Where so many connections at most come in that show the token, until it is forgotten.
    pub(crate) fn expect(&self, token: Token, most: usize) -> Receiver<Connection> {
        let (sender, connections) = bounded(most);
        let place = Place {
            connections: sender,
            left: most,
        };
        self.lock().waiting.insert(token, place);
        connections
    }

    /// Nobody who shows the token joins any more.
    pub(crate) fn forget(&self, token: &Token) {
        let mut places = self.lock();
        places.waiting.remove(token);
        if places.over.len() == OVER_MAX {
            places.over.pop_front();
        }
        places.over.push_back(*token);
    }

    /// Hands a connection to the transfer that drew the token, where one waits for it.
    pub(crate) fn deliver(&self, token: &Token, connection: Connection) -> Delivery {
        let mut places = self.lock();
        let Some(place) = places.waiting.get_mut(token) else {
            let is_over = places.over.contains(token);
            return if is_over { Delivery::TooLate } else { Delivery::Unknown };
        };
        if place.left == 0 {
            return Delivery::TooLate;
        }
        place.left -= 1;
        match place.connections.try_send(connection) {
            Ok(()) => Delivery::Taken,
            Err(_) => Delivery::TooLate,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        // Nothing that panics is done under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
