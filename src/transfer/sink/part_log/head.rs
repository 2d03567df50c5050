//! The head of a log: what its part is of. It is written twice, and one whole copy is enough.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `ALPARTLG` |
//! | 8..12 | version |
//! | 12..16 | bytes of a block (the grain) |
//! | 16..24 | number of the log |
//! | 24..32 | bytes of the item |
//! | 32..40 | the byte of the part with which the item begins |
//! | 40..48 | inode number of the part |
//! | 48..56 | its birth, in nanoseconds since 1970; 0 where its file system does not tell |
//! | 56 | kind of checksum, as in an offer |
//! | 57 | 1 where a peer is named, else 0 |
//! | 58 | bytes of the name |
//! | 59 | bytes of the source's identity |
//! | 60 | 1 where the part is some bytes of a file that was there before, else 0 |
//! | 64..96 | the peer |
//! | 96..128 | SHA-256 of what the item is |
//! | 128..383 | the name |
//! | 384..448 | the source's identity |
//! | 4088..4096 | CRC-64/NVME of all before |
//!
//! All numbers are little-endian, and what is not named is zero.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::checksum::{ChecksumKind, Digest};

use super::{BLOCKS_MAX, Unusable};

pub(super) const HEAD_BYTES: usize = 4096;
const MAGIC: &[u8] = b"ALPARTLG";
const VERSION: u32 = 1;
const PEER_AT: usize = 64;
const CONTENT_AT: usize = 96;
const NAME_AT: usize = 128;
const NAME_BYTES_MAX: usize = 255;
const IDENTITY_AT: usize = 384;
const IDENTITY_BYTES_MAX: usize = 64;
const CRC_AT: usize = HEAD_BYTES - 8;

/// What is received into a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemHead {
    /// Who sends it; `None` where anybody may.
    pub(crate) peer: Option<[u8; 32]>,
    /// The final name: one component, at most 255 bytes.
    pub(crate) wanted: PathBuf,
    /// By what its source is told from what it was before, at most 64 bytes.
    pub(crate) identity: Vec<u8>,
    /// Its length.
    pub(crate) bytes: u64,
    /// The byte of the part with which it begins: a header may lie before.
    pub(crate) data_offset: u64,
    /// SHA-256 of what it is, such as its dtype and shape.
    pub(crate) content: [u8; 32],
    /// Bytes of a block; the last one may have fewer.
    pub(crate) grain_bytes: u32,
    /// What the values of its blocks are.
    pub(crate) checksum: ChecksumKind,
    /// It comes into some bytes of a file that was there before, `wanted`, which is never removed.
    pub(crate) is_within: bool,
}

/// A head as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) log_id: u64,
    pub(super) part: PartId,
    pub(super) item: ItemHead,
}

/// By what a part is told from another file of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartId {
    inode: u64,
    /// Nanoseconds since 1970; 0 where the file system does not tell.
    born_ns: u64,
}

impl ItemHead {
    /// How many blocks it has.
    pub(super) fn blocks(&self) -> u32 {
        // What is checked has no more than fit.
        let blocks = self.bytes.div_ceil(u64::from(self.grain_bytes.max(1)));
        u32::try_from(blocks).unwrap_or(u32::MAX)
    }

    /// The bytes of the item that are in this block; empty where it has none.
    pub(super) fn block(&self, index: u32) -> Range<u64> {
        let grain = u64::from(self.grain_bytes);
        let start = (u64::from(index) * grain).min(self.bytes);
        start..start.saturating_add(grain).min(self.bytes)
    }

    /// How many bytes these blocks have.
    pub(super) fn bytes_of(&self, blocks: impl Iterator<Item = u32>) -> u64 {
        let block_bytes = |index| {
            let block = self.block(index);
            block.end - block.start
        };
        blocks.map(block_bytes).sum()
    }

    /// The length of the part; of a file that was there before, at least so many bytes.
    pub(super) fn part_bytes(&self) -> u64 {
        self.data_offset.saturating_add(self.bytes)
    }

    /// Whether both are of the same item, whatever its source says of itself and in which blocks it comes.
    pub(super) fn is_same_item(&self, other: &Self) -> bool {
        let as_other = Self {
            identity: other.identity.clone(),
            grain_bytes: other.grain_bytes,
            ..self.clone()
        };
        as_other == *other
    }

