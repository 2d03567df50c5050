//! Counts that several processes share: `memfd_create(2)`, mapped by each.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};

const COUNT_BYTES: usize = size_of::<AtomicU64>();

/// So many counts, each of which every process that has the descriptor can change.
#[derive(Debug)]
pub(crate) struct SharedCounts {
    file: File,
    map: MmapRaw,
}

impl SharedCounts {
    /// `len` counts, all of them 0.
    ///
    /// # Errors
    /// The system gives no such memory.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let file = File::from(memfd_create(
            "arraylift-counts",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?);
        file.set_len((len * COUNT_BYTES) as u64)?;
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::open(file)
    }

    /// The counts that another process has made.
    ///
    /// # Errors
    /// What is behind the descriptor could still be cut.
    pub(crate) fn adopt(descriptor: OwnedFd) -> io::Result<Self> {
        Self::open(File::from(descriptor))
    }

    fn open(file: File) -> io::Result<Self> {
        let needed = SealFlags::SHRINK | SealFlags::GROW;
        if !fcntl_get_seals(&file)?.contains(needed) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let map = MmapOptions::new().map_raw(&file)?;
        Ok(Self { file, map })
    }

    /// A descriptor for another process.
    ///
    /// # Errors
    /// No descriptor is left.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// How many counts there are.
    pub(crate) fn len(&self) -> usize {
        self.map.len() / COUNT_BYTES
    }

    /// The count of that index; `None` beyond the last one.
    pub(crate) fn get(&self, index: usize) -> Option<&AtomicU64> {
        if index >= self.len() {
            return None;
        }
        #[expect(clippy::cast_ptr_alignment, reason = "a mapping begins at a page")]
        let counts = self.map.as_mut_ptr().cast::<u64>();
        // SAFETY: the index is within the mapping, which begins at a page and is as long as `self`; the seals keep the
        // memory behind it as long.
        let count = unsafe { counts.add(index) };
        // SAFETY: the count is aligned and mapped for reading and writing while `self` lives, and all processes touch it
        // by atomic operations alone.
        Some(unsafe { AtomicU64::from_ptr(count) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn what_one_counts_another_sees() {
        let ours = SharedCounts::new(10).expect("memory");
        let theirs = SharedCounts::adopt(ours.descriptor().expect("a descriptor")).expect("sealed");
        assert_eq!((ours.len(), theirs.len()), (10, 10));
        ours.get(9).expect("the last").store(7, Ordering::SeqCst);
        assert_eq!(theirs.get(9).map(|count| count.load(Ordering::SeqCst)), Some(7));
        assert!(theirs.get(10).is_none());
    }

    #[test]
    fn what_could_be_cut_is_not_mapped() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(80).expect("lengthened");
        assert!(SharedCounts::adopt(file.into()).is_err());
    }
}
