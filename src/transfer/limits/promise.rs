//! Room that is promised to arrays which have not arrived yet, in memory and on disks: strangers cannot have the same
//! bytes promised twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::error::Error;
use crate::telemetry::available_memory_bytes;

/// Promised by this process and not filled yet.
static MEMORY: LazyLock<Arc<AtomicU64>> = LazyLock::new(Arc::default);
/// The same of each disk, by its device number.
static DISKS: Mutex<BTreeMap<u64, Arc<AtomicU64>>> = Mutex::new(BTreeMap::new());

/// Fails where so many bytes of memory are not free, or are promised to others.
pub(crate) fn check(needed: u64) -> Result<(), Error> {
    memory_has(needed, MEMORY.load(Ordering::SeqCst))
}

/// Bytes of a disk that are promised and not filled yet.
pub(crate) fn promised_on_disk(device: u64) -> u64 {
    disk(device).load(Ordering::SeqCst)
}

/// Bytes that are promised until they are filled or this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    promised: Arc<AtomicU64>,
    open: AtomicU64,
}

impl Promise {
    /// Promises `len` bytes of memory.
    ///
    /// # Errors
    /// There are not so many.
    pub(crate) fn of_memory(len: u64) -> Result<Self, Error> {
        Self::new(&MEMORY, len, |promised| memory_has(len, promised))
    }

    /// Promises `len` bytes of a disk of which `free_bytes` are free; `None` where fewer are left.
    pub(crate) fn of_disk(device: u64, len: u64, free_bytes: u64) -> Option<Self> {
        let has_room = |promised: u64| match free_bytes.saturating_sub(promised) {
            left if len > left => Err(()),
            _ => Ok(()),
        };
        Self::new(&disk(device), len, has_room).ok()
    }

    fn new<E>(promised: &Arc<AtomicU64>, len: u64, has_room: impl Fn(u64) -> Result<(), E>) -> Result<Self, E> {
        let mut before = promised.load(Ordering::SeqCst);
        loop {
            has_room(before)?;
            let sum = before.saturating_add(len);
            match promised.compare_exchange(before, sum, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    return Ok(Self {
                        promised: Arc::clone(promised),
                        open: AtomicU64::new(len),
                    });
                }
                // Someone else was faster, and there may not be enough for both.
                Err(now) => before = now,
            }
        }
    }

    /// So many more bytes are in use now, and promised no longer.
    pub(crate) fn filled(&self, bytes: u64) {
        let less = |open: u64| open.saturating_sub(bytes);
        let open = self.open.update(Ordering::SeqCst, Ordering::SeqCst, less);
        self.promised.fetch_sub(bytes.min(open), Ordering::SeqCst);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.promised.fetch_sub(*self.open.get_mut(), Ordering::SeqCst);
    }
}

fn memory_has(needed: u64, promised: u64) -> Result<(), Error> {
    match available_memory_bytes().map(|available| available.saturating_sub(promised)) {
        Some(available) if needed > available => Err(Error::NotEnoughMemory { needed, available }),
        _ => Ok(()),
    }
}

fn disk(device: u64) -> Arc<AtomicU64> {
    // Nothing that panics is done under the lock.
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(disks.entry(device).or_default())
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
        let first = Promise::of_disk(one, 60, 100).expect("free");
        assert!(Promise::of_disk(one, 60, 100).is_none());
        assert!(Promise::of_disk(other, 60, 100).is_some());
        first.filled(50);
        assert_eq!((promised_on_disk(one), promised_on_disk(other)), (10, 0));
        assert!(Promise::of_disk(one, 60, 70).is_some());
    }
}