    /// Whether it can be written.
    ///
    /// # Errors
    /// `InvalidInput` where it is not within the bounds.
    pub(super) fn check(&self) -> io::Result<()> {
        let invalid = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if !is_name(self.wanted.as_os_str().as_bytes()) {
            return invalid("no file can have that name");
        }
        if self.identity.len() > IDENTITY_BYTES_MAX {
            return invalid("the identity of its source is too long");
        }
        if !self.is_within_bounds() {
            return invalid("it has too many bytes or blocks");
        }
        Ok(())
    }

    fn is_within_bounds(&self) -> bool {
        let ends = self.data_offset.checked_add(self.bytes);
        let is_a_file = ends.is_some_and(|end| i64::try_from(end).is_ok());
        is_a_file && self.grain_bytes > 0 && self.bytes.div_ceil(u64::from(self.grain_bytes)) <= BLOCKS_MAX
    }
}

impl Head {
    pub(super) fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let Self { log_id, part, item } = self;
        let (name, identity) = (item.wanted.as_os_str().as_bytes(), &item.identity);
        let mut bytes = [0; HEAD_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &item.grain_bytes.to_le_bytes());
        let numbers = [*log_id, item.bytes, item.data_offset, part.inode, part.born_ns];
        for (at, number) in (16..).step_by(8).zip(numbers) {
            put(at, &number.to_le_bytes());
        }
        // What is checked has lengths that fit.
        let len = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        let has_peer = u8::from(item.peer.is_some());
        let is_within = u8::from(item.is_within);
        put(
            56,
            &[item.checksum.code(), has_peer, len(name), len(identity), is_within],
        );
        put(PEER_AT, &item.peer.unwrap_or_default());
        put(CONTENT_AT, &item.content);
        put(NAME_AT, name);
        put(IDENTITY_AT, identity);
        let crc = crc(&bytes);
        bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// # Errors
    /// It is torn, or of another version.
    pub(super) fn from_bytes(bytes: &[u8; HEAD_BYTES]) -> Result<Self, Unusable> {
        if array(bytes, CRC_AT) != crc(bytes).to_le_bytes() || !bytes.starts_with(MAGIC) {
            return Err(Unusable::Torn);
        }
        if array(bytes, 8) != VERSION.to_le_bytes() {
            return Err(Unusable::OtherVersion);
        }
        let number = |at| u64::from_le_bytes(array(bytes, at));
        let [checksum, has_peer, name_len, identity_len, is_within] = array(bytes, 56);
        let text = |at: usize, len: u8| &bytes[at..at + usize::from(len)];
        let name = text(NAME_AT, name_len);
        let item = ItemHead {
            peer: (has_peer == 1).then(|| array(bytes, PEER_AT)),
            wanted: OsStr::from_bytes(name).into(),
            identity: text(IDENTITY_AT, identity_len).to_vec(),
            bytes: number(24),
            data_offset: number(32),
            content: array(bytes, CONTENT_AT),
            grain_bytes: u32::from_le_bytes(array(bytes, 12)),
            checksum: ChecksumKind::from_code(checksum).ok_or(Unusable::OtherVersion)?,
            is_within: is_within == 1,
        };
        // Whoever wrote this did not write what is read here.
        item.check().map_err(|_| Unusable::OtherVersion)?;
        let part = PartId {
            inode: number(40),
            born_ns: number(48),
        };
        let log_id = number(16);
        Ok(Self { log_id, part, item })
    }
}

impl PartId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let born = metadata.created().ok();
        let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Self {
            inode: metadata.ino(),
            born_ns: born.map_or(0, |born| u64::try_from(born.as_nanos()).unwrap_or(0)),
        }
    }
}

/// Whether this can be the name of a file in a folder.
fn is_name(name: &[u8]) -> bool {
    let is_special = name.is_empty() || name == b"." || name == b"..";
    !is_special && name.len() <= NAME_BYTES_MAX && !name.contains(&b'/') && !name.contains(&0)
}

/// Of all before it.
fn crc(head: &[u8; HEAD_BYTES]) -> u64 {
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(&head[..CRC_AT]);
    digest.value().unwrap_or_default()
}

