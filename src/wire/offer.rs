//! What a sender says of the array before its first byte.

use std::path::Path;

use crate::array::ArrayMeta;

use super::ChecksumKind;
use super::native::BLOCKS_MAX;

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
    /// Its blocks lie on a grid of so many bytes; `None` where they come in order, of any length.
    pub grain: Option<Grain>,
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

/// The length of blocks in bytes, but for an array's last one: a power of two from 64 KiB to 4 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain(u32);

impl Grain {
    /// The longest.
    pub const MAX: Self = Self(4 << 20);
    /// One that stays in a core's cache.
    pub(crate) const MIB: Self = Self(1 << 20);
    /// The shortest.
    pub const MIN: Self = Self(64 << 10);

    /// Of exactly so many bytes; `None` where blocks cannot be of that length.
    #[must_use]
    pub fn new(bytes: u32) -> Option<Self> {
        let is_one = bytes.is_power_of_two() && (Self::MIN.0..=Self::MAX.0).contains(&bytes);
        is_one.then_some(Self(bytes))
    }

    /// The longest of at most so many bytes, or the shortest there is.
    #[must_use]
    pub fn at_most(bytes: u64) -> Self {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(Self::MIN.0, Self::MAX.0);
        Self(1 << bytes.ilog2())
    }

    /// For an array of so many bytes: the longest of at most `wanted` bytes that is not too short for it. For more than
    /// 64 TiB the longest of all is too short, too.
    #[must_use]
    pub fn for_array(bytes: u64, wanted: u64) -> Self {
        let shortest = bytes.div_ceil(BLOCKS_MAX);
        let shortest = shortest.checked_next_power_of_two().unwrap_or(u64::MAX);
        Self::at_most(wanted.max(shortest))
    }

    /// Whether so many bytes are no more blocks than an array can have.
    #[must_use]
    pub fn reaches_over(self, bytes: u64) -> bool {
        bytes.div_ceil(self.bytes()) <= BLOCKS_MAX
    }

    /// The bytes of a block of an array of `total_bytes`; 0 where it has no such block.
    #[must_use]
    pub fn block_bytes(self, index: u32, total_bytes: u64) -> u64 {
        let at = u64::from(index) * self.bytes();
        total_bytes.saturating_sub(at).min(self.bytes())
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// In bytes, to reckon with.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0.into()
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
