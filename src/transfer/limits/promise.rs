//! Room that is promised to arrays which have not arrived yet, in memory and on disks: strangers cannot have the same
//! bytes promised twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{DiskRoom, Error};
use crate::telemetry::available_memory_bytes;

use super::promise_table::{self, Column};

/// Promised by this process and not filled yet, where no other process has to know.
static MEMORY: AtomicU64 = AtomicU64::new(0);
/// The same of each disk, by its device number. There are as few as disks.
static DISKS: Mutex<BTreeMap<u64, &'static AtomicU64>> = Mutex::new(BTreeMap::new());

/// Fails where so many bytes of memory are not free, or are promised to others.
pub(crate) fn check(needed: u64) -> Result<(), Error> {
    memory_has(needed, Promised::of_memory().sum())
}

/// Bytes of a disk that are promised and not filled yet.
#[cfg(test)]
pub(crate) fn promised_on_disk(device: u64) -> u64 {
    Promised::of_disk(device).sum()
}

/// Bytes that are promised until they are filled or this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    own: &'static AtomicU64,
    open: AtomicU64,
}

/// What is promised of one kind of room: by this process, and by those that share a table with it.
struct Promised {
    own: &'static AtomicU64,
    shared: Option<Column>,
}

impl Promise {
    /// Promises `len` bytes of memory.
    ///
    /// # Errors
    /// There are not so many.
    pub(crate) fn of_memory(len: u64) -> Result<Self, Error> {
        Self::new(&Promised::of_memory(), len, |promised| memory_has(len, promised))
    }

    /// Promises `len` bytes of a disk of which `free_bytes` are free and `kept_bytes` have to stay so.
    ///
    /// # Errors
    /// Fewer are left. What there is room for.
    pub(crate) fn of_disk(device: u64, len: u64, free_bytes: u64, kept_bytes: u64) -> Result<Self, DiskRoom> {
        let has_room = |promised_bytes: u64| {
            let room = DiskRoom {
                free_bytes,
                promised_bytes,
                kept_bytes,
            };
            if room.holds(len) { Ok(()) } else { Err(room) }
        };
        Self::new(&Promised::of_disk(device), len, has_room)
    }

    fn new<E>(promised: &Promised, len: u64, has_room: impl Fn(u64) -> Result<(), E>) -> Result<Self, E> {
        let mut before = promised.own.load(Ordering::SeqCst);
        loop {
            has_room(before.saturating_add(promised.by_others()))?;
            let sum = before.saturating_add(len);
            match promised
                .own
                .compare_exchange(before, sum, Ordering::SeqCst, Ordering::SeqCst)
            {
                Ok(_) => break,
                // Another thread was faster, and there may not be enough for both.
                Err(now) => before = now,
            }
        }
        let promise = Self {
            own: promised.own,
            open: AtomicU64::new(len),
        };
        // Another process may have promised the same meanwhile: it sees ours, or we see its.
        has_room(before.saturating_add(promised.by_others())).map(|()| promise)
    }

    /// So many more bytes are in use now, and promised no longer.
    pub(crate) fn filled(&self, bytes: u64) {
        let less = |open: u64| open.saturating_sub(bytes);
        let open = self.open.update(Ordering::SeqCst, Ordering::SeqCst, less);
        self.own.fetch_sub(bytes.min(open), Ordering::SeqCst);
    }
}

impl Promised {
    fn of_memory() -> Self {
        let column = Column::Memory;
        match promise_table::own(column) {
            Some(own) => Self {
                own,
                shared: Some(column),
            },
            None => Self {
                own: &MEMORY,
                shared: None,
            },
        }
    }

    fn of_disk(device: u64) -> Self {
        let column = Column::Disk { device };
        if let Some(own) = promise_table::own(column) {
            return Self {
                own,
                shared: Some(column),
            };
        }
        // Nothing that panics is done under the lock.
        let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || &*Box::leak(Box::default());
        Self {
            own: disks.entry(device).or_insert_with(new),
            shared: None,
        }
    }

    fn by_others(&self) -> u64 {
        self.shared.map_or(0, promise_table::by_others)
    }

    fn sum(&self) -> u64 {
        self.own.load(Ordering::SeqCst).saturating_add(self.by_others())
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.own.fetch_sub(*self.open.get_mut(), Ordering::SeqCst);
    }
}

fn memory_has(needed: u64, promised: u64) -> Result<(), Error> {
    match available_memory_bytes().map(|available| available.saturating_sub(promised)) {
        Some(available) if needed > available => Err(Error::NotEnoughMemory {
            needed,
            available,
            promised,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_not_promised_twice_and_comes_back() {
        let available = available_memory_bytes().expect("meminfo");
        let most = available / 3 * 2;
        let first = Promise::of_memory(most).expect("free");
        assert!(matches!(Promise::of_memory(most), Err(Error::NotEnoughMemory { .. })));
        first.filled(most - 1);
        drop(Promise::of_memory(most).expect("what has arrived is no promise any more"));
        first.filled(u64::MAX);
        drop(first);
        Promise::of_memory(most).expect("free again");
    }

    #[test]
    fn each_disk_has_its_own_promises() {
        // Of numbers that no disk has.
        let (one, other) = (u64::MAX, u64::MAX - 1);
        let first = Promise::of_disk(one, 60, 100, 0).expect("free");
        assert!(Promise::of_disk(one, 60, 100, 0).is_err());
        assert!(Promise::of_disk(other, 60, 100, 0).is_ok());
        first.filled(50);
        assert_eq!((promised_on_disk(one), promised_on_disk(other)), (10, 0));
        assert!(Promise::of_disk(one, 60, 70, 0).is_ok());
    }
}
