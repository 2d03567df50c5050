//! The receiving half of every wire, and how a receiver tells them apart.

#[cfg(test)]
mod resume_tests;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::array::{ArrayMeta, npy};
use crate::error::Error;
use crate::ledger::{Ledger, Span};

use super::native::{Farewell, NativeReceiver, Token, TreeRequest};
use super::{Grain, Offer, WireChoice, native};

pub(super) use stream::{HeaderReader, StreamReceiver};

/// What a receiver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Want {
    /// Read up to so many bytes and report them to [`ReceiveWire::hear`].
    Control(usize),
    /// Look at what is offered and call [`ReceiveWire::accept`], or give up.
    Decision,
    /// Let bytes of the array land, up to `len` from `at` on, and report them to [`ReceiveWire::landed`].
    Data {
        /// The first byte.
        at: u64,
        /// How many there are before the next step.
        len: u64,
    },
    /// Nothing: the array is whole.
    Done,
}

/// What was heard from the sender.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// What is about to come.
    Offer(Box<Offer>),
    /// The array was handed over with a descriptor: it begins at byte `position` of what that is of.
    Handoff {
        /// The array's first byte.
        position: u64,
    },
    /// A handoff was asked for, and blocks follow all the same.
    BlocksInstead,
    /// The sender is still there.
    KeepAlive,
    /// A tree of files is about to come.
    Tree(Box<TreeRequest>),
    /// The connection joins a transfer that has begun on another one.
    Join(Token),
}

/// The receiver's side of a wire.
#[derive(Debug)]
pub enum ReceiveWire {
    /// The first bytes will tell.
    Unknown,
    /// Offer, answer, blocks, result.
    Native(Box<NativeReceiver>),
    /// A `.npy` header, then the bytes.
    Npy(HeaderReader),
    /// The bytes and nothing else.
    Raw(StreamReceiver),
}

/// The first bytes of the two wires that have any: `ARLIFT` and `\x93NUMPY`.
const FIRST_BYTES: usize = 6;

impl ReceiveWire {
    /// The wire for a choice; `auto` listens for the first bytes.
    ///
    /// # Errors
    /// The `raw` wire says nothing of the array, so that it has to be told what comes.
    pub fn new(choice: WireChoice, expect: Option<&ArrayMeta>) -> Result<Self, Error> {
        Ok(match choice {
            WireChoice::Auto => Self::Unknown,
            WireChoice::Native => Self::Native(Box::default()),
            WireChoice::Npy => Self::Npy(HeaderReader::default()),
            WireChoice::Raw => {
                let meta = expect.ok_or_else(|| {
                    Error::Usage("the raw wire does not say what comes: say its count or shape, and its dtype".into())
                })?;
                Self::Raw(StreamReceiver::new(meta.clone()))
            }
        })
    }

    /// The wire's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "auto",
            Self::Native(_) => "native",
            Self::Npy(_) => "npy",
            Self::Raw(_) => "raw",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn want(&self) -> Want {
        match self {
            Self::Unknown => Want::Control(FIRST_BYTES),
            Self::Native(native) => native.want(),
            Self::Npy(reader) => reader.want(),
            Self::Raw(stream) => stream.want(),
        }
    }

