//! The sending half of every wire.

use std::sync::Arc;

use crate::array::npy;
use crate::error::Error;

use super::native::{NativeSender, OutgoingBlocks, Token};
use super::{Digest, Offer, WireChoice};

/// What a sender has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum SendStep {
    /// Write these bytes, all of them.
    Write(Vec<u8>),
    /// Send bytes of the array, `len` from `at` on, as many as go, and report them to [`SendWire::sent`].
    Data {
        /// The first byte.
        at: u64,
        /// How many there are before the next step.
        len: u64,
    },
    /// Add bytes of the array, `len` from `at` on, to [`SendWire::digest`] without sending them, as many as go, and report
    /// them to [`SendWire::compared`]: the receiver says that it has them.
    Compare {
        /// The first byte.
        at: u64,
        /// How many there are before the next step.
        len: u64,
    },
    /// Look whether the source is still what was offered, and tell it to [`SendWire::unchanged`].
    LookAgain,
    /// Hand the array's descriptor over together with [`SendWire::handoff`], and report it to
    /// [`SendWire::handed_over`].
    HandOver,
    /// Read what the receiver says and report it to [`SendWire::hear`].
    Await,
    /// Nothing: all is said.
    Done,
}

/// The sender's side of a wire.
#[derive(Debug)]
pub enum SendWire {
    /// Offer, answer, blocks, result.
    Native(Box<NativeSender>),
    /// A header, then the bytes; a `raw` wire is one with an empty header.
    Stream(Box<StreamSender>),
}

/// Sends a header, which may be empty, and the bytes of the array. Nothing is heard and nothing verified.
#[derive(Debug)]
pub struct StreamSender {
    name: &'static str,
    header: Vec<u8>,
    at: u64,
    total: u64,
    digest: Digest,
}

impl SendWire {
    /// The wire for a choice; `auto` is `native`.
    #[must_use]
    pub fn new(choice: WireChoice, offer: Offer) -> Self {
        let total = offer.meta.byte_len();
        let digest = Digest::new(super::ChecksumKind::None);
        match choice {
            WireChoice::Auto | WireChoice::Native => Self::Native(Box::new(NativeSender::new(offer))),
            WireChoice::Npy => Self::Stream(Box::new(StreamSender {
                name: "npy",
                // A file that has a header gets no second one.
                header: if offer.has_npy_header() {
                    Vec::new()
                } else {
                    npy::write_header(&offer.meta)
                },
                at: 0,
                total,
                digest,
            })),
            WireChoice::Raw => Self::Stream(Box::new(StreamSender {
                name: "raw",
                header: Vec::new(),
                at: 0,
                total,
                digest,
            })),
        }
    }

