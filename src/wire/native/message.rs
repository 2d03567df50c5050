//! The `native` wire's messages: what each is made of, and the header before it. Every number is little-endian.

#[cfg(test)]
mod tests;

use crate::array::MAX_DESCR_BYTES;
use crate::error::Error;
use crate::wire::Offer;

use super::fields::{Fields, put, put_reason, tag};
use super::{Token, offer};

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
    pub(super) const END: u8 = 15;
    pub(super) const FINISH: u8 = 19;
    pub(super) const SUMMARY: u8 = 20;
}

/// What one side says to the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    /// Begins a session, on its control connection.
    Hello {
        /// Over how many connections the sender would move what it has.
        streams: u16,
    },
    /// The receiver takes the session, or the connection that joins it.
    Welcome {
        /// How many connections the session may have in all, and what the further ones show.
        more: Option<(u16, Token)>,
    },
    /// Ends the session in place of a welcome.
    Refuse {
        reason: String,
    },
    /// This connection takes part in a session that has begun on another one.
    Join {
        token: Token,
    },
    Offer {
        item: u32,
        offer: Box<Offer>,
    },
    Accept {
        item: u32,
        /// The receiver wants the array handed over, as was offered.
        handoff: bool,
    },
    /// The header alone; data and checksum follow.
    Block {
        item: u32,
        index: u32,
        len: u32,
    },
    /// Every block was sent, and the source is still what was offered.
    End {
        item: u32,
        bytes: u64,
        checksum: Option<u64>,
    },
    /// The receiver's last word on an item.
    Result {
        item: u32,
        status: Status,
        bytes: u64,
        checksum: Option<u64>,
        reason: Option<String>,
    },
    /// Comes with a descriptor: of what has the array in it, from byte `position` on.
    Handoff {
        item: u32,
        position: u64,
    },
    /// Nothing more is offered.
    Finish,
    /// Every result was given: both sides close.
    Summary,
    Abort {
        reason: String,
    },
    KeepAlive,
    /// Of a kind that a later version may send and this one skips.
    Skipped,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// It is where it belongs.
    Stored,
    /// The receiver does not want it.
    Refused,
    /// The receiver could not keep it.
    Failed,
}

impl Status {
    const CODES: [(Self, u8); 3] = [(Self::Stored, 0), (Self::Refused, 2), (Self::Failed, 3)];

    fn code(self) -> u8 {
        let mut codes = Self::CODES.into_iter();
        codes.find(|(status, _)| *status == self).map_or(u8::MAX, |(_, code)| code)
    }

    fn from_code(code: u8) -> Result<Self, Error> {
        let mut codes = Self::CODES.into_iter();
        let known = codes.find(|(_, known)| *known == code).map(|(status, _)| status);
        known.ok_or_else(|| Error::Protocol(format!("a result of the unknown status {code}")))
    }
}

/// The greeting: magic and version.
pub(super) fn greeting() -> [u8; GREETING_BYTES] {
    let mut bytes = [0; GREETING_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_le_bytes());
    bytes
}

/// The version in a greeting; `None` where the bytes are not one.
pub(super) fn version_of(greeting: &[u8]) -> Option<u16> {
    let version = greeting.strip_prefix(&MAGIC)?.first_chunk()?;
    Some(u16::from_le_bytes(*version))
}

