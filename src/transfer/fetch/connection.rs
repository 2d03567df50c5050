//! A connection to a web server as the HTTP library sees it: it waits where a cancel ends the wait, and tells what of
//! an answer the library holds, so that the rest can be taken from the socket itself.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Duration as TransportDuration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};
use ureq::{Error as HttpError, Timeout};

use crate::error::{Reason, reason};
use crate::sys::{Interest, Wake, awake_now, wait};
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::dial::{Dial, Unreachable};
use crate::transfer::net::socket::would_block;
use crate::transfer::plan::Options;
use crate::transfer::trust::Trust;

use super::buffers::{CountedBuffers, room, unswallowed};
use super::proxy::{Origin, Proxies, Proxy, ProxyKind, server};
use super::tls::{TlsTransport, secure, tls_error};
use super::tunnel::{self, TunnelError};

/// What a connection to a server is made with: who ends its waits, and how large its buffers are.
#[derive(Debug, Clone)]
pub(super) struct ConnectionContext {
    pub(super) controls: Arc<Controls>,
    pub(super) wake: Arc<Wake>,
    /// How long the server may be silent.
    pub(super) timeout: Duration,
    /// Of the socket; the system chooses where there is none.
    pub(super) buffer_bytes: Option<usize>,
}

/// A connection that an answer comes over.
#[derive(Debug)]
pub(super) struct ServerConnection {
    socket: Connection,
    /// What comes over it is within TLS, whatever the server's URL says.
    is_to_tls_proxy: bool,
    /// Bytes of the answer that the library has read and not given away.
    held_bytes: Arc<AtomicUsize>,
    /// What was done and how long was waited within the library, not yet counted.
    uncounted: Mutex<IoCost>,
    /// By when what the library waits for has to have come, however it drips.
    due: Mutex<Instant>,
}

/// System calls, and time spent waiting.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IoCost {
    pub(super) syscalls: u64,
    pub(super) waited: Duration,
}

/// Makes connections for the library, and knows the last one.
#[derive(Debug, Clone)]
pub(super) struct ServerConnector {
    pub(super) context: ConnectionContext,
    pub(super) proxies: Arc<Proxies>,
    /// Which servers and proxies are trusted.
    pub(super) trust: Trust,
    last: Arc<Mutex<Option<Arc<ServerConnection>>>>,
    /// The address that answered last: where the same name is asked again it is tried first.
    answered: Arc<Mutex<Option<SocketAddr>>>,
    /// The network that link-local addresses are meant on; 0 where none was named.
    scope_id: Arc<AtomicU32>,
}

/// The library's end of a connection.
pub(super) struct ServerTransport {
    connection: Arc<ServerConnection>,
    context: ConnectionContext,
    buffers: CountedBuffers,
    origin: Origin,
}

/// Why there is no connection.
enum DialError {
    Unreachable(Unreachable),
    Http(HttpError),
}

impl ConnectionContext {
    pub(super) fn new(options: &Options, controls: &Arc<Controls>, wake: &Arc<Wake>) -> Self {
        Self {
            controls: Arc::clone(controls),
            wake: Arc::clone(wake),
            timeout: options.timeout,
            buffer_bytes: options.socket_buffer_bytes,
        }
    }
}

impl ServerConnector {
    pub(super) fn new(context: ConnectionContext, proxies: &Arc<Proxies>, trust: &Trust) -> Self {
        Self {
            context,
            proxies: Arc::clone(proxies),
            trust: trust.clone(),
            last: Arc::default(),
            answered: Arc::default(),
            scope_id: Arc::default(),
        }
    }

    /// Means the link-local addresses of what is asked next on this network.
    pub(super) fn set_scope(&self, scope_id: u32) {
        self.scope_id.store(scope_id, Ordering::Relaxed);
    }

    /// The connection that was made last.
    pub(super) fn take_last(&self) -> Option<Arc<ServerConnection>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// From now on the server has its time for what comes next.
    pub(super) fn expect(&self) {
        if let Some(last) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            last.expect_within(self.context.timeout);
        }
    }
}

