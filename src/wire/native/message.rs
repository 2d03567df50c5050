//! The `native` wire's messages: what each is made of, and the header before it. Every number is little-endian.

use crate::array::MAX_DESCR_BYTES;
use crate::error::Error;
use crate::wire::Offer;

use super::fields::{Fields, put, put_reason, tag};
use super::{Token, offer};

/// The version spoken here.
pub(crate) const VERSION: u16 = 1;
/// The length of the greeting that each side sends first: magic and version.
pub(crate) const GREETING_BYTES: usize = 8;
/// The most data bytes that a block can have.
pub(crate) const BLOCK_BYTES_MAX: u32 = 4 << 20;

pub(in crate::wire) const MAGIC: [u8; 6] = *b"ARLIFT";

/// Kind, three zero bytes, length of the body.
pub(super) const HEADER_BYTES: usize = 8;
/// A block's header and the offset that follows it.
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
    pub(super) const RECEIPT: u8 = 5;
    pub(super) const ABORT: u8 = 6;
    pub(super) const KEEP_ALIVE: u8 = 7;
    pub(super) const JOIN: u8 = 9;
    pub(super) const HANDOFF: u8 = 8;
}

/// What one side says to the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Message {
    Offer(Box<Offer>),
    Accept {
        first_byte: u64,
        /// How many connections the array may take in all, and what the further ones show.
        more: Option<(u16, Token)>,
        /// The receiver wants the array handed over, as was offered.
        handoff: bool,
    },
    Refuse {
        reason: String,
    },
    /// The header alone; data and checksum follow.
    Block {
        offset: u64,
        len: u32,
    },
    Receipt {
        bytes: u64,
        checksum: Option<u64>,
    },
    Abort {
        reason: String,
    },
    KeepAlive,
    /// This connection takes part in a transfer that has begun on another one.
    Join {
        token: Token,
    },
    /// Comes with a descriptor: of what has the array in it, from byte `position` on.
    Handoff {
        position: u64,
    },
    /// Of a kind that a later version may send and this one skips.
    Skipped,
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
        let mut body = Vec::new();
        let kind = match self {
            Self::Offer(offer) => {
                offer::write(&mut body, offer);
                kind::OFFER
            }
            Self::Accept {
                first_byte,
                more,
                handoff,
            } => {
                put(&mut body, tag::FIRST_BYTE, &first_byte.to_le_bytes());
                if let Some((streams, token)) = more {
                    put(&mut body, tag::STREAMS, &streams.to_le_bytes());
                    put(&mut body, tag::TOKEN, token);
                }
                if *handoff {
                    put(&mut body, tag::HANDOFF, &[1]);
                }
                kind::ACCEPT
            }
            Self::Refuse { reason } => {
                put_reason(&mut body, reason);
                kind::REFUSE
            }
            Self::Block { offset, len } => {
                header(out, kind::BLOCK, *len);
                out.extend_from_slice(&offset.to_le_bytes());
                return;
            }
            Self::Receipt { bytes, checksum } => {
                put(&mut body, tag::BYTES, &bytes.to_le_bytes());
                if let Some(checksum) = checksum {
                    put(&mut body, tag::CHECKSUM, &checksum.to_le_bytes());
                }
                kind::RECEIPT
            }
            Self::Abort { reason } => {
                put_reason(&mut body, reason);
                kind::ABORT
            }
            Self::KeepAlive => kind::KEEP_ALIVE,
            Self::Join { token } => {
                put(&mut body, tag::TOKEN, token);
                kind::JOIN
            }
            Self::Handoff { position } => {
                put(&mut body, tag::POSITION, &position.to_le_bytes());
                kind::HANDOFF
            }
            Self::Skipped => FIRST_SKIPPABLE_KIND,
        };
        // Every body is bounded far below 4 GiB by its fields' bounds.
        header(out, kind, u32::try_from(body.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&body);
    }

    /// What it is, for people.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Offer(_) => "an offer",
            Self::Accept { .. } => "an acceptance",
            Self::Refuse { .. } => "a refusal",
            Self::Block { .. } => "a block",
            Self::Receipt { .. } => "a receipt",
            Self::Abort { .. } => "an abort",
            Self::KeepAlive => "a keep-alive",
            Self::Join { .. } => "a connection that joins",
            Self::Handoff { .. } => "a handoff",
            Self::Skipped => "a message of a later version",
        }
    }

    /// Takes one message from the front of `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Error> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(Parsed::Need(HEADER_BYTES));
        };
        let [kind, _, _, _, length @ ..] = *header;
        let length = u32::from_le_bytes(length);
        if kind == kind::BLOCK {
            if length == 0 || length > BLOCK_BYTES_MAX {
                return Err(Error::Protocol(format!(
                    "a block of {length} bytes, of 1 to {BLOCK_BYTES_MAX}"
                )));
            }
            return Ok(match rest.first_chunk() {
                Some(offset) => {
                    let offset = u64::from_le_bytes(*offset);
                    Parsed::Message(Self::Block { offset, len: length }, BLOCK_HEADER_BYTES)
                }
                None => Parsed::Need(BLOCK_HEADER_BYTES),
            });
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

    fn decode(kind: u8, body: &[u8]) -> Result<Self, Error> {
        if kind >= FIRST_SKIPPABLE_KIND {
            return Ok(Self::Skipped);
        }
        let fields = Fields::read(body)?;
        Ok(match kind {
            kind::OFFER => Self::Offer(Box::new(offer::read(&fields)?)),
            kind::ACCEPT => Self::Accept {
                first_byte: fields.number(tag::FIRST_BYTE)?,
                more: match fields.streams()? {
                    0 | 1 => None,
                    streams => Some((streams, fields.token()?)),
                },
                handoff: fields.flag(tag::HANDOFF)?,
            },
            kind::REFUSE => Self::Refuse {
                reason: fields.reason()?,
            },
            kind::RECEIPT => Self::Receipt {
                bytes: fields.number(tag::BYTES)?,
                checksum: fields.optional(tag::CHECKSUM, Fields::number)?,
            },
            kind::ABORT => Self::Abort {
                reason: fields.reason()?,
            },
            kind::KEEP_ALIVE => Self::KeepAlive,
            kind::JOIN => Self::Join { token: fields.token()? },
            kind::HANDOFF => Self::Handoff {
                position: fields.number(tag::POSITION)?,
            },
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

fn header(out: &mut Vec<u8>, kind: u8, length: u32) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&length.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{ArrayMeta, Dtype, Order, Shape};
    use crate::wire::{ChecksumKind, Handoff};
    use proptest::prelude::*;

    fn offer() -> Offer {
        Offer {
            meta: ArrayMeta::new(Dtype::f64(), Shape::new(vec![3, 4]).expect("shape"), Order::Fortran).expect("meta"),
            name: Some("Größe.npy".into()),
            plain: false,
            identity: vec![1, 2, 3],
            checksum: ChecksumKind::Crc32,
            streams: 3,
            handoff: Some(Handoff::Unsealed),
        }
    }

    fn encoded(message: &Message) -> Vec<u8> {
        let mut out = Vec::new();
        message.encode(&mut out);
        out
    }

    #[test]
    fn every_message_survives_the_wire_and_is_awaited_whole() {
        let messages = [
            Message::Offer(Box::new(offer())),
            Message::Accept {
                first_byte: 1 << 40,
                more: None,
                handoff: false,
            },
            Message::Accept {
                first_byte: 0,
                more: Some((8, [7; 16])),
                handoff: false,
            },
            Message::Join { token: [9; 16] },
            Message::Accept {
                first_byte: 0,
                more: None,
                handoff: true,
            },
            Message::Handoff { position: 128 },
            Message::Refuse {
                reason: "no room".into(),
            },
            Message::Block {
                offset: 7,
                len: BLOCK_BYTES_MAX,
            },
            Message::Receipt {
                bytes: 96,
                checksum: Some(5),
            },
            Message::Receipt {
                bytes: 96,
                checksum: None,
            },
            Message::Abort {
                reason: "cancelled".into(),
            },
            Message::KeepAlive,
        ];
        for message in messages {
            let bytes = encoded(&message);
            for len in 0..bytes.len() {
                let parsed = Message::parse(&bytes[..len]).expect("a beginning");
                assert!(
                    matches!(parsed, Parsed::Need(n) if n > len && n <= bytes.len()),
                    "{message:?} cut at {len}"
                );
            }
            assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
        }
    }

    #[test]
    fn unknown_fields_and_later_kinds_are_skipped_and_unknown_low_kinds_are_not() {
        let mut body = Vec::new();
        put(&mut body, 999, b"from the future");
        put(&mut body, tag::FIRST_BYTE, &4_u64.to_le_bytes());
        assert_eq!(
            Message::decode(kind::ACCEPT, &body),
            Ok(Message::Accept {
                first_byte: 4,
                more: None,
                handoff: false
            })
        );
        assert_eq!(Message::decode(0x99, b"not fields"), Ok(Message::Skipped));
        assert!(Message::decode(99, &body).is_err());
    }

    #[test]
    fn lengths_are_bounded_before_they_are_used() {
        let mut huge = vec![kind::OFFER, 0, 0, 0];
        huge.extend_from_slice(&u32::MAX.to_le_bytes());
        assert!(Message::parse(&huge).is_err());
        huge[0] = kind::BLOCK;
        assert!(Message::parse(&huge).is_err());
        let lying = [1, 0, 255, 255, 0];
        assert!(Fields::read(&lying).is_err());
    }

    #[test]
    fn a_dtype_of_any_length_that_is_read_travels_whole() {
        // Around the longest value with a short length, and the longest there is.
        for length in [65_534, 65_535, 65_536, MAX_DESCR_BYTES] {
            let name = "n".repeat(length - "[('', '|u1')]".len());
            let dtype = Dtype::from_descr(&format!("[('{name}', '|u1')]")).expect("a dtype");
            assert_eq!(dtype.descr().len(), length);
            let meta = ArrayMeta::vector(dtype, 12).expect("meta");
            let message = Message::Offer(Box::new(Offer {
                meta,
                name: Some("n".repeat(4096)),
                ..offer()
            }));
            let bytes = encoded(&message);
            assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
        }
    }

    #[test]
    fn a_field_name_arrives_as_it_was_sent_whatever_characters_it_has() {
        let dtype = Dtype::from_descr("[('a\u{202e}b\u{200b}', '|u1')]").expect("a dtype");
        let meta = ArrayMeta::vector(dtype, 12).expect("meta");
        let message = Message::Offer(Box::new(Offer { meta, ..offer() }));
        let bytes = encoded(&message);
        assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
    }

    #[test]
    fn a_field_that_comes_twice_and_a_flag_that_is_neither_on_nor_off_are_errors() {
        let mut body = Vec::new();
        put(&mut body, tag::FIRST_BYTE, &4_u64.to_le_bytes());
        put(&mut body, tag::FIRST_BYTE, &5_u64.to_le_bytes());
        assert!(Message::decode(kind::ACCEPT, &body).is_err());
        let mut body = Vec::new();
        put(&mut body, tag::ORDER, &[2]);
        let fields = Fields::read(&body).expect("fields");
        assert!(fields.flag(tag::ORDER).is_err());
        assert_eq!(fields.flag(tag::PLAIN), Ok(false));
    }

    #[test]
    fn an_abort_without_a_reason_is_still_an_abort() {
        let Ok(Message::Abort { reason }) = Message::decode(kind::ABORT, &[]) else {
            panic!("abort")
        };
        assert!(reason.contains("no reason"));
    }

    #[test]
    fn an_offer_whose_bytes_do_not_fit_its_shape_is_refused() {
        let mut bytes = encoded(&Message::Offer(Box::new(offer())));
        let at = bytes
            .windows(8)
            .position(|window| window == 96_u64.to_le_bytes())
            .expect("the length");
        bytes[at] = 97;
        assert!(matches!(Message::parse(&bytes), Err(Error::BadOffer(_))));
    }

    #[test]
    fn control_characters_of_a_peer_do_not_reach_the_terminal() {
        let bytes = encoded(&Message::Abort {
            reason: "\x1b[31mred".into(),
        });
        let Ok(Parsed::Message(Message::Abort { reason }, _)) = Message::parse(&bytes) else {
            panic!("abort")
        };
        assert_eq!(reason, "\u{fffd}[31mred");
    }

    #[test]
    fn the_first_byte_can_never_begin_a_tls_record() {
        assert_ne!(greeting()[0], 0x16);
        assert_eq!(version_of(&greeting()), Some(VERSION));
        assert_eq!(version_of(b"GET / HT"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Message::parse(&bytes);
        }

        #[test]
        fn a_changed_offer_never_panics(at in 0_usize..200, byte: u8) {
            let mut bytes = encoded(&Message::Offer(Box::new(offer())));
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = Message::parse(&bytes);
        }
    }
}
