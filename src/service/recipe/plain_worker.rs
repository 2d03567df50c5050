//! A worker that is a program of its own: it is given a descriptor, and answers that it has it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;

use crate::service::key::random;
use crate::sys::{send_with_descriptor, unacknowledged_bytes as unread_bytes};

use super::handshake::{Handshake, Role};
use super::{AuthKey, GIVEN, TAKEN};

/// A connection that somebody is to have.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) socket: OwnedFd,
    pub(super) peer: String,
    pub(super) accepted_at: Instant,
}

/// Who is given connections, one at a time.
#[derive(Debug)]
pub(super) struct PlainWorker {
    stream: UnixStream,
    pub(super) pid: u32,
    /// Connections that it has had.
    pub(super) had: u64,
    /// What it has not answered for, and since when: it is kept until then, so that another one can have it.
    unanswered: Option<(Given, Instant)>,
    /// How much of the answer has come.
    answered: usize,
    /// With a key: until it has shown that it has it, and then as a mark of what it answers.
    handshake: Option<Handshake>,
    /// It may be given something.
    is_known: bool,
    /// By then it has to be known.
    known_by: Instant,
}

impl PlainWorker {
    /// Whoever has connected; only this user's processes, or root's, are given anything.
    pub(super) fn new(stream: UnixStream, key: Option<&AuthKey>, known_by: Instant) -> io::Result<Self> {
        let who = socket_peercred(&stream)?;
        if who.uid != rustix::process::geteuid() && !who.uid.is_root() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        stream.set_nonblocking(true)?;
        let mut handshake = None;
        if let Some(AuthKey(key)) = key {
            let (own, first) = Handshake::new(key.clone(), Role::Listener, random()?);
            // A fresh socket has room for it.
            (&stream).write_all(&first)?;
            handshake = Some(own);
        }
        Ok(Self {
            stream,
            is_known: handshake.is_none(),
            handshake,
            known_by,
            pid: u32::try_from(who.pid.as_raw_nonzero().get()).unwrap_or(0),
            had: 0,
            unanswered: None,
            answered: 0,
        })
    }

    pub(super) fn is_free(&self) -> bool {
        self.is_known && self.unanswered.is_none()
    }

    /// Whether it may be given something.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// By when it has to have answered for what it was given, or shown who it is.
    pub(super) fn due(&self, timeout: Duration) -> Option<Instant> {
        match &self.unanswered {
            Some((_, since)) => Some(*since + timeout),
            None => (!self.is_known).then_some(self.known_by),
        }
    }

    /// Whether it owes an answer.
    pub(super) fn owes(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Gives it a connection; where that cannot be, the connection is back with [`PlainWorker::into_unanswered`].
    pub(super) fn give(&mut self, given: Given, now: Instant) -> io::Result<()> {
        let socket = &self.unanswered.insert((given, now)).0.socket;
        send_with_descriptor(self.stream.as_fd(), GIVEN, socket.as_fd()).map(|_| ())
    }

    /// Hears it: the connection that it has now answered for, if any.
    ///
    /// # Errors
    /// It has gone, or says something else.
    pub(super) fn hear(&mut self) -> io::Result<Option<Given>> {
        if self.handshake.is_some() {
            return self.hear_with_key();
        }
        let mut said = [0; TAKEN.len()];
        let rest = if self.is_free() { 1 } else { TAKEN.len() - self.answered };
        match self.stream.read(&mut said[..rest]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) if !self.is_free() && said[..read] == TAKEN[self.answered..self.answered + read] => {
                self.answered += read;
                if self.answered < TAKEN.len() {
                    return self.hear();
                }
                self.answered = 0;
                self.had += 1;
                Ok(self.unanswered.take().map(|(given, _)| given))
            }
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.hear(),
            Err(error) => Err(error),
        }
    }

    /// The same where no answers are given: what it has read counts as taken.
    fn hear_with_key(&mut self) -> io::Result<Option<Given>> {
        let Some(handshake) = &mut self.handshake else {
            return Ok(None);
        };
        let mut piece = [0; 512];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                // Whoever is known has nothing to say.
                Ok(_) if self.is_known => return Err(io::ErrorKind::InvalidData.into()),
                Ok(read) => {
                    let mut out = Vec::new();
                    let heard = handshake.take(&piece[..read], &mut out);
                    self.stream.write_all(&out)?;
                    heard?;
                    if handshake.is_over() && handshake.message()?.is_some() {
                        self.is_known = true;
                        if handshake.has_more() {
                            return Err(io::ErrorKind::InvalidData.into());
                        }
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.unanswered.is_none() || unread_bytes(self.stream.as_fd())? > 0 {
            return Ok(None);
        }
        self.had += 1;
        Ok(self.unanswered.take().map(|(given, _)| given))
    }

    /// What it has not answered for.
    pub(super) fn into_unanswered(self) -> Option<Given> {
        self.unanswered.map(|(given, _)| given)
    }
}

impl AsFd for PlainWorker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::receive_with_descriptor;

    fn given() -> Given {
        let (socket, _) = UnixStream::pair().expect("pair");
        Given {
            socket: socket.into(),
            peer: "someone".into(),
            accepted_at: Instant::now(),
        }
    }

    #[test]
    fn an_answer_may_come_in_two_parts_and_nothing_else_is_one() {
        let (ours, mut theirs) = UnixStream::pair().expect("pair");
        let mut worker = PlainWorker::new(ours, None, Instant::now()).expect("a worker");
        worker.give(given(), Instant::now()).expect("given");
        assert!(!worker.is_free() && worker.owes());
        let (read, descriptor) = receive_with_descriptor(theirs.as_fd(), &mut [0; 8]).expect("received");
        assert!(read == 1 && descriptor.is_some());
        theirs.write_all(b"O").expect("written");
        assert!(worker.hear().expect("half").is_none());
        theirs.write_all(b"K").expect("written");
        assert_eq!(worker.hear().expect("an answer").expect("for it").peer, "someone");
        assert!(worker.is_free() && worker.had == 1);
        theirs.write_all(b"O").expect("written");
        let error = worker.hear().expect_err("for nothing");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        worker.give(given(), Instant::now()).expect("given");
        theirs.write_all(b"NO").expect("written");
        assert!(worker.hear().is_err());
        assert_eq!(worker.into_unanswered().expect("for another one").peer, "someone");
    }
}
