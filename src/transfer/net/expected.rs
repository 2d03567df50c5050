//! A transfer that waits for further connections of its own.

use std::fs::File;
use std::io::Read as _;

use crossbeam_channel::Receiver;

use crate::error::Error;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::joins::Joins;
use crate::transfer::net::listener::Listener;
use crate::wire::native::Token;

/// A transfer that waits for connections. Once it is dropped nobody joins any more.
#[derive(Debug)]
pub(crate) struct Expected {
    joins: Joins,
    listener: Listener,
    pub(crate) token: Token,
    pub(crate) connections: Receiver<Connection>,
}

impl Expected {
    /// Waits at `listener` for at most `most` connections, in all.
    pub(crate) fn at(listener: &Listener, most: usize) -> Result<Self, Error> {
        let mut token = Token::default();
        File::open("/dev/urandom")
            .and_then(|mut random| random.read_exact(&mut token))
            .map_err(|error| Error::system("cannot draw a token", &error))?;
        let joins = listener.joins().clone();
        let connections = joins.expect(token, most);
        Ok(Self {
            joins,
            listener: listener.clone(),
            token,
            connections,
        })
    }

    /// Where the connections come in.
    pub(crate) fn listener(&self) -> &Listener {
        &self.listener
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.joins.forget(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::net::endpoint::Endpoint;
    use crate::transfer::net::joins::Delivery;
    use crate::transfer::net::listener::loopback_pair;

    #[test]
    fn only_who_shows_the_token_joins_and_only_as_many_as_are_expected() {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("port");
        let expected = Expected::at(&listener, 1).expect("token");
        let (one, other) = loopback_pair().expect("pair");
        let (third, fourth) = loopback_pair().expect("pair");
        let joins = listener.joins();
        assert_eq!(joins.deliver(&[0; 16], one), Delivery::Unknown);
        assert_eq!(joins.deliver(&expected.token, other), Delivery::Taken);
        assert!(expected.connections.try_recv().is_ok());
        assert_eq!(
            joins.deliver(&expected.token, third),
            Delivery::TooLate,
            "one is enough, wherever it is now"
        );
        let token = expected.token;
        drop(expected);
        assert_eq!(
            joins.deliver(&token, fourth),
            Delivery::TooLate,
            "nobody waits any more"
        );
    }

    #[test]
    fn a_token_is_known_for_a_while_after_its_transfer_and_not_for_ever() {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("port");
        let tokens: Vec<Token> = (0..300)
            .map(|_| Expected::at(&listener, 1).expect("token").token)
            .collect();
        let came = |token: &Token| listener.joins().deliver(token, loopback_pair().expect("pair").0);
        assert_eq!(
            (came(&tokens[0]), came(&tokens[299])),
            (Delivery::Unknown, Delivery::TooLate)
        );
    }
}
