//! A worker that is a program of its own: it is given a descriptor, and answers that it has it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::service::key::random_bytes;
use crate::sys::{peer_of, send_with_descriptor, unacknowledged_bytes as unread_bytes};

use super::handshake::{Handshake, Role};
use super::{ACKNOWLEDGEMENT, AuthKey, HANDOVER_BYTE, OK_REPLY};

/// A connection to be handed over.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) socket: OwnedFd,
    pub(super) peer: String,
    pub(super) accepted_at: Instant,
}

/// A program that is handed connections, one at a time.
#[derive(Debug)]
pub(super) struct PlainWorker {
    stream: UnixStream,
    pub(super) pid: u32,
    /// Connections that it has taken.
    pub(super) handed_over: u64,
    /// The connection that it has not answered for, and since when: kept so that another worker can have it.
    unanswered: Option<(Handover, Instant)>,
    /// How much of the answer has come.
    answered: usize,
    /// Descriptors that it may still acknowledge, as `recv_handle` of Python does since 3.14.
    unacknowledged: u64,
    /// Where there is a key. Kept after its end: such a worker gives no answers.
    handshake: Option<Handshake>,
    /// It may be handed connections.
    is_known: bool,
    /// When it has to have shown that it has the key.
    known_by: Instant,
}

impl PlainWorker {
    /// A program that has connected. Only this user's processes, and root's, are handed anything.
    ///
    /// # Errors
    /// It is another user's, or has gone.
    pub(super) fn new(stream: UnixStream, key: Option<&AuthKey>, known_by: Instant) -> io::Result<Self> {
        let who = peer_of(stream.as_fd())?;
        if !who.is_ours() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        stream.set_nonblocking(true)?;
        let mut handshake = None;
        if let Some(AuthKey(key)) = key {
            let (own, first) = Handshake::new(key.clone(), Role::Listener, random_bytes()?);
            // A fresh socket has room for so few bytes.
            (&stream).write_all(&first)?;
            handshake = Some(own);
        }
        Ok(Self {
            stream,
            is_known: handshake.is_none(),
            handshake,
            known_by,
            pid: who.pid.unwrap_or(0),
            handed_over: 0,
            unanswered: None,
            answered: 0,
            unacknowledged: 0,
        })
    }

    pub(super) fn is_free(&self) -> bool {
        self.is_known && self.unanswered.is_none()
    }

    /// Whether it may be handed connections.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// When it has to have answered, or shown that it has the key.
    pub(super) fn due(&self, timeout: Duration) -> Option<Instant> {
        match &self.unanswered {
            Some((_, since)) => Some(*since + timeout),
            None => (!self.is_known).then_some(self.known_by),
        }
    }

    /// Whether it owes an answer.
    pub(super) fn has_unanswered(&self) -> bool {
        self.unanswered.is_some()
    }

    /// Hands it a connection. After an error [`PlainWorker::into_unanswered`] gives the connection back.
    pub(super) fn hand_over(&mut self, handover: Handover, now: Instant) -> io::Result<()> {
        let socket = &self.unanswered.insert((handover, now)).0.socket;
        send_with_descriptor(self.stream.as_fd(), HANDOVER_BYTE, socket.as_fd())?;
        self.unacknowledged += 1;
        Ok(())
    }

    /// Reads what it sends: the connection that it has now answered for, if any.
    ///
    /// # Errors
    /// It has gone, or sends something else.
    pub(super) fn receive(&mut self) -> io::Result<Option<Handover>> {
        if self.handshake.is_some() {
            return self.receive_with_key();
        }
        let mut reply = [0; OK_REPLY.len()];
        let rest = if self.is_free() || (self.answered == 0 && self.unacknowledged > 0) {
            1
        } else {
            OK_REPLY.len() - self.answered
        };
        match self.stream.read(&mut reply[..rest]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            // The answer may be cut anywhere: what follows this byte is read on its own.
            Ok(read) if self.answered == 0 && read == 1 && pass_over(&reply[..1], &mut self.unacknowledged) => {
                self.receive()
            }
            Ok(read) if !self.is_free() && reply[..read] == OK_REPLY[self.answered..self.answered + read] => {
                self.answered += read;
                if self.answered < OK_REPLY.len() {
                    return self.receive();
                }
                self.answered = 0;
                self.handed_over += 1;
                Ok(self.unanswered.take().map(|(handover, _)| handover))
            }
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.receive(),
            Err(error) => Err(error),
        }
    }

    /// The same with a key, where no answers are given: what it has read from its socket it has taken.
    fn receive_with_key(&mut self) -> io::Result<Option<Handover>> {
        let Some(handshake) = &mut self.handshake else {
            return Ok(None);
        };
        let mut piece = [0; 512];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) if self.is_known && pass_over(&piece[..read], &mut self.unacknowledged) => {}
                // After the handshake it sends nothing else.
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
        self.handed_over += 1;
        Ok(self.unanswered.take().map(|(handover, _)| handover))
    }

    /// The connection that it has not answered for.
    pub(super) fn into_unanswered(self) -> Option<Handover> {
        self.unanswered.map(|(handover, _)| handover)
    }
}

/// Passes over acknowledgements, of which so many may come. False where there are more, or anything else is among them.
fn pass_over(bytes: &[u8], left: &mut u64) -> bool {
    let rest = left.checked_sub(bytes.len() as u64);
    let rest = rest.filter(|_| bytes.iter().all(|byte| *byte == ACKNOWLEDGEMENT));
    *left = rest.unwrap_or(*left);
    rest.is_some()
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

    fn handover() -> Handover {
        let (socket, _) = UnixStream::pair().expect("pair");
        Handover {
            socket: socket.into(),
            peer: "someone".into(),
            accepted_at: Instant::now(),
        }
    }

    #[test]
    fn an_answer_may_come_in_two_parts_and_nothing_else_is_one() {
        let (ours, mut theirs) = UnixStream::pair().expect("pair");
        let mut worker = PlainWorker::new(ours, None, Instant::now()).expect("a worker");
        worker.hand_over(handover(), Instant::now()).expect("given");
        assert!(!worker.is_free() && worker.has_unanswered());
        let (read, descriptor) = receive_with_descriptor(theirs.as_fd(), &mut [0; 8]).expect("received");
        assert!(read == 1 && descriptor.is_some());
        theirs.write_all(b"O").expect("written");
        assert!(worker.receive().expect("half").is_none());
        theirs.write_all(b"K").expect("written");
        assert_eq!(worker.receive().expect("an answer").expect("for it").peer, "someone");
        assert!(worker.is_free() && worker.handed_over == 1);
        theirs.write_all(b"O").expect("written");
        let error = worker.receive().expect_err("for nothing");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        worker.hand_over(handover(), Instant::now()).expect("given");
        theirs.write_all(b"NO").expect("written");
        assert!(worker.receive().is_err());
        assert_eq!(worker.into_unanswered().expect("for another one").peer, "someone");
    }

    #[test]
    fn one_acknowledgement_a_descriptor_is_passed_over_and_no_more() {
        let (ours, mut theirs) = UnixStream::pair().expect("pair");
        let mut worker = PlainWorker::new(ours, None, Instant::now()).expect("a worker");
        for answer in [&b"AOK"[..], b"OK", b"OK"] {
            worker.hand_over(handover(), Instant::now()).expect("given");
            theirs.write_all(answer).expect("written");
            assert!(worker.receive().expect("an answer").is_some());
        }
        theirs.write_all(b"AA").expect("written");
        assert!(worker.receive().expect("late ones").is_none());
        theirs.write_all(b"A").expect("written");
        assert!(worker.receive().is_err());
    }
}
