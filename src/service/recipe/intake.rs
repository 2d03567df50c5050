//! Connections from a program that accepts them elsewhere.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, reason};
use crate::service::front::{Arrival, ConnectionSource};
use crate::service::key::random;
use crate::sys::receive_with_descriptor;
use crate::transfer::{Command, Connection, TransferId};

use super::handshake::{Handshake, Role, framed};
use super::{AuthKey, TAKEN};

/// What such a program hands over.
pub(in crate::service) struct RecipeIntake {
    stream: UnixStream,
    buffer_bytes: Option<usize>,
    /// In the order in which they came.
    given: VecDeque<Arrival>,
    /// Each is answered for.
    answers: bool,
    is_over: bool,
}

impl RecipeIntake {
    /// Connects to where the program hands connections over.
    ///
    /// # Errors
    /// Nobody does there.
    pub(in crate::service) fn join(
        path: &Path,
        key: Option<&AuthKey>,
        timeout: Duration,
        buffer_bytes: Option<usize>,
    ) -> Result<Self, Error> {
        let endpoint = || path.display().to_string();
        let stream = UnixStream::connect(path).map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => Error::NobodyListening(endpoint()),
            _ => Error::Endpoint {
                endpoint: endpoint(),
                reason: reason(&error),
            },
        })?;
        if let Some(key) = key {
            introduce(&stream, key, timeout)?;
        }
        stream
            .set_nonblocking(true)
            .map_err(|error| Error::system("cannot take connections over", &error))?;
        Ok(Self {
            stream,
            buffer_bytes,
            given: VecDeque::new(),
            answers: key.is_none(),
            is_over: false,
        })
    }

    fn keep(&mut self, connection: Result<Connection, Error>) {
        self.given.push_back(Arrival {
            id: TransferId::next(),
            connection,
            event: None,
        });
    }
}

impl ConnectionSource<Arrival> for RecipeIntake {
    fn socket(&self) -> Option<BorrowedFd<'_>> {
        Some(self.stream.as_fd())
    }

    fn take(&mut self) -> io::Result<Option<Arrival>> {
        Ok(self.given.pop_front())
    }

    /// Takes what has come over, too, and answers for it.
    fn commands(&mut self) -> Vec<Command> {
        while !self.is_over {
            // One byte is one connection: more at once would leave open which descriptor belongs to which.
            match receive_with_descriptor(self.stream.as_fd(), &mut [0]) {
                Ok((0, _)) => break,
                Ok((_, Some(socket))) => {
                    let connection = Connection::of_stranger(socket, self.buffer_bytes);
                    self.keep(connection);
                    // A program that does not take two bytes has gone, or is about to.
                    if self.answers && self.stream.write_all(TAKEN).is_err() {
                        break;
                    }
                }
                Ok((_, None)) => {
                    let text =
                        "its server sent a byte without a descriptor: it hands nothing over, or none is left here";
                    self.keep(Err(Error::Protocol(text.into())));
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

    fn holds_some(&self) -> bool {
        !self.given.is_empty()
    }

    fn is_over(&self) -> bool {
        self.is_over
    }
}

/// Shows a `Listener` of `multiprocessing.connection` that this has its key, and says the process id.
fn introduce(mut stream: &UnixStream, key: &AuthKey, timeout: Duration) -> Result<(), Error> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Usage("the server has another key: give both the same".into()),
        io::ErrorKind::InvalidData => Error::OtherProtocol("it is no Listener of multiprocessing with a key".into()),
        io::ErrorKind::WouldBlock => Error::Silent(timeout),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Error::ClosedWhile("before it knew this worker: it may have another key")
        }
        _ => Error::system("cannot take connections over", &error),
    };
    let mut meet = || -> io::Result<()> {
        stream.set_read_timeout(Some(timeout))?;
        let (mut handshake, mut out) = Handshake::new(key.0.clone(), Role::Client, random()?);
        // One byte at a time: what comes after it is not to be read here, but with its descriptor.
        let mut byte = [0];
        while !handshake.is_over() {
            stream.read_exact(&mut byte)?;
            let taken = handshake.take(&byte, &mut out);
            stream.write_all(&out)?;
            out.clear();
            taken?;
        }
        stream.write_all(&framed(&pickled(std::process::id())))
    };
    meet().map_err(failed)
}

/// A process id as `pickle` writes a number of four bytes: protocol 2, BININT, STOP.
fn pickled(pid: u32) -> Vec<u8> {
    [b"\x80\x02J", &pid.to_le_bytes()[..], b"."].concat()
}
