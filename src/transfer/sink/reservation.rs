//! Takes the disk space of an array a little ahead of its bytes: an offer alone takes none, however much it speaks of.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{DiskRoom, Error, ServiceLimit};
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::limits::promise::Promise;

use super::holes::Holes;

/// Space is taken in such pieces, so that files lie in one piece and the kernel is asked seldom.
const EXTENT_BYTES: u64 = 64 << 20;
/// So few bytes lie in one piece anyway, and come at once: their space is theirs as they are written.
const SMALL_BYTES_MAX: u64 = 1 << 20;
/// So much more than what has landed is taken at most; beyond, only what is about to come.
const AHEAD_BYTES_MAX: u64 = 256 << 20;

/// The space of one array in a file: promised as a whole, taken as its bytes come.
#[derive(Debug)]
pub(super) struct Reservation {
    /// Which bytes of the file need it.
    bytes: Range<u64>,
    /// The byte of the file with which the array begins.
    array_at: u64,
    /// What has no space yet.
    holes: Holes,
    flags: FallocateFlags,
    /// `None` where nobody knows how many bytes the disk has.
    promise: Option<Promise>,
    taken: Mutex<Taken>,
    /// Whether the file system takes space ahead.
    is_possible: AtomicBool,
}

#[derive(Debug, Default)]
struct Taken {
    /// The numbers of the extents whose space is there.
    extents: BTreeSet<u64>,
    /// Of these, and of those for which somebody asks the file system.
    claimed: BTreeSet<u64>,
    /// The bytes of all that are claimed.
    bytes: u64,
}

/// An extent that somebody asks the file system for.
#[derive(Debug)]
struct Claimed {
    number: u64,
    /// It is promised no longer once it is there; false where somebody else asks for it as well.
    is_counted: bool,
}

/// Why no space is promised.
#[derive(Debug)]
pub(super) enum NoSpace {
    /// The disk has room for less.
    Lack(DiskRoom),
    /// The system did not say what it has.
    Unknown(io::Error),
}

impl From<io::Error> for NoSpace {
    fn from(error: io::Error) -> Self {
        Self::Unknown(error)
    }
}

impl NoSpace {
    /// The error for an array of so many bytes in that folder; `full` makes that of a disk of which nothing has to stay
    /// free, and `refused` that of what the system refuses.
    pub(super) fn error(
        self,
        bytes: u64,
        folder: &Path,
        full: impl FnOnce(DiskRoom) -> Error,
        refused: impl FnOnce(&io::Error) -> Error,
    ) -> Error {
        match self {
            Self::Unknown(error) => refused(&error),
            Self::Lack(room) if room.kept_bytes == 0 => full(room),
            Self::Lack(room) => Error::OverLimit(ServiceLimit::KeepFree {
                bytes,
                folder: folder.into(),
                free_bytes: room.free_bytes.saturating_sub(room.promised_bytes),
                kept_bytes: room.kept_bytes,
            }),
        }
    }
}

impl Reservation {
    /// Promises `len` bytes of the disk to an empty file, where `keep_free` stays free; the array begins at byte
    /// `array_at`. A small file takes its space as its bytes are written, unless `in_any_case` it has to be there before.
    ///
    /// # Errors
    /// Fewer are free, or are promised to others.
    pub(super) fn of_new(
        file: &File,
        len: u64,
        array_at: u64,
        keep_free: Option<KeepFree>,
        in_any_case: bool,
    ) -> Result<Self, NoSpace> {
        let space = Self {
            bytes: 0..len,
            array_at,
            holes: Holes::whole(0..len),
            flags: FallocateFlags::empty(),
            promise: None,
            taken: Mutex::default(),
            is_possible: AtomicBool::new(in_any_case || len > SMALL_BYTES_MAX),
        };
        space.promised(file, keep_free)
    }

