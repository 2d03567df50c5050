//! The log of a part that is being received, open to be written.
//!
//! Records are written where an atomic count says, so that nobody waits for anybody. What cannot be written costs no more
//! than that the transfer cannot go on later: the log is removed then.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{FallocateFlags, fallocate, fdatasync, fsync};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Reason, reason};
use crate::sys::lock;
use crate::transfer::sink::folder::Folder;

use super::head::{Head, ItemHead, PartId};
use super::record::{RECORD_BYTES, Record, Seal};
use super::stored::{Patience, open_own};
use super::{OWNER_AT, RECORDS_AT, RECORDS_MAX, SECOND_HEAD_AT, log_name_of};

/// So much of the disk is taken for a log with its part, at most.
const AHEAD_BYTES_MAX: u64 = 4 << 20;
/// So much more is taken each time that this is not enough.
const MORE_BYTES: u64 = 256 << 10;
/// Beside two records a block, room for so many others is taken.
const OTHER_RECORDS: u64 = 64;

/// The log beside a part, while that is being received. Dropping it leaves it as it is, and lets its lock go.
#[derive(Debug)]
pub(crate) struct PartLog {
    folder: Arc<Folder>,
    part: PathBuf,
    name: PathBuf,
    /// The part is some bytes of a file that was there before, and that others may rename.
    is_within: bool,
    file: File,
    seal: Seal,
    /// The number of the record by which it was opened.
    opened_at: u64,
    /// The number of the next record.
    next: AtomicU64,
    /// What was recorded before this record is on disk.
    marked_to: AtomicU64,
    /// Up to this byte its disk space is taken.
    taken_to: AtomicU64,
    is_marking: AtomicBool,
    /// Both names are on disk.
    is_named: AtomicBool,
    /// Nothing is recorded any more.
    is_closed: AtomicBool,
    /// Nobody finds it any more, not even after a loss of power.
    is_gone: AtomicBool,
    /// Why it was removed.
    lost: OnceLock<Reason>,
}

/// Why a transfer fails by its log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartLogError {
    /// Another file has the name of the part, or somebody else has opened the log since.
    #[error("somebody else has taken the part")]
    NotOurs,
    /// What was to be on disk is not.
    #[error("{}", reason(.0))]
    NotOnDisk(#[from] io::Error),
}

