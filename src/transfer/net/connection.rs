//! A connection to a peer, with buffers and congestion control that suit it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::error::Error;
use crate::sys::{Wake, awake_now, peer_of};
use crate::transfer::net::dial::{Dial, unix_error};
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::peer_user::PeerUser;
use crate::transfer::net::socket::prepare;

/// A connection to a peer, non-blocking.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    peer: String,
    is_unix: bool,
    congestion_control: Option<String>,
    buffers: Buffers,
    /// How long it took to reach the peer, where this end reached out.
    connect_time: Option<Duration>,
}

/// The sizes of a socket's buffers, in bytes as the kernel counts them; nothing where it does not tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Buffers {
    pub(crate) send: Option<usize>,
    pub(crate) receive: Option<usize>,
}

impl Connection {
    /// Connects to whichever of its addresses answers first, for at most `timeout` in all; `cancelled` is asked whenever
    /// `wake` ends the wait. The socket's buffers get `buffer_bytes` each, or what suits the peer.
    pub(crate) fn open(
        to: &Endpoint,
        buffer_bytes: Option<usize>,
        timeout: Duration,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let began = Instant::now();
        let dial = Dial {
            buffer_bytes,
            deadline: awake_now() + timeout,
            wake,
            cancelled,
        };
        let socket = match to {
            Endpoint::Tcp(_) => {
                let Some(addresses) = dial.look_up(to)? else {
                    return Ok(None);
                };
                dial.tcp(&addresses)
                    .map_err(|unreachable| unreachable.into_error(to.to_string()))?
                    // That another address is this machine's, too, shows once it is reached.
                    .map(|(socket, address)| (socket, address.ip().is_loopback()))
            }
            Endpoint::Unix(path) => dial
                .unix(path)
                .map_err(|error| unix_error(to.to_string(), &error))?
                .map(|socket| (socket, true)),
        };
        let Some((socket, is_prepared)) = socket else {
            return Ok(None);
        };
        let connection = Self::set_up(socket, to.to_string(), buffer_bytes, is_prepared)?;
        Ok(Some(connection.reached_in(began.elapsed())))
    }

    /// One that another process has accepted.
    pub(crate) fn adopt(socket: OwnedFd, peer: String, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        Self::new(socket.into(), peer, buffer_bytes)
    }

    /// One that somebody else has accepted, who does not say from whom.
    ///
    /// # Errors
    /// It is no connection.
    pub(crate) fn of_stranger(socket: OwnedFd, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        let socket = Socket::from(socket);
        let is_stream = socket.r#type().is_ok_and(|kind| kind == Type::STREAM);
        let peer = socket.peer_addr().ok().filter(|_| is_stream);
        let peer = peer.ok_or_else(|| Error::Protocol("what its server handed over is no connection".into()))?;
        let name = peer.as_socket().map(|address| address.to_string());
        Self::new(
            socket,
            name.unwrap_or_else(|| "someone on this machine".into()),
            buffer_bytes,
        )
    }

    /// Fails where it leads to a process of a user that is not to be there.
    pub(crate) fn check_user(&self, user: PeerUser) -> Result<(), Error> {
        if self.is_unix {
            user.check(&self.socket, &self.peer)
        } else {
            Ok(())
        }
    }

    /// The address that it leads to, where that is one of several that the peer has; nothing for a Unix socket.
    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        let peer = self.socket.peer_addr().ok()?.as_socket()?;
        Some(Endpoint::Tcp(peer.to_string()))
    }

    /// Notes how long it took to reach the peer.
    pub(crate) fn reached_in(self, took: Duration) -> Self {
        Self {
            connect_time: Some(took),
            ..self
        }
    }

    /// How long it took to reach the peer; nothing where the peer reached out.
    pub(crate) fn connect_time(&self) -> Option<Duration> {
        self.connect_time
    }

    /// The other end's address.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// What the other end knows it by: `HOST:PORT`, or nothing for a Unix socket.
    pub(crate) fn own_address(&self) -> io::Result<Option<String>> {
        let own = self.socket.local_addr()?;
        Ok(own.as_socket().map(|address| address.to_string()))
    }

    /// The process at the other end of a Unix socket.
    pub(crate) fn peer_process(&self) -> Option<u32> {
        self.is_unix.then(|| peer_of(self.as_fd()).ok()?.pid).flatten()
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.congestion_control.is_some()
    }

    /// Whether the peer is a process on this host, which can be given descriptors.
    pub(crate) fn is_unix(&self) -> bool {
        self.is_unix
    }

    /// The TCP congestion control in use; `None` on a Unix socket.
    pub(crate) fn congestion_control(&self) -> Option<&str> {
        self.congestion_control.as_deref()
    }

    /// The buffers of its socket as they are when it is set up.
    pub(crate) fn buffers(&self) -> Buffers {
        self.buffers
    }

    /// The same connection, for another owner.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot hand a connection over", &error);
        Ok(Self {
            socket: self.socket.try_clone().map_err(failed)?,
            peer: self.peer.clone(),
            is_unix: self.is_unix,
            congestion_control: self.congestion_control.clone(),
            buffers: self.buffers,
            connect_time: self.connect_time,
        })
    }

    fn new(socket: Socket, peer: String, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot set up the connection", &error);
        socket.set_nonblocking(true).map_err(failed)?;
        Self::set_up(socket, peer, buffer_bytes, false)
    }

    /// Sets a socket up that does not wait; one that `is_prepared` has its buffers already.
    pub(crate) fn set_up(
        socket: Socket,
        peer: String,
        buffer_bytes: Option<usize>,
        is_prepared: bool,
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot set up the connection", &error);
        let is_unix = socket.domain().map_err(failed)? == Domain::UNIX;
        if !is_unix {
            // Headers and checksums are gathered before they are written.
            socket.set_tcp_nodelay(true).map_err(failed)?;
        }
        if !is_prepared {
            prepare(&socket, is_local(&socket), buffer_bytes);
        }
        let congestion_control = if is_unix { None } else { congestion_control(&socket) };
        let buffers = Buffers {
            send: socket.send_buffer_size().ok(),
            receive: socket.recv_buffer_size().ok(),
        };
        Ok(Self {
            socket,
            peer,
            is_unix,
            congestion_control,
            buffers,
            connect_time: None,
        })
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Both ends of a connection between Unix sockets without a name.
pub(crate) fn unix_pair(buffer_bytes: Option<usize>) -> Result<(Connection, Connection), Error> {
    let failed = |error: io::Error| Error::system("cannot make a pair of Unix sockets", &error);
    let (a, b) = Socket::pair(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    Ok((
        Connection::new(a, "this process".into(), buffer_bytes)?,
        Connection::new(b, "this process".into(), buffer_bytes)?,
    ))
}

fn is_local(socket: &Socket) -> bool {
    let (Ok(own), Ok(peer)) = (socket.local_addr(), socket.peer_addr()) else {
        return false;
    };
    match (own.as_socket(), peer.as_socket()) {
        (Some(own), Some(peer)) => own.ip() == peer.ip(),
        (None, None) => true,
        _ => false,
    }
}

fn congestion_control(socket: &Socket) -> Option<String> {
    let name = socket.tcp_congestion().ok()?;
    let name: Vec<u8> = name.into_iter().take_while(|byte| *byte != 0).collect();
    String::from_utf8(name).ok()
}
