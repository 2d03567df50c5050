//! A log as it lies in its file: found by name, read, and compared with the part beside it.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// Whether one waits long now. It holds up one of a few threads that all transfers of this process share: one at a time
/// may.
static WAITS_LONG: AtomicBool = AtomicBool::new(false);

/// How often a lock is tried again that somebody has: a process that was killed may hold it for a moment longer, and a
/// transfer whose sender has gone works through what had come.
#[derive(Debug)]
pub(in crate::transfer::sink) struct Patience {
    tries_left: u32,
    /// So many of them may be used while another one waits long.
    tries_beside: u32,
    waits_long: &'static AtomicBool,
}

/// That one waits long now.
struct Wait(&'static AtomicBool);

impl Patience {
    /// Some 35 ms in all, however many locks are asked for.
    pub(in crate::transfer::sink) fn short() -> Self {
        Self::of(7)
    }

    /// Some 3 s in all, for one at a time in this process; a short one for others meanwhile.
    pub(in crate::transfer::sink) fn long() -> Self {
        Self {
            tries_left: 600,
            ..Self::short()
        }
    }

    pub(in crate::transfer::sink) fn none() -> Self {
        Self::of(0)
    }

    fn of(tries: u32) -> Self {
        Self {
            tries_left: tries,
            tries_beside: tries,
            waits_long: &WAITS_LONG,
        }
    }

    /// Locks `file`. Says whether it did: somebody else has it where not.
    ///
    /// # Errors
    /// The file system has no locks.
    pub(super) fn lock(&mut self, file: &File) -> Result<bool, Unusable> {
        let mut wait = None;
        loop {
            match lock(file) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(Unusable::NoLocks),
                Err(_) if self.tries_left == 0 => return Ok(false),
                Err(_) => {}
            }
            if self.tries_beside > 0 {
                self.tries_beside -= 1;
            } else if wait.is_none() {
                wait = Wait::begin(self.waits_long);
                if wait.is_none() {
                    return Ok(false);
                }
            }
            self.tries_left -= 1;
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

impl Wait {
    /// `None` while another one lasts.
    fn begin(waits_long: &'static AtomicBool) -> Option<Self> {
        let is_first = !waits_long.swap(true, Ordering::Acquire);
        // Not before that is known: dropping it lets the next one wait.
        is_first.then(|| Self(waits_long))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
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
        let mut patience = Patience::of(u32::MAX);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(LOCK_INTERVAL);
                drop(held);
            });
            assert!(patience.lock(&ours).expect("locks"));
        });
    }

    #[test]
    fn one_at_a_time_waits_long_and_others_meanwhile_wait_a_moment() {
        static OTHERS: AtomicBool = AtomicBool::new(false);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let open = || File::options().write(true).open(file.path()).expect("there");
        let (held, ours) = (open(), open());
        lock(&held).expect("free");
        let first = Wait::begin(&OTHERS);
        let mut patience = Patience {
            waits_long: &OTHERS,
            ..Patience::long()
        };
        assert!(!patience.lock(&ours).expect("locks"));
        assert_eq!((patience.tries_left, patience.tries_beside), (593, 0));
        assert!(!patience.lock(&ours).expect("locks"));
        assert_eq!(patience.tries_left, 593);
        drop((first, held));
        assert!(patience.lock(&ours).expect("locks"));
    }
}
