//! Large files of a tree that an earlier transfer has left half received: how they are found again, and what is written
//! down for that while one grows.

use std::fs::File;

use sha2::{Digest as _, Sha256};

use crate::sys::awake_now;
use crate::transfer::sink::kept::KEPT_BYTES_MIN;
use crate::transfer::sink::on_record::OnRecord;
use crate::transfer::sink::opened_part::{Resumed, expire_in};
use crate::transfer::sink::part_log::{Found, Interrupted, ItemHead, PartLog, PartLogError, find};
use crate::wire::{ChecksumKind, Grain};

use super::TreeSink;
use super::item::{FileBlocks, ItemKind, Outcome, Seen, Stop, TreeItem};
use super::large::TreePart;
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::volume::Syncing;

/// What the head of a log says of a file of a tree, where it has what an array is: neither its mode nor its time belongs
/// to it.
const CONTENT: &[u8] = b"a file of a tree";

/// What is written down of a part, and what will be.
#[derive(Debug)]
pub(super) struct PartRecord {
    log: OnRecord,
    /// Blocks that are verified and in the part, and are not written down, and how many bytes they have.
    pending: Vec<(u32, u64)>,
    pending_bytes: u64,
    /// Bytes of all blocks that are verified and in the part.
    verified_bytes: u64,
    /// Nobody goes on with it.
    is_unwanted: bool,
}

impl TreeSink {
    /// The part of a file that an earlier transfer has left half received, which is this one's now, and what is there of
    /// it. `None` where there is none, or nothing could tell which of its blocks are right.
    ///
    /// # Errors
    /// As an outcome: its place is not there, or the disk has no room for the rest. The part stays then.
    pub(crate) fn resume_file(
        &mut self,
        item: &TreeItem,
        blocks: FileBlocks,
        replaces: Option<Seen>,
    ) -> Result<Option<(TreePart, Resumed)>, Outcome> {
        Ok(self.resumed_file(item, blocks, replaces)?)
    }

    fn resumed_file(
        &mut self,
        item: &TreeItem,
        blocks: FileBlocks,
        replaces: Option<Seen>,
    ) -> Result<Option<(TreePart, Resumed)>, Stop> {
        let Some(head) = head_of(item, blocks) else {
            return Ok(None);
        };
        let place = self.place_of(item)?;
        // Nothing was in a folder that was made for this tree.
        if place.is_ours {
            return Ok(None);
        }
        expire_in(&place.folder);
        let Found::Part(found) = find(&place.folder, &head) else {
            return Ok(None);
        };
        let Some(grain) = Grain::new(found.grain_bytes) else {
            return Ok(None);
        };
        let Interrupted {
            file,
            name,
            log,
            recorded,
            ..
        } = found;
        let new = NewFile::named(place.folder.clone(), file, name);
        let recorded_bytes = recorded
            .iter()
            .map(|(index, _)| block_bytes(head.bytes, grain, *index))
            .sum();
        let record = PartRecord::new(OnRecord::new(log, self.is_marked(&place)), recorded_bytes);
        let missing_bytes = new.missing_bytes(head.bytes)?;
        let part = TreePart::resumed(item.clone(), blocks, replaces, place, new, record);
        if !blocks.is_sparse && !self.has_room(part.place(), missing_bytes) {
            return Err(rustix::io::Errno::NOSPC.into());
        }
        let blocks = recorded;
        Ok(Some((part, Resumed { grain, blocks })))
    }

    /// The record of a part that was made a moment ago; `None` where it cannot be gone on with.
    pub(super) fn new_record(
        &self,
        item: &TreeItem,
        blocks: FileBlocks,
        place: &Place,
        new: &NewFile,
    ) -> Option<PartRecord> {
        let head = head_of(item, blocks)?;
        // Without a log it is a file that cannot be gone on with, and no worse.
        let log = PartLog::create(&place.folder, new.name()?, &new.file, &head).ok()?;
        Some(PartRecord::new(OnRecord::new(log, self.is_marked(place)), 0))
    }

    /// Whether what has come into a file in that folder is put on disk from time to time.
    fn is_marked(&self, place: &Place) -> bool {
        self.policy.sync && self.syncing(place) != Syncing::Never
    }
}

impl PartRecord {
    fn new(log: OnRecord, verified_bytes: u64) -> Self {
        Self {
            log,
            pending: Vec::new(),
            pending_bytes: 0,
            verified_bytes,
            is_unwanted: false,
        }
    }

    /// Takes a block of so many bytes off the record, for good, before others come in its place.
    ///
    /// # Errors
    /// The part is somebody else's now, or the block may still be on the record: nothing may come in its place.
    pub(super) fn void(&mut self, index: u32, bytes: u64) -> Result<(), PartLogError> {
        self.log.void(index)?;
        self.verified_bytes = self.verified_bytes.saturating_sub(bytes);
        Ok(())
    }

    /// A block of so many bytes, whose checksum has that value, is in the part.
    ///
    /// # Errors
    /// The part is somebody else's now, or could not be put on disk.
    pub(super) fn add(&mut self, block: (u32, u64), bytes: u64, part: &File) -> Result<(), PartLogError> {
        self.pending.push(block);
        self.pending_bytes += bytes;
        self.verified_bytes += bytes;
        if self.log.begins(awake_now()) {
            return self.write_down(part);
        }
        Ok(())
    }

    /// Writes down what is pending.
    ///
    /// # Errors
    /// As of [`PartRecord::add`].
    pub(super) fn write_down(&mut self, part: &File) -> Result<(), PartLogError> {
        let (blocks, bytes) = (
            std::mem::take(&mut self.pending),
            std::mem::take(&mut self.pending_bytes),
        );
        self.log.write_down(&blocks, bytes, part)
    }

    /// Nobody goes on with the part.
    pub(super) fn discard(&mut self) {
        self.is_unwanted = true;
    }

    /// Whether the part is to stay so that it can be gone on with.
    pub(super) fn is_to_stay(&self) -> bool {
        !self.is_unwanted && self.log.is_kept() && self.verified_bytes >= KEPT_BYTES_MIN
    }

    /// What is written down, to be asked or removed.
    pub(super) fn log(&self) -> &OnRecord {
        &self.log
    }
}

/// What tells a file that could be gone on with from every other; `None` of one that cannot: it is a single block, or too
/// little to be kept, or has nothing to know its blocks by.
fn head_of(item: &TreeItem, blocks: FileBlocks) -> Option<ItemHead> {
    let ItemKind::File { bytes } = item.kind else {
        return None;
    };
    let is_known = blocks.checksum != ChecksumKind::None;
    (is_known && bytes > blocks.grain.bytes() && bytes > KEPT_BYTES_MIN).then(|| ItemHead {
        // Whoever connects: nobody has shown who it is.
        peer: None,
        wanted: as_path(item.path.name()).into(),
        identity: Vec::new(),
        bytes,
        data_offset: 0,
        content: Sha256::digest(CONTENT).into(),
        grain_bytes: blocks.grain.get(),
        checksum: blocks.checksum,
    })
}

/// Bytes of a block of a file.
fn block_bytes(bytes: u64, grain: Grain, index: u32) -> u64 {
    bytes
        .saturating_sub(u64::from(index) * grain.bytes())
        .min(grain.bytes())
}
