//! Finds the part of an item that was interrupted, and which of its blocks are there.

use std::fs::{File, Metadata};
use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Advice, fadvise};

use crate::checksum::{ChecksumKind, Digest};
use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::part_name::numbers_for;

use super::head::{Head, ItemHead};
use super::log::PartLog;
use super::replay::Replayed;
use super::stored::{Patience, is_of, open_own, read_head, remove_orphan, replay};
use super::{Unusable, log_name, log_name_of};

/// So much of a part is read at a time.
pub(in crate::transfer::sink) const READ_BYTES: usize = 1 << 20;
/// No page of memory is larger: what is dropped from the page cache are whole pages.
const PAGE_BYTES_MAX: u64 = 64 << 10;

/// What there is of an item.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing: its transfer begins.
    Nothing,
    /// A part that its transfer does not go on from, but begins anew beside it.
    NotUsable { part: PathBuf, reason: Unusable },
    /// A part, which is this process's now.
    Part(Box<Interrupted>),
}

/// A part that was interrupted, and whose transfer goes on.
#[derive(Debug)]
pub(crate) struct Interrupted {
    /// The part, locked.
    pub(crate) file: File,
    /// What it is called in its folder.
    pub(crate) name: PathBuf,
    pub(crate) known: Known,
}

/// What the log says of an interrupted item, and is so.
#[derive(Debug)]
pub(crate) struct Known {
    /// Which is this process's now.
    pub(crate) log: PartLog,
    /// Bytes of a block, as they were recorded: whatever the transfer that goes on would have taken.
    pub(crate) grain_bytes: u32,
    /// The blocks that are there, in their order, and the checksum of each.
    pub(crate) recorded: Vec<(u32, u64)>,
    /// What its source said of itself when the part was made.
    pub(crate) was_identity: Vec<u8>,
}

/// Looks for a part of this item, which may come from another source and in other blocks. Blocks that may not have been on
/// disk are read and compared: at most as many as come in some seconds. A log without a part is removed. What somebody has
/// is waited for as long as there is `patience`.
pub(in crate::transfer::sink) fn find(folder: &Arc<Folder>, item: &ItemHead, patience: &mut Patience) -> Found {
    let mut found = Found::Nothing;
    for number in numbers_for(&item.wanted, item.bytes) {
        let part = number.name_for(&item.wanted);
        match look_at(folder, &part, item, patience) {
            Ok(Some(interrupted)) => return Found::Part(Box::new(interrupted)),
            Ok(None) => {}
            Err(reason) => found = Found::NotUsable { part, reason },
        }
    }
    found
}

/// What is known of an item that comes into some bytes of `file`, which is called `item.wanted` in that folder and was there
/// before. Each block that was recorded is read and compared, however many they are: others may have written to the file,
/// which no mark knows of. That ends early where it is no longer `wanted`. `None` where nothing is known, or somebody has the
/// log.
///
/// # Errors
/// There is a log that nobody goes on with.
pub(in crate::transfer::sink) fn find_within(
    folder: &Arc<Folder>,
    file: &File,
    item: &ItemHead,
    wanted: &dyn Fn() -> bool,
) -> Result<Option<Known>, Unusable> {
    let name = log_name_of(item, &item.wanted);
    let Some(log) = open_own(folder, &name)? else {
        return Ok(None);
    };
    // Whoever had it may have removed it a moment ago.
    if !(Patience::short().lock(&log)? && folder.leads_to(&name, &log)) {
        return Ok(None);
    }
    let head = read_head(&log)?;
    if !is_of(&head, &file.metadata()?) {
        return Err(Unusable::OtherFile);
    }
    if !head.item.is_same_item(item) {
        return Err(Unusable::OtherItem);
    }
    let mut read = replay(&log, &head)?;
    read.pending.append(&mut read.on_disk);
    let there = still_there(file, &head.item, &read.pending, wanted);
    Ok(Some(Known::new(folder, &item.wanted, log, head, (read, there))))
}

impl Known {
    /// Of a log that is locked and was read, and those pending blocks that are as they were recorded.
    fn new(
        folder: &Arc<Folder>,
        part: &Path,
        log: File,
        head: Head,
        (read, pending): (Replayed, Vec<(u32, u64)>),
    ) -> Self {
        let log = PartLog::reopen(folder, part, log, (&head, read.records), &pending);
        let mut recorded = read.on_disk;
        recorded.extend(pending);
        recorded.sort_unstable_by_key(|(index, _)| *index);
        Self {
            log,
            grain_bytes: head.item.grain_bytes,
            recorded,
            was_identity: head.item.identity,
        }
    }
}

