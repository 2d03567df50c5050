//! Checksums of blocks, and of the array that they add up to.

use crc_fast::CrcAlgorithm;

/// Which checksum a native wire carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChecksumKind {
    /// No checksum: nothing is verified.
    None,
    /// CRC-64/NVME, the fastest here.
    #[default]
    Crc64Nvme,
    /// The CRC-32 of zlib and PNG, for peers in plain Python (`zlib.crc32`).
    Crc32,
}

impl ChecksumKind {
    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Crc64Nvme => "crc64nvme",
            Self::Crc32 => "crc32",
        }
    }

    /// The number that stands for it in an offer.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Crc64Nvme => 1,
            Self::Crc32 => 2,
        }
    }

    /// The kind that a number in an offer stands for.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::None, Self::Crc64Nvme, Self::Crc32]
            .into_iter()
            .find(|kind| kind.code() == code)
    }

    fn algorithm(self) -> Option<CrcAlgorithm> {
        match self {
            Self::None => None,
            Self::Crc64Nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
        }
    }
}

/// A checksum that grows as bytes pass by.
#[derive(Debug, Clone)]
pub struct Digest {
    kind: ChecksumKind,
    crc: Option<crc_fast::Digest>,
}

/// The checksum of some bytes, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checksum {
    kind: ChecksumKind,
    value: u64,
    bytes: u64,
}

impl Digest {
    /// The checksum of no bytes.
    #[must_use]
    pub fn new(kind: ChecksumKind) -> Self {
        Self {
            kind,
            crc: kind.algorithm().map(crc_fast::Digest::new),
        }
    }

    /// What it is taken with.
    pub(crate) fn kind(&self) -> ChecksumKind {
        self.kind
    }

    /// Adds the bytes that come next.
    pub fn update(&mut self, bytes: &[u8]) {
        if let Some(crc) = &mut self.crc {
            crc.update(bytes);
        }
    }

    /// The state itself, for memory that must not be seen as a slice; `None` where nothing is verified.
    pub(crate) fn state(&mut self) -> Option<&mut crc_fast::Digest> {
        self.crc.as_mut()
    }

    /// The checksum so far; `None` where nothing is verified.
    #[must_use]
    pub fn checksum(&self) -> Option<Checksum> {
        let crc = self.crc.as_ref()?;
        Some(Checksum {
            kind: self.kind,
            value: crc.finalize(),
            bytes: crc.get_amount(),
        })
    }

    /// The value of the checksum so far; `None` where nothing is verified.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        self.checksum().map(Checksum::value)
    }
}

impl Checksum {
    /// Of `bytes` bytes, as somebody took it before; `None` where no checksum of the kind can have that value.
    #[must_use]
    pub(crate) fn known(kind: ChecksumKind, value: u64, bytes: u64) -> Option<Self> {
        let is_possible = match kind {
            ChecksumKind::None => false,
            ChecksumKind::Crc64Nvme => true,
            ChecksumKind::Crc32 => u32::try_from(value).is_ok(),
        };
        is_possible.then_some(Self { kind, value, bytes })
    }

    /// The value: CRC-32 in the lower half, CRC-64 in all of it.
    #[must_use]
    pub fn value(self) -> u64 {
        self.value
    }

    /// The checksum of these bytes with those of `next`, of the same kind, behind them.
    ///
    /// What comes first is multiplied by `x` to the number of bits that follow, and what follows is added, all of it
    /// modulo the CRC's polynomial. Some hundred additions; `crc_fast::Digest::combine` squares matrices.
    #[must_use]
    pub fn followed_by(self, next: Self) -> Self {
        if self.bytes == 0 || next.bytes == 0 {
            return if next.bytes == 0 { self } else { next };
        }
        let field = Field::of(self.kind);
        let mut value = self.value;
        let mut power = field.x_to_the(8);
        let mut left = next.bytes;
        while left > 0 {
            if left & 1 == 1 {
                value = field.product(value, power);
            }
            power = field.product(power, power);
            left >>= 1;
        }
        Self {
            kind: self.kind,
            value: value ^ next.value,
            bytes: self.bytes + next.bytes,
        }
    }
}

