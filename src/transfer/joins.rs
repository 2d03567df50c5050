//! Connections that join a transfer which has begun on another one: each shows a token that the receiver drew.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::error::Error;
use crate::wire::native::Token;

use super::endpoint::{Connection, Listener};

/// Who waits at one listener for connections that join.
#[derive(Debug, Clone, Default)]
pub(super) struct Joins(Arc<Mutex<HashMap<Token, Place>>>);

/// Where connections of one transfer go, and how many more may.
#[derive(Debug)]
struct Place {
    connections: Sender<Connection>,
    left: usize,
}

/// A transfer that waits for connections. Once it is dropped nobody joins any more.
#[derive(Debug)]
pub(super) struct Expected {
    joins: Joins,
    listener: Listener,
    pub(super) token: Token,
    pub(super) connections: Receiver<Connection>,
}

impl Expected {
    /// Waits at `listener` for at most `most` connections, in all.
    pub(super) fn at(listener: &Listener, most: usize) -> Result<Self, Error> {
        let mut token = Token::default();
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut token))
            .map_err(|error| Error::system("cannot draw a token", &error))?;
        let (sender, connections) = bounded(most);
        let joins = listener.joins().clone();
        let place = Place {
            connections: sender,
            left: most,
        };
        joins.lock().insert(token, place);
        Ok(Self {
            joins,
            listener: listener.clone(),
            token,
            connections,
        })
    }

    /// Where the connections come in.
    pub(super) fn listener(&self) -> &Listener {
        &self.listener
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.joins.lock().remove(&self.token);
    }
}

impl Joins {
    /// Hands a connection to the transfer that drew the token; false where none waits for it.
    pub(super) fn deliver(&self, token: &Token, connection: Connection) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::endpoint::{Endpoint, loopback_pair};

    #[test]
    fn only_who_shows_the_token_joins_and_only_as_many_as_are_expected() {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("port");
        let expected = Expected::at(&listener, 1).expect("token");
        let (one, other) = loopback_pair().expect("pair");
        let (third, fourth) = loopback_pair().expect("pair");
        let joins = listener.joins();
        assert!(!joins.deliver(&[0; 16], one));
        assert!(joins.deliver(&expected.token, other));
        assert!(expected.connections.try_recv().is_ok());
        assert!(
            !joins.deliver(&expected.token, third),
            "one is enough, wherever it is now"
        );
        let token = expected.token;
        drop(expected);
        assert!(!joins.deliver(&token, fourth), "nobody waits any more");
    }
}
