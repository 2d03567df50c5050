//! The `native` wire's messages: what each is made of, and the header before it. Every number is little-endian.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use crate::array::MAX_DESCR_BYTES;
use crate::error::Error;
use crate::wire::{Grain, Offer};

use super::Token;
use super::claims::BlockClaims;
use super::entry::Entry;

/// The version spoken here.
pub(crate) const VERSION: u16 = 2;
/// The length of the greeting that each side sends first: magic and version.
pub(crate) const GREETING_BYTES: usize = 8;
/// The most data bytes that a block can have.
pub(super) const BLOCK_BYTES_MAX: u32 = 4 << 20;

pub(in crate::wire) const MAGIC: [u8; 6] = *b"ARLIFT";

/// Kind, flags, two zero bytes, length of the body.
pub(super) const HEADER_BYTES: usize = 8;
/// A block's header, and the item and the index that follow it.
pub(super) const BLOCK_HEADER_BYTES: usize = 16;
/// A block's checksum, after its data.
pub(super) const TRAILER_BYTES: usize = 8;

/// The most body bytes that a message can have which is neither a block nor an offer.
const BODY_BYTES_MAX: usize = 64 << 10;
/// The most body bytes that an offer can have: as any other, beside the longest dtype.
const OFFER_BYTES_MAX: usize = BODY_BYTES_MAX + MAX_DESCR_BYTES;
/// Messages of an unknown kind from here on are skipped; below, they are an error.
const FIRST_SKIPPABLE_KIND: u8 = 0x80;

/// The flag of a block that an end is in.
const ENDS: u8 = 1;
/// The most bytes that the name of a tree can have.
const ROOT_BYTES_MAX: usize = 255;

mod kind {
    pub(super) const OFFER: u8 = 1;
    pub(super) const ACCEPT: u8 = 2;
    pub(super) const REFUSE: u8 = 3;
    pub(super) const BLOCK: u8 = 4;
    pub(super) const RESULT: u8 = 5;
    pub(super) const ABORT: u8 = 6;
    pub(super) const KEEP_ALIVE: u8 = 7;
    pub(super) const HANDOFF: u8 = 8;
    pub(super) const JOIN: u8 = 9;
    pub(super) const HELLO: u8 = 10;
    pub(super) const WELCOME: u8 = 11;
    pub(super) const CREDIT: u8 = 12;
    pub(super) const CLAIM: u8 = 13;
    pub(super) const END: u8 = 15;
    pub(super) const DROP: u8 = 16;
    pub(super) const FINISH: u8 = 19;
    pub(super) const SUMMARY: u8 = 20;
}

/// The last word of whoever goes on no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Farewell {
    /// Why, for people.
    pub reason: String,
    /// Its side ends for now, and the same may be tried again soon.
    pub returns: bool,
}

impl From<&str> for Farewell {
    /// For good.
    fn from(reason: &str) -> Self {
        Self {
            reason: reason.into(),
            returns: false,
        }
    }
}

impl From<&Error> for Farewell {
    /// Of whoever met this error.
    fn from(error: &Error) -> Self {
        Self {
            reason: error.for_peer(),
            returns: error.may_pass(),
        }
    }
}

impl Farewell {
    /// The error of whoever hears it: `otherwise` where the other side is not to be back.
    pub(crate) fn into_error(self, otherwise: fn(String) -> Error) -> Error {
        if self.returns {
            Error::GoesAway(self.reason)
        } else {
            otherwise(self.reason)
        }
    }
}

/// What one side says to the other.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// Begins a session, on its control connection.
    Hello {
        /// Over how many connections the sender would move what it has.
        streams: u16,
        /// What it sends is a tree.
        tree: Option<TreeRequest>,
    },
    /// The receiver takes the session, or the connection that joins it.
    Welcome {
        /// How many connections the session may have in all, and what the further ones show.
        more: Option<(u16, Token)>,
        /// Nothing of the tree is there yet.
        is_fresh: bool,
    },
    /// How far offers may go ahead.
    Credit(Credit),
    /// Ends the session in place of a welcome.
    Refuse(Farewell),
    /// This connection takes part in a session that has begun on another one.
    Join {
        token: Token,
    },
    Offer {
        item: u32,
        offer: Box<Offer>,
    },
    OfferEntry {
        item: u32,
        entry: Box<Entry>,
    },
    Accept {
        item: u32,
        /// The receiver wants the array handed over, as was offered.
        handoff: bool,
        /// The receiver has blocks of this length from an earlier session, which the sender's are to have as well.
        grain: Option<Grain>,
    },
    /// The receiver has some blocks from an earlier session.
    Claim {
        item: u32,
        claims: BlockClaims,
    },
    /// The header alone; data and checksum follow.
    Block {
        item: u32,
        index: u32,
        len: u32,
        /// It is the item's only one, and an end is in it.
        ends: bool,
    },
    /// Every block was sent, and the source is still what was offered.
    End {
        item: u32,
        bytes: u64,
        checksum: Option<u64>,
        /// Bytes that were not sent, as the receiver has them.
        kept: u64,
    },
    /// No more of an item comes.
    Drop {
        item: u32,
        reason: String,
    },
    /// The receiver's last word on an item.
    Result(ItemResult),
    /// Comes with a descriptor: of what has the array in it, from byte `position` on.
    Handoff {
        item: u32,
        position: u64,
    },
    /// Nothing more is offered.
    Finish,
    /// Every result was given: both sides close.
    Summary,
    Abort(Farewell),
    KeepAlive,
    /// Of a kind that a later version may send and this one skips.
    Skipped,
}

