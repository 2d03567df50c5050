//! The connections that another program accepts and hands over to this process.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::service::front::{Arrival, ConnectionSource};
use crate::service::key::random_bytes;
use crate::sys::{Interest, Wake, awake_now, receive_with_descriptor};
use crate::transfer::{Command, Connection, Dial, Options, TransferId};

use super::handshake::{Handshake, Role, framed};
use super::{ACKNOWLEDGEMENT, AuthKey, OK_REPLY};

/// The connection to such a program.
pub(in crate::service) struct RecipeSource {
    stream: UnixStream,
    buffer_bytes: Option<usize>,
    /// In the order in which they came.
    arrivals: VecDeque<Arrival>,
    /// Whether each connection is answered by `OK`.
    answers: bool,
    is_over: bool,
    /// What the program did wrong.
    failure: Option<Error>,
}

impl RecipeSource {
    /// Connects to where the program hands connections over. `None` where it was cancelled, which is asked whenever `wake`
    /// ends a wait.
    ///
    /// # Errors
    /// No program listens there, it does not answer in time, or it does not have the key.
    pub(in crate::service) fn join(
        path: &Path,
        key: Option<&AuthKey>,
        options: &Options,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let dial = Dial {
            buffer_bytes: None,
            deadline: awake_now() + options.timeout,
            wake,
            cancelled,
        };
        let Some(stream) = dial.unix_stream(path)? else {
            return Ok(None);
        };
        options.peer_user.check(&stream, &path.display().to_string())?;
        if let Some(key) = key
            && !introduce(&stream, key, &dial, options.timeout)?
        {
            return Ok(None);
        }
        Ok(Some(Self {
            stream,
            buffer_bytes: options.socket_buffer_bytes,
            arrivals: VecDeque::new(),
            answers: key.is_none(),
            is_over: false,
            failure: None,
        }))
    }

    /// Says that a connection has come; false where the program is no more there to hear it.
    fn reply(&mut self) -> bool {
        if self.answers {
            // A program that does not take two bytes has gone, or is about to.
            return self.stream.write_all(OK_REPLY).is_ok();
        }
        // `send_handle` waits for it since Python 3.14. Until 3.13 nobody reads it, and at some time there is no room.
        let said = self.stream.write_all(&[ACKNOWLEDGEMENT]);
        said.map_or_else(|error| error.kind() == io::ErrorKind::WouldBlock, |()| true)
    }

    fn keep(&mut self, connection: Result<Connection, Error>) {
        self.arrivals.push_back(Arrival {
            id: TransferId::next(),
            connection,
            part_number: None,
            event: None,
        });
    }
}

impl ConnectionSource<Arrival> for RecipeSource {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.stream.as_fd())
    }

    fn take(&mut self) -> io::Result<Option<Arrival>> {
        Ok(self.arrivals.pop_front())
    }

    /// Keeps the connections that have come, and answers for each.
    fn read(&mut self) -> Vec<Command> {
        while !self.is_over {
            // One byte is one connection: more at once would leave open which descriptor belongs to which.
            match receive_with_descriptor(self.stream.as_fd(), &mut [0]) {
                Ok((0, _)) => break,
                Ok((_, Some(socket))) => {
                    let connection = Connection::of_stranger(socket, self.buffer_bytes);
                    self.keep(connection);
                    if !self.reply() {
                        break;
                    }
                }
                Ok((_, None)) => {
                    let text =
                        "its server sent a byte without a descriptor: it hands nothing over, or none is left here";
                    self.failure = Some(Error::Protocol(text.into()));
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Vec::new(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.is_over = true;
        Vec::new()
    }

    fn keeps_some(&self) -> bool {
        !self.arrivals.is_empty()
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }
}

/// Shows a `Listener` of `multiprocessing.connection` that this has its key, and says the process id. False where it was
/// cancelled.
fn introduce(mut stream: &UnixStream, key: &AuthKey, dial: &Dial<'_>, timeout: Duration) -> Result<bool, Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => Error::OtherKey("the server"),
        io::ErrorKind::InvalidData => Error::OtherProtocol("it is no Listener of multiprocessing with a key".into()),
        io::ErrorKind::TimedOut => Error::Silent(timeout),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Error::ClosedWhile("before it knew this worker: it may have another key")
        }
        _ => Error::system("cannot take connections over", &error),
    };
    let readable = Interest::READ;
    let mut meet = || -> io::Result<bool> {
        let (mut handshake, mut out) = Handshake::new(key.0.clone(), Role::Client, random_bytes()?);
        // One byte at a time: what comes after it is not to be read here, but with its descriptor.
        let mut byte = [0];
        while !handshake.is_over() {
            if !dial.wait_for(stream.as_fd(), readable)? {
                return Ok(false);
            }
            stream.read_exact(&mut byte)?;
            let read = handshake.take(&byte, &mut out);
            // A fresh socket has room for so few bytes.
            stream.write_all(&out)?;
            out.clear();
            read?;
        }
        stream.write_all(&framed(&pickled(std::process::id())))?;
        Ok(true)
    };
    meet().map_err(failed)
}

/// A process id as `pickle` writes a number of four bytes: protocol 2, BININT, STOP.
fn pickled(pid: u32) -> Vec<u8> {
    [b"\x80\x02J", &pid.to_le_bytes()[..], b"."].concat()
}