    /// Takes bytes that the sender sent, at most as many as were wanted.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        match self {
            Self::Unknown => {
                *self = match bytes.first() {
                    Some(first) if *first == native::MAGIC[0] => Self::Native(Box::default()),
                    Some(first) if *first == npy::MAGIC[0] => Self::Npy(HeaderReader::default()),
                    _ => return Err(Error::OtherProtocol(looks_like(bytes))),
                };
                self.hear(bytes)
            }
            Self::Native(native) => native.hear(bytes),
            Self::Npy(reader) => reader.hear(bytes),
            Self::Raw(_) => Ok(None),
        }
    }

    /// What is offered without anything being heard, as on the `raw` wire.
    #[must_use]
    pub fn known_offer(&self) -> Option<Box<Offer>> {
        match self {
            Self::Raw(stream) => Some(Box::new(stream.offer().clone())),
            _ => None,
        }
    }

    /// Whether a block has begun to come and is not verified yet.
    #[must_use]
    pub fn is_within_block(&self) -> bool {
        matches!(self, Self::Native(native) if native.is_within_block())
    }

    /// Takes blocks, which lie on such a grid, from a connection that has joined a transfer.
    #[must_use]
    pub fn joined(grain: Grain) -> Self {
        Self::Native(Box::new(NativeReceiver::joined(grain)))
    }

    /// Takes blocks of files from a connection that has joined a tree's session.
    #[must_use]
    pub fn joined_to_tree() -> Self {
        Self::Native(Box::new(NativeReceiver::joined_to_tree()))
    }

    /// Over how many connections the sender would move what it has, once it has said so.
    #[must_use]
    pub(crate) fn wished_streams(&self) -> u16 {
        match self {
            Self::Native(native) => native.wished_streams(),
            _ => 1,
        }
    }

    /// What is offered is taken, and claimed in this ledger as it comes; returns the answer to send, which may be empty.
    ///
    /// # Errors
    /// Nothing was offered, or the ledger is that of another array.
    pub fn accept(&mut self, ledger: &Arc<Ledger>, more: Option<(u16, Token)>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Native(native) => native.accept(ledger, more),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.accept(ledger).map(|()| Vec::new()),
            Self::Npy(_) | Self::Unknown => Err(Error::Bug("an answer before an offer".into())),
        }
    }

    /// What is offered is taken, and is to be handed over; returns the answer to send.
    ///
    /// # Errors
    /// Nothing was offered, or no wire that knows a handoff is here.
    pub fn accept_handoff(&mut self, ledger: &Arc<Ledger>) -> Result<Vec<u8>, Error> {
        match self {
            Self::Native(native) => native.accept_handoff(ledger),
            _ => Err(Error::Bug("a handoff on a wire that has none".into())),
        }
    }

    /// The tree that was announced is taken, of which nothing is there where it is `fresh`: the answer to send, and what
    /// was read of the tree.
    ///
    /// # Errors
    /// None was announced.
    pub(crate) fn accept_tree(
        &mut self,
        is_fresh: bool,
        more: Option<(u16, Token)>,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        match self {
            Self::Native(native) => native.accept_tree(is_fresh, more),
            _ => Err(Error::Bug("a tree on a wire that has none".into())),
        }
    }

    /// Whether a descriptor may come with what is read next.
    #[must_use]
    pub fn awaits_handoff(&self) -> bool {
        matches!(self, Self::Native(native) if native.awaits_handoff())
    }

    /// The proof that the bytes that are wanted are this connection's; once for each claim.
    pub(crate) fn take_span(&mut self) -> Option<Span> {
        match self {
            Self::Native(native) => native.take_span(),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.take_span(),
            Self::Npy(_) | Self::Unknown => None,
        }
    }

    /// Bytes of the array, in order, for the checksum.
    pub fn absorb(&mut self, bytes: &[u8]) {
        if let Self::Native(native) = self {
            native.absorb(bytes);
        }
    }

    /// `len` bytes of the array have landed.
    ///
    /// # Errors
    /// No byte was to land: a mistake of whoever asked.
    pub fn landed(&mut self, len: u64) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.landed(len),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.landed(len),
            Self::Npy(_) | Self::Unknown => Err(Error::Bug("bytes landed before an offer".into())),
        }
    }

    /// The array is whole: whether what the sender told of the whole is right, where it told any.
    ///
    /// # Errors
    /// The peer's fault: it is not.
    pub fn check_whole(&self) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.check_whole(),
            _ => Ok(()),
        }
    }

    /// What to say when the array is whole and where it belongs; may be empty.
    #[must_use]
    pub fn result(&self) -> Vec<u8> {
        match self {
            Self::Native(native) => native.result(),
            _ => Vec::new(),
        }
    }

    /// Whether the sender has yet to say that nothing more is offered, after which it is to hear [`ReceiveWire::summary`].
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        matches!(self, Self::Native(native) if native.may_go_on())
    }

    /// What tells the sender that all is said; may be empty.
    #[must_use]
    pub fn summary(&self) -> Vec<u8> {
        match self {
            Self::Native(_) => NativeReceiver::summary(),
            _ => Vec::new(),
        }
    }

    /// What tells the sender why nothing more is taken; may be empty.
    #[must_use]
    pub fn give_up(&self, farewell: &Farewell) -> Vec<u8> {
        match self {
            Self::Native(native) => native.give_up(farewell),
            _ => Vec::new(),
        }
    }

    /// How many messages have come that only say that the sender is there.
    #[must_use]
    pub fn idle_messages(&self) -> u64 {
        match self {
            Self::Native(native) => native.idle_messages(),
            _ => 0,
        }
    }

    /// What tells the sender that we are still here, where it may be said.
    #[must_use]
    pub fn keep_alive(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Native(native) => native.keep_alive(),
            _ => None,
        }
    }

    /// Whether a checksum has to be taken, and with it the bytes looked at.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        match self {
            Self::Native(native) => native.verified_checksum(),
            _ => None,
        }
    }

    /// Whether the sender says what the checksum of each block is.
    #[must_use]
    pub fn tells_checksums(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Whether the wire ends with the array, so that anything that follows it is surplus.
    #[must_use]
    pub fn ends_with_data(&self) -> bool {
        matches!(self, Self::Npy(_) | Self::Raw(_))
    }
}

/// What some first bytes are the beginning of, for people.
fn looks_like(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 8] = [
        (&[0x16, 0x03], "this looks like TLS"),
        (b"GET ", "this looks like HTTP"),
        (b"POST", "this looks like HTTP"),
        (b"HEAD", "this looks like HTTP"),
        (b"PUT ", "this looks like HTTP"),
        (b"PRI *", "this looks like HTTP/2"),
        (b"SSH-", "this looks like SSH"),
        (b"\x80\x04", "this looks like a Python pickle"),
    ];
    let begins = |(begin, _): &&(&[u8], &str)| bytes.starts_with(begin);
    match known.iter().find(begins) {
        Some((_, name)) => (*name).into(),
        None => format!(
            "it begins with {}; for the bytes alone choose the raw wire",
            bytes[..bytes.len().min(6)].escape_ascii()
        ),
    }
}
