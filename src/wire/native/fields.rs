//! The fields of a message's body: tag, length and value of each. Every number is little-endian.

use crate::error::Error;
use crate::text::shown;

use super::Token;

const REASON_BYTES_MAX: usize = 1024;
/// The most fields that a body can have.
const FIELDS_MAX: usize = 64;
/// A field from here on changes what its message says: whoever does not know it must not go on.
const FIRST_MANDATORY_TAG: u16 = 0x8000;
/// In place of a length: the length follows as a u32.
const LONG: u16 = u16::MAX;

/// What a field is, by its number.
pub(super) mod tag {
    pub(in crate::wire::native) const DTYPE: u16 = 1;
    pub(in crate::wire::native) const SHAPE: u16 = 2;
    pub(in crate::wire::native) const ORDER: u16 = 3;
    pub(in crate::wire::native) const BYTES: u16 = 4;
    pub(in crate::wire::native) const NAME: u16 = 5;
    pub(in crate::wire::native) const IDENTITY: u16 = 6;
    pub(in crate::wire::native) const CHECKSUM_KIND: u16 = 7;
    pub(in crate::wire::native) const WHAT: u16 = 8;
    pub(in crate::wire::native) const ITEM: u16 = 9;
    pub(in crate::wire::native) const CHECKSUM: u16 = 10;
    pub(in crate::wire::native) const REASON: u16 = 11;
    pub(in crate::wire::native) const HANDOFF: u16 = 12;
    pub(in crate::wire::native) const POSITION: u16 = 13;
    pub(in crate::wire::native) const STREAMS: u16 = 14;
    pub(in crate::wire::native) const TOKEN: u16 = 15;
    pub(in crate::wire::native) const GRAIN: u16 = 16;
    pub(in crate::wire::native) const STATUS: u16 = 17;
    pub(in crate::wire::native) const PATH: u16 = 18;
    pub(in crate::wire::native) const COUNT: u16 = 19;
    pub(in crate::wire::native) const DURABLE: u16 = 20;
    pub(in crate::wire::native) const MODE: u16 = 21;
    pub(in crate::wire::native) const MTIME: u16 = 22;
    pub(in crate::wire::native) const TARGET: u16 = 23;
    pub(in crate::wire::native) const SPARSE: u16 = 24;
    pub(in crate::wire::native) const ROOT: u16 = 25;
    pub(in crate::wire::native) const FRESH: u16 = 26;
    pub(in crate::wire::native) const ITEMS: u16 = 27;
    pub(in crate::wire::native) const REPLACE: u16 = 28;
    pub(in crate::wire::native) const COMPARE: u16 = 29;
    pub(in crate::wire::native) const FIRST_BLOCK: u16 = 30;
    pub(in crate::wire::native) const CLAIMED: u16 = 31;
    pub(in crate::wire::native) const CHECKSUMS: u16 = 32;
    pub(in crate::wire::native) const KEPT: u16 = 33;
}