impl Connector<()> for ServerConnector {
    type Out = Either<ServerTransport, TlsTransport<ServerTransport>>;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, HttpError> {
        let proxy = self
            .proxies
            .lead_to(details.uri)
            .map_err(|error| HttpError::Other(error.into()))?;
        let Some(proxy) = proxy else {
            let connection = self.dial(&self.scoped(&details.addrs)).map_err(|error| match error {
                DialError::Unreachable(error) => {
                    let host = details.uri.host().unwrap_or_default();
                    let (_, port) = server(details.uri);
                    HttpError::Other(error.into_error(format!("{host}:{port}")).into())
                }
                DialError::Http(error) => error,
            })?;
            return Ok(Some(Either::A(self.transport(connection, false, details))));
        };
        let failed = |reason: Reason| HttpError::Other(proxy.error(reason).into());
        let connection = self.reach(&proxy, details).map_err(|error| match error {
            DialError::Unreachable(error) => failed(error.reason()),
            DialError::Http(HttpError::HostNotFound) => failed("the name has no address".into()),
            DialError::Http(HttpError::Timeout(_)) => failed("it does not answer".into()),
            DialError::Http(other) => other,
        })?;
        let mut transport = match proxy.kind {
            ProxyKind::Https => {
                let transport = self.transport(connection, true, details);
                let secured = secure(transport, &self.trust, &proxy.host, details);
                Either::B(secured.map_err(|error| not_secured(&proxy, error))?)
            }
            _ => Either::A(self.transport(connection, false, details)),
        };
        if proxy.takes_whole_urls(details.uri) {
            match &mut transport {
                Either::A(transport) => transport.origin = Origin::of(details.uri),
                Either::B(transport) => transport.origin = Origin::of(details.uri),
            }
            return Ok(Some(transport));
        }
        let (name, port) = server(details.uri);
        // What was looked up here, where the proxy does not.
        let address = proxy.address_of(&details.addrs).map(|address| address.to_string());
        let host = address.as_deref().unwrap_or(name);
        let mut stream = TransportAdapter::new(transport, Arc::clone(&details.current_time));
        stream.set_timeout(details.timeout);
        match tunnel::open(&mut stream, &proxy, (host, port)) {
            Ok(()) => Ok(Some(stream.into_inner())),
            Err(TunnelError::Refused(text)) => Err(failed(text.into())),
            Err(TunnelError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => Err(HttpError::Io(error)),
            Err(TunnelError::Io(_)) => Err(failed("it closed the connection, or was silent".into())),
        }
    }
}

impl ServerConnector {
    /// The addresses of a server, on the network that its URL names.
    fn scoped(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let scope_id = self.scope_id.load(Ordering::Relaxed);
        let scoped = |address: &SocketAddr| match *address {
            SocketAddr::V6(mut address) if address.ip().is_unicast_link_local() && address.scope_id() == 0 => {
                address.set_scope_id(scope_id);
                address.into()
            }
            address => address,
        };
        addresses.iter().map(scoped).collect()
    }

    /// Connects to whichever of these addresses answers first.
    fn dial(&self, addresses: &[SocketAddr]) -> Result<Connection, DialError> {
        let ConnectionContext {
            controls,
            wake,
            timeout,
            buffer_bytes,
        } = &self.context;
        let began = Instant::now();
        let dial = Dial {
            buffer_bytes: *buffer_bytes,
            deadline: awake_now() + *timeout,
            wake,
            cancelled: &|| controls.is_cancelled(),
        };
        let mut addresses = addresses.to_vec();
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.sort_by_key(|address| Some(*address) != answered);
        let connected = dial.tcp(&addresses).map_err(DialError::Unreachable)?;
        let (socket, address) = connected.ok_or_else(|| DialError::Http(cancelled_error()))?;
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        let connection = Connection::adopt(socket.into(), address.to_string(), *buffer_bytes);
        connection
            .map(|connection| connection.reached_in(began.elapsed()))
            .map_err(|error| DialError::Http(HttpError::Other(error.into())))
    }

    /// Connects to a proxy.
    fn reach(&self, proxy: &Proxy, details: &ConnectionDetails<'_>) -> Result<Connection, DialError> {
        let uri = format!("http://{}/", proxy.address()).parse();
        let uri: Uri = uri.map_err(|_| DialError::Http(HttpError::HostNotFound))?;
        let addresses = self.context.look_up(&uri, details.config);
        let addresses = addresses.map_err(DialError::Http)?;
        self.dial(&addresses)
    }
}

impl ConnectionContext {
    /// Looks a name up as the library does, and hears a cancel meanwhile.
    fn look_up(&self, uri: &Uri, config: &Config) -> Result<ResolvedSocketAddrs, HttpError> {
        let dial = Dial {
            buffer_bytes: None,
            deadline: awake_now() + self.timeout,
            wake: &self.wake,
            cancelled: &|| self.controls.is_cancelled(),
        };
        // Told of a time, it would start a thread of its own, and panic where the system gives none.
        let endless = NextTimeout {
            after: TransportDuration::NotHappening,
            reason: Timeout::Resolve,
            ..NextTimeout::default()
        };
        let (uri, config) = (uri.clone(), config.clone());
        let resolve = move || DefaultResolver::default().resolve(&uri, &config, endless);
        match dial.beside("arraylift-names", resolve) {
            Ok(Some(found)) => found,
            Ok(None) => Err(cancelled_error()),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(HttpError::Timeout(Timeout::Resolve)),
            Err(error) => Err(HttpError::Io(error)),
        }
    }
}

/// Looks up the servers that no proxy looks up.
#[derive(Debug)]
pub(super) struct ServerResolver {
    pub(super) context: ConnectionContext,
    pub(super) proxies: Arc<Proxies>,
}

impl Resolver for ServerResolver {
    fn resolve(&self, uri: &Uri, config: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, HttpError> {
        let proxy = self
            .proxies
            .lead_to(uri)
            .map_err(|error| HttpError::Other(error.into()))?;
        match proxy.map(|proxy| proxy.kind) {
            None | Some(ProxyKind::Socks4 { resolves_names: false } | ProxyKind::Socks5 { resolves_names: false }) => {
                self.context.look_up(uri, config)
            }
            Some(_) => Ok(self.empty()),
        }
    }
}

impl ServerConnector {
    /// The library's end of a connection, which is the last one from now on.
    pub(super) fn transport(
        &self,
        connection: Connection,
        is_to_tls_proxy: bool,
        details: &ConnectionDetails<'_>,
    ) -> ServerTransport {
        let connection = Arc::new(ServerConnection {
            socket: connection,
            is_to_tls_proxy,
            held_bytes: Arc::default(),
            uncounted: Mutex::default(),
            due: Mutex::new(awake_now() + self.context.timeout),
        });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&connection));
        let config = details.config;
        ServerTransport {
            context: self.context.clone(),
            buffers: CountedBuffers::new(config, &connection.held_bytes),
            connection,
            origin: Origin::default(),
        }
    }
}

