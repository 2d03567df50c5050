//! Connects to a peer that may have several addresses, or a Unix socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::error::{Error, Reason, reason};
use crate::sys::{Interest, Wake, awake_now, wait, wait_for_any};
use crate::transfer::net::attempts::{Attempts, Step};
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::socket::{prepare, would_block};

/// A Unix listener whose queue is full is asked again so often.
const FULL_QUEUE_INTERVAL: Duration = Duration::from_millis(5);
/// So many addresses are told of, where none could be reached.
const TOLD_MAX: usize = 8;

/// How a connection is made.
#[derive(Clone, Copy)]
pub(crate) struct Dial<'a> {
    /// Of each of the socket's buffers; what suits the peer where there is none.
    pub(crate) buffer_bytes: Option<usize>,
    /// When nobody answers any more, by [`awake_now`].
    pub(crate) deadline: Instant,
    pub(crate) wake: &'a Wake,
    /// Asked whenever `wake` ends the wait.
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

/// Why none of a peer's addresses could be reached.
#[derive(Debug)]
pub(crate) struct Unreachable {
    /// In the order in which they failed.
    failures: Vec<(SocketAddr, io::Error)>,
    untried: Vec<SocketAddr>,
}

/// A connection that has begun.
struct Pending {
    socket: Socket,
    address: SocketAddr,
}

impl Dial<'_> {
    /// Connects to whichever of these addresses answers first; the attempts for the others are given up. `None` where it
    /// was cancelled.
    ///
    /// # Errors
    /// None was reached by the deadline.
    pub(crate) fn tcp(&self, addresses: &[SocketAddr]) -> Result<Option<(Socket, SocketAddr)>, Unreachable> {
        let mut attempts = Attempts::new(addresses, awake_now(), self.deadline);
        let mut pending: Vec<Pending> = Vec::new();
        let mut failures = Vec::new();
        while !(self.cancelled)() {
            match attempts.step(awake_now()) {
                Step::Begin(address) => match self.begin(address) {
                    Ok(socket) => pending.push(Pending { socket, address }),
                    Err(error) => {
                        failures.push((address, error));
                        attempts.failed(awake_now());
                    }
                },
                Step::WaitUntil(until) => self.wait(&pending, until),
                Step::GiveUp => {
                    let silent = pending.into_iter().map(|pending| (pending.address, no_answer()));
                    failures.extend(silent);
                    let untried = attempts.untried().collect();
                    return Err(Unreachable { failures, untried });
                }
            }
            // Before a cancel is looked at: the peer may have been told of a connection already, and is not to be left
            // without a word.
            let mut at = 0;
            while let Some(Pending { socket, address }) = pending.get(at) {
                match is_connected(socket) {
                    Ok(true) => {
                        let Pending { socket, address } = pending.swap_remove(at);
                        return Ok(Some((socket, address)));
                    }
                    Ok(false) => at += 1,
                    Err(error) => {
                        failures.push((*address, error));
                        attempts.failed(awake_now());
                        pending.remove(at);
                    }
                }
            }
        }
        Ok(None)
    }

    fn begin(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)?;
        prepare(&socket, address.ip().is_loopback(), self.buffer_bytes);
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
            _ => Ok(socket),
        }
    }

    /// Waits for an attempt to end, a wake, or the clock.
    fn wait(&self, pending: &[Pending], until: Instant) {
        let left = until.saturating_duration_since(awake_now());
        let write = Interest::WRITE;
        let sockets = pending.iter().map(|pending| (pending.socket.as_fd(), write));
        if wait_for_any(sockets, self.wake, Some(left)).is_err() {
            // It had no memory for that; the attempts go on meanwhile.
            std::thread::sleep(left.min(FULL_QUEUE_INTERVAL));
        }
    }

    /// Connects to a Unix socket whose peer sends or takes arrays. `None` where it was cancelled.
    pub(super) fn unix(&self, path: &Path) -> io::Result<Option<Socket>> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        prepare(&socket, true, self.buffer_bytes);
        self.connect_unix(socket, path)
    }

    /// Connects to a Unix socket whose peer says little; the stream does not wait. `None` where it was cancelled.
    ///
    /// # Errors
    /// Nobody listens there, or the peer did not answer by the deadline.
    pub(crate) fn unix_stream(&self, path: &Path) -> Result<Option<UnixStream>, Error> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None);
        match socket.and_then(|socket| self.connect_unix(socket, path)) {
            Ok(socket) => Ok(socket.map(|socket| OwnedFd::from(socket).into())),
            Err(error) => Err(unix_error(path.display().to_string(), &error)),
        }
    }

    /// A Unix socket answers at once, or its queue is full, which nobody tells the end of: it is asked again and again.
    fn connect_unix(&self, socket: Socket, path: &Path) -> io::Result<Option<Socket>> {
        let address = SockAddr::unix(path)?;
        socket.set_nonblocking(true)?;
        while !(self.cancelled)() {
            match socket.connect(&address) {
                Ok(()) => return Ok(Some(socket)),
                Err(error) if !would_block(&error) => return Err(error),
                Err(_) if awake_now() >= self.deadline => return Err(no_answer()),
                Err(_) => {}
            }
            let nothing = Interest::NOTHING;
            wait(socket.as_fd(), nothing, self.wake, Some(FULL_QUEUE_INTERVAL))?;
        }
        Ok(None)
    }

    /// The addresses of an endpoint, in the system's order of preference. `None` where it was cancelled.
    ///
    /// # Errors
    /// It has none, or the system did not find them by the deadline.
    pub(super) fn look_up(&self, endpoint: &Endpoint) -> Result<Option<Vec<SocketAddr>>, Error> {
        if !endpoint.is_name() {
            return endpoint.tcp_addresses().map(Some);
        }
        let asked = endpoint.clone();
        match self.beside("arraylift-names", move || asked.tcp_addresses()) {
            Ok(found) => found.transpose(),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(Error::Endpoint {
                endpoint: endpoint.to_string(),
                reason: "its name was not looked up in time: check the name servers of this machine".into(),
            }),
            Err(error) => Err(endpoint.unusable(Some(&error))),
        }
    }

    /// Does what can be waited for and not be ended, such as `getaddrinfo(3)`, on a thread of its own, which is left to
    /// itself where its result comes too late. `None` where it was cancelled.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, or the system gives no thread.
    pub(crate) fn beside<T: Send + 'static>(
        &self,
        name: &str,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let done = Arc::new(Wake::new()?);
        let (tell, told) = bounded(1);
        let run = {
            let done = Arc::clone(&done);
            move || {
                // Where nobody waits any more, nobody needs it.
                let _ = tell.send(body());
                done.wake();
            }
        };
        Builder::new().name(name.into()).spawn(run)?;
        let readable = Interest::READ;
        if !self.wait_for(done.as_fd(), readable)? {
            return Ok(None);
        }
        told.try_recv().map(Some).map_err(io::Error::other)
    }

    /// Waits until a socket is ready. False where it was cancelled.
    ///
    /// # Errors
    /// `TimedOut` where it was not ready by the deadline.
    pub(crate) fn wait_for(&self, socket: BorrowedFd<'_>, interest: Interest) -> io::Result<bool> {
        while !(self.cancelled)() {
            let left = self.deadline.saturating_duration_since(awake_now());
            if wait(socket, interest, self.wake, Some(left))? {
                return Ok(true);
            }
            if left.is_zero() {
                return Err(no_answer());
            }
        }
        Ok(false)
    }
}

