//! Whose process may be at the other end of a Unix socket: whoever binds a path first, or can reach it, could be anyone.

use std::fmt;
use std::os::fd::AsFd;

use rustix::net::AddressFamily;
use rustix::net::sockopt::socket_domain;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sys::{Peer, peer_of, user_id, user_name};

/// Which user's process may be at the other end of a Unix socket. Over TCP nobody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PeerUser {
    /// The user of this process, and root.
    #[default]
    Own,
    /// The user of this number as well.
    Uid(u32),
    /// Anyone.
    Any,
}

impl PeerUser {
    /// Reads `any`, the name of a user or a number.
    ///
    /// # Errors
    /// [`Error::Usage`]: there is no such user.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let uid = text.parse().ok().or_else(|| user_id(text));
        uid.map(Self::Uid)
            .ok_or_else(|| Error::Usage(format!("there is no user {text}: NAME, a number, or any")))
    }

    /// Whether that process may be there.
    fn accepts(self, peer: Peer) -> bool {
        match self {
            Self::Any => true,
            Self::Uid(other) if peer.uid == other => true,
            Self::Own | Self::Uid(_) => peer.is_ours(),
        }
    }

    /// Fails where the process at the other end of a Unix socket, which was reached at or came to `endpoint`, is another
    /// user's. What is no Unix socket passes.
    pub(crate) fn check(self, socket: &impl AsFd, endpoint: &str) -> Result<(), Error> {
        if self == Self::Any || socket_domain(socket).is_ok_and(|domain| domain != AddressFamily::UNIX) {
            return Ok(());
        }
        let peer = peer_of(socket.as_fd());
        let peer = peer.map_err(|error| Error::system("cannot tell whose process the peer is", &error))?;
        let uid = peer.uid;
        if self.accepts(peer) {
            return Ok(());
        }
        Err(Error::OtherUser {
            endpoint: endpoint.into(),
            user: User(uid).to_string(),
        })
    }
}

/// Fails where the process at the other end of a Unix socket, which was reached at `endpoint`, is neither this user's nor
/// root's, and nothing that can be asked for takes others there.
pub(crate) fn check_own(socket: &impl AsFd, endpoint: &str) -> Result<(), Error> {
    PeerUser::Own.check(socket, endpoint).map_err(|error| match error {
        Error::OtherUser { endpoint, user } => Error::Endpoint {
            endpoint,
            reason: format!("a process of user {user} listens there, which is neither yours nor root's").into(),
        },
        error => error,
    })
}

/// `nobody (65534)`, or the number alone.
struct User(u32);

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match user_name(self.0) {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oneself_and_root_are_taken_and_others_only_where_they_are_asked_for() {
        let own = rustix::process::geteuid().as_raw();
        let (other, third) = (own + 1, own + 2);
        for (asked, uid, accepted) in [
            (PeerUser::Own, own, true),
            (PeerUser::Own, 0, true),
            (PeerUser::Own, other, false),
            (PeerUser::Uid(other), other, true),
            (PeerUser::Uid(other), own, true),
            (PeerUser::Uid(other), third, false),
            (PeerUser::Any, other, true),
        ] {
            assert_eq!(asked.accepts(Peer { uid, pid: None }), accepted, "{asked:?} {uid}");
        }
    }

    #[test]
    fn users_are_read_by_name_and_number() {
        assert_eq!(PeerUser::parse("any"), Ok(PeerUser::Any));
        assert_eq!(PeerUser::parse("root"), Ok(PeerUser::Uid(0)));
        assert_eq!(PeerUser::parse("1234"), Ok(PeerUser::Uid(1234)));
        assert!(PeerUser::parse("no such user").is_err());
    }
}