/// `None` where there is none, or somebody has it.
fn look_at(
    folder: &Arc<Folder>,
    part: &Path,
    item: &ItemHead,
    patience: &mut Patience,
) -> Result<Option<Interrupted>, Unusable> {
    let name = log_name(part);
    let Some(log) = log_of(folder, part, &name, patience)? else {
        return Ok(None);
    };
    let Some(file) = open_own(folder, part)? else {
        remove_orphan(folder, part, &name, &log, patience);
        return Ok(None);
    };
    if !(patience.lock(&file)? && patience.lock(&log)?) {
        return Ok(None);
    }
    // Whoever had it may have named or removed it a moment ago.
    if !(folder.leads_to(part, &file) && folder.leads_to(&name, &log)) {
        return Ok(None);
    }
    let head = read_head(&log)?;
    let metadata = file.metadata()?;
    // A file that was there before is not removed, whatever its log is called.
    if head.item.is_within || !is_of(&head, &metadata) {
        return Err(Unusable::OtherFile);
    }
    if metadata.nlink() > 1 {
        // It was given its name, and is whole under that.
        let _ = folder.unlink(part);
        let _ = folder.unlink(&name);
        return Ok(None);
    }
    check_item(&head, item, &metadata)?;
    let read = replay(&log, &head)?;
    let there = still_there(&file, &head.item, &read.pending, &|| true);
    let known = Known::new(folder, part, log, head, (read, there));
    let name = part.into();
    Ok(Some(Interrupted { file, name, known }))
}

/// The log of a part. Whoever has a part may write its log in the end.
fn log_of(folder: &Folder, part: &Path, name: &Path, patience: &mut Patience) -> Result<Option<File>, Unusable> {
    if let Some(log) = open_own(folder, name)? {
        return Ok(Some(log));
    }
    match open_own(folder, part)? {
        Some(file) if patience.waits_for(&file)? => open_own(folder, name),
        Some(_) | None => Ok(None),
    }
}

fn check_item(head: &Head, item: &ItemHead, part: &Metadata) -> Result<(), Unusable> {
    if !head.item.is_same_item(item) {
        return Err(Unusable::OtherItem);
    }
    if part.len() != head.item.part_bytes() {
        return Err(Unusable::OtherLength);
    }
    Ok(())
}

/// Those of these blocks that are in the part as they were recorded; not all of them where it is no longer `wanted`.
fn still_there(part: &File, item: &ItemHead, blocks: &[(u32, u64)], wanted: &dyn Fn() -> bool) -> Vec<(u32, u64)> {
    // Without a checksum nobody can say so.
    if item.checksum == ChecksumKind::None || blocks.is_empty() {
        return Vec::new();
    }
    let mut buffer = vec![0; READ_BYTES];
    let is_there = |(index, value): &&(u32, u64)| {
        let block = item.block(*index);
        let bytes = item.data_offset + block.start..item.data_offset + block.end;
        forget_cached(part, &bytes);
        block_checksum(part, bytes, item.checksum, &mut buffer).is_ok_and(|there| there == Some(*value))
    };
    let blocks = blocks.iter().take_while(|_| wanted());
    blocks.filter(is_there).copied().collect()
}

/// Has what is read next of these bytes come from the disk. What could not be written stays in the page cache for a while,
/// as if it had been. A file system without a disk has nothing else.
fn forget_cached(file: &File, bytes: &Range<u64>) {
    let pages = bytes.start - bytes.start % PAGE_BYTES_MAX..bytes.end.next_multiple_of(PAGE_BYTES_MAX);
    let len = NonZeroU64::new(pages.end - pages.start);
    let _ = fadvise(file, pages.start, len, Advice::DontNeed);
}

/// The checksum of these bytes of a file, which go through `buffer`; `None` where nothing is taken as one.
///
/// # Errors
/// They cannot be read, or the file ends before.
pub(in crate::transfer::sink) fn block_checksum(
    file: &File,
    bytes: Range<u64>,
    kind: ChecksumKind,
    buffer: &mut [u8],
) -> io::Result<Option<u64>> {
    let Range { start: mut at, end } = bytes;
    let mut digest = Digest::new(kind);
    while at < end {
        let wanted = usize::try_from(end - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        file.read_exact_at(&mut buffer[..wanted], at)?;
        digest.update(&buffer[..wanted]);
        at += wanted as u64;
    }
    Ok(digest.value())
}
