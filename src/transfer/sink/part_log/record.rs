//! One record of a log: 32 bytes that count as a whole, or not at all.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | kind |
//! | 1..4 | zeros |
//! | 4..8 | from: the first block, or the first record |
//! | 8..12 | count: how many blocks or records |
//! | 12..16 | zeros |
//! | 16..24 | value: a checksum, or a writer's number |
//! | 24..32 | seal: CRC-64/NVME of the bytes before, begun with the log's number and the writer's |
//!
//! All numbers are little-endian.

use crc_fast::{CrcAlgorithm, Digest};

pub(super) const RECORD_BYTES: usize = 32;
const SEAL_AT: usize = 24;

const OPENED: u8 = 1;
const BLOCK: u8 = 2;
const VOID: u8 = 3;
const MARK: u8 = 4;
const UNSYNCED: u8 = 5;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// What follows is by the writer of this number.
    Opened { writer: u64 },
    /// A block has come, with this checksum.
    Block { index: u32, value: u64 },
    /// These blocks do not count any more: something else may stand in their place.
    Void { from: u32, count: u32 },
    /// The blocks of these records of the same writer are on disk, wherever the mark stands behind them.
    Mark { from: u32, count: u32 },
    /// A sync failed: the blocks of the same writer's records from this one on may be lost, and no later sync says so.
    Unsynced { from: u32 },
}

/// By what the records of one log and of one writer are told from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) log_id: u64,
    /// Of the writer who opened it last; `None` where nobody has.
    pub(super) writer: Option<u64>,
}

impl Record {
    pub(super) fn to_bytes(self, seal: Seal) -> [u8; RECORD_BYTES] {
        let (kind, from, count, value) = match self {
            Self::Opened { writer } => (OPENED, 0, 0, writer),
            Self::Block { index, value } => (BLOCK, index, 1, value),
            Self::Void { from, count } => (VOID, from, count, 0),
            Self::Mark { from, count } => (MARK, from, count, 0),
            Self::Unsynced { from } => (UNSYNCED, from, 0, 0),
        };
        let mut bytes = [0; RECORD_BYTES];
        bytes[0] = kind;
        bytes[4..8].copy_from_slice(&u32::to_le_bytes(from));
        bytes[8..12].copy_from_slice(&u32::to_le_bytes(count));
        bytes[16..24].copy_from_slice(&u64::to_le_bytes(value));
        let crc = seal.crc(kind, &bytes[..SEAL_AT]);
        bytes[SEAL_AT..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// `None` for what is torn, of another log, or by another writer than the one who opened it last.
    pub(super) fn from_bytes(bytes: &[u8; RECORD_BYTES], seal: Seal) -> Option<Self> {
        let [kind, _, _, _, f0, f1, f2, f3, c0, c1, c2, c3, _, _, _, _, rest @ ..] = *bytes;
        let [v0, v1, v2, v3, v4, v5, v6, v7, crc @ ..] = rest;
        let from = u32::from_le_bytes([f0, f1, f2, f3]);
        let count = u32::from_le_bytes([c0, c1, c2, c3]);
        let value = u64::from_le_bytes([v0, v1, v2, v3, v4, v5, v6, v7]);
        let record = match kind {
            OPENED => Self::Opened { writer: value },
            BLOCK => Self::Block { index: from, value },
            VOID => Self::Void { from, count },
            MARK => Self::Mark { from, count },
            UNSYNCED => Self::Unsynced { from },
            _ => return None,
        };
        (seal.crc(kind, &bytes[..SEAL_AT]) == u64::from_le_bytes(crc)).then_some(record)
    }
}

impl Seal {
    fn crc(self, kind: u8, bytes: &[u8]) -> u64 {
        let writer = match kind {
            // Whoever opens it is to be known to all, and what is void is so whoever says it.
            OPENED | VOID => 0,
            _ => self.writer.unwrap_or(0),
        };
        let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc64Nvme, self.log_id ^ writer);
        digest.update(bytes);
        digest.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEAL: Seal = Seal {
        log_id: 0x0123_4567_89ab_cdef,
        writer: Some(77),
    };

    fn all() -> [Record; 5] {
        [
            Record::Opened { writer: u64::MAX - 1 },
            Record::Block {
                index: 1 << 23,
                value: 0xfeed_face_dead_beef,
            },
            Record::Void { from: 3, count: 900 },
            Record::Mark { from: 1, count: 7 },
            Record::Unsynced { from: 8 },
        ]
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for record in all() {
            assert_eq!(Record::from_bytes(&record.to_bytes(SEAL), SEAL), Some(record));
        }
    }

    #[test]
    fn a_record_of_which_any_bit_is_another_is_none() {
        for record in all() {
            for bit in 0..8 * RECORD_BYTES {
                let mut bytes = record.to_bytes(SEAL);
                bytes[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Record::from_bytes(&bytes, SEAL), None, "{record:?}, bit {bit}");
            }
        }
        assert_eq!(Record::from_bytes(&[0; RECORD_BYTES], SEAL), None);
    }

    #[test]
    fn a_record_of_another_log_is_none_and_one_of_another_writer_only_where_it_voids_or_opens() {
        let other_log = Seal { log_id: 1, ..SEAL };
        let other_writer = Seal {
            writer: Some(78),
            ..SEAL
        };
        for record in all() {
            assert_eq!(Record::from_bytes(&record.to_bytes(other_log), SEAL), None);
            let is_for_all = matches!(record, Record::Opened { .. } | Record::Void { .. });
            let read = Record::from_bytes(&record.to_bytes(other_writer), SEAL);
            assert_eq!(read, is_for_all.then_some(record));
        }
    }
}
