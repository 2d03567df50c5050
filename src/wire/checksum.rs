//! Checksums of blocks, and of the array that they add up to.

use crc_fast::CrcAlgorithm;

/// Which checksum a native wire carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

impl Digest {
    /// The checksum of no bytes.
    #[must_use]
    pub fn new(kind: ChecksumKind) -> Self {
        Self {
            kind,
            crc: kind.algorithm().map(crc_fast::Digest::new),
        }
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
    pub fn value(&self) -> Option<u64> {
        self.crc.as_ref().map(crc_fast::Digest::finalize)
    }

    /// Adds everything that `next` has seen, as if it had been seen here.
    pub fn append(&mut self, next: &Self) {
        if let (Some(crc), Some(next)) = (&mut self.crc, &next.crc) {
            crc.combine(next);
        }
    }

    /// For people: the kind and the value, such as `crc32:cbf43926`; `None` where nothing is verified.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        let digits = if self.kind == ChecksumKind::Crc32 { 8 } else { 16 };
        self.value()
            .map(|value| format!("{}:{value:0digits$x}", self.kind.name()))
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

    #[test]
    fn appended_parts_give_the_checksum_of_the_whole() {
        let (mut whole, mut first, mut second) = (
            Digest::new(ChecksumKind::Crc64Nvme),
            Digest::new(ChecksumKind::Crc64Nvme),
            Digest::new(ChecksumKind::Crc64Nvme),
        );
        whole.update(b"first second");
        first.update(b"first ");
        second.update(b"second");
        first.append(&second);
        assert_eq!(first.value(), whole.value());
    }

    #[test]
    fn codes_stand_for_their_kinds() {
        for kind in [ChecksumKind::None, ChecksumKind::Crc64Nvme, ChecksumKind::Crc32] {
            assert_eq!(ChecksumKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(ChecksumKind::from_code(9), None);
    }
}
