//! A log as it lies in its file: found by name, read, and compared with the part beside it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::sys::lock;
use crate::transfer::sink::folder::Folder;

use super::head::{HEAD_BYTES, Head, PartId};
use super::record::RECORD_BYTES;
use super::replay::{Replay, Replayed};
use super::{RECORDS_AT, RECORDS_MAX, SECOND_HEAD_AT, Unusable};

/// So many records are read at a time.
const RECORDS_AT_ONCE: usize = 8192;
/// Between two tries to lock a file.
const LOCK_INTERVAL: Duration = Duration::from_millis(5);

/// How many may wait at a time: whoever waits holds up one of a few threads that all transfers of this process share.
#[derive(Debug, Default)]
struct Waiters {
    /// For a moment, [`MOMENTS_MAX`] at most.
    for_a_moment: AtomicUsize,
    /// Longer, one at most.
    long: AtomicUsize,
}

/// So many at a time wait for a moment. Others wait for nothing.
const MOMENTS_MAX: usize = 2;

static WAITERS: Waiters = Waiters {
    for_a_moment: AtomicUsize::new(0),
    long: AtomicUsize::new(0),
};

/// How often a lock is tried again that somebody has: a process that was killed may hold it for a moment longer, and a
/// transfer whose sender has gone works through what had come.
#[derive(Debug)]
pub(in crate::transfer::sink) struct Patience {
    /// Tries that last a moment, and those after them.
    moment_tries: u32,
    long_tries: u32,
    waiters: &'static Waiters,
}

impl Patience {
    /// Some 35 ms in all, however many locks are asked for.
    pub(in crate::transfer::sink) fn short() -> Self {
        Self::of(7, 0)
    }

    /// Some 3 s in all.
    pub(in crate::transfer::sink) fn long() -> Self {
        Self::of(7, 593)
    }

    pub(in crate::transfer::sink) fn none() -> Self {
        Self::of(0, 0)
    }

    fn of(moment_tries: u32, long_tries: u32) -> Self {
        Self {
            moment_tries,
            long_tries,
            waiters: &WAITERS,
        }
    }

    /// Locks `file`. Says whether it did: somebody else has it where not.
    ///
    /// # Errors
    /// The file system has no locks.
    pub(super) fn lock(&mut self, file: &File) -> Result<bool, Unusable> {
        let Waiters { for_a_moment, long } = self.waiters;
        let locked = Self::try_for(file, &mut self.moment_tries, for_a_moment, MOMENTS_MAX)?;
        Ok(locked || self.long_tries > 0 && Self::try_for(file, &mut self.long_tries, long, 1)?)
    }

    /// Tries once, and again where no more than `most` do so.
    fn try_for(file: &File, tries: &mut u32, waiting: &'static AtomicUsize, most: usize) -> Result<bool, Unusable> {
        let mut place = None;
        loop {
            match lock(file) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(Unusable::NoLocks),
                Err(_) if *tries == 0 => return Ok(false),
                Err(_) => {}
            }
            if place.is_none() {
                place = Waits::among(waiting, most);
            }
            if place.is_none() {
                return Ok(false);
            }
            *tries -= 1;
            std::thread::sleep(LOCK_INTERVAL);
        }
    }

    /// Waits until nobody has `file`. Whether somebody had it, and has it no more.
    ///
    /// # Errors
    /// The file system has no locks.
    pub(super) fn waits_for(&mut self, file: &File) -> Result<bool, Unusable> {
        Ok(!Self::none().lock(file)? && self.lock(file)?)
    }
}