impl Message {
    /// Appends the message's bytes; for a block, its header's.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        if let Self::Block { item, index, len } = self {
            header(out, kind::BLOCK, *len);
            out.extend_from_slice(&item.to_le_bytes());
            out.extend_from_slice(&index.to_le_bytes());
            return;
        }
        let mut body = Vec::new();
        let kind = self.encode_body(&mut body);
        // Every body is bounded far below 4 GiB by its fields' bounds.
        header(out, kind, u32::try_from(body.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&body);
    }

    /// Appends its fields, and returns its kind.
    fn encode_body(&self, body: &mut Vec<u8>) -> u8 {
        match self {
            Self::Hello { streams } => {
                put(body, tag::STREAMS, &streams.to_le_bytes());
                kind::HELLO
            }
            Self::Welcome { more } => {
                if let Some((streams, token)) = more {
                    put(body, tag::STREAMS, &streams.to_le_bytes());
                    put(body, tag::TOKEN, token);
                }
                kind::WELCOME
            }
            Self::Refuse { reason } => {
                put_reason(body, reason);
                kind::REFUSE
            }
            Self::Join { token } => {
                put(body, tag::TOKEN, token);
                kind::JOIN
            }
            Self::Offer { item, offer } => {
                put_item(body, *item);
                offer::write(body, offer);
                kind::OFFER
            }
            Self::Accept { item, handoff } => {
                put_item(body, *item);
                if *handoff {
                    put(body, tag::HANDOFF, &[1]);
                }
                kind::ACCEPT
            }
            Self::End { item, bytes, checksum } => {
                put_item(body, *item);
                put_sum(body, *bytes, *checksum);
                kind::END
            }
            Self::Result {
                item,
                status,
                bytes,
                checksum,
                reason,
            } => {
                put_item(body, *item);
                put(body, tag::STATUS, &[status.code()]);
                put_sum(body, *bytes, *checksum);
                if let Some(reason) = reason {
                    put_reason(body, reason);
                }
                kind::RESULT
            }
            Self::Handoff { item, position } => {
                put_item(body, *item);
                put(body, tag::POSITION, &position.to_le_bytes());
                kind::HANDOFF
            }
            Self::Abort { reason } => {
                put_reason(body, reason);
                kind::ABORT
            }
            Self::Finish => kind::FINISH,
            Self::Summary => kind::SUMMARY,
            Self::KeepAlive => kind::KEEP_ALIVE,
            Self::Block { .. } => kind::BLOCK,
            Self::Skipped => FIRST_SKIPPABLE_KIND,
        }
    }

    /// What it is, for people.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "a hello",
            Self::Welcome { .. } => "a welcome",
            Self::Refuse { .. } => "a refusal",
            Self::Join { .. } => "a connection that joins",
            Self::Offer { .. } => "an offer",
            Self::Accept { .. } => "an acceptance",
            Self::Block { .. } => "a block",
            Self::End { .. } => "an end",
            Self::Result { .. } => "a result",
            Self::Handoff { .. } => "a handoff",
            Self::Finish => "a finish",
            Self::Summary => "a summary",
            Self::Abort { .. } => "an abort",
            Self::KeepAlive => "a keep-alive",
            Self::Skipped => "a message of a later version",
        }
    }

    /// Takes one message from the front of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Error> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(Parsed::Need(HEADER_BYTES));
        };
        let [kind, flags, _, _, length @ ..] = *header;
        if flags != 0 && kind < FIRST_SKIPPABLE_KIND {
            return Err(Error::Protocol(format!("a message of kind {kind} with the unknown flags {flags:#x}")));
        }
        let length = u32::from_le_bytes(length);
        if kind == kind::BLOCK {
            return Self::parse_block(length, rest);
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let most = if kind == kind::OFFER {
            OFFER_BYTES_MAX
        } else {
            BODY_BYTES_MAX
        };
        if length > most {
            return Err(Error::Protocol(format!(
                "a message of {length} bytes, of at most {most}"
            )));
        }
        let Some(body) = rest.get(..length) else {
            return Ok(Parsed::Need(HEADER_BYTES + length));
        };
        Ok(Parsed::Message(Self::decode(kind, body)?, HEADER_BYTES + length))
    }

    fn parse_block(len: u32, rest: &[u8]) -> Result<Parsed, Error> {
        if len == 0 || len > BLOCK_BYTES_MAX {
            return Err(Error::Protocol(format!(
                "a block of {len} bytes, of 1 to {BLOCK_BYTES_MAX}"
            )));
        }
        let Some((item, rest)) = rest.split_first_chunk() else {
            return Ok(Parsed::Need(BLOCK_HEADER_BYTES));
        };
        let Some(index) = rest.first_chunk() else {
            return Ok(Parsed::Need(BLOCK_HEADER_BYTES));
        };
        let (item, index) = (u32::from_le_bytes(*item), u32::from_le_bytes(*index));
        Ok(Parsed::Message(Self::Block { item, index, len }, BLOCK_HEADER_BYTES))
    }

    fn decode(kind: u8, body: &[u8]) -> Result<Self, Error> {
        if kind >= FIRST_SKIPPABLE_KIND {
            return Ok(Self::Skipped);
        }
        let fields = Fields::read(body)?;
        let item = || fields.short_number(tag::ITEM);
        let checksum = || fields.optional(tag::CHECKSUM, Fields::number);
        Ok(match kind {
            kind::HELLO => Self::Hello {
                streams: fields.streams()?,
            },
            kind::WELCOME => Self::Welcome {
                more: match fields.streams()? {
                    0 | 1 => None,
                    streams => Some((streams, fields.token()?)),
                },
            },
            kind::REFUSE => Self::Refuse {
                reason: fields.reason()?,
            },
            kind::JOIN => Self::Join { token: fields.token()? },
            kind::OFFER => Self::Offer {
                item: item()?,
                offer: Box::new(offer::read(&fields)?),
            },
            kind::ACCEPT => Self::Accept {
                item: item()?,
                handoff: fields.flag(tag::HANDOFF)?,
            },
            kind::END => Self::End {
                item: item()?,
                bytes: fields.number(tag::BYTES)?,
                checksum: checksum()?,
            },
            kind::RESULT => Self::Result {
                item: item()?,
                status: Status::from_code(fields.byte(tag::STATUS)?)?,
                bytes: fields.number(tag::BYTES)?,
                checksum: checksum()?,
                reason: fields.optional(tag::REASON, |fields, _| fields.reason())?,
            },
            kind::HANDOFF => Self::Handoff {
                item: item()?,
                position: fields.number(tag::POSITION)?,
            },
            kind::FINISH => Self::Finish,
            kind::SUMMARY => Self::Summary,
            kind::ABORT => Self::Abort {
                reason: fields.reason()?,
            },
            kind::KEEP_ALIVE => Self::KeepAlive,
            _ => {
                return Err(Error::Protocol(format!("a message of the unknown kind {kind}")));
            }
        })
    }
}

/// What the front of some bytes is.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    /// A message, and its length in bytes.
    Message(Message, usize),
    /// The beginning of one that has so many bytes, as far as can be told.
    Need(usize),
}

fn put_item(body: &mut Vec<u8>, item: u32) {
    put(body, tag::ITEM, &item.to_le_bytes());
}

fn put_sum(body: &mut Vec<u8>, bytes: u64, checksum: Option<u64>) {
    put(body, tag::BYTES, &bytes.to_le_bytes());
    if let Some(checksum) = checksum {
        put(body, tag::CHECKSUM, &checksum.to_le_bytes());
    }
}

fn header(out: &mut Vec<u8>, kind: u8, length: u32) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&length.to_le_bytes());
}
