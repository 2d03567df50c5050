//! Bytes become messages, within their bounds.

use crate::error::Error;
use crate::wire::Grain;
use crate::wire::native::claims::BlockClaims;
use crate::wire::native::entry::Entry;
use crate::wire::native::fields::{Fields, tag};
use crate::wire::native::offer;

use super::{
    BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, BODY_BYTES_MAX, Credit, ENDS, FIRST_SKIPPABLE_KIND, HEADER_BYTES, ItemResult,
    Message, OFFER_BYTES_MAX, Parsed, ROOT_BYTES_MAX, Replace, Status, TreeRequest, kind,
};

impl Message {
    /// Takes one message from the front of `bytes`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, Error> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(Parsed::Need(HEADER_BYTES));
        };
        let [kind, flags, _, _, length @ ..] = *header;
        let known = if kind == kind::BLOCK { ENDS } else { 0 };
        if flags & !known != 0 && kind < FIRST_SKIPPABLE_KIND {
            return Err(Error::Protocol(format!(
                "a message of kind {kind} with the unknown flags {flags:#x}"
            )));
        }
        let length = u32::from_le_bytes(length);
        if kind == kind::BLOCK {
            return Self::parse_block(flags, length, rest);
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

    fn parse_block(flags: u8, len: u32, rest: &[u8]) -> Result<Parsed, Error> {
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
        let ends = flags & ENDS != 0;
        Ok(Parsed::Message(
            Self::Block { item, index, len, ends },
            BLOCK_HEADER_BYTES,
        ))
    }

    pub(super) fn decode(kind: u8, body: &[u8]) -> Result<Self, Error> {
        if kind >= FIRST_SKIPPABLE_KIND {
            return Ok(Self::Skipped);
        }
        let fields = Fields::read(body)?;
        let item = || fields.short_number(tag::ITEM);
        Ok(match kind {
            kind::HELLO => Self::Hello {
                streams: fields.streams()?,
                tree: fields.optional(tag::ROOT, |fields, _| TreeRequest::read(fields))?,
            },
            kind::WELCOME => Self::Welcome {
                more: match fields.streams()? {
                    0 | 1 => None,
                    streams => Some((streams, fields.token()?)),
                },
                is_fresh: fields.flag(tag::FRESH)?,
            },
            kind::CREDIT => Self::Credit(Credit {
                items: fields.short_number(tag::ITEMS)?,
                bytes: fields.number(tag::BYTES)?,
            }),
            kind::REFUSE => Self::Refuse {
                reason: fields.reason()?,
            },
            kind::JOIN => Self::Join { token: fields.token()? },
            kind::OFFER if fields.get(tag::PATH).is_some() => Self::OfferEntry {
                item: item()?,
                entry: Box::new(Entry::read(&fields)?),
            },
            kind::OFFER => Self::Offer {
                item: item()?,
                offer: Box::new(offer::read(&fields)?),
            },
            kind::ACCEPT => Self::Accept {
                item: item()?,
                handoff: fields.flag(tag::HANDOFF)?,
                grain: fields.optional(tag::GRAIN, read_grain)?,
            },
            kind::CLAIM => Self::Claim {
                item: item()?,
                claims: BlockClaims::read(&fields)?,
            },
            kind::END => Self::End {
                item: item()?,
                bytes: fields.number(tag::BYTES)?,
                checksum: fields.optional(tag::CHECKSUM, Fields::number)?,
                kept: fields.optional(tag::KEPT, Fields::number)?.unwrap_or(0),
            },
            kind::DROP => Self::Drop {
                item: item()?,
                reason: fields.reason()?,
            },
            kind::RESULT => Self::Result(ItemResult::read(&fields)?),
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

/// The length of the receiver's blocks.
fn read_grain(fields: &Fields<'_>, tag: u16) -> Result<Grain, Error> {
    let bytes = fields.short_number(tag)?;
    Grain::new(bytes).ok_or_else(|| Error::Protocol(format!("blocks of {bytes} bytes are on no grid")))
}

impl TreeRequest {
    fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            root: fields.text(tag::ROOT, ROOT_BYTES_MAX)?,
            replace: Replace::from_code(fields.optional(tag::REPLACE, Fields::byte)?.unwrap_or(0))?,
            compares: fields.flag(tag::COMPARE)?,
        })
    }
}

impl ItemResult {
    fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            item: fields.short_number(tag::ITEM)?,
            count: fields.optional(tag::COUNT, Fields::short_number)?.unwrap_or(1),
            status: Status::from_code(fields.byte(tag::STATUS)?)?,
            is_durable: fields.flag(tag::DURABLE)?,
            bytes: fields.optional(tag::BYTES, Fields::number)?,
            checksum: fields.optional(tag::CHECKSUM, Fields::number)?,
            reason: fields.optional(tag::REASON, |fields, _| fields.reason())?,
        })
    }
}
