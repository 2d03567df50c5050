//! One round trip. It reads what comes back while it still sends the rest, because no service can hold 64 MiB.

use std::io;
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::error::Error;
use crate::sys::{Interest, awake_now, wait};
use crate::transfer::Connection;

use super::pattern::{PIECE_BYTES, Pattern};
use super::stop::Stop;

/// The peer has closed the connection.
const CLOSED: Error = Error::ClosedWhile(
    "before it had sent everything back: is it an echo service (arraylift serve --echo), and does it take this user?",
);

/// The connection to an echo service.
pub(super) struct Peer<'a> {
    connection: Connection,
    pattern: &'a Pattern,
    timeout: Duration,
    round: u64,
    came: Box<[u8]>,
}

impl<'a> Peer<'a> {
    pub(super) fn new(connection: Connection, pattern: &'a Pattern, timeout: Duration) -> Self {
        Self {
            connection,
            pattern,
            timeout,
            round: 0,
            came: vec![0; PIECE_BYTES].into(),
        }
    }

    /// Sends `size_bytes` bytes, reads them back, and returns the time this took. `None` if it is cancelled.
    ///
    /// # Errors
    /// The service has gone, is silent, or sends back what was not sent.
    pub(super) fn round_trip(&mut self, size_bytes: u64, stop: &Stop) -> Result<Option<Duration>, Error> {
        self.round += 1;
        let (mut sent, mut back) = (0, 0);
        let began = Instant::now();
        let mut moved_at = awake_now();
        while back < size_bytes {
            let before = (sent, back);
            if sent < size_bytes {
                sent += self.send(sent, size_bytes)?;
            }
            // No more can come back than was sent.
            back += self.receive(back, sent)?;
            if (sent, back) != before {
                moved_at = awake_now();
                continue;
            }
            let left = (moved_at + self.timeout).saturating_duration_since(awake_now());
            if left.is_zero() {
                return Err(Error::Silent(self.timeout));
            }
            let interest = Interest {
                read: true,
                write: sent < size_bytes,
            };
            wait(self.connection.as_fd(), interest, stop.wake(), Some(left))
                .map_err(|error| Error::system("cannot wait for an echo", &error))?;
            if stop.is_asked() {
                return Ok(None);
            }
        }
        Ok(Some(began.elapsed()))
    }

    /// Fails if the service has sent more than it got.
    pub(super) fn has_nothing_more(&mut self) -> Result<(), Error> {
        match recv(&self.connection, &mut self.came[..1], RecvFlags::empty()) {
            Ok((1, _)) => Err(Error::OtherProtocol(
                "it sent back more than it got: it is no echo service".into(),
            )),
            _ => Ok(()),
        }
    }

    fn send(&self, at: u64, size_bytes: u64) -> Result<u64, Error> {
        let piece = self.pattern.piece(self.round, at, size_bytes - at);
        match send(&self.connection, piece, SendFlags::NOSIGNAL) {
            Ok(sent) => Ok(sent as u64),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(0),
            Err(error) => Err(gone(&error.into())),
        }
    }

    fn receive(&mut self, at: u64, sent: u64) -> Result<u64, Error> {
        // At least one byte of room: a service that sends bytes by itself shows.
        let room = usize::try_from(sent - at)
            .map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES))
            .max(1);
        let came = match recv(&self.connection, &mut self.came[..room], RecvFlags::empty()) {
            Ok((0, _)) => return Err(CLOSED),
            Ok((came, _)) => came as u64,
            Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(0),
            Err(error) => return Err(gone(&error.into())),
        };
        let wanted = self.pattern.piece(self.round, at, came);
        let same = self
            .came
            .iter()
            .zip(wanted)
            .take_while(|(came, wanted)| came == wanted)
            .count() as u64;
        if came > sent - at || same < came {
            return Err(Error::OtherProtocol(format!(
                "byte {} of round {} is not the one that was sent: it is no echo service",
                at + same.min(sent - at),
                self.round
            )));
        }
        Ok(came)
    }
}

fn gone(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => CLOSED,
        _ => Error::system("cannot exchange bytes with the echo service", error),
    }
}