impl PartLog {
    /// Makes the log of a part that was made a moment ago and is locked, or of some bytes of a file that was there before.
    ///
    /// # Errors
    /// There is none: the disk is full, say, its file system has no locks, or the item is beyond the bounds.
    pub(in crate::transfer::sink) fn create(
        folder: &Arc<Folder>,
        part: &Path,
        data: &File,
        item: &ItemHead,
    ) -> io::Result<Self> {
        item.check()?;
        let head = Head {
            log_id: draw(),
            part: PartId::of(&data.metadata()?),
            item: item.clone(),
        };
        let name = log_name_of(item, part);
        let file = match folder.create(&name) {
            // That of a part which is gone, or of what nobody goes on with.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove_stale(folder, &name);
                folder.create(&name)
            }
            file => file,
        }?;
        let log = Self::new(folder, part, file, &head, 0);
        log.begin(&head).inspect_err(|_| log.unlink())?;
        Ok(log)
    }

    /// Goes on with a log of that head that is locked and has so many records. These blocks were pending, and are as they
    /// were recorded.
    pub(super) fn reopen(
        folder: &Arc<Folder>,
        part: &Path,
        file: File,
        (head, records): (&Head, u32),
        pending: &[(u32, u64)],
    ) -> Self {
        let log = Self::new(folder, part, file, head, u64::from(records));
        if let Err(error) = log.open(pending) {
            log.lose_what_is_so(&error);
        }
        log
    }

    /// Notes that these blocks have come, with the checksums of what has been written to the part. Where that cannot be
    /// written the log is [lost](Self::lost).
    pub(crate) fn record(&self, blocks: &[(u32, u64)]) {
        if !self.is_closed()
            && let Err(PartLogError::NotOnDisk(error)) = self.append(block_records(blocks))
        {
            self.lose_what_is_so(&error);
        }
    }

    /// Puts on disk what has been recorded, and notes that it is there: `data` is the part. Does nothing while another
    /// mark is being made, and where the log is lost. Takes as long as the disk does.
    ///
    /// # Errors
    /// The part is somebody else's now, or cannot be put on disk: its transfer has failed.
    pub(crate) fn mark(&self, data: &File) -> Result<(), PartLogError> {
        if self.is_closed() || self.is_marking.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let marked = self.mark_after(data, || sync_data(data));
        self.is_marking.store(false, Ordering::SeqCst);
        marked
    }

    /// Notes that what these blocks have is overwritten from now on. Takes as long as the disk does: only once it has
    /// returned may anything else be written in their place.
    ///
    /// # Errors
    /// The part is somebody else's now, or neither is that on disk, nor is the log gone: nothing may be overwritten.
    pub(crate) fn void(&self, blocks: Range<u32>) -> Result<(), PartLogError> {
        if self.is_gone.load(Ordering::SeqCst) || blocks.is_empty() {
            return Ok(());
        }
        let void = Record::Void {
            from: blocks.start,
            count: blocks.end - blocks.start,
        };
        match self.append_synced(void) {
            Err(PartLogError::NotOnDisk(error)) => Ok(self.lose(&error)?),
            done => done,
        }
    }

    /// Does `sync`, which puts the part on disk. Where that fails, what was not known to be there before counts no more,
    /// and nothing is recorded from then on: the kernel tells of lost data once, and the next sync succeeds.
    ///
    /// # Errors
    /// Those of `sync`.
    pub(crate) fn around_sync<T>(&self, sync: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // Whoever syncs beside this one may be told of nothing, and mark what is lost.
        let known_to = self.marked_to.load(Ordering::SeqCst);
        sync().inspect_err(|_| self.unsynced(known_to))
    }

    /// Whether the part is still this log's, and `data` has its name: to be asked before it is published or removed, as
    /// locks are not the same everywhere. A file that was there before may be called anything meanwhile.
    pub(crate) fn is_ours(&self, data: &File) -> bool {
        self.is_last() && (self.is_within || self.folder.leads_to(&self.part, data))
    }

    /// Removes it: the part is published, or removed. Nothing is recorded any more.
    pub(crate) fn remove(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        if self.is_last() {
            self.unlink();
        }
    }

    /// Why it was removed before its part was whole, so that the transfer cannot go on later; `None` where it was not.
    pub(crate) fn lost(&self) -> Option<&Reason> {
        self.lost.get()
    }
}

impl PartLog {
    fn new(folder: &Arc<Folder>, part: &Path, file: File, head: &Head, opened_at: u64) -> Self {
        let seal = Seal {
            log_id: head.log_id,
            writer: Some(draw()),
        };
        Self {
            folder: Arc::clone(folder),
            name: log_name_of(&head.item, part),
            is_within: head.item.is_within,
            part: part.into(),
            file,
            seal,
            opened_at,
            next: AtomicU64::new(opened_at),
            marked_to: AtomicU64::new(opened_at),
            taken_to: AtomicU64::new(at_byte(opened_at)),
            is_marking: AtomicBool::new(false),
            is_named: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            lost: OnceLock::new(),
        }
    }

    /// Writes all that a new log has.
    fn begin(&self, head: &Head) -> io::Result<()> {
        // Without locks no part is ever gone on with.
        lock(&self.file)?;
        let records = 2 * u64::from(head.item.blocks()) + OTHER_RECORDS;
        self.take_space(at_byte(records).min(AHEAD_BYTES_MAX));
        let bytes = head.to_bytes();
        self.file.write_all_at(&bytes, 0)?;
        self.file.write_all_at(&bytes, SECOND_HEAD_AT)?;
        self.open(&[])
    }

    /// Makes it this writer's, who knows of these blocks.
    fn open(&self, blocks: &[(u32, u64)]) -> io::Result<()> {
        let opened = Record::Opened {
            writer: self.seal.writer.unwrap_or_default(),
        };
        self.write([opened].into_iter().chain(block_records(blocks)))?;
        self.file.write_all_at(&opened.to_bytes(self.seal), OWNER_AT)
    }

