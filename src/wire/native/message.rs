//! The bytes of the `native` wire's messages. Every number is little-endian.

use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::error::Error;
use crate::wire::{ChecksumKind, Handoff, Offer};

use super::Token;

/// The version spoken here.
pub const VERSION: u16 = 1;
/// The length of the greeting that each side sends first: magic and version.
pub const GREETING_BYTES: usize = 8;
/// The most data bytes that a block can have.
pub const BLOCK_BYTES_MAX: u32 = 4 << 20;

pub(in crate::wire) const MAGIC: [u8; 6] = *b"ARLIFT";

/// Kind, three zero bytes, length of the body.
pub(super) const HEADER_BYTES: usize = 8;
/// A block's header and the offset that follows it.
pub(super) const BLOCK_HEADER_BYTES: usize = 16;
/// A block's checksum, after its data.
pub(super) const TRAILER_BYTES: usize = 8;

/// The most body bytes that any message but a block can have.
const BODY_BYTES_MAX: usize = 64 << 10;
const NAME_BYTES_MAX: usize = 4096;
const IDENTITY_BYTES_MAX: usize = 64;
const REASON_BYTES_MAX: usize = 1024;
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

mod tag {
    pub(super) const DTYPE: u16 = 1;
    pub(super) const SHAPE: u16 = 2;
    pub(super) const ORDER: u16 = 3;
    pub(super) const BYTES: u16 = 4;
    pub(super) const NAME: u16 = 5;
    pub(super) const IDENTITY: u16 = 6;
    pub(super) const CHECKSUM_KIND: u16 = 7;
    pub(super) const PLAIN: u16 = 8;
    pub(super) const FIRST_BYTE: u16 = 9;
    pub(super) const CHECKSUM: u16 = 10;
    pub(super) const REASON: u16 = 11;
    pub(super) const STREAMS: u16 = 14;
    pub(super) const TOKEN: u16 = 15;
    pub(super) const HANDOFF: u16 = 12;
    pub(super) const POSITION: u16 = 13;
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
                field(&mut body, tag::DTYPE, offer.meta.dtype().descr().as_bytes());
                let shape: Vec<u8> = offer
                    .meta
                    .shape()
                    .dimensions()
                    .iter()
                    .flat_map(|len| len.to_le_bytes())
                    .collect();
                field(&mut body, tag::SHAPE, &shape);
                field(&mut body, tag::ORDER, &[u8::from(offer.meta.order() == Order::Fortran)]);
                field(&mut body, tag::BYTES, &offer.meta.byte_len().to_le_bytes());
                if let Some(name) = &offer.name {
                    field(&mut body, tag::NAME, truncated(name, NAME_BYTES_MAX).as_bytes());
                }
                field(&mut body, tag::IDENTITY, &offer.identity);
                field(&mut body, tag::CHECKSUM_KIND, &[offer.checksum.code()]);
                field(&mut body, tag::PLAIN, &[u8::from(offer.plain)]);
                if offer.streams > 1 {
                    field(&mut body, tag::STREAMS, &offer.streams.to_le_bytes());
                }
                if let Some(handoff) = offer.handoff {
                    field(&mut body, tag::HANDOFF, &[handoff.code()]);
                }
                kind::OFFER
            }
            Self::Accept {
                first_byte,
                more,
                handoff,
            } => {
                field(&mut body, tag::FIRST_BYTE, &first_byte.to_le_bytes());
                if let Some((streams, token)) = more {
                    field(&mut body, tag::STREAMS, &streams.to_le_bytes());
                    field(&mut body, tag::TOKEN, token);
                }
                if *handoff {
                    field(&mut body, tag::HANDOFF, &[1]);
                }
                kind::ACCEPT
            }
            Self::Refuse { reason } => {
                field(&mut body, tag::REASON, truncated(reason, REASON_BYTES_MAX).as_bytes());
                kind::REFUSE
            }
            Self::Block { offset, len } => {
                header(out, kind::BLOCK, *len);
                out.extend_from_slice(&offset.to_le_bytes());
                return;
            }
            Self::Receipt { bytes, checksum } => {
                field(&mut body, tag::BYTES, &bytes.to_le_bytes());
                if let Some(checksum) = checksum {
                    field(&mut body, tag::CHECKSUM, &checksum.to_le_bytes());
                }
                kind::RECEIPT
            }
            Self::Abort { reason } => {
                field(&mut body, tag::REASON, truncated(reason, REASON_BYTES_MAX).as_bytes());
                kind::ABORT
            }
            Self::KeepAlive => kind::KEEP_ALIVE,
            Self::Join { token } => {
                field(&mut body, tag::TOKEN, token);
                kind::JOIN
            }
            Self::Handoff { position } => {
                field(&mut body, tag::POSITION, &position.to_le_bytes());
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
        if length > BODY_BYTES_MAX {
            return Err(Error::Protocol(format!(
                "a message of {length} bytes, of at most {BODY_BYTES_MAX}"
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
            kind::OFFER => Self::Offer(Box::new(decode_offer(&fields)?)),
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
                checksum: fields
                    .get(tag::CHECKSUM)
                    .map(|_| fields.number(tag::CHECKSUM))
                    .transpose()?,
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

fn decode_offer(fields: &Fields<'_>) -> Result<Offer, Error> {
    let bad = |reason: String| Error::BadOffer(reason);
    let descr = fields.text(tag::DTYPE, usize::from(u16::MAX))?;
    let dtype = Dtype::from_descr(&descr).map_err(|error| bad(error.to_string()))?;
    let shape = fields.require(tag::SHAPE)?;
    let (axes, []) = shape.as_chunks::<8>() else {
        return Err(Error::Protocol("a shape that is not a list of 8-byte numbers".into()));
    };
    let shape = Shape::new(axes.iter().map(|len| u64::from_le_bytes(*len)).collect());
    let order = if fields.flag(tag::ORDER)? {
        Order::Fortran
    } else {
        Order::C
    };
    let shape = shape.map_err(|error| bad(error.to_string()))?;
    let meta = ArrayMeta::new(dtype, shape, order).map_err(|error| bad(error.to_string()))?;
    let bytes = fields.number(tag::BYTES)?;
    if bytes != meta.byte_len() {
        return Err(bad(format!(
            "it speaks of {bytes} bytes, but {meta} has {}",
            meta.byte_len()
        )));
    }
    let name = fields
        .get(tag::NAME)
        .map(|_| fields.text(tag::NAME, NAME_BYTES_MAX))
        .transpose()?;
    let identity = fields.get(tag::IDENTITY).unwrap_or_default();
    if identity.len() > IDENTITY_BYTES_MAX {
        return Err(Error::Protocol(format!(
            "an identity of {} bytes, of at most {IDENTITY_BYTES_MAX}",
            identity.len()
        )));
    }
    let code = fields.byte(tag::CHECKSUM_KIND)?;
    let checksum =
        ChecksumKind::from_code(code).ok_or_else(|| bad(format!("its checksum kind {code} is unknown here")))?;
    Ok(Offer {
        meta,
        name,
        plain: fields.flag(tag::PLAIN)?,
        identity: identity.to_vec(),
        checksum,
        streams: fields.streams()?,
        // A way that a later version may know is none here: the array comes in blocks.
        handoff: fields
            .get(tag::HANDOFF)
            .map(|_| fields.byte(tag::HANDOFF))
            .transpose()?
            .and_then(Handoff::from_code),
    })
}

/// The fields of a body: tag, length, value. Unknown ones are skipped.
struct Fields<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Fields<'a> {
    fn read(mut body: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Vec::new();
        while !body.is_empty() {
            let field = body.split_first_chunk().and_then(|(tag, rest)| {
                let (len, rest) = rest.split_first_chunk()?;
                let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
                Some((u16::from_le_bytes(*tag), value, rest))
            });
            let Some((tag, value, rest)) = field else {
                return Err(Error::Protocol("a field that reaches beyond its message".into()));
            };
            if fields.iter().any(|(earlier, _)| *earlier == tag) {
                return Err(Error::Protocol(format!("a message with its field {tag} twice")));
            }
            fields.push((tag, value));
            body = rest;
        }
        Ok(Self(fields))
    }

    fn get(&self, wanted: u16) -> Option<&'a [u8]> {
        self.0.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value)
    }

    fn require(&self, tag: u16) -> Result<&'a [u8], Error> {
        self.get(tag)
            .ok_or_else(|| Error::Protocol(format!("a message without its field {tag}")))
    }

    fn number(&self, tag: u16) -> Result<u64, Error> {
        let bytes = self.require(tag)?;
        let bytes = bytes
            .try_into()
            .map_err(|_| Error::Protocol(format!("field {tag} is not 8 bytes long")))?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn byte(&self, tag: u16) -> Result<u8, Error> {
        match self.require(tag)? {
            [byte] => Ok(*byte),
            _ => Err(Error::Protocol(format!("field {tag} is not 1 byte long"))),
        }
    }

    /// A flag that is off where it is not given.
    fn flag(&self, tag: u16) -> Result<bool, Error> {
        match self.get(tag) {
            None | Some([0]) => Ok(false),
            Some([1]) => Ok(true),
            Some(_) => Err(Error::Protocol(format!("field {tag} is neither 0 nor 1"))),
        }
    }

    /// How many connections; one where it is not given.
    fn streams(&self) -> Result<u16, Error> {
        match self.get(tag::STREAMS) {
            None => Ok(1),
            Some([low, high]) => Ok(u16::from_le_bytes([*low, *high])),
            Some(_) => Err(Error::Protocol(format!("field {} is not 2 bytes long", tag::STREAMS))),
        }
    }

    fn token(&self) -> Result<Token, Error> {
        let wrong = |_| Error::Protocol(format!("field {} is not 16 bytes long", tag::TOKEN));
        self.require(tag::TOKEN)?.try_into().map_err(wrong)
    }

    /// Why the peer stops, in its words.
    fn reason(&self) -> Result<String, Error> {
        match self.get(tag::REASON) {
            Some(_) => self.text(tag::REASON, REASON_BYTES_MAX),
            None => Ok("it gave no reason".into()),
        }
    }

    fn text(&self, tag: u16, bytes_max: usize) -> Result<String, Error> {
        let bytes = self.require(tag)?;
        if bytes.len() > bytes_max {
            return Err(Error::Protocol(format!("field {tag} is longer than {bytes_max} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Protocol(format!("field {tag} is not UTF-8")))?;
        // What a peer says ends up on terminals.
        Ok(text
            .chars()
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect())
    }
}

fn header(out: &mut Vec<u8>, kind: u8, length: u32) {
    out.extend_from_slice(&[kind, 0, 0, 0]);
    out.extend_from_slice(&length.to_le_bytes());
}

fn field(body: &mut Vec<u8>, tag: u16, value: &[u8]) {
    // Every value written here is bounded below 64 KiB: texts are truncated, a dtype has 16 KiB at most, a shape 64 axes.
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    body.extend_from_slice(&tag.to_le_bytes());
    body.extend_from_slice(&len.to_le_bytes());
    body.extend_from_slice(&value[..usize::from(len)]);
}

fn truncated(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;
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
        field(&mut body, 999, b"from the future");
        field(&mut body, tag::FIRST_BYTE, &4_u64.to_le_bytes());
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
    fn a_field_that_comes_twice_and_a_flag_that_is_neither_on_nor_off_are_errors() {
        let mut body = Vec::new();
        field(&mut body, tag::FIRST_BYTE, &4_u64.to_le_bytes());
        field(&mut body, tag::FIRST_BYTE, &5_u64.to_le_bytes());
        assert!(Message::decode(kind::ACCEPT, &body).is_err());
        let mut body = Vec::new();
        field(&mut body, tag::ORDER, &[2]);
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