/// The error where TLS with a proxy does not begin.
fn not_secured(proxy: &Proxy, error: HttpError) -> HttpError {
    let why = match error {
        HttpError::Io(error) => match error.kind() {
            io::ErrorKind::Interrupted => return HttpError::Io(error),
            io::ErrorKind::InvalidData => tls_error(&error.to_string()).to_string().into(),
            _ => reason(&error),
        },
        other => other.to_string().into(),
    };
    HttpError::Other(proxy.error(why).into())
}

impl ServerConnection {
    pub(super) fn socket(&self) -> &Connection {
        &self.socket
    }

    /// Whether what comes over it has to be taken out of TLS.
    pub(super) fn is_to_tls_proxy(&self) -> bool {
        self.is_to_tls_proxy
    }

    /// Bytes of the answer that the library has and the socket has no more.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Acquire)
    }

    /// What was done within the library since this was called last.
    pub(super) fn take_cost(&self) -> IoCost {
        std::mem::take(&mut self.uncounted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the library waits for next is due after so long.
    pub(super) fn expect_within(&self, timeout: Duration) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = awake_now() + timeout;
    }

    fn due(&self) -> Instant {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, cost: IoCost) {
        let mut uncounted = self.uncounted.lock().unwrap_or_else(PoisonError::into_inner);
        uncounted.syscalls += cost.syscalls;
        uncounted.waited += cost.waited;
    }
}

impl AsFd for ServerConnection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl ServerTransport {
    /// Waits until the socket is ready, for as long as the peer may be silent.
    fn wait(&self, interest: Interest, timeout: NextTimeout) -> Result<(), HttpError> {
        let began = awake_now();
        let due = self.connection.due();
        let deadline = timeout.not_zero().and_then(|timeout| began.checked_add(*timeout));
        let deadline = deadline.map_or(due, |deadline| deadline.min(due));
        loop {
            let left = deadline.saturating_duration_since(awake_now());
            if left.is_zero() {
                return Err(HttpError::Timeout(timeout.reason));
            }
            let ready = wait(self.connection.as_fd(), interest, &self.context.wake, Some(left))?;
            if self.context.controls.is_cancelled() {
                return Err(cancelled_error());
            }
            if ready {
                self.connection.count(IoCost {
                    syscalls: 1,
                    waited: awake_now().saturating_duration_since(began),
                });
                return Ok(());
            }
        }
    }
}

impl Drop for ServerTransport {
    /// The library is done with it. A probe may still have a descriptor of it, and a server that serves one connection
    /// after another would wait for its end.
    fn drop(&mut self) {
        // One that has broken is shut down already.
        let _ = shutdown(&self.connection, Shutdown::Both);
    }
}

impl Transport for ServerTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        let output = self.origin.told(&self.buffers.output()[..amount]);
        let mut left = &output[..];
        while !left.is_empty() {
            match send(&self.connection, left, SendFlags::NOSIGNAL) {
                Ok(bytes) => left = &left[bytes..],
                Err(error) if would_block(&error.into()) => self.wait(Interest::WRITE, timeout.for_write())?,
                Err(error) => return Err(HttpError::Io(error.into())),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        loop {
            // Whatever comes without an end is never waited for.
            if self.context.controls.is_cancelled() {
                return Err(cancelled_error());
            }
            if awake_now() >= self.connection.due() {
                return Err(HttpError::Timeout(timeout.reason));
            }
            let received = recv(&self.connection, room(&mut self.buffers)?, RecvFlags::empty());
            self.connection.count(IoCost {
                syscalls: 1,
                ..IoCost::default()
            });
            match received {
                Ok((received, _)) => {
                    self.buffers.input_appended(received);
                    return Ok(received > 0);
                }
                Err(error) if would_block(&error.into()) => self.wait(Interest::READ, timeout.for_read())?,
                Err(error) => return Err(unswallowed(error.into())),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // A connection has one answer: where its bytes are taken from the socket the library does not know its end.
        false
    }
}

impl fmt::Debug for ServerTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTransport")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Whoever asked looks at the controls, and knows.
fn cancelled_error() -> HttpError {
    HttpError::Io(io::ErrorKind::Interrupted.into())
}