    /// Whether nobody has opened it since. One that was removed was ours until then, and says so no more.
    fn is_last(&self) -> bool {
        let mut last = [0; RECORD_BYTES];
        let read = self.file.read_exact_at(&mut last, OWNER_AT);
        let opened = read.ok().and_then(|()| Record::from_bytes(&last, self.seal));
        let is_ours =
            matches!((opened, self.seal.writer), (Some(Record::Opened { writer }), Some(ours)) if writer == ours);
        is_ours || self.lost().is_some()
    }

    /// Writes records, unless somebody else does.
    fn append(&self, records: impl Iterator<Item = Record>) -> Result<(), PartLogError> {
        if !self.is_last() {
            return Err(PartLogError::NotOurs);
        }
        Ok(self.write(records)?)
    }

    /// Writes a record, and puts it on disk with all that have been written before.
    fn append_synced(&self, record: Record) -> Result<(), PartLogError> {
        self.append([record].into_iter())?;
        // Where no file is synced, no mark is made: all is read again in any case.
        sync_data(&self.file)?;
        Ok(())
    }

    /// Writes records one behind the other.
    fn write(&self, records: impl Iterator<Item = Record>) -> io::Result<()> {
        let bytes: Vec<u8> = records.flat_map(|record| record.to_bytes(self.seal)).collect();
        let count = (bytes.len() / RECORD_BYTES) as u64;
        let first = self.next.fetch_add(count, Ordering::SeqCst);
        if first.saturating_add(count) > RECORDS_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let end = at_byte(first + count);
        if end > self.taken_to.load(Ordering::Relaxed) {
            self.take_space(end + MORE_BYTES);
        }
        self.file.write_all_at(&bytes, at_byte(first))
    }

    /// Takes the disk's space up to this byte, so that a disk which gets full does not stop it. Where that is not possible,
    /// the write tells.
    fn take_space(&self, to: u64) {
        let from = self.taken_to.fetch_max(to, Ordering::Relaxed);
        if from < to {
            // Its length says how much is written.
            let _ = fallocate(&self.file, FallocateFlags::KEEP_SIZE, from, to - from);
        }
    }

    /// Marks what was recorded before `sync`, which says whether it has put it on disk.
    fn mark_after(&self, data: &File, sync: impl FnOnce() -> io::Result<bool>) -> Result<(), PartLogError> {
        // What is recorded while the sync runs is not covered, though its record lies before the mark.
        let covered_to = self.next.load(Ordering::SeqCst);
        let is_synced = self.around_sync(sync)?;
        if !self.is_ours(data) {
            return Err(PartLogError::NotOurs);
        }
        if self.is_closed() || !is_synced {
            return Ok(());
        }
        let mark = Record::Mark {
            from: number(self.opened_at),
            count: number(covered_to - self.opened_at),
        };
        match self.append_synced(mark) {
            Ok(()) => self.marked_to.store(covered_to, Ordering::SeqCst),
            Err(PartLogError::NotOnDisk(error)) => self.lose_what_is_so(&error),
            Err(not_ours) => return Err(not_ours),
        }
        // Where that is refused, a loss of power may cost the names, and with them what has come. The next mark tries again.
        if !self.is_named.load(Ordering::SeqCst) && sync_folder(&self.folder).is_ok() {
            self.is_named.store(true, Ordering::SeqCst);
        }
        Ok(())
    }

