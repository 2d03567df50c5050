//! Large files of a tree that an earlier transfer has left half received: how they are found again, and what is written
//! down for that while one grows.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::sys::awake_now;
use crate::transfer::sink::expiry::expire_in;
use crate::transfer::sink::kept::KEPT_BYTES_MIN;
use crate::transfer::sink::on_record::{OnRecord, WRITE_INTERVAL};
use crate::transfer::sink::opened_part::Resumed;
use crate::transfer::sink::part_log::{Found, Interrupted, ItemHead, Known, PartLog, PartLogError, Patience, find};
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
    log: Log,
    /// What has got to the disk is marked.
    is_marked: bool,
    /// Blocks that are verified and in the part, and are not written down, and how many bytes they have.
    pending: Vec<(u32, u64)>,
    pending_bytes: u64,
    /// Bytes of all blocks that are verified and in the part.
    verified_bytes: u64,
}

#[derive(Debug)]
enum Log {
    /// It is made with the first that is written down: most files are whole before.
    NotYet {
        head: Box<ItemHead>,
        due: Instant,
    },
    Open(Box<OnRecord>),
    /// There is none, and will be none.
    Gone,
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
        let Found::Part(found) = find(&place.folder, &head, &mut self.patience) else {
            return Ok(None);
        };
        let Interrupted { file, name, known } = *found;
        let Some(grain) = Grain::new(known.grain_bytes) else {
            return Ok(None);
        };
        let Known { log, recorded, .. } = known;
        let new = NewFile::named(place.folder.clone(), file, name);
        let recorded_bytes = recorded
            .iter()
            .map(|(index, _)| grain.block_bytes(*index, head.bytes))
            .sum();
        let record = PartRecord::resumed(log, self.is_marked(&place), recorded_bytes);
        let missing_bytes = new.missing_bytes(head.bytes)?;
        let part = TreePart::resumed(item.clone(), blocks, replaces, place, new, record);
        if !blocks.is_sparse {
            self.check_room(part.place(), missing_bytes)?;
        }
        let blocks = recorded;
        Ok(Some((part, Resumed { grain, blocks })))
    }

    /// Removes what other sessions have left of a file that is whole now.
    pub(super) fn remove_leftovers(part: &TreePart) {
        let Some(head) = head_of(&part.item, part.blocks) else {
            return;
        };
        let folder = &part.place().folder;
        while let Found::Part(found) = find(folder, &head, &mut Patience::none()) {
            let Interrupted { name, known, .. } = *found;
            if folder.unlink(&name).is_err() {
                return;
            }
            known.log.remove();
        }
    }

    /// The record of a part that is new; `None` where it cannot be gone on with.
    pub(super) fn new_record(&self, item: &TreeItem, blocks: FileBlocks, place: &Place) -> Option<PartRecord> {
        let log = Log::NotYet {
            head: Box::new(head_of(item, blocks)?),
            due: awake_now() + WRITE_INTERVAL,
        };
        Some(PartRecord::new(log, self.is_marked(place), 0))
    }

    /// Whether what has come into a file in that folder is put on disk from time to time.
    fn is_marked(&self, place: &Place) -> bool {
        self.policy.sync && self.syncing(place) != Syncing::Never
    }
}

impl PartRecord {
    fn new(log: Log, is_marked: bool, verified_bytes: u64) -> Self {
        Self {
            log,
            is_marked,
            pending: Vec::new(),
            pending_bytes: 0,
            verified_bytes,
        }
    }

    /// Of a part whose log is there.
    fn resumed(log: PartLog, is_marked: bool, verified_bytes: u64) -> Self {
        Self::new(
            Log::Open(Box::new(OnRecord::new(log, is_marked))),
            is_marked,
            verified_bytes,
        )
    }

    /// Takes a block of so many bytes off the record, for good, before others come in its place.
    ///
    /// # Errors
    /// The part is somebody else's now, or the block may still be on the record: nothing may come in its place.
    pub(super) fn void(&mut self, index: u32, bytes: u64) -> Result<(), PartLogError> {
        if let Log::Open(log) = &self.log {
            log.void(index)?;
        }
        self.verified_bytes = self.verified_bytes.saturating_sub(bytes);
        Ok(())
    }

    /// A block of so many bytes, whose checksum has that value, is in the part.
    ///
    /// # Errors
    /// The part is somebody else's now, or could not be put on disk.
    pub(super) fn add(&mut self, block: (u32, u64), bytes: u64, part: &NewFile) -> Result<(), PartLogError> {
        let now = awake_now();
        let is_due = match &self.log {
            Log::NotYet { due, .. } => *due <= now,
            Log::Open(log) => log.begins(now),
            Log::Gone => return Ok(()),
        };
        self.pending.push(block);
        self.pending_bytes += bytes;
        self.verified_bytes += bytes;
        if is_due {
            return self.write_down(part);
        }
        Ok(())
    }

    /// Does `sync`, which puts the part on disk. Where that fails, what it was to cover counts no more.
    ///
    /// # Errors
    /// Those of `sync`.
    pub(super) fn around_sync<T>(&self, sync: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match &self.log {
            Log::Open(log) => log.around_sync(sync),
            Log::NotYet { .. } | Log::Gone => sync(),
        }
    }

    /// Whether nobody else goes on with the part.
    pub(super) fn is_ours(&self, part: &File) -> bool {
        match &self.log {
            Log::Open(log) => log.is_ours(part),
            Log::NotYet { .. } | Log::Gone => true,
        }
    }

    /// Writes down what is pending, if the part is to stay so that it can be gone on with. Whether it is.
    pub(super) fn is_kept(&mut self, part: &NewFile) -> bool {
        let is_enough = self.verified_bytes >= KEPT_BYTES_MIN && part.is_there();
        if is_enough {
            // What it comes to is told already.
            let _ = self.write_down(part);
        }
        is_enough && matches!(&self.log, Log::Open(log) if log.is_kept())
    }

    /// The part needs no log: it has its name, or nobody goes on with it.
    pub(super) fn remove(&mut self) {
        if let Log::Open(log) = std::mem::replace(&mut self.log, Log::Gone) {
            log.remove();
        }
    }

    fn write_down(&mut self, part: &NewFile) -> Result<(), PartLogError> {
        if let Log::NotYet { head, .. } = &self.log {
            let name = part.name().unwrap_or(Path::new(""));
            // Without a log it is a file that cannot be gone on with, and no worse.
            self.log = PartLog::create(&part.folder, name, &part.file, head)
                .map_or(Log::Gone, |log| Log::Open(Box::new(OnRecord::new(log, self.is_marked))));
        }
        let (blocks, bytes) = (
            std::mem::take(&mut self.pending),
            std::mem::take(&mut self.pending_bytes),
        );
        match &self.log {
            Log::Open(log) => log.write_down(&blocks, bytes, &part.file),
            Log::NotYet { .. } | Log::Gone => Ok(()),
        }
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
        is_within: false,
    })
}
