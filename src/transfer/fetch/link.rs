//! A connection to a web server as the HTTP library sees it: it waits where a cancel ends the wait, and tells what of
//! an answer the library holds, so that the rest can be taken from the socket itself.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use ureq::Error as HttpError;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

use crate::sys::{Interest, Wake, wait};
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::connection::{Connection, would_block};

/// Who waits, and what ends the wait.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    pub(super) controls: Arc<Controls>,
    pub(super) wake: Arc<Wake>,
    /// How long the server may be silent.
    pub(super) timeout: Duration,
    pub(super) buffer_bytes: Option<usize>,
}

/// A connection that an answer comes over.
#[derive(Debug)]
pub(super) struct Link {
    connection: Connection,
    /// Bytes of the answer that the library has read and not given away.
    held_bytes: AtomicUsize,
    /// What was done and how long was waited within the library, not yet taken note of.
    unnoted: Mutex<Work>,
}

/// System calls, and time spent waiting.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    pub(super) syscalls: u64,
    pub(super) waited: Duration,
}

/// Makes connections for the library, and knows the last one.
#[derive(Debug, Clone)]
pub(super) struct Linker {
    patience: Patience,
    last: Arc<Mutex<Option<Arc<Link>>>>,
}

/// The library's end of a link.
pub(super) struct LinkEnd {
    link: Arc<Link>,
    patience: Patience,
    buffers: HeldBuffers,
}

/// The library's buffers, watched.
struct HeldBuffers {
    buffers: LazyBuffers,
    link: Arc<Link>,
}

impl Linker {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            last: Arc::default(),
        }
    }

    /// The link that was made last.
    pub(super) fn take_last(&self) -> Option<Arc<Link>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<In: Transport> Connector<In> for Linker {
    type Out = Either<In, LinkEnd>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, HttpError> {
        if let Some(tunnel) = chained {
            return Ok(Some(Either::A(tunnel)));
        }
        let Patience {
            controls,
            wake,
            timeout,
            buffer_bytes,
        } = &self.patience;
        let cancelled = || controls.is_cancelled();
        let mut last = io::ErrorKind::ConnectionRefused.into();
        for address in &details.addrs {
            match Connection::open_address(*address, *buffer_bytes, *timeout, wake, &cancelled) {
                Ok(Some(connection)) => return Ok(Some(Either::B(self.end(connection, details)))),
                Ok(None) => return Err(cancelled_error()),
                Err(error) => last = error,
            }
        }
        Err(HttpError::Io(last))
    }
}

impl Linker {
    fn end(&self, connection: Connection, details: &ConnectionDetails<'_>) -> LinkEnd {
        let link = Arc::new(Link {
            connection,
            held_bytes: AtomicUsize::new(0),
            unnoted: Mutex::default(),
        });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&link));
        let config = details.config;
        LinkEnd {
            patience: self.patience.clone(),
            buffers: HeldBuffers {
                buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
                link: Arc::clone(&link),
            },
            link,
        }
    }
}

impl Link {
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Bytes of the answer that the library has and the socket has no more.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Acquire)
    }

    /// What was done within the library since this was asked last.
    pub(super) fn take_work(&self) -> Work {
        std::mem::take(&mut self.unnoted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, work: Work) {
        let mut unnoted = self.unnoted.lock().unwrap_or_else(PoisonError::into_inner);
        unnoted.syscalls += work.syscalls;
        unnoted.waited += work.waited;
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

impl LinkEnd {
    /// Waits until the socket is ready, for as long as the peer may be silent.
    fn wait(&self, interest: Interest, timeout: NextTimeout) -> Result<(), HttpError> {
        let began = Instant::now();
        let deadline = timeout.not_zero().and_then(|timeout| began.checked_add(*timeout));
        loop {
            let now = Instant::now();
            let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
            if left == Some(Duration::ZERO) {
                return Err(HttpError::Timeout(timeout.reason));
            }
            let ready = wait(self.link.as_fd(), interest, &self.patience.wake, left)?;
            if self.patience.controls.is_cancelled() {
                return Err(cancelled_error());
            }
            if ready {
                self.link.note(Work {
                    syscalls: 1,
                    waited: began.elapsed(),
                });
                return Ok(());
            }
        }
    }
}

impl Transport for LinkEnd {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        let mut sent = 0;
        while sent < amount {
            let output = &self.buffers.output()[sent..amount];
            match send(&self.link, output, SendFlags::NOSIGNAL) {
                Ok(bytes) => sent += bytes,
                Err(error) if would_block(&error.into()) => self.wait(WRITE, timeout.for_write())?,
                Err(error) => return Err(HttpError::Io(error.into())),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        loop {
            let received = recv(&self.link, self.buffers.input_append_buf(), RecvFlags::empty());
            self.link.note(Work {
                syscalls: 1,
                ..Work::default()
            });
            match received {
                Ok((received, _)) => {
                    self.buffers.input_appended(received);
                    return Ok(received > 0);
                }
                Err(error) if would_block(&error.into()) => self.wait(READ, timeout.for_read())?,
                Err(error) => return Err(HttpError::Io(error.into())),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        // A connection has one answer: where its bytes are taken from the socket the library does not know its end.
        false
    }
}

impl Buffers for HeldBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.buffers.output()
    }

    fn input(&self) -> &[u8] {
        self.buffers.input()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.buffers.input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.buffers.input_appended(amount);
        self.tell();
    }

    fn input_consume(&mut self, amount: usize) {
        self.buffers.input_consume(amount);
        self.tell();
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.buffers.tmp_and_output()
    }

    fn can_use_input(&self) -> bool {
        self.buffers.can_use_input()
    }
}

impl HeldBuffers {
    fn tell(&self) {
        self.link
            .held_bytes
            .store(self.buffers.input().len(), Ordering::Release);
    }
}

impl fmt::Debug for LinkEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkEnd")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

const READ: Interest = Interest {
    read: true,
    write: false,
};
const WRITE: Interest = Interest {
    read: false,
    write: true,
};

/// Whoever asked looks at the controls, and knows.
fn cancelled_error() -> HttpError {
    HttpError::Io(io::ErrorKind::Interrupted.into())
}