    /// A sync failed: what was recorded from this record on may be lost.
    fn unsynced(&self, from: u64) {
        self.is_closed.store(true, Ordering::SeqCst);
        if self.is_gone.load(Ordering::SeqCst) {
            return;
        }
        let unsynced = Record::Unsynced { from: number(from) };
        if let Err(PartLogError::NotOnDisk(error)) = self.append_synced(unsynced) {
            self.lose_what_is_so(&error);
        }
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// Removes it, as it could not be written. It says nothing that is not so: it may be there again after a loss of power.
    fn lose_what_is_so(&self, why: &io::Error) {
        let _ = self.lose(why);
    }

    /// Removes it for good, as it could not be written.
    ///
    /// # Errors
    /// It may be there again after a loss of power.
    fn lose(&self, why: &io::Error) -> io::Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        let _ = self.lost.set(reason(why));
        // Where its name comes back, there is nothing behind it. A file that has no name is not synced everywhere: btrfs.
        let emptied = self.file.set_len(0).and_then(|()| sync_data(&self.file));
        self.unlink();
        if emptied.is_err() {
            if !self.folder.is_free(&self.name)? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            sync_folder(&self.folder)?;
        }
        self.is_gone.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn unlink(&self) {
        if self.folder.leads_to(&self.name, &self.file) {
            // What stays has no part any more, or says nothing that is not so.
            let _ = self.folder.unlink(&self.name);
        }
    }
}

fn block_records(blocks: &[(u32, u64)]) -> impl Iterator<Item = Record> {
    let record = |(index, value): &(u32, u64)| Record::Block {
        index: *index,
        value: *value,
    };
    blocks.iter().map(record)
}

/// Removes a log whose part is gone, or that nobody goes on with, unless somebody has it.
fn remove_stale(folder: &Folder, name: &Path) {
    if let Ok(Some(log)) = open_own(folder, name)
        && Patience::short().lock(&log).unwrap_or(false)
        && folder.leads_to(name, &log)
    {
        // What stays is in the way, which is told.
        let _ = folder.unlink(name);
    }
}

/// The number of a record, of which a log has no more than fit.
fn number(record: u64) -> u32 {
    u32::try_from(record).unwrap_or(u32::MAX)
}

/// Where that record lies.
fn at_byte(record: u64) -> u64 {
    RECORDS_AT + record * RECORD_BYTES as u64
}

/// A number that nobody else has, but for chance, and that is not 0.
fn draw() -> u64 {
    RandomState::new().hash_one(()).max(1)
}

/// Puts what is in a file on disk. False where its file system syncs no files: nobody can say then when it is there.
fn sync_data(file: &File) -> io::Result<bool> {
    match retry_on_intr(|| fdatasync(file)) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Makes sure that the names in a folder last, and those that are gone do not come back.
fn sync_folder(folder: &Folder) -> io::Result<()> {
    let opened = folder.to_sync()?;
    Ok(retry_on_intr(|| fsync(&opened))?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, Receiving, item};
    use super::*;

    /// A log that the system does not let be written.
    fn unwritable(place: &Place) -> Receiving {
        let mut receiving = place.begin(&item());
        receiving.receive(&[1]);
        let path = place.at(&receiving.log.name);
        receiving.log.file = File::open(path).expect("there");
        receiving
    }

    fn has_log(place: &Place, receiving: &Receiving) -> bool {
        place.at(&receiving.log.name).exists()
    }

    #[test]
    fn a_log_is_for_many_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<PartLog>();
    }

    #[test]
    fn a_log_that_cannot_be_written_goes_and_its_part_is_received_all_the_same() {
        let place = Place::new();
        let receiving = unwritable(&place);
        assert!(receiving.log.lost().is_none() && has_log(&place, &receiving));
        receiving.receive(&[2]);
        assert!(receiving.log.lost().is_some() && !has_log(&place, &receiving));
        receiving.receive(&[3]);
        receiving.log.mark(&receiving.file).expect("nothing is to be marked");
        assert!(receiving.log.is_ours(&receiving.file));
    }

    #[test]
    fn a_mark_does_not_cover_what_is_recorded_while_the_sync_runs() {
        let place = Place::new();
        let receiving = place.begin(&item());
        receiving.receive(&[1]);
        let sync = || {
            let synced = sync_data(&receiving.file);
            receiving.receive(&[2]);
            synced
        };
        receiving.log.mark_after(&receiving.file, sync).expect("on disk");
        receiving.spoil(&[1, 2]);
        drop(receiving);
        assert_eq!(place.go_on(&item()).1, [1]);
    }

    #[test]
    fn where_no_file_is_synced_nothing_is_marked() {
        let place = Place::new();
        let receiving = place.begin(&item());
        receiving.receive(&[1, 2]);
        receiving
            .log
            .mark_after(&receiving.file, || Ok(false))
            .expect("nobody knows");
        receiving.spoil(&[1]);
        drop(receiving);
        assert_eq!(place.go_on(&item()).1, [2]);
    }

    #[test]
    fn a_mark_that_cannot_be_written_costs_the_log_and_not_the_transfer() {
        let place = Place::new();
        let receiving = unwritable(&place);
        receiving.log.mark(&receiving.file).expect("the data is on disk");
        assert!(receiving.log.lost().is_some() && !has_log(&place, &receiving));
    }

    #[test]
    fn where_a_void_cannot_be_written_the_log_is_gone_before_anything_is_overwritten() {
        let place = Place::new();
        let receiving = unwritable(&place);
        receiving.log.void(1..2).expect("it is gone");
        assert!(receiving.log.lost().is_some() && !has_log(&place, &receiving));
        receiving.log.void(2..3).expect("there is none to be wrong");
    }

    #[test]
    fn where_a_void_can_neither_be_written_nor_the_log_be_gone_for_good_that_is_told_each_time() {
        let place = Place::new();
        let mut receiving = unwritable(&place);
        // Something that is not ours to remove has its name, as far as is known.
        let name = std::mem::replace(&mut receiving.log.name, receiving.name.clone());
        receiving.log.void(1..2).expect_err("it is still there");
        assert!(place.at(&name).exists() && place.at(&receiving.name).exists());
        // Nothing can be removed from what is no folder.
        let no_folder = File::open("/dev/null").expect("there");
        receiving.log.folder = Folder::of_descriptor(no_folder.into(), PathBuf::new()).expect("open");
        for _ in 0..2 {
            receiving.log.void(1..2).expect_err("it may come back");
        }
    }

    #[test]
    fn a_void_after_a_sync_that_failed_still_holds() {
        let place = Place::new();
        let receiving = place.begin(&item());
        receiving.receive(&[1, 2]);
        receiving.log.mark(&receiving.file).expect("on disk");
        let failed: io::Result<()> = receiving.log.around_sync(|| Err(io::ErrorKind::StorageFull.into()));
        failed.expect_err("failed");
        receiving.log.void(1..2).expect("on disk");
        assert!(receiving.log.lost().is_none());
        drop(receiving);
        assert_eq!(place.go_on(&item()).1, [2]);
    }

    #[test]
    fn a_log_that_is_full_goes() {
        let place = Place::new();
        let receiving = place.begin(&item());
        receiving.log.next.store(RECORDS_MAX - 1, Ordering::SeqCst);
        receiving.receive(&[1]);
        assert!(receiving.log.lost().is_none());
        receiving.receive(&[2]);
        assert!(receiving.log.lost().is_some() && !has_log(&place, &receiving));
        let metadata = receiving.log.file.metadata().expect("open");
        assert_eq!(
            metadata.len(),
            0,
            "where its name comes back, there is nothing behind it"
        );
        // The part is this transfer's as before.
        assert!(receiving.log.is_ours(&receiving.file));
        receiving.log.mark(&receiving.file).expect("nothing is to be marked");
        receiving.log.void(1..2).expect("there is none to be wrong");
        std::fs::remove_file(place.at(&receiving.name)).expect("there");
        assert!(!receiving.log.is_ours(&receiving.file));
    }

    #[test]
    fn more_disk_space_is_taken_before_a_record_needs_it() {
        let place = Place::new();
        let receiving = place.begin(&item());
        let taken_to = receiving.log.taken_to.load(Ordering::SeqCst);
        let last = (taken_to - RECORDS_AT) / RECORD_BYTES as u64;
        receiving.log.next.store(last, Ordering::SeqCst);
        receiving.receive(&[1]);
        assert!(receiving.log.taken_to.load(Ordering::SeqCst) >= taken_to + MORE_BYTES);
        let blocks = receiving.log.file.metadata().expect("open");
        assert!(512 * std::os::unix::fs::MetadataExt::blocks(&blocks) >= MORE_BYTES);
    }

    #[test]
    fn a_log_beyond_the_bounds_is_not_made() {
        let place = Place::new();
        let data = tempfile::tempfile().expect("a file");
        let item = ItemHead {
            grain_bytes: 0,
            ..item()
        };
        let refused = PartLog::create(&place.open, Path::new("a.part"), &data, &item).expect_err("no blocks");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        assert!(!place.at("a.part.log").exists());
    }
}
