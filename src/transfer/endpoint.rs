//! Where a peer is, and the connection to it.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::{Error, reason};
use crate::sys::{Interest, Wake, wait};

use super::joins::Joins;

/// Kernel buffers for a peer on this machine; over a network the kernel finds its own size, which follows the path.
const LOCAL_BUFFER_BYTES: usize = 4 << 20;
/// For a peer on this machine, in this order: both move bytes as fast as memory does, where others pace themselves.
const LOCAL_CONGESTION_CONTROLS: [&[u8]; 2] = [b"reno", b"cubic"];

/// Connections that may wait to be accepted, as far as the system lets them (`net.core.somaxconn`).
const BACKLOG: i32 = 4096;
/// A Unix listener whose queue is full is asked again so often.
const FULL_QUEUE_INTERVAL: Duration = Duration::from_millis(5);

/// Where a peer listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `HOST:PORT`; an IPv6 address stands in brackets.
    Tcp(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads `HOST:PORT` or `unix:PATH`. Names are looked up later.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::Endpoint {
            endpoint: text.into(),
            reason: reason.into(),
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(bad("a path has to follow unix:")),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(bad("an endpoint is HOST:PORT, such as localhost:25000, or unix:PATH"));
        };
        if port.parse::<u16>().is_err() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad("the port after the colon is a number from 0 to 65535"));
        }
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.contains(':') && !bracketed {
            return Err(bad("an IPv6 address stands in brackets, such as [::1]:25000"));
        }
        if host.is_empty() {
            return Err(bad(
                "a host has to stand before the colon; 0.0.0.0 or [::] listens everywhere",
            ));
        }
        Ok(Self::Tcp(text.into()))
    }

    fn addresses(&self) -> Result<Vec<SockAddr>, Error> {
        let failed = |error: &io::Error| Error::Endpoint {
            endpoint: self.to_string(),
            reason: reason(error),
        };
        match self {
            Self::Tcp(text) => {
                let addresses = text.to_socket_addrs().map_err(|error| failed(&error))?;
                Ok(addresses.map(SockAddr::from).collect())
            }
            Self::Unix(path) => Ok(vec![SockAddr::unix(path).map_err(|error| failed(&error))?]),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(text) => f.write_str(text),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A connection to a peer, non-blocking.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    peer: String,
    congestion_control: Option<String>,
    buffers: Buffers,
}

/// The sizes of a socket's buffers, in bytes as the kernel counts them; nothing where it does not tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Buffers {
    pub(super) send: Option<usize>,
    pub(super) receive: Option<usize>,
}

impl Connection {
    /// Connects, for at most `timeout`; `cancelled` is asked whenever `wake` ends the wait. The socket's buffers get
    /// `buffer_bytes` each, or what suits the peer.
    pub(crate) fn open(
        to: &Endpoint,
        buffer_bytes: Option<usize>,
        timeout: Duration,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let mut last = None;
        for address in to.addresses()? {
            match connect(&address, buffer_bytes, timeout, wake, cancelled) {
                Ok(Some(socket)) => return Self::new(socket, to.to_string(), buffer_bytes).map(Some),
                Ok(None) => return Ok(None),
                Err(error) => last = Some(error),
            }
        }
        let endpoint = to.to_string();
        Err(match last {
            Some(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
                Error::NobodyListening(endpoint)
            }
            Some(error) => Error::Endpoint {
                endpoint,
                reason: reason(&error),
            },
            None => Error::Endpoint {
                endpoint,
                reason: "the name has no address".into(),
            },
        })
    }

    /// Connects to one address, as [`Connection::open`] does.
    pub(super) fn open_address(
        address: SocketAddr,
        buffer_bytes: Option<usize>,
        timeout: Duration,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> io::Result<Option<Self>> {
        let Some(socket) = connect(&address.into(), buffer_bytes, timeout, wake, cancelled)? else {
            return Ok(None);
        };
        Self::new(socket, address.to_string(), buffer_bytes)
            .map(Some)
            .map_err(io::Error::other)
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

    /// The other end's address.
    #[must_use]
    pub fn peer(&self) -> &str {
        &self.peer
    }

    pub(super) fn is_tcp(&self) -> bool {
        self.congestion_control.is_some()
    }

    /// Whether the peer is a process on this host, which can be given descriptors.
    pub(super) fn is_unix(&self) -> bool {
        self.socket.domain().is_ok_and(|domain| domain == Domain::UNIX)
    }

    /// The TCP congestion control in use; `None` on a Unix socket.
    pub(super) fn congestion_control(&self) -> Option<&str> {
        self.congestion_control.as_deref()
    }

    /// The buffers of its socket as they are when it is set up.
    pub(super) fn buffers(&self) -> Buffers {
        self.buffers
    }

    /// The same connection, for another owner.
    pub(super) fn try_clone(&self) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot hand a connection over", &error);
        Ok(Self {
            socket: self.socket.try_clone().map_err(failed)?,
            peer: self.peer.clone(),
            congestion_control: self.congestion_control.clone(),
            buffers: self.buffers,
        })
    }

    fn new(socket: Socket, peer: String, buffer_bytes: Option<usize>) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot set up the connection", &error);
        socket.set_nonblocking(true).map_err(failed)?;
        Self::set_up(socket, peer, buffer_bytes, false)
    }