    /// The wire's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Native(_) => "native",
            Self::Stream(stream) => stream.name,
        }
    }

    /// What to do next. A block that begins has at most `block_bytes`, so that a slow or limited sender can be
    /// paused soon; without a length none begins.
    pub fn step(&mut self, block_bytes: Option<u32>) -> SendStep {
        match self {
            Self::Native(native) => native.step(block_bytes),
            Self::Stream(stream) if !stream.header.is_empty() => SendStep::Write(std::mem::take(&mut stream.header)),
            Self::Stream(stream) if stream.at < stream.total => SendStep::Data {
                at: stream.at,
                len: stream.total - stream.at,
            },
            Self::Stream(_) => SendStep::Done,
        }
    }

    /// The checksum that the bytes of this step are to be added to.
    pub fn digest(&mut self) -> &mut Digest {
        match self {
            Self::Native(native) => native.digest(),
            Self::Stream(stream) => &mut stream.digest,
        }
    }

    /// `len` bytes of the array were sent.
    ///
    /// # Errors
    /// Nothing was to be sent: a mistake of whoever asked.
    pub fn sent(&mut self, len: u64) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.sent(len)?,
            Self::Stream(stream) => stream.at += len,
        }
        Ok(())
    }

    /// `len` bytes of the array were added to the checksum and not sent.
    ///
    /// # Errors
    /// Nothing was to be compared: a mistake of whoever did.
    pub fn compared(&mut self, len: u64) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.compared(len),
            Self::Stream(_) => Err(Error::Bug("a comparison on a wire that has none".into())),
        }
    }

    /// Bytes of the array that the receiver says that it has, from before.
    #[must_use]
    pub fn claimed_bytes(&self) -> u64 {
        match self {
            Self::Native(native) => native.blocks().claimed_bytes(),
            Self::Stream(_) => 0,
        }
    }

    /// Bytes of the array that are at the receiver from before, as far as is known so far.
    #[must_use]
    pub fn there_bytes(&self) -> u64 {
        match self {
            Self::Native(native) => native.blocks().there_bytes(),
            Self::Stream(_) => 0,
        }
    }

    /// Bytes of the array that were not sent over any connection, as the receiver has them.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        match self {
            Self::Native(native) => native.kept_bytes(),
            Self::Stream(_) => 0,
        }
    }

    /// The source is still what was offered: what to write then.
    ///
    /// # Errors
    /// Nobody was to look: a mistake of whoever did.
    pub fn unchanged(&mut self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Native(native) => native.unchanged(),
            Self::Stream(_) => Err(Error::Bug("an end on a wire that has none".into())),
        }
    }

    /// Whether the receiver has asked for the handoff that was offered, which has not been done yet.
    #[must_use]
    pub fn is_asked_for_handoff(&self) -> bool {
        matches!(self, Self::Native(native) if native.is_asked_for_handoff())
    }

    /// The message with which a descriptor travels, whose array begins at byte `position`; empty on other wires.
    #[must_use]
    pub fn handoff(&self, position: u64) -> Vec<u8> {
        match self {
            Self::Native(_) => NativeSender::handoff(position),
            Self::Stream(_) => Vec::new(),
        }
    }

    /// The array was handed over, or could not be, so that blocks follow after all.
    ///
    /// # Errors
    /// Nobody asked for it: a mistake of whoever handed it over.
    pub fn handed_over(&mut self, done: bool) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.handed_over(done),
            Self::Stream(_) => Err(Error::Bug("a handoff on a wire that has none".into())),
        }
    }

    /// Takes bytes that the receiver sent.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Native(native) => native.hear(bytes),
            Self::Stream(_) => Ok(()),
        }
    }

    /// Whether the receiver says anything on this wire.
    #[must_use]
    pub fn listens(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Both ends know what is moved: bytes of the array can follow.
    #[must_use]
    pub fn agreed(&self) -> bool {
        match self {
            Self::Native(native) => native.accepted(),
            Self::Stream(stream) => stream.header.is_empty(),
        }
    }

    /// How many messages have come that only say that the receiver is there.
    #[must_use]
    pub fn idle_messages(&self) -> u64 {
        match self {
            Self::Native(native) => native.idle_messages(),
            Self::Stream(_) => 0,
        }
    }

    /// What tells the receiver that we are still here, where it may be said now.
    #[must_use]
    pub fn keep_alive(&self) -> Option<Vec<u8>> {
        match self {
            Self::Native(native) => native.keep_alive(),
            Self::Stream(_) => None,
        }
    }

    /// What tells the receiver that we give up, where it may be said now.
    #[must_use]
    pub fn abort(&self, reason: &str) -> Option<Vec<u8>> {
        match self {
            Self::Native(native) => native.abort(reason),
            Self::Stream(_) => None,
        }
    }

    /// Joins a transfer of the native wire that these blocks are of.
    #[must_use]
    pub fn joining(token: Token, blocks: Arc<OutgoingBlocks>) -> Self {
        Self::Native(Box::new(NativeSender::joining(token, blocks)))
    }

    /// What further connections share with this one, over how many the receiver would take the array in all, and what
    /// they show; asked once, on the native wire alone.
    pub fn take_more(&mut self) -> Option<(Arc<OutgoingBlocks>, u16, Token)> {
        let Self::Native(native) = self else { return None };
        let (streams, token) = native.take_more()?;
        Some((Arc::clone(native.blocks()), streams, token))
    }

    /// Whether the greeting has been given out to be written; there is none but on the native wire.
    #[must_use]
    pub fn has_greeted(&self) -> bool {
        match self {
            Self::Native(native) => native.has_greeted(),
            Self::Stream(_) => true,
        }
    }

    /// Whether the receiver has said that the array is where it belongs.
    #[must_use]
    pub fn has_result(&self) -> bool {
        matches!(self, Self::Native(native) if native.has_result())
    }

    /// Whether bytes are left that this connection may have to send or to compare.
    #[must_use]
    pub fn has_more(&self) -> bool {
        match self {
            Self::Native(native) => native.has_more(),
            Self::Stream(stream) => stream.at < stream.total,
        }
    }

    /// Whether this connection has sent its last block, and others have not yet.
    #[must_use]
    pub fn awaits_others(&self) -> bool {
        match self {
            Self::Native(native) => native.accepted() && !native.has_more() && !native.blocks().all_sent(),
            Self::Stream(_) => false,
        }
    }

    /// Whether the byte before `end` is the last one, and the wire has no word to follow it.
    #[must_use]
    pub fn ends_with(&self, end: u64) -> bool {
        matches!(self, Self::Stream(stream) if stream.total == end)
    }

    /// The checksum that both ends agreed on, once done; `None` where nothing is verified.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        match self {
            Self::Native(native) => native.verified_checksum(),
            Self::Stream(_) => None,
        }
    }
}