/// Whether a connection that had begun is made by now.
fn is_connected(socket: &Socket) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    Ok(socket.peer_addr().is_ok())
}

/// Why a Unix socket could not be connected to.
pub(super) fn unix_error(endpoint: String, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Error::NobodyListening(endpoint),
        _ => Error::Endpoint {
            endpoint,
            reason: reason(error),
        },
    }
}

fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

impl Unreachable {
    /// As the error of an endpoint that is called so.
    pub(crate) fn into_error(self, endpoint: String) -> Error {
        let is_refused = |(_, error): &(_, io::Error)| error.kind() == io::ErrorKind::ConnectionRefused;
        if !self.failures.is_empty() && self.untried.is_empty() && self.failures.iter().all(is_refused) {
            return Error::NobodyListening(endpoint);
        }
        let reason = self.reason();
        Error::Endpoint { endpoint, reason }
    }

    /// Each address with its reason, where there are several.
    pub(crate) fn reason(self) -> Reason {
        let is_silent = |(_, error): &(_, io::Error)| error.kind() == io::ErrorKind::TimedOut;
        let some_silent = self.failures.iter().any(is_silent);
        let told = match (&self.failures[..], &self.untried[..]) {
            ([], []) => "the name has no address".into(),
            ([(_, error)], []) => reason(error),
            (failures, untried) => {
                let failed = failures
                    .iter()
                    .map(|(address, error)| format!("{}: {}", address.ip(), reason(error)));
                let untried = untried
                    .iter()
                    .map(|address| format!("{}: not tried in time", address.ip()));
                let mut each: Vec<String> = failed.chain(untried).collect();
                if let Some(more) = each.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
                    each.truncate(TOLD_MAX);
                    each.push(format!("and {more} more"));
                }
                each.join("; ").into()
            }
        };
        if some_silent {
            return told.and("check the address, and firewalls between");
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// An address whose system answers nothing: its queue is full.
    struct Silent {
        listener: Socket,
        _fillers: Vec<Socket>,
    }

    impl Silent {
        fn new(at: &str) -> Self {
            let address: SocketAddr = at.parse().expect("an address");
            let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            listener.bind(&address.into()).expect("free");
            listener.listen(0).expect("listens");
            let bound = listener.local_addr().expect("bound");
            let filler = |_| {
                let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
                socket.set_nonblocking(true).expect("set");
                let _ = socket.connect(&bound);
                socket
            };
            let fillers = (0..3).map(filler).collect();
            // What is to come has come over loopback by then.
            std::thread::sleep(Duration::from_millis(20));
            Self {
                listener,
                _fillers: fillers,
            }
        }

        fn address(&self) -> SocketAddr {
            let bound = self.listener.local_addr().expect("bound");
            bound.as_socket().expect("an address")
        }
    }

    fn dial(addresses: &[SocketAddr], timeout: Duration) -> (Result<Option<SocketAddr>, Unreachable>, Duration) {
        let (began, wake) = (Instant::now(), Wake::new().expect("eventfd"));
        let dial = Dial {
            buffer_bytes: None,
            deadline: awake_now() + timeout,
            wake: &wake,
            cancelled: &|| false,
        };
        let connected = dial
            .tcp(addresses)
            .map(|connected| connected.map(|(_, address)| address));
        (connected, began.elapsed())
    }

    #[test]
    fn a_silent_first_address_costs_a_quarter_of_a_second() {
        let silent = Silent::new("127.0.0.1:0");
        let there = TcpListener::bind("127.0.0.1:0").expect("port");
        let answers = there.local_addr().expect("address");
        let (socket, took) = dial(&[silent.address(), answers], Duration::from_secs(20));
        assert_eq!(socket.expect("one answers"), Some(answers));
        assert!(
            took >= Duration::from_millis(240) && took < Duration::from_secs(5),
            "{took:?}"
        );
    }

    #[test]
    fn a_first_address_where_nobody_listens_costs_nothing() {
        let there = TcpListener::bind("127.0.0.1:0").expect("port");
        let closed = TcpListener::bind("127.0.0.1:0")
            .expect("port")
            .local_addr()
            .expect("address");
        let answers = there.local_addr().expect("address");
        // On a busy machine any one try may be late.
        let is_quick = || {
            let (socket, took) = dial(&[closed, answers], Duration::from_secs(20));
            assert_eq!(socket.expect("one answers"), Some(answers));
            took < Duration::from_millis(200)
        };
        assert!((0..100).any(|_| is_quick()), "it always waits");
    }

    #[test]
    fn all_addresses_share_one_deadline_and_each_is_named_with_its_reason() {
        let silent = [Silent::new("127.0.0.1:0"), Silent::new("127.0.0.2:0")];
        let closed = TcpListener::bind("127.0.0.3:0")
            .expect("port")
            .local_addr()
            .expect("address");
        let all = [silent[0].address(), silent[1].address(), closed];
        let (socket, took) = dial(&all, Duration::from_secs(2));
        // One after the other they would take 4 s.
        assert!(took < Duration::from_millis(3900), "{took:?}");
        let error = socket
            .expect_err("nobody answers")
            .into_error("host:1".into())
            .to_string();
        for words in [
            "cannot use host:1",
            "127.0.0.1: no answer in time",
            "127.0.0.2: no answer in time",
            "127.0.0.3: connection refused",
            "check the address",
        ] {
            assert!(error.contains(words), "{words:?} is not in {error}");
        }
    }

    #[test]
    fn a_deadline_before_the_second_attempt_says_so() {
        let silent = Silent::new("127.0.0.1:0");
        let all = [silent.address(), "127.0.0.9:1".parse().expect("an address")];
        let (socket, _) = dial(&all, Duration::from_millis(100));
        let error = socket
            .expect_err("nobody answers")
            .into_error("host:1".into())
            .to_string();
        assert!(error.contains("127.0.0.9: not tried in time"), "{error}");
        let (socket, _) = dial(&[], Duration::from_secs(1));
        let error = socket
            .expect_err("nobody answers")
            .into_error("host:1".into())
            .to_string();
        assert!(error.contains("no address"), "{error}");
    }
}