    /// Sets a socket up that does not wait; one that `is_prepared` has its buffers already.
    fn set_up(socket: Socket, peer: String, buffer_bytes: Option<usize>, is_prepared: bool) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot set up the connection", &error);
        let tcp = socket.domain().map_err(failed)? != Domain::UNIX;
        if tcp {
            // Headers and checksums are gathered before they are written.
            socket.set_tcp_nodelay(true).map_err(failed)?;
        }
        if !is_prepared {
            prepare(&socket, is_local(&socket), buffer_bytes);
        }
        let congestion_control = tcp.then(|| congestion_control(&socket)).flatten();
        let buffers = Buffers {
            send: socket.send_buffer_size().ok(),
            receive: socket.recv_buffer_size().ok(),
        };
        Ok(Self {
            socket,
            peer,
            congestion_control,
            buffers,
        })
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

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
        let endpoint = at.to_string();
        Err(match last {
            Some(error) if error.kind() == io::ErrorKind::AddrInUse => Error::AddressInUse(endpoint),
            Some(error) => Error::Endpoint {
                endpoint,
                reason: reason(&error),
            },
            None => Error::Endpoint {
                endpoint,
                reason: "the name has no address".into(),
            },
        })
    }

    /// What a sender connects to, such as `127.0.0.1:40123`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// Whether this is the only one of its clones: nobody else takes what connects here.
    pub(super) fn is_sole(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The transfers that wait here for further connections of theirs.
    pub(super) fn joins(&self) -> &Joins {
        &self.0.joins
    }

    /// Waits for a connection; `None` where `cancelled` says so after `wake` ended the wait.
    pub(super) fn accept(&self, wake: &Wake, cancelled: &dyn Fn() -> bool) -> Result<Option<Connection>, Error> {
        while !cancelled() {
            let accepted = self.try_accept();
            if let Some(connection) = accepted.map_err(|error| Error::system("cannot accept a connection", &error))? {
                return Ok(Some(connection));
            }
            let interest = Interest {
                read: true,
                write: false,
            };
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
                (
                    bound
                        .as_socket()
                        .map_or_else(|| at.to_string(), |bound| bound.to_string()),
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

/// A file that was made by binding, and that another may have taken the place of. It goes with this value.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            identity: identity_of(path),
        }
    }

    fn is_still_there(&self) -> bool {
        self.identity.is_some() && identity_of(&self.path) == self.identity
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_still_there() {
            // Gone already is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Both ends of a TCP connection over this machine's loopback.
#[cfg(test)]
pub(super) fn loopback_pair() -> Result<(Connection, Connection), Error> {
    loopback(&Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into()))?)
}

/// Both ends of a TCP connection to a listener on this machine's loopback.
pub(super) fn loopback(listener: &Listener) -> Result<(Connection, Connection), Error> {
    let failed = |error: io::Error| Error::system("cannot connect over loopback", &error);
    let wake = Wake::new().map_err(failed)?;
    let to = Endpoint::Tcp(listener.address().into());
    let never = || false;
    let Some(sender) = Connection::open(&to, listener.0.buffer_bytes, Duration::from_secs(10), &wake, &never)? else {
        return Err(Error::Usage("the connection was cancelled".into()));
    };
    let own = sender.socket.local_addr().map_err(failed)?;
    let own = own.as_socket().map(|address| address.to_string());
    loop {
        match listener.accept(&wake, &never)? {
            // Anyone on this machine could have connected meanwhile: only our own sender is taken.
            Some(receiver) if Some(receiver.peer()) != own.as_deref() => {}
            Some(receiver) => return Ok((sender, receiver)),
            None => return Err(Error::Usage("the connection was cancelled".into())),
        }
    }
}

/// Both ends of a connection between Unix sockets without a name.
pub(super) fn unix_pair(buffer_bytes: Option<usize>) -> Result<(Connection, Connection), Error> {
    let failed = |error: io::Error| Error::system("cannot make a pair of Unix sockets", &error);
    let (a, b) = Socket::pair(Domain::UNIX, Type::STREAM, None).map_err(failed)?;
    Ok((
        Connection::new(a, "this process".into(), buffer_bytes)?,
        Connection::new(b, "this process".into(), buffer_bytes)?,
    ))
}

/// Whether an error only says that the call would have waited, or was interrupted.
pub(super) fn would_block(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn connect(
    address: &SockAddr,
    buffer_bytes: Option<usize>,
    timeout: Duration,
    wake: &Wake,
    cancelled: &dyn Fn() -> bool,
) -> io::Result<Option<Socket>> {
    if cancelled() {
        return Ok(None);
    }
    let socket = Socket::new(address.domain(), Type::STREAM, None)?;
    let local = address.as_socket().is_none_or(|address| address.ip().is_loopback());
    prepare(&socket, local, buffer_bytes);
    if address.domain() == Domain::UNIX {
        return connect_unix(socket, address, timeout, wake, cancelled);
    }
    socket.set_nonblocking(true)?;
    let deadline = Instant::now() + timeout;
    match socket.connect(address) {
        Ok(()) => return Ok(Some(socket)),
        Err(error) if error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error()) => {}
        Err(error) => return Err(error),
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "no answer in time: check the address, and firewalls between",
            ));
        }
        let ready = wait(
            socket.as_fd(),
            Interest {
                read: false,
                write: true,
            },
            wake,
            Some(left),
        )?;
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        if ready && socket.peer_addr().is_ok() {
            return Ok(Some(socket));
        }
        // Only now: the peer may have been told of a connection already, and is not to be left without a word.
        if cancelled() {
            return Ok(None);
        }
    }
}