/// What a sender says of a tree before its first item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRequest {
    /// What the sender calls it, for people.
    pub(crate) root: String,
    /// What is to become of files that are there and differ.
    pub(crate) replace: Replace,
    /// Content decides whether a file is there already, and not size and time.
    pub(crate) compares: bool,
}

/// What is to become of files that are there and differ, where the receiver allows to replace any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replace {
    /// They stay, and what was offered is refused.
    #[default]
    Never,
    /// They are replaced where they are older.
    Older,
    /// They are replaced.
    Always,
}

/// How far offers may go ahead; both count from the session's first, and never fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credit {
    /// The highest item that may be offered.
    pub(crate) items: u32,
    /// The bytes of offers, and of blocks that were sent before their items were accepted.
    pub(crate) bytes: u64,
}

impl Credit {
    /// What counts before the receiver has said anything.
    pub(crate) const FIRST: Self = Self {
        items: 64,
        bytes: 1 << 20,
    };
}

/// The receiver's last word on an item, or on several that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemResult {
    pub(crate) item: u32,
    /// How many have this result, from `item` on.
    pub(crate) count: u32,
    pub(crate) status: Status,
    /// They are on disk, so that they outlast a loss of power.
    pub(crate) is_durable: bool,
    pub(crate) bytes: Option<u64>,
    pub(crate) checksum: Option<u64>,
    pub(crate) reason: Option<String>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It is where it belongs.
    Stored,
    /// It was there already.
    Had,
    /// The receiver does not want it.
    Refused,
    /// The receiver could not keep it.
    Failed,
    /// The sender has dropped it.
    Withdrawn,
}

impl Replace {
    const CODES: [(Self, u8); 3] = [(Self::Never, 0), (Self::Older, 1), (Self::Always, 2)];

    fn code(self) -> u8 {
        let mut codes = Self::CODES.into_iter();
        codes.find(|(replace, _)| *replace == self).map_or(0, |(_, code)| code)
    }

    fn from_code(code: u8) -> Result<Self, Error> {
        let mut codes = Self::CODES.into_iter();
        let known = codes.find(|(_, known)| *known == code).map(|(replace, _)| replace);
        known.ok_or_else(|| Error::Protocol(format!("the wish {code} for files that are there is unknown here")))
    }
}

impl Status {
    const CODES: [(Self, u8); 5] = [
        (Self::Stored, 0),
        (Self::Had, 1),
        (Self::Refused, 2),
        (Self::Failed, 3),
        (Self::Withdrawn, 4),
    ];

    fn code(self) -> u8 {
        let mut codes = Self::CODES.into_iter();
        codes
            .find(|(status, _)| *status == self)
            .map_or(u8::MAX, |(_, code)| code)
    }

    fn from_code(code: u8) -> Result<Self, Error> {
        let mut codes = Self::CODES.into_iter();
        let known = codes.find(|(_, known)| *known == code).map(|(status, _)| status);
        known.ok_or_else(|| Error::Protocol(format!("a result of the unknown status {code}")))
    }
}

/// The greeting: magic and version.
pub(crate) fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// The version in a greeting; `None` where the bytes are not one.
pub(crate) fn version_of(greeting: &[u8]) -> Option<u16> {
    let version = greeting.strip_prefix(&MAGIC)?.first_chunk()?;
    Some(u16::from_le_bytes(*version))
}

impl Message {
    /// What it is, for people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "a hello",
            Self::Welcome { .. } => "a welcome",
            Self::Refuse(_) => "a refusal",
            Self::Join { .. } => "a connection that joins",
            Self::Credit(_) => "credit",
            Self::Offer { .. } | Self::OfferEntry { .. } => "an offer",
            Self::Accept { .. } => "an acceptance",
            Self::Claim { .. } => "a claim",
            Self::Block { .. } => "a block",
            Self::End { .. } => "an end",
            Self::Drop { .. } => "a drop",
            Self::Result(_) => "a result",
            Self::Handoff { .. } => "a handoff",
            Self::Finish => "a finish",
            Self::Summary => "a summary",
            Self::Abort(_) => "an abort",
            Self::KeepAlive => "a keep-alive",
            Self::Skipped => "a message of a later version",
        }
    }
}

/// What the front of some bytes is.
#[derive(Debug, PartialEq)]
pub(crate) enum Parsed {
    /// A message, and its length in bytes.
    Message(Message, usize),
    /// The beginning of one that has so many bytes, as far as can be told.
    Need(usize),
}
