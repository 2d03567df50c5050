//! What two ends of `multiprocessing.connection` show each other: that both have the authkey. Pure: bytes in, bytes out.
//!
//! Messages have their length before them, four bytes, big-endian. Each end challenges the other one: `#CHALLENGE#` and
//! random bytes, answered by their HMAC, and that by `#WELCOME#` or `#FAILURE#`. Python 3.12 puts the digest's name
//! before the random bytes and the answer, such as `{sha256}`; before that, and without a name, it is MD5. Source: the
//! documentation and behaviour of Python's `multiprocessing.connection`, "Authentication keys".

use std::io;

use hmac::{Hmac, Mac as _};
use md5::Md5;
use sha2::Sha256;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
const FAILURE: &[u8] = b"#FAILURE#";
const SHA256: &[u8] = b"{sha256}";
/// Random bytes of a challenge, after the digest's name.
pub(crate) const RANDOM_BYTES: usize = 40;
/// Random bytes of one without a name: Python before 3.12.
const UNNAMED_BYTES: usize = 20;
/// No message is longer until both ends know each other.
const MESSAGE_BYTES_MAX: usize = 256;

/// Who speaks first: the end that listens challenges, then is challenged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Listener,
    Client,
}

/// One end's part of it.
#[derive(Debug)]
pub(crate) struct Handshake {
    key: Vec<u8>,
    role: Role,
    /// Ours, with the digest's name.
    challenge: Vec<u8>,
    state: State,
    inbox: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Theirs comes.
    Challenged,
    /// The answer to ours comes.
    Answered,
    /// Their word on our answer comes.
    Judged,
    /// Both have it.
    Over,
}

impl Handshake {
    /// A handshake, and what is to be sent first.
    pub(crate) fn new(key: Vec<u8>, role: Role, random: [u8; RANDOM_BYTES]) -> (Self, Vec<u8>) {
        let mut handshake = Self {
            key,
            role,
            challenge: [SHA256, &random].concat(),
            state: State::Challenged,
            inbox: Vec::new(),
        };
        let mut out = Vec::new();
        if role == Role::Listener {
            handshake.challenge(&mut out);
        }
        (handshake, out)
    }

    /// Takes bytes in and gives those to be sent.
    ///
    /// # Errors
    /// The other end has another key (what is in `out` is to be sent all the same), or speaks another protocol.
    pub(crate) fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.inbox.extend_from_slice(bytes);
        while self.state != State::Over {
            let Some(message) = self.message()? else { break };
            self.hear(&message, out)?;
        }
        Ok(())
    }

    /// Both ends have shown that they have the key.
    pub(crate) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// The next message after the handshake, if it is there: a worker says its process id, which is known anyway.
    ///
    /// # Errors
    /// It is longer than anything that would be said here.
    pub(crate) fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((length, rest)) = self.inbox.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > MESSAGE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if rest.len() < length {
            return Ok(None);
        }
        let message = rest[..length].to_vec();
        self.inbox.drain(..4 + length);
        Ok(Some(message))
    }

    /// Bytes that came and belong to nothing yet.
    pub(crate) fn has_more(&self) -> bool {
        !self.inbox.is_empty()
    }

    fn hear(&mut self, message: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self.state {
            State::Challenged => {
                let theirs = message.strip_prefix(CHALLENGE).ok_or(io::ErrorKind::InvalidData)?;
                out.extend(framed(&answer(&self.key, theirs)?));
                self.state = State::Judged;
            }
            State::Judged if message != WELCOME => return Err(io::ErrorKind::PermissionDenied.into()),
            State::Judged if self.role == Role::Client => self.challenge(out),
            State::Judged => self.state = State::Over,
            State::Answered if !accepts(&self.key, &self.challenge, message) => {
                out.extend(framed(FAILURE));
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            State::Answered => {
                out.extend(framed(WELCOME));
                self.state = match self.role {
                    Role::Listener => State::Challenged,
                    Role::Client => State::Over,
                };
            }
            State::Over => {}
        }
        Ok(())
    }

    fn challenge(&mut self, out: &mut Vec<u8>) {
        out.extend(framed(&[CHALLENGE, &self.challenge].concat()));
        self.state = State::Answered;
    }
}

/// A message with its length before it. It is a short one.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), message].concat()
}