/// Answers at once, or that the listener's queue is full, which nobody tells the end of: it is asked again and again.
fn connect_unix(
    socket: Socket,
    address: &SockAddr,
    timeout: Duration,
    wake: &Wake,
    cancelled: &dyn Fn() -> bool,
) -> io::Result<Option<Socket>> {
    socket.set_nonblocking(true)?;
    let deadline = Instant::now() + timeout;
    loop {
        match socket.connect(address) {
            Ok(()) => return Ok(Some(socket)),
            Err(error) if would_block(&error) && Instant::now() < deadline => {}
            Err(error) => return Err(error),
        }
        let nothing = Interest {
            read: false,
            write: false,
        };
        wait(socket.as_fd(), nothing, wake, Some(FULL_QUEUE_INTERVAL))?;
        if cancelled() {
            return Ok(None);
        }
    }
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

/// Buffers of the size that was asked for. For a peer on this machine else large ones, and no pacing, as far as this
/// user may; whatever is refused only costs speed.
fn prepare(socket: &Socket, local: bool, buffer_bytes: Option<usize>) {
    if let Some(bytes) = buffer_bytes.or(local.then_some(LOCAL_BUFFER_BYTES)) {
        let _ = socket.set_send_buffer_size(bytes);
        let _ = socket.set_recv_buffer_size(bytes);
    }
    if local && socket.domain().is_ok_and(|domain| domain != Domain::UNIX) {
        let _ = LOCAL_CONGESTION_CONTROLS
            .iter()
            .any(|name| socket.set_tcp_congestion(name).is_ok());
    }
}

fn congestion_control(socket: &Socket) -> Option<String> {
    let name = socket.tcp_congestion().ok()?;
    let name: Vec<u8> = name.into_iter().take_while(|byte| *byte != 0).collect();
    String::from_utf8(name).ok()
}

/// Removes a socket file that nobody listens at any more; anything else in the way is left alone.
pub(crate) fn remove_stale_socket(path: &Path) -> Result<(), Error> {
    let endpoint = || format!("unix:{}", path.display());
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        let reason = "something that is not a socket has that name; choose another".into();
        return Err(Error::Endpoint {
            endpoint: endpoint(),
            reason,
        });
    }
    // A datagram socket cannot connect to a listener, and is told whether there is one: nobody has to accept it.
    match UnixDatagram::unbound().and_then(|probe| probe.connect(path)) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| Error::Endpoint {
                endpoint: endpoint(),
                reason: reason(&error),
            })
        }
        _ => Err(Error::AddressInUse(endpoint())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_mistakes_are_explained() {
        assert_eq!(Endpoint::parse("unix:/tmp/a"), Ok(Endpoint::Unix("/tmp/a".into())));
        assert_eq!(Endpoint::parse("[::1]:25000"), Ok(Endpoint::Tcp("[::1]:25000".into())));
        for (text, hint) in [
            ("localhost", "HOST:PORT"),
            ("a:99999", "65535"),
            ("::1:80", "brackets"),
            ("unix:", "path"),
            (":80", "host"),
        ] {
            let error = Endpoint::parse(text).expect_err(text).to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

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
        assert_eq!(
            sender
                .socket
                .local_addr()
                .expect("own")
                .as_socket()
                .map(|a| a.to_string()),
            Some(receiver.peer.clone())
        );
    }
}