/// The fields of a body. Nobody asks for unknown ones, so that they are skipped.
pub(super) struct Fields<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Fields<'a> {
    /// All fields of a body.
    ///
    /// # Errors
    /// One reaches beyond the body or comes twice, there are too many, or one must be understood and is not known here.
    pub(super) fn read(mut body: &'a [u8]) -> Result<Self, Error> {
        let mut fields = Vec::new();
        while !body.is_empty() {
            let field = body.split_first_chunk().and_then(|(tag, rest)| {
                let (len, rest) = read_len(rest)?;
                let (value, rest) = rest.split_at_checked(len)?;
                Some((u16::from_le_bytes(*tag), value, rest))
            });
            let Some((tag, value, rest)) = field else {
                return Err(Error::Protocol("a field that reaches beyond its message".into()));
            };
            if fields.len() == FIELDS_MAX {
                return Err(Error::Protocol(format!("a message of more than {FIELDS_MAX} fields")));
            }
            if fields.iter().any(|(earlier, _)| *earlier == tag) {
                return Err(Error::Protocol(format!("a message with its field {tag} twice")));
            }
            if tag >= FIRST_MANDATORY_TAG {
                return Err(Error::Protocol(format!(
                    "field {tag} has to be understood and is unknown here"
                )));
            }
            fields.push((tag, value));
            body = rest;
        }
        Ok(Self(fields))
    }

    /// The value of a field; `None` where it is not given.
    pub(super) fn get(&self, wanted: u16) -> Option<&'a [u8]> {
        self.0.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value)
    }

    /// The value of a field that must be given.
    pub(super) fn require(&self, tag: u16) -> Result<&'a [u8], Error> {
        self.get(tag)
            .ok_or_else(|| Error::Protocol(format!("a message without its field {tag}")))
    }

    /// What `read` reads of a field; `None` where it is not given.
    pub(super) fn optional<T>(
        &self,
        tag: u16,
        read: impl FnOnce(&Self, u16) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.get(tag).map(|_| read(self, tag)).transpose()
    }

    /// A number of 8 bytes.
    pub(super) fn number(&self, tag: u16) -> Result<u64, Error> {
        self.array(tag).map(u64::from_le_bytes)
    }

    /// A number of 4 bytes.
    pub(super) fn short_number(&self, tag: u16) -> Result<u32, Error> {
        self.array(tag).map(u32::from_le_bytes)
    }

    /// A number of one byte.
    pub(super) fn byte(&self, tag: u16) -> Result<u8, Error> {
        match self.require(tag)? {
            [byte] => Ok(*byte),
            _ => Err(Error::Protocol(format!("field {tag} is not 1 byte long"))),
        }
    }

    /// A flag that is off where it is not given.
    pub(super) fn flag(&self, tag: u16) -> Result<bool, Error> {
        match self.get(tag) {
            None | Some([0]) => Ok(false),
            Some([1]) => Ok(true),
            Some(_) => Err(Error::Protocol(format!("field {tag} is neither 0 nor 1"))),
        }
    }

    /// How many connections; one where it is not given.
    pub(super) fn streams(&self) -> Result<u16, Error> {
        let streams = self.optional(tag::STREAMS, Self::array)?;
        Ok(streams.map_or(1, u16::from_le_bytes))
    }

    /// What a connection that joins shows.
    pub(super) fn token(&self) -> Result<Token, Error> {
        self.array(tag::TOKEN)
    }

    /// At most so many bytes, as they came.
    pub(super) fn bytes(&self, tag: u16, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let bytes = self.require(tag)?;
        if bytes.len() > bytes_max {
            return Err(Error::Protocol(format!("field {tag} is longer than {bytes_max} bytes")));
        }
        Ok(bytes.to_vec())
    }

    /// A value of so many bytes.
    pub(super) fn array<const N: usize>(&self, tag: u16) -> Result<[u8; N], Error> {
        let wrong = |_| Error::Protocol(format!("field {tag} is not {N} bytes long"));
        self.require(tag)?.try_into().map_err(wrong)
    }

    /// Why the peer stops, in its words.
    pub(super) fn reason(&self) -> Result<String, Error> {
        match self.get(tag::REASON) {
            Some(_) => self.text(tag::REASON, REASON_BYTES_MAX),
            None => Ok("it gave no reason".into()),
        }
    }

    /// A text of at most `bytes_max` bytes, without hidden characters.
    pub(super) fn text(&self, tag: u16, bytes_max: usize) -> Result<String, Error> {
        if self.require(tag)?.len() > bytes_max {
            return Err(Error::Protocol(format!("field {tag} is longer than {bytes_max} bytes")));
        }
        // What a peer says ends up on terminals.
        self.utf8(tag).map(shown)
    }

    /// A text as it came, for the program alone.
    pub(super) fn utf8(&self, tag: u16) -> Result<&'a str, Error> {
        std::str::from_utf8(self.require(tag)?).map_err(|_| Error::Protocol(format!("field {tag} is not UTF-8")))
    }
}

/// The length that a value has, and what follows the length.
fn read_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    match u16::from_le_bytes(*len) {
        LONG => {
            let (len, rest) = rest.split_first_chunk()?;
            Some((usize::try_from(u32::from_le_bytes(*len)).ok()?, rest))
        }
        len => Some((len.into(), rest)),
    }
}

/// Appends a field.
pub(super) fn put(body: &mut Vec<u8>, tag: u16, value: &[u8]) {
    body.extend_from_slice(&tag.to_le_bytes());
    match u16::try_from(value.len()) {
        Ok(len) if len < LONG => body.extend_from_slice(&len.to_le_bytes()),
        _ => {
            body.extend_from_slice(&LONG.to_le_bytes());
            // No value comes near 4 GiB: the longest is a dtype's, of 256 KiB.
            body.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
    }
    body.extend_from_slice(value);
}

/// Appends a text, cut to so many bytes.
pub(super) fn put_text(body: &mut Vec<u8>, tag: u16, text: &str, bytes_max: usize) {
    put(body, tag, &text.as_bytes()[..text.floor_char_boundary(bytes_max)]);
}

/// Appends why something ends, for the peer's screen.
pub(super) fn put_reason(body: &mut Vec<u8>, reason: &str) {
    put_text(body, tag::REASON, reason, REASON_BYTES_MAX);
}