    /// The same for an array that becomes these bytes of a file that exists, of which only the `holes` need space.
    ///
    /// # Errors
    /// Fewer are free, or are promised to others.
    pub(super) fn of_part(
        file: &File,
        bytes: Range<u64>,
        holes: Holes,
        keep_free: Option<KeepFree>,
        in_any_case: bool,
    ) -> Result<Self, NoSpace> {
        let is_possible = holes.bytes > 0 && (in_any_case || bytes.end - bytes.start > SMALL_BYTES_MAX);
        let space = Self {
            array_at: bytes.start,
            bytes,
            holes,
            // Where someone else cuts the file meanwhile, that is to be seen.
            flags: FallocateFlags::KEEP_SIZE,
            promise: None,
            taken: Mutex::default(),
            is_possible: AtomicBool::new(is_possible),
        };
        space.promised(file, keep_free)
    }

    fn promised(mut self, file: &File, keep_free: Option<KeepFree>) -> Result<Self, NoSpace> {
        let disk = fstatvfs(file).map_err(io::Error::from)?;
        // Of no blocks: a file system without a limit, or one that does not say.
        if disk.f_blocks > 0 {
            let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
            let kept_bytes = keep_free.map_or(0, |keep| keep.bytes_of(&disk));
            let promise = Promise::of_disk(file.metadata()?.dev(), self.holes.bytes, free_bytes, kept_bytes);
            self.promise = Some(promise.map_err(NoSpace::Lack)?);
        }
        Ok(self)
    }

    /// The bytes around byte `at` of the array whose space is taken, or need not be; `None` where it has to be taken. Never
    /// waits for the disk.
    pub(super) fn taken_at(&self, at: u64) -> Option<Range<u64>> {
        if !self.is_possible.load(Ordering::Relaxed) {
            return Some(0..u64::MAX);
        }
        let number = self.in_file(at) / EXTENT_BYTES;
        let is_taken = self.lock().extents.contains(&number);
        is_taken.then(|| self.of_array(self.extents_of(number..number + 1)))
    }

