//! What a sender says of the array before its first byte.

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
}