/// For people: the kind and the value, such as `crc32:cbf43926`.
impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.kind == ChecksumKind::Crc32 { 8 } else { 16 };
        write!(f, "{}:{:0digits$x}", self.kind.name(), self.value)
    }
}

/// Polynomials over one bit, modulo a CRC's, with the coefficient of `x^0` in the highest of `width` bits.
#[derive(Debug, Clone, Copy)]
struct Field {
    polynomial: u64,
    width: u32,
}

impl Field {
    fn of(kind: ChecksumKind) -> Self {
        let (polynomial, width) = match kind {
            ChecksumKind::None | ChecksumKind::Crc64Nvme => (0x9a6c_9329_ac4b_c9b5, 64),
            ChecksumKind::Crc32 => (0xedb8_8320, 32),
        };
        Self { polynomial, width }
    }

    /// `x^power`, for powers below the width.
    fn x_to_the(self, power: u32) -> u64 {
        1 << (self.width - 1 - power)
    }

    fn product(self, a: u64, mut b: u64) -> u64 {
        let mut product = 0;
        for power in 0..self.width {
            // Without branches: no bit can be foreseen.
            product ^= b & 0_u64.wrapping_sub(a >> (self.width - 1 - power) & 1);
            b = b >> 1 ^ self.polynomial & 0_u64.wrapping_sub(b & 1);
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values_are_the_published_ones() {
        for (kind, check) in [
            (ChecksumKind::Crc64Nvme, 0xae8b_1486_0a79_9888),
            (ChecksumKind::Crc32, 0xcbf4_3926),
        ] {
            let mut digest = Digest::new(kind);
            digest.update(b"123456789");
            assert_eq!(digest.value(), Some(check), "{}", kind.name());
        }
    }

    fn checksum(kind: ChecksumKind, bytes: &[u8]) -> Checksum {
        let mut digest = Digest::new(kind);
        digest.update(bytes);
        digest.checksum().expect("a kind that verifies")
    }

    #[test]
    fn appended_parts_give_the_checksum_of_the_whole() {
        let kind = ChecksumKind::Crc64Nvme;
        let parts = checksum(kind, b"first ").followed_by(checksum(kind, b"second"));
        assert_eq!(parts, checksum(kind, b"first second"));
    }

    #[test]
    fn parts_of_any_length_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..10_000_u32)
            .map(|index| index.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        for kind in [ChecksumKind::Crc64Nvme, ChecksumKind::Crc32] {
            for cut in [0, 1, 7, 4096, 9_999, 10_000] {
                let (first, next) = (checksum(kind, &bytes[..cut]), checksum(kind, &bytes[cut..]));
                let joined = first.followed_by(next);
                assert_eq!(joined, checksum(kind, &bytes), "{} cut at {cut}", kind.name());
                // More parts can follow what was put together.
                let joined = joined.followed_by(checksum(kind, b"more")).followed_by(next);
                let expected = [&bytes, &b"more"[..], &bytes[cut..]].concat();
                assert_eq!(joined, checksum(kind, &expected), "{} cut at {cut}", kind.name());
            }
        }
    }

    #[test]
    fn people_see_the_kind_and_all_digits() {
        assert_eq!(checksum(ChecksumKind::Crc32, b"").to_string(), "crc32:00000000");
        let text = checksum(ChecksumKind::Crc64Nvme, b"123456789").to_string();
        assert_eq!(text, "crc64nvme:ae8b14860a799888");
    }

    #[test]
    fn codes_stand_for_their_kinds() {
        for kind in [ChecksumKind::None, ChecksumKind::Crc64Nvme, ChecksumKind::Crc32] {
            assert_eq!(ChecksumKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(ChecksumKind::from_code(9), None);
    }
}
