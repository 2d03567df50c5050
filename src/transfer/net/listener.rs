//! Where peers connect.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::Error;
use crate::sys::{Interest, Wake, wait};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::joins::Joins;
use crate::transfer::net::socket::prepare;
use crate::transfer::net::socket_file::{SocketFile, remove_stale_socket};

/// Connections that may wait to be accepted, as far as the system lets them (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;

/// Where senders can connect. Its clones listen at the same place, which is closed with the last of them.
#[derive(Debug, Clone)]
pub struct Listener(Arc<Listening>);

#[derive(Debug)]
struct Listening {
    socket: Socket,
    address: String,
    buffer_bytes: Option<usize>,
    /// What connects has the right buffers and congestion control from the beginning: they are inherited.
    is_prepared: bool,
    /// A Unix socket's file, removed with the listener.
    _file: Option<SocketFile>,
    joins: Joins,
}

impl Listener {
    /// Listens at an endpoint; port 0 takes a free one.
    pub fn bind(at: &Endpoint) -> Result<Self, Error> {
        Self::bind_with_buffers(at, None)
    }

    /// Listens at an endpoint; connections get socket buffers of `buffer_bytes` each, or what suits the peer.
    pub fn bind_with_buffers(at: &Endpoint, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        if let Endpoint::Unix(path) = at {
            remove_stale_socket(path)?;
        }
        let mut last = None;
        for address in at.addresses()? {
            match listen(&address, buffer_bytes) {
                Ok(socket) => return Self::new(socket, at, buffer_bytes),
                Err(error) => last = Some(error),
            }
        }
        Err(match last {
            Some(error) if error.kind() == io::ErrorKind::AddrInUse => Error::AddressInUse(at.to_string()),
            Some(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Error::Endpoint {
                endpoint: at.to_string(),
                reason: "this machine has no such address; 0.0.0.0 or [::] listens at all that it has".into(),
            },
            last => at.unusable(last.as_ref()),
        })
    }

    /// What a sender connects to, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// Whether this is the only one of its clones: nobody else takes what connects here.
    pub(crate) fn is_sole(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The transfers that wait here for further connections of theirs.
    pub(crate) fn joins(&self) -> &Joins {
        &self.0.joins
    }

    /// Waits for a connection; `None` where `cancelled` says so after `wake` ended the wait.
    pub(crate) fn accept(&self, wake: &Wake, cancelled: &dyn Fn() -> bool) -> Result<Option<Connection>, Error> {
        while !cancelled() {
            let accepted = self.try_accept();
            if let Some(connection) = accepted.map_err(|error| Error::system("cannot accept a connection", &error))? {
                return Ok(Some(connection));
            }
            let interest = Interest::READ;
            wait(self.as_fd(), interest, wake, None).map_err(|error| Error::system("cannot wait", &error))?;
        }
        Ok(None)
    }

    /// Lets nobody connect any more, whoever else has one of its clones.
    pub(crate) fn close(&self) {
        // One that cannot be shut is closed with the last of its clones.
        let _ = self.0.socket.shutdown(Shutdown::Both);
    }

    /// A connection that waits to be taken, if any.
    pub(crate) fn try_accept(&self) -> io::Result<Option<Connection>> {
        while let Some((socket, peer)) = self.try_accept_socket()? {
            // One that breaks while it is set up has gone away again: the next one counts.
            let is_prepared = self.0.is_prepared;
            if let Ok(connection) = Connection::set_up(socket.into(), peer, self.0.buffer_bytes, is_prepared) {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }

    /// The same as it is, with the peer's address, for another process to set up.
    pub(crate) fn try_accept_socket(&self) -> io::Result<Option<(OwnedFd, String)>> {
        loop {
            match acceptfrom_with(&self.0.socket, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok((socket, address)) => {
                    let peer = address.and_then(|address| SocketAddr::try_from(address).ok());
                    let peer = peer.map_or_else(|| self.0.address.clone(), |peer| peer.to_string());
                    return Ok(Some((socket, peer)));
                }
                Err(Errno::WOULDBLOCK) => return Ok(None),
                // The peer went away between connecting and here: the next one counts.
                Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn new(socket: Socket, at: &Endpoint, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        let (address, file) = match at {
            Endpoint::Tcp(_) => {
                let bound = socket
                    .local_addr()
                    .map_err(|error| Error::system("cannot tell the address", &error))?;
                let bound = bound.as_socket();
                (
                    bound.map_or_else(|| at.to_string(), |bound| as_written(at, bound)),
                    None,
                )
            }
            Endpoint::Unix(path) => (at.to_string(), Some(SocketFile::new(path))),
        };
        let joins = Joins::default();
        let own = socket.local_addr().ok().and_then(|own| own.as_socket());
        Ok(Self(Arc::new(Listening {
            is_prepared: own.is_some_and(|own| own.ip().is_loopback()),
            socket,
            address,
            buffer_bytes,
            _file: file,
            joins,
        })))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.socket.as_fd()
    }
}

/// The address of a listener, with the name of its zone where it was asked for by that name.
fn as_written(at: &Endpoint, bound: SocketAddr) -> String {
    match (at.to_string().rsplit_once(':'), bound) {
        (Some((host, _)), SocketAddr::V6(bound)) if bound.scope_id() != 0 && host.contains('%') => {
            format!("{host}:{}", bound.port())
        }
        _ => bound.to_string(),
    }
}

/// Both ends of a TCP connection to a listener on this machine's loopback.
pub(crate) fn loopback(listener: &Listener) -> Result<(Connection, Connection), Error> {
    let failed = |error: io::Error| Error::system("cannot connect over loopback", &error);
    let wake = Wake::new().map_err(failed)?;
    let to = Endpoint::Tcp(listener.address().into());
    let never = || false;
    let Some(sender) = Connection::open(&to, listener.0.buffer_bytes, Duration::from_secs(10), &wake, &never)? else {
        return Err(Error::Usage("the connection was cancelled".into()));
    };
    let own = sender.own_address().map_err(failed)?;
    loop {
        match listener.accept(&wake, &never)? {
            // Anyone on this machine could have connected meanwhile: only our own sender is taken.
            Some(receiver) if Some(receiver.peer()) != own.as_deref() => {}
            Some(receiver) => return Ok((sender, receiver)),
            None => return Err(Error::Usage("the connection was cancelled".into())),
        }
    }
}

/// Both ends of a TCP connection over this machine's loopback.
#[cfg(test)]
pub(crate) fn loopback_pair() -> Result<(Connection, Connection), Error> {
    loopback(&Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into()))?)
}

fn listen(address: &SockAddr, buffer_bytes: Option<usize>) -> io::Result<Socket> {
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    if address.domain() != Domain::UNIX {
        // Without it the port stays taken for a minute after the last transfer.
        socket.set_reuse_address(true)?;
    }
    let local = address.as_socket().is_none_or(|address| address.ip().is_loopback());
    // Accepted sockets inherit it, and the window is agreed on before accept returns.
    prepare(&socket, local, buffer_bytes);
    socket.bind(address)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::net::socket::would_block;

    #[test]
    fn a_port_that_is_taken_and_one_where_nobody_listens_are_told_apart() {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("a free port");
        let taken = Endpoint::Tcp(listener.address().into());
        assert_eq!(
            Listener::bind(&taken).err(),
            Some(Error::AddressInUse(taken.to_string()))
        );
        drop(listener);
        let wake = Wake::new().expect("eventfd");
        let error = Connection::open(&taken, None, Duration::from_secs(5), &wake, &|| false).expect_err("nobody");
        assert_eq!(error, Error::NobodyListening(taken.to_string()));
    }

    #[test]
    fn a_stale_unix_socket_is_replaced_and_anything_else_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("s");
        let at = Endpoint::Unix(path.clone());
        let first = Listener::bind(&at).expect("free");
        assert!(matches!(Listener::bind(&at), Err(Error::AddressInUse(_))));
        let asked = first
            .0
            .socket
            .accept()
            .expect_err("whoever asks does not count as a sender");
        assert!(would_block(&asked));
        drop(first);
        // As after a crash: the file stays, and nobody listens.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("free"));
        assert!(path.exists());
        drop(Listener::bind(&at).expect("stale"));
        assert!(!path.exists(), "a listener removes its file");
        std::fs::write(&path, "precious").expect("write");
        assert!(matches!(Listener::bind(&at), Err(Error::Endpoint { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
    }

    #[test]
    fn a_file_that_took_the_place_of_a_socket_is_left_alone() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("s");
        let listener = Listener::bind(&Endpoint::Unix(path.clone())).expect("free");
        std::fs::rename(&path, folder.path().join("moved")).expect("rename");
        std::fs::write(&path, "precious").expect("write");
        drop(listener);
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
    }

    #[test]
    fn both_ends_of_a_loopback_pair_are_each_others() {
        let (sender, receiver) = loopback_pair().expect("pair");
        assert_eq!(sender.own_address().expect("own").as_deref(), Some(receiver.peer()));
    }
}