/// A place among those that wait.
struct Waits(&'static AtomicUsize);

impl Waits {
    /// `None` where so many wait already.
    fn among(waiting: &'static AtomicUsize, most: usize) -> Option<Self> {
        let more = |now: usize| (now < most).then_some(now + 1);
        let is_free = waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok();
        // Not before that is known: dropping it lets the next one wait.
        is_free.then(|| Self(waiting))
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Opens a plain file of this user's. `None` where nothing has that name.
///
/// # Errors
/// It is anything else, or the system refuses it.
pub(super) fn open_own(folder: &Folder, name: &Path) -> Result<Option<File>, Unusable> {
    let own = rustix::process::geteuid().as_raw();
    match folder.stat(name) {
        Ok(found) if !is_plain(&found) || found.st_uid != own => return Err(Unusable::NotOurs),
        Ok(_) => {}
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(io::Error::from(error).into()),
    }
    let file = match folder.open_existing(name) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(io::Error::from(error).into()),
    };
    // Another one may have taken its place.
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.uid() == own {
        Ok(Some(file))
    } else {
        Err(Unusable::NotOurs)
    }
}

/// Reads the head of a log, of which one copy has to be whole.
pub(super) fn read_head(log: &File) -> Result<Head, Unusable> {
    let read = |at| {
        let mut bytes = [0; HEAD_BYTES];
        match log.read_exact_at(&mut bytes, at) {
            Ok(()) => Head::from_bytes(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Unusable::Torn),
            Err(error) => Err(error.into()),
        }
    };
    match read(0) {
        Err(Unusable::Torn) => read(SECOND_HEAD_AT),
        head => head,
    }
}

/// Reads the records of a log, which costs no more than its length.
pub(super) fn replay(log: &File, head: &Head) -> Result<Replayed, Unusable> {
    let len = log.metadata()?.len().saturating_sub(RECORDS_AT);
    if len > RECORDS_MAX * RECORD_BYTES as u64 {
        return Err(Unusable::TooLong);
    }
    let mut replay = Replay::new(head.log_id, head.item.blocks());
    let mut buffer = vec![0; RECORD_BYTES * RECORDS_AT_ONCE];
    let (mut at, end) = (RECORDS_AT, RECORDS_AT + len);
    while at < end {
        let wanted = usize::try_from(end - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = read_up_to(log, &mut buffer[..wanted], at)?;
        if read == 0 {
            break;
        }
        // What is cut in the middle of a record is one that is torn.
        buffer[read..].fill(0);
        let (records, _) = buffer.as_chunks::<RECORD_BYTES>();
        records[..read.div_ceil(RECORD_BYTES)]
            .iter()
            .for_each(|record| replay.push(record));
        at += read as u64;
    }
    Ok(replay.finish())
}

/// Whether a log is of this part.
pub(super) fn is_of(head: &Head, part: &Metadata) -> bool {
    head.part == PartId::of(part)
}

/// Removes a log whose part is gone, unless somebody has it locked.
pub(super) fn remove_orphan(folder: &Folder, part: &Path, name: &Path, log: &File, patience: &mut Patience) {
    // Whoever makes a part makes it before its log, and whoever names one has the log locked.
    let is_nobodys = patience.lock(log).unwrap_or(false);
    if is_nobodys && folder.is_free(part).unwrap_or(false) && folder.leads_to(name, log) {
        // What stays is seen again.
        let _ = folder.unlink(name);
    }
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

fn is_plain(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_let_go_a_moment_later_is_waited_for_and_another_one_is_not() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let open = || File::options().write(true).open(file.path()).expect("there");
        let (held, ours) = (open(), open());
        lock(&held).expect("free");
        assert!(!Patience::none().lock(&ours).expect("locks"));
        assert!(!Patience::short().lock(&ours).expect("locks"));
        let mut patience = Patience::of(u32::MAX, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(LOCK_INTERVAL);
                drop(held);
            });
            assert!(patience.lock(&ours).expect("locks"));
        });
    }

    #[test]
    fn two_wait_for_a_moment_one_longer_and_others_not_at_all() {
        static HERE: Waiters = Waiters {
            for_a_moment: AtomicUsize::new(0),
            long: AtomicUsize::new(0),
        };
        let file = tempfile::NamedTempFile::new().expect("a file");
        let open = || File::options().write(true).open(file.path()).expect("there");
        let (held, ours) = (open(), open());
        lock(&held).expect("free");
        let mut patience = Patience {
            waiters: &HERE,
            ..Patience::of(7, 3)
        };
        let mut left_after = |most_moments: usize, is_long: bool| {
            let moments: Vec<_> = (0..most_moments).map(|_| Waits::among(&HERE.for_a_moment, 9)).collect();
            let long = is_long.then(|| Waits::among(&HERE.long, 9));
            assert!(!patience.lock(&ours).expect("locks"));
            drop((moments, long));
            (patience.moment_tries, patience.long_tries)
        };
        assert_eq!(left_after(2, true), (7, 3), "as many wait as may");
        assert_eq!(left_after(1, true), (0, 3));
        assert_eq!(left_after(0, false), (0, 0));
        drop(held);
        assert!(patience.lock(&ours).expect("locks"));
        assert_eq!(
            HERE.for_a_moment.load(Ordering::Acquire) + HERE.long.load(Ordering::Acquire),
            0
        );
    }
}