/// `N` bytes from `at` on.
fn array<const N: usize>(bytes: &[u8; HEAD_BYTES], at: usize) -> [u8; N] {
    let mut copy = [0; N];
    copy.copy_from_slice(&bytes[at..at + N]);
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> ItemHead {
        ItemHead {
            peer: Some([7; 32]),
            wanted: "ü".repeat(127).into(),
            identity: (0..64).collect(),
            bytes: 10_000_001,
            data_offset: 128,
            content: [9; 32],
            grain_bytes: 1 << 20,
            checksum: ChecksumKind::Crc32,
            is_within: false,
        }
    }

    fn head() -> Head {
        Head {
            log_id: 0x0123_4567_89ab_cdef,
            part: PartId {
                inode: 42,
                born_ns: 1_700_000_000_000_000_001,
            },
            item: item(),
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        for (peer, is_within) in [(None, true), (Some([7; 32]), false)] {
            let mut head = head();
            (head.item.peer, head.item.is_within) = (peer, is_within);
            assert_eq!(Head::from_bytes(&head.to_bytes()).expect("whole"), head);
        }
    }

    #[test]
    fn a_head_of_which_any_byte_is_another_is_torn() {
        for at in 0..HEAD_BYTES {
            let mut bytes = head().to_bytes();
            bytes[at] ^= 0x10;
            assert!(matches!(Head::from_bytes(&bytes), Err(Unusable::Torn)), "byte {at}");
        }
    }

    #[test]
    fn a_head_of_another_version_and_one_beyond_the_bounds_are_known_as_such() {
        for (at, value) in [(8, 2), (12, 0), (56, 99), (58, 0), (59, 65), (NAME_AT, b'/')] {
            let mut bytes = head().to_bytes();
            bytes[at] = value;
            if at == 12 {
                bytes[12..16].fill(0);
            }
            let crc = crc(&bytes);
            bytes[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
            assert!(
                matches!(Head::from_bytes(&bytes), Err(Unusable::OtherVersion)),
                "byte {at}"
            );
        }
    }

    #[test]
    fn what_is_beyond_the_bounds_is_not_written() {
        let good = item();
        good.check().expect("within the bounds");
        let bad = [
            ItemHead {
                wanted: "".into(),
                ..good.clone()
            },
            ItemHead {
                wanted: "..".into(),
                ..good.clone()
            },
            ItemHead {
                wanted: "a/b".into(),
                ..good.clone()
            },
            ItemHead {
                wanted: "n".repeat(256).into(),
                ..good.clone()
            },
            ItemHead {
                identity: vec![0; 65],
                ..good.clone()
            },
            ItemHead {
                grain_bytes: 0,
                ..good.clone()
            },
            ItemHead {
                bytes: (1 << 44) + 1,
                ..good.clone()
            },
            ItemHead {
                bytes: u64::MAX,
                data_offset: 1,
                ..good.clone()
            },
        ];
        for item in bad {
            assert_eq!(
                item.check().expect_err("refused").kind(),
                io::ErrorKind::InvalidInput,
                "{item:?}"
            );
        }
        let most = ItemHead { bytes: 1 << 44, ..good };
        most.check().expect("as many blocks as may be");
        assert_eq!(most.blocks(), 1 << 24);
    }

    #[test]
    fn a_part_is_told_from_a_later_file_of_its_inode_where_the_file_system_tells_its_birth() {
        let metadata = tempfile::tempfile().and_then(|file| file.metadata()).expect("a file");
        let id = PartId::of(&metadata);
        assert_eq!(id.inode, metadata.ino());
        assert_eq!(id.born_ns > 0, metadata.created().is_ok());
        let later = PartId {
            born_ns: id.born_ns + 1,
            ..id
        };
        assert_ne!(later, id);
    }

    #[test]
    fn the_last_block_has_what_is_left() {
        let item = item();
        assert_eq!(item.blocks(), 10);
        assert_eq!(item.block(9), 9 << 20..10_000_001);
        assert!(item.block(10).is_empty() && item.block(u32::MAX).is_empty());
        assert_eq!(
            item.bytes_of([0, 9, 10].into_iter()),
            (1 << 20) + 10_000_001 - (9 << 20)
        );
    }
}
