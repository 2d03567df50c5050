//! Connections that join a transfer which has begun on another one: each shows a token that the receiver drew.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::transfer::net::connection::Connection;
use crate::wire::native::Token;

/// Who waits at one listener for connections that join.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joins(Arc<Mutex<HashMap<Token, Place>>>);

/// Where connections of one transfer go, and how many more may.
#[derive(Debug)]
struct Place {
    connections: Sender<Connection>,
    left: usize,
}

impl Joins {
    /// Where so many connections at most come in that show the token, until it is forgotten.
    pub(crate) fn expect(&self, token: Token, most: usize) -> Receiver<Connection> {
        let (sender, connections) = bounded(most);
        let place = Place {
            connections: sender,
            left: most,
        };
        self.lock().insert(token, place);
        connections
    }

    /// Nobody who shows the token joins any more.
    pub(crate) fn forget(&self, token: &Token) {
        self.lock().remove(token);
    }

    /// Hands a connection to the transfer that drew the token; false where none waits for it.
    pub(crate) fn deliver(&self, token: &Token, connection: Connection) -> bool {
        let mut joins = self.lock();
        let Some(place) = joins.get_mut(token).filter(|place| place.left > 0) else {
            return false;
        };
        place.left -= 1;
        place.connections.try_send(connection).is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Token, Place>> {
        // Nothing that panics is done under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