    /// Takes the space of these bytes of the array before they are written; `landed_bytes` are there. Returns the bytes
    /// around them that need not be asked for again.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn take(&self, file: &File, bytes: Range<u64>, landed_bytes: u64) -> io::Result<Range<u64>> {
        let in_file = self.in_file(bytes.start)..self.in_file(bytes.end);
        let numbers = in_file.start / EXTENT_BYTES..in_file.end.div_ceil(EXTENT_BYTES);
        if let Some(claimed) = self.claim(numbers.clone(), landed_bytes) {
            self.take_claimed(file, claimed)?;
            return Ok(self.of_array(self.extents_of(numbers)));
        }
        // Whoever sends a little here and a little there gets no more than that.
        self.allocate(file, &in_file)?;
        self.fill(&in_file);
        Ok(bytes)
    }

    /// The same for what comes next, from byte `at` of the array on. Returns nothing where so much is taken already.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn take_ahead(&self, file: &File, at: u64, landed_bytes: u64) -> io::Result<Range<u64>> {
        let number = self.in_file(at) / EXTENT_BYTES;
        let Some(claimed) = self.claim(number..number + 1, landed_bytes) else {
            return Ok(at..at);
        };
        self.take_claimed(file, claimed)?;
        Ok(self.of_array(self.extents_of(number..number + 1)))
    }

    /// `bytes` more have landed. Where space cannot be taken ahead, they are promised no longer from now on.
    pub(super) fn landed(&self, bytes: u64) {
        if let Some(promise) = self
            .promise
            .as_ref()
            .filter(|_| !self.is_possible.load(Ordering::Relaxed))
        {
            promise.filled(bytes);
        }
    }

    /// Claims the extents of these numbers that are not taken; `None` where that were too much ahead of what has landed.
    fn claim(&self, numbers: Range<u64>, landed_bytes: u64) -> Option<Vec<Claimed>> {
        let mut taken = self.lock();
        let claimed: Vec<Claimed> = numbers
            .filter(|number| !taken.extents.contains(number))
            .map(|number| Claimed {
                number,
                is_counted: !taken.claimed.contains(&number),
            })
            .collect();
        let new = claimed.iter().filter(|one| one.is_counted);
        let bytes = EXTENT_BYTES * new.clone().count() as u64;
        if bytes > 0 && taken.bytes + bytes > landed_bytes.saturating_add(AHEAD_BYTES_MAX) {
            return None;
        }
        taken.claimed.extend(new.map(|one| one.number));
        taken.bytes += bytes;
        Some(claimed)
    }

    fn take_claimed(&self, file: &File, claimed: Vec<Claimed>) -> io::Result<()> {
        for Claimed { number, is_counted } in claimed {
            let extent = self.extents_of(number..number + 1);
            // Two who need the same one at the same time both ask for it: the second time nothing happens.
            self.allocate(file, &extent)?;
            if is_counted {
                self.fill(&extent);
            }
            self.lock().extents.insert(number);
        }
        Ok(())
    }

    fn extents_of(&self, numbers: Range<u64>) -> Range<u64> {
        let end = numbers.end.saturating_mul(EXTENT_BYTES).min(self.bytes.end);
        (numbers.start * EXTENT_BYTES).max(self.bytes.start)..end
    }

    fn in_file(&self, at: u64) -> u64 {
        self.array_at.saturating_add(at)
    }

    fn of_array(&self, in_file: Range<u64>) -> Range<u64> {
        in_file.start.saturating_sub(self.array_at)..in_file.end.saturating_sub(self.array_at)
    }

    /// Asks the file system for space.
    fn allocate(&self, file: &File, bytes: &Range<u64>) -> io::Result<()> {
        let len = bytes.end.saturating_sub(bytes.start);
        if len == 0 || !self.is_possible.load(Ordering::Relaxed) {
            return Ok(());
        }
        // A stop, or a signal with a handler, interrupts what takes long.
        match retry_on_intr(|| fallocate(file, self.flags, bytes.start, len)) {
            Ok(()) => Ok(()),
            // A file system that cannot take space ahead: writing tells.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.is_possible.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// These bytes are the file's now, and promised no longer.
    fn fill(&self, bytes: &Range<u64>) {
        if let Some(promise) = self
            .promise
            .as_ref()
            .filter(|_| self.is_possible.load(Ordering::Relaxed))
        {
            promise.filled(self.holes.bytes_in(bytes));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing that panics is done under the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::limits::promise::promised_on_disk;

    fn blocks_bytes(file: &File) -> u64 {
        512 * file.metadata().expect("a file").blocks()
    }

    #[test]
    fn space_follows_the_bytes_and_not_the_offer() {
        const LEN: u64 = 100 << 30;
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(LEN).expect("lengthened");
        let Ok(space) = Reservation::of_new(&file, LEN, 0, None, false) else {
            return;
        };
        assert_eq!(blocks_bytes(&file), 0, "an offer alone");
        let around = space.take(&file, 10..20, 0).expect("there is room");
        assert_eq!(around, 0..EXTENT_BYTES);
        if !space.is_possible.load(Ordering::Relaxed) {
            return;
        }
        let step = |number: u64| space.take(&file, number << 30..(number << 30) + 1, number);
        for number in 0..100 {
            step(number).expect("there is room");
        }
        let taken = blocks_bytes(&file);
        assert!(taken <= AHEAD_BYTES_MAX + (1 << 20), "{taken} bytes for a hundred");
    }

    #[test]
    fn what_comes_next_is_taken_before_it_is_needed_but_no_more_than_the_bound_ahead() {
        const LEN: u64 = 1 << 30;
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(LEN).expect("lengthened");
        let Ok(space) = Reservation::of_new(&file, LEN, 0, None, false) else {
            return;
        };
        assert_eq!(space.taken_at(0), None);
        space.take(&file, 0..1, 0).expect("there is room");
        let ahead = |number: u64| {
            space
                .take_ahead(&file, number * EXTENT_BYTES, 0)
                .expect("there is room")
        };
        let taken = (1..8).filter(|number| !ahead(*number).is_empty()).count() as u64;
        if !space.is_possible.load(Ordering::Relaxed) {
            return;
        }
        assert_eq!((1 + taken) * EXTENT_BYTES, AHEAD_BYTES_MAX);
        assert!(blocks_bytes(&file) <= AHEAD_BYTES_MAX + (1 << 20));
        assert_eq!(space.taken_at(EXTENT_BYTES + 5), Some(EXTENT_BYTES..2 * EXTENT_BYTES));
        assert_eq!(space.taken_at(7 * EXTENT_BYTES), None);
    }

    #[test]
    fn a_small_file_takes_its_space_as_it_is_written_unless_it_is_mapped() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(100).expect("lengthened");
        for (in_any_case, taken) in [(false, Some(0..u64::MAX)), (true, None)] {
            let space = Reservation::of_new(&file, 100, 0, None, in_any_case).expect("there is room");
            assert_eq!(space.taken_at(0), taken);
        }
    }

    #[test]
    fn the_last_extent_ends_with_the_file() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(1000).expect("lengthened");
        let space = Reservation::of_new(&file, 1000, 0, None, true).expect("there is room");
        assert_eq!(space.take(&file, 0..1000, 0).expect("there is room").start, 0);
        assert_eq!(file.metadata().expect("a file").len(), 1000);
    }

    #[test]
    fn a_part_of_a_sparse_file_is_promised_what_it_lacks_and_takes_nothing_before_its_bytes_come() {
        const LEN: u64 = 3 << 30;
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(LEN).expect("lengthened");
        let part = || {
            let bytes = (1 << 30) + 5..LEN;
            let holes = Holes::within(&file, bytes.clone()).expect("seen");
            Reservation::of_part(&file, bytes, holes, None, false)
        };
        let Ok(space) = part() else { return };
        assert!(space.holes.bytes >= (2 << 30) - 5);
        assert_eq!((blocks_bytes(&file), space.taken_at(0)), (0, None));
        assert_eq!(space.take(&file, 3..4, 0).expect("there is room"), 0..EXTENT_BYTES - 5);
        if space.is_possible.load(Ordering::Relaxed) {
            let taken = blocks_bytes(&file);
            assert!(taken.abs_diff(EXTENT_BYTES) <= 1 << 20, "{taken}");
            assert_eq!(space.taken_at(0), Some(0..EXTENT_BYTES - 5));
        }
    }

    #[test]
    fn where_no_space_is_taken_ahead_what_has_landed_is_promised_no_longer() {
        let promised = |landed| {
            let space = Reservation {
                bytes: 0..100,
                array_at: 0,
                holes: Holes::whole(0..100),
                flags: FallocateFlags::empty(),
                // Of a number that no disk has.
                promise: Promise::of_disk(u64::MAX - 2, 100, 1000, 0).ok(),
                taken: Mutex::default(),
                is_possible: AtomicBool::new(false),
            };
            space.landed(landed);
            promised_on_disk(u64::MAX - 2)
        };
        assert_eq!((promised(0), promised(30), promised(200)), (100, 70, 0));
        assert_eq!(promised_on_disk(u64::MAX - 2), 0);
    }

    #[test]
    fn more_than_the_disk_has_is_not_promised() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        let refused = Reservation::of_new(&file, 1 << 62, 0, None, false).err();
        assert!(
            matches!(refused, Some(NoSpace::Lack(room)) if !room.could_hold(1 << 62)),
            "{refused:?}"
        );
    }

    #[test]
    fn a_part_is_refused_more_than_the_disk_has_where_it_lacks_that_and_takes_nothing() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        let disk = fstatvfs(&file).expect("a disk");
        let len = disk.f_bavail * disk.f_frsize + (1 << 30);
        // Of a file that can be so long.
        if file.set_len(len).is_err() {
            return;
        }
        let holes = Holes::within(&file, 0..len).expect("seen");
        let error = Reservation::of_part(&file, 0..len, holes, None, false).err();
        assert!(
            matches!(error, Some(NoSpace::Lack(room)) if !room.could_hold(len)),
            "{error:?}"
        );
        assert_eq!(blocks_bytes(&file), 0);
    }

    #[test]
    fn the_disk_is_not_filled_beyond_what_has_to_stay_free() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        Reservation::of_new(&file, 1, 0, Some(KeepFree::Bytes(0)), false).expect("there is room");
        for keep in [KeepFree::Bytes(u64::MAX), KeepFree::Percent(100)] {
            let refused = Reservation::of_new(&file, 1, 0, Some(keep), false).err();
            assert!(
                matches!(refused, Some(NoSpace::Lack(room)) if room.to_string().contains("stay so")),
                "{refused:?}"
            );
        }
    }
}
