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
use super::{OWNER_AT, RECORDS_AT, RECORDS_MAX, SECOND_HEAD_AT, log_name};

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

/// Why a mark was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MarkError {
    /// Another file has the name of the part, or somebody else has opened the log since.
    #[error("somebody else has taken the part")]
    NotOurs,
    /// The data could not be put on disk. What no mark covers may be lost.
    #[error("{}", reason(.0))]
    NotOnDisk(#[source] io::Error),
}

impl PartLog {
    /// Makes the log of a part that was made a moment ago and is locked.
    ///
    /// # Errors
    /// There is none: the disk is full, say, or the item is beyond the bounds.
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
        let name = log_name(part);
        let file = match folder.create(&name) {
            // That of a part which is gone.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove_stale(folder, &name);
                folder.create(&name)
            }
            file => file,
        }?;
        // A file system without locks does without: then no part of it is ever gone on with.
        let _ = lock(&file);
        let log = Self::new(folder, part, file, head.log_id, 0);
        log.begin(&head).inspect_err(|_| log.unlink())?;
        Ok(log)
    }

    /// Goes on with a log of that number that is locked and has so many records. These blocks were pending, and are as they
    /// were recorded.
    pub(super) fn reopen(
        folder: &Arc<Folder>,
        part: &Path,
        file: File,
        (log_id, records): (u64, u32),
        pending: &[(u32, u64)],
    ) -> Self {
        let log = Self::new(folder, part, file, log_id, u64::from(records));
        if let Err(error) = log.open(pending) {
            log.lose_what_is_so(&error);
        }
        log
    }

    /// Notes that these blocks have come, with the checksums of what has been written to the part. Where that cannot be
    /// written the log is [lost](Self::lost).
    pub(crate) fn record(&self, blocks: &[(u32, u64)]) {
        if !self.is_closed()
            && let Err(error) = self.write(block_records(blocks))
        {
            self.lose_what_is_so(&error);
        }
    }

    /// Puts on disk what has been recorded, and notes that it is there: `data` is the part. Does nothing while another
    /// mark is being made, and where the log is lost. Takes as long as the disk does.
    ///
    /// # Errors
    /// The part is somebody else's now, or cannot be put on disk: its transfer has failed.
    pub(crate) fn mark(&self, data: &File) -> Result<(), MarkError> {
        if self.is_closed() || self.is_marking.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let marked = self.mark_alone(data);
        self.is_marking.store(false, Ordering::SeqCst);
        marked
    }

    /// Notes that what these blocks have is overwritten from now on. Takes as long as the disk does: only once it has
    /// returned may anything else be written in their place.
    ///
    /// # Errors
    /// Neither is that on disk, nor is the log gone: nothing may be overwritten.
    pub(crate) fn void(&self, blocks: Range<u32>) -> io::Result<()> {
        if self.is_gone.load(Ordering::SeqCst) || blocks.is_empty() {
            return Ok(());
        }
        let void = Record::Void {
            from: blocks.start,
            count: blocks.end - blocks.start,
        };
        let written = self.write([void].into_iter());
        written
            .and_then(|()| sync_data(&self.file))
            .map_or_else(|error| self.lose(&error), |_| Ok(()))
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

    /// Whether the part is still this log's, and `data` has its name: to be asked before it is published, as locks are not
    /// the same everywhere.
    pub(crate) fn is_ours(&self, data: &File) -> bool {
        let mut last = [0; RECORD_BYTES];
        let read = self.file.read_exact_at(&mut last, OWNER_AT);
        let opened = read.ok().and_then(|()| Record::from_bytes(&last, self.seal));
        let is_last = match (opened, self.seal.writer) {
            (Some(Record::Opened { writer }), Some(ours)) => writer == ours,
            _ => false,
        };
        is_last && self.folder.leads_to(&self.part, data)
    }

    /// Removes it: the part is published, or removed. Nothing is recorded any more.
    pub(crate) fn remove(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.unlink();
    }

    /// Why it was removed before its part was whole, so that the transfer cannot go on later; `None` where it was not.
    pub(crate) fn lost(&self) -> Option<&Reason> {
        self.lost.get()
    }
}

impl PartLog {
    fn new(folder: &Arc<Folder>, part: &Path, file: File, log_id: u64, opened_at: u64) -> Self {
        let seal = Seal {
            log_id,
            writer: Some(draw()),
        };
        Self {
            folder: Arc::clone(folder),
            name: log_name(part),
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

    fn mark_alone(&self, data: &File) -> Result<(), MarkError> {
        // What is recorded while the sync runs is not covered, though its record lies before the mark.
        let covered_to = self.next.load(Ordering::SeqCst);
        let is_synced = self.around_sync(|| sync_data(data)).map_err(MarkError::NotOnDisk)?;
        if !self.is_ours(data) {
            self.is_closed.store(true, Ordering::SeqCst);
            return Err(MarkError::NotOurs);
        }
        if self.is_closed() || !is_synced {
            return Ok(());
        }
        // Both are numbers of records, of which there are not more.
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let mark = Record::Mark {
            from: number(self.opened_at),
            count: number(covered_to - self.opened_at),
        };
        let written = self.write([mark].into_iter());
        match written.and_then(|()| sync_data(&self.file)) {
            Ok(_) => self.marked_to.store(covered_to, Ordering::SeqCst),
            Err(error) => self.lose_what_is_so(&error),
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
        let from = u32::try_from(from).unwrap_or(u32::MAX);
        let written = self.write([Record::Unsynced { from }].into_iter());
        if let Err(error) = written.and_then(|()| sync_data(&self.file)) {
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
        self.unlink();
        // Where its name comes back, there is nothing behind it.
        let is_empty = self.file.set_len(0).and_then(|()| Ok(fsync(&self.file)?));
        if is_empty.is_err() {
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

/// Removes a log whose part is gone, unless somebody has it.
fn remove_stale(folder: &Folder, name: &Path) {
    if let Ok(Some(log)) = open_own(folder, name)
        && Patience::short().lock(&log).unwrap_or(false)
        && folder.leads_to(name, &log)
    {
        // What stays is in the way, which is told.
        let _ = folder.unlink(name);
    }
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
