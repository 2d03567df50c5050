//! The log beside a part file, `PART.log`, by which a transfer goes on that was interrupted: its process was killed, its
//! peer was lost, the power went.
//!
//! It says what the part is of, and which of its blocks have come. A block counts as being on disk once a mark covers its
//! record: a mark is written when what had been recorded before was synced. What no mark covers is read again from the
//! part, and compared. A log that is damaged in any way says less, and never anything that is not so: at worst a transfer
//! begins anew.
//!
//! The log of some bytes of a file that was there before has a name of its own. Others may write to that file at any time,
//! so that no mark is trusted: every block is read again. Nothing but the log is ever removed.

mod find;
mod head;
mod leftover;
mod log;
mod mark_clock;
mod record;
mod replay;
mod stored;

use std::io;
use std::path::PathBuf;

pub(crate) use find::{Found, Interrupted, Known};
pub(super) use find::{READ_BYTES, block_checksum, find, find_within};
pub(crate) use head::ItemHead;
pub(crate) use leftover::{
    InterruptedPart, KEPT, discard, expire, folders_below, interrupted_parts, interrupted_parts_below,
};
pub(crate) use log::{PartLog, PartLogError};
pub(crate) use mark_clock::MarkClock;
pub(super) use stored::Patience;

/// Where the second copy of the head lies; the first is at byte 0.
const SECOND_HEAD_AT: u64 = 4096;
/// Where the record of whoever opened it last lies: found without reading the others.
const OWNER_AT: u64 = 8192;
/// Where the records begin.
const RECORDS_AT: u64 = 12288;
/// An item has at most so many blocks.
const BLOCKS_MAX: u64 = 1 << 24;
/// A log has at most so many records: what goes on for longer begins anew.
const RECORDS_MAX: u64 = 4 * BLOCKS_MAX;

/// Why a transfer does not go on from a part, for people, who know which part it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("its log is not whole")]
    Torn,
    #[error("its log is of another version of Arraylift")]
    OtherVersion,
    #[error("its log is too long")]
    TooLong,
    #[error("its log is that of another file")]
    OtherFile,
    #[error("it is of something else")]
    OtherItem,
    #[error("it has another length than its log says")]
    OtherLength,
    #[error("it or its log is no plain file of this user")]
    NotOurs,
    #[error("its file system has no locks, so that nobody knows whether it is still being received")]
    NoLocks,
    #[error("{}", crate::error::reason(.0))]
    Refused(#[from] io::Error),
}

/// What the log of an item is called whose file is called `part`.
fn log_name_of(item: &ItemHead, part: &std::path::Path) -> PathBuf {
    if item.is_within {
        super::part_name::log_within(part, item.data_offset, item.bytes)
    } else {
        log_name(part)
    }
}

/// What the log of a part is called.
fn log_name(part: &std::path::Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(super::part_name::LOG_ENDING);
    name.into()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod within_tests;
