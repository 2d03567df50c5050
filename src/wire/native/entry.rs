//! What is offered of a tree: a file, a folder or a link in it.

use crate::error::Error;
use crate::wire::{ChecksumKind, Grain};

use super::fields::{Fields, put, tag};
use super::offer::read_grain;

/// Bytes of a path or of a link's target: `PATH_MAX` of Linux without its zero byte.
const PATH_BYTES_MAX: usize = 4_095;
const NANOSECONDS: u32 = 1_000_000_000;

/// One thing in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its names from the tree's root on, joined by slashes. Not to be trusted before it is checked.
    pub(crate) path: Vec<u8>,
    /// Who may read, write and execute it: the lowest nine bits of a mode.
    pub(crate) mode: u32,
    /// When it was last changed.
    pub(crate) mtime: Timestamp,
    pub(crate) what: EntryKind,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// A plain file.
    File {
        bytes: u64,
        /// The length of its blocks.
        grain: Grain,
        checksum: ChecksumKind,
        /// There are holes in it.
        is_sparse: bool,
        /// The checksum of the whole, where the sender has taken it before.
        content: Option<u64>,
    },
    Folder,
    /// A symbolic link, which points there.
    Link {
        target: Vec<u8>,
    },
}

/// A time since 1970 as `timespec` has it: before 1970 the seconds are negative, the nanoseconds never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp {
    pub(crate) seconds: i64,
    /// 0 to 999,999,999.
    pub(crate) nanoseconds: u32,
}

/// What a number in field 8 stands for.
pub(super) const FILE: u8 = 1;
const FOLDER: u8 = 2;
const LINK: u8 = 3;

impl Entry {
    /// Appends its fields.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        put(body, tag::PATH, &self.path);
        put(body, tag::MODE, &self.mode.to_le_bytes());
        let mut mtime = [0; 12];
        mtime[..8].copy_from_slice(&self.mtime.seconds.to_le_bytes());
        mtime[8..].copy_from_slice(&self.mtime.nanoseconds.to_le_bytes());
        put(body, tag::MTIME, &mtime);
        match &self.what {
            EntryKind::File {
                bytes,
                grain,
                checksum,
                is_sparse,
                content,
            } => {
                put(body, tag::WHAT, &[FILE]);
                put(body, tag::BYTES, &bytes.to_le_bytes());
                put(body, tag::GRAIN, &grain.get().to_le_bytes());
                put(body, tag::CHECKSUM_KIND, &[checksum.code()]);
                if *is_sparse {
                    put(body, tag::SPARSE, &[1]);
                }
                if let Some(content) = content {
                    put(body, tag::CHECKSUM, &content.to_le_bytes());
                }
            }
            EntryKind::Folder => put(body, tag::WHAT, &[FOLDER]),
            EntryKind::Link { target } => {
                put(body, tag::WHAT, &[LINK]);
                put(body, tag::TARGET, target);
            }
        }
    }

    /// Reads them.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        let mtime: [u8; 12] = fields.array(tag::MTIME)?;
        let [seconds @ .., n0, n1, n2, n3] = mtime;
        let nanoseconds = u32::from_le_bytes([n0, n1, n2, n3]);
        if nanoseconds >= NANOSECONDS {
            return Err(Error::Protocol(format!("a time with {nanoseconds} nanoseconds")));
        }
        let what = match fields.byte(tag::WHAT)? {
            FILE => {
                let bytes = fields.number(tag::BYTES)?;
                let code = fields.byte(tag::CHECKSUM_KIND)?;
                EntryKind::File {
                    bytes,
                    grain: read_grain(fields, bytes)?
                        .ok_or_else(|| Error::Protocol("a file in a tree without a grain".into()))?,
                    checksum: ChecksumKind::from_code(code)
                        .ok_or_else(|| Error::Protocol(format!("the checksum kind {code} is unknown here")))?,
                    is_sparse: fields.flag(tag::SPARSE)?,
                    content: fields.optional(tag::CHECKSUM, Fields::number)?,
                }
            }
            FOLDER => EntryKind::Folder,
            LINK => EntryKind::Link {
                target: fields.bytes(tag::TARGET, PATH_BYTES_MAX)?,
            },
            other => return Err(Error::Protocol(format!("what it offers, {other}, is unknown here"))),
        };
        Ok(Self {
            path: fields.bytes(tag::PATH, PATH_BYTES_MAX)?,
            mode: fields.short_number(tag::MODE)? & 0o777,
            mtime: Timestamp {
                seconds: i64::from_le_bytes(seconds),
                nanoseconds,
            },
            what,
        })
    }
}