fn answer(key: &[u8], challenge: &[u8]) -> io::Result<Vec<u8>> {
    if challenge.starts_with(SHA256) {
        let code = sha256(key, challenge)?.finalize().into_bytes();
        Ok([SHA256, &code].concat())
    } else if challenge.len() == UNNAMED_BYTES || challenge.starts_with(b"{md5}") {
        let code = md5(key, challenge)?.finalize().into_bytes();
        let name: &[u8] = if challenge.starts_with(b"{") { b"{md5}" } else { b"" };
        Ok([name, &code].concat())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// Takes as long for every wrong one of a kind.
fn accepts(key: &[u8], challenge: &[u8], answer: &[u8]) -> bool {
    match answer.strip_prefix(SHA256) {
        Some(code) => sha256(key, challenge).is_ok_and(|mac| mac.verify_slice(code).is_ok()),
        // Python before 3.12 knows no names.
        None => md5(key, challenge).is_ok_and(|mac| mac.verify_slice(answer).is_ok()),
    }
}

fn sha256(key: &[u8], message: &[u8]) -> io::Result<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).map_err(io::Error::other)?;
    Ok(mac.chain_update(message))
}

fn md5(key: &[u8], message: &[u8]) -> io::Result<Hmac<Md5>> {
    let mac = Hmac::<Md5>::new_from_slice(key).map_err(io::Error::other)?;
    Ok(mac.chain_update(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(listener_key: &[u8], client_key: &[u8]) -> (io::Result<()>, io::Result<()>, bool) {
        let (mut listener, mut to_client) = Handshake::new(listener_key.into(), Role::Listener, [1; RANDOM_BYTES]);
        let (mut client, mut to_listener) = Handshake::new(client_key.into(), Role::Client, [2; RANDOM_BYTES]);
        assert!(to_listener.is_empty());
        let (mut of_listener, mut of_client) = (Ok(()), Ok(()));
        while !to_client.is_empty() || !to_listener.is_empty() {
            // A byte at a time is as good as all at once.
            for byte in std::mem::take(&mut to_client) {
                of_client = of_client.and(client.take(&[byte], &mut to_listener));
            }
            for byte in std::mem::take(&mut to_listener) {
                of_listener = of_listener.and(listener.take(&[byte], &mut to_client));
            }
        }
        let over = listener.is_over() && client.is_over();
        (of_listener, of_client, over)
    }

    #[test]
    fn ends_with_the_same_key_meet_and_others_do_not() {
        assert!(matches!(meet(b"key", b"key"), (Ok(()), Ok(()), true)));
        let (of_listener, of_client, over) = meet(b"key", b"other");
        assert_eq!(
            of_listener.expect_err("another key").kind(),
            io::ErrorKind::PermissionDenied
        );
        assert!(of_client.is_err() && !over);
    }

    #[test]
    fn an_end_from_before_3_12_answers_by_md5_and_is_answered_so() {
        let (mut listener, first) = Handshake::new(b"key".into(), Role::Listener, [1; RANDOM_BYTES]);
        let theirs = &first[4 + CHALLENGE.len()..];
        let code = md5(b"key", theirs).expect("a key").finalize().into_bytes();
        let mut out = Vec::new();
        listener.take(&framed(&code), &mut out).expect("the same key");
        assert_eq!(out, framed(WELCOME));
        out.clear();
        let challenge = [CHALLENGE, &[7; UNNAMED_BYTES]].concat();
        listener.take(&framed(&challenge), &mut out).expect("a challenge");
        let code = md5(b"key", &[7; UNNAMED_BYTES]).expect("a key").finalize().into_bytes();
        assert_eq!(out, framed(&code));
        listener.take(&framed(WELCOME), &mut out).expect("welcome");
        assert!(listener.is_over());
    }

    #[test]
    fn nonsense_is_refused_at_every_length() {
        for nonsense in [
            &framed(b"hello")[..],
            &[0xff; 8],
            &framed(&[CHALLENGE, b"{sha3_256}x"].concat()),
            &framed(b""),
        ] {
            let (mut client, _) = Handshake::new(b"key".into(), Role::Client, [2; RANDOM_BYTES]);
            assert!(client.take(nonsense, &mut Vec::new()).is_err(), "{nonsense:?}");
        }
    }
}
