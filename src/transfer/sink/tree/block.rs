//! A block of a large file, and how it gets into the file's part.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{FallocateFlags, fallocate};

use crate::error::reason;
use crate::transfer::sink::part_log::PartLogError;

use super::item::Outcome;
use super::large::TreePart;

/// A page: a hole is at least as long.
const PAGE_BYTES: usize = 4096;

/// A block that has come, and is verified where its file has checksums.
#[derive(Debug)]
pub(crate) struct FileBlock {
    /// Its number in its file.
    pub(crate) index: u32,
    /// Its first byte.
    pub(crate) at: u64,
    pub(crate) data: Vec<u8>,
    /// The value of its checksum.
    pub(crate) checksum: u64,
    /// Another one is on record in its place.
    pub(crate) is_on_record: bool,
}

impl TreePart {
    /// Writes a block where it belongs, and notes that it is there.
    ///
    /// # Errors
    /// As an outcome: the disk does not take it, or the part is somebody else's now.
    pub(crate) fn write(&mut self, block: &FileBlock) -> Result<(), Outcome> {
        let unrecorded = |error: PartLogError| Outcome::Failed(error.to_string().into());
        let failed = |error: io::Error| Outcome::Failed(reason(&error));
        let bytes = block.data.len() as u64;
        if block.is_on_record
            && let Some(record) = &mut self.record
        {
            record.void(block.index, bytes).map_err(unrecorded)?;
        }
        self.put(block.at, &block.data).map_err(failed)?;
        match &mut self.record {
            Some(record) => record
                .add((block.index, block.checksum), bytes, &self.new)
                .map_err(unrecorded),
            None => Ok(()),
        }
    }

    fn put(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let file = &self.new.file;
        if self.has_holes_at(at, data.len() as u64) {
            return write_without_holes(file, at, data);
        }
        file.write_all_at(data, at)
    }

    /// Whether zeros need not be written there. A part that was there may have other bytes in their place, which go.
    fn has_holes_at(&self, at: u64, bytes: u64) -> bool {
        let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        self.blocks.is_sparse && (!self.is_resumed || fallocate(&self.new.file, punch, at, bytes).is_ok())
    }
}

/// Writes what is no page of zeros: those are holes there.
fn write_without_holes(file: &File, at: u64, data: &[u8]) -> io::Result<()> {
    let mut from = 0;
    for (number, page) in data.chunks(PAGE_BYTES).enumerate() {
        let (begin, end) = (number * PAGE_BYTES, number * PAGE_BYTES + page.len());
        if page.iter().all(|byte| *byte == 0) {
            file.write_all_at(&data[from..begin], at + from as u64)?;
            from = end;
        }
    }
    file.write_all_at(&data[from..], at + from as u64)
}
