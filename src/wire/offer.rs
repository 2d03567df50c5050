//! What a sender says of the array before its first byte.

use std::path::Path;

use crate::array::ArrayMeta;

use super::ChecksumKind;

/// The array that is about to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Its dtype, shape and order.
    pub meta: ArrayMeta,
    /// What the sender calls it; not to be trusted as a path.
    pub name: Option<String>,
    /// The bytes are a plain file's: they are kept as they are, under whatever name.
    pub plain: bool,
    /// Tells whether a source is the one that it was; empty where the sender cannot tell. At most 64 bytes.
    pub identity: Vec<u8>,
    /// The checksum that follows each block.
    pub checksum: ChecksumKind,
    /// How many connections the sender would move it over.
    pub streams: u16,
    /// The sender can hand the array over as it lies in memory or in a file, where the receiver asks for it.
    pub handoff: Option<Handoff>,
}

impl Offer {
    /// Whether the bytes are those of a whole `.npy` file, its header among them.
    #[must_use]
    pub fn has_npy_header(&self) -> bool {
        let name = self.name.as_deref().map(Path::new);
        self.plain
            && name
                .and_then(Path::extension)
                .is_some_and(|extension| extension == "npy")
    }
}

/// What a sender hands over in place of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handoff {
    /// Memory that is sealed: nobody can change or shrink it any more.
    Sealed,
    /// A file's own descriptor: other processes can still change it.
    Unsealed,
}

impl Handoff {
    /// Each with the number that stands for it in an offer.
    const CODES: [(Self, u8); 2] = [(Self::Sealed, 1), (Self::Unsealed, 2)];

    /// The number that stands for it in an offer.
    #[must_use]
    pub fn code(self) -> u8 {
        Self::CODES
            .into_iter()
            .find_map(|(handoff, code)| (handoff == self).then_some(code))
            .unwrap_or_default()
    }

    /// What a number in an offer stands for.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::CODES
            .into_iter()
            .find_map(|(handoff, known)| (known == code).then_some(handoff))
    }
}
