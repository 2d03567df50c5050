//! Private anonymous memory in huge pages, and a handle that faults it in from another thread.

use std::io;
use std::sync::Arc;

use memmap2::{Advice, MmapOptions, MmapRaw};

/// A huge page on x86-64 and on most arm64 kernels.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Zeroed private memory, aligned to a huge page. Nobody else can see or change it.
#[derive(Debug)]
pub(crate) struct Memory {
    map: Arc<MmapRaw>,
    start: usize,
    len: usize,
}

impl Memory {
    /// Reserves `len` bytes. Pages come when they are first touched, huge ones where the kernel grants them.
    pub(crate) fn zeroed(len: usize) -> io::Result<Self> {
        let padded = len
            .checked_next_multiple_of(HUGE_PAGE_BYTES)
            .and_then(|len| len.checked_add(HUGE_PAGE_BYTES))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let map = MmapRaw::from(MmapOptions::new().len(padded).no_reserve_swap().map_anon()?);
        let start = map.as_ptr().align_offset(HUGE_PAGE_BYTES);
        // Advice only: where huge pages are refused, small ones serve.
        let _ = map.advise_range(Advice::HugePage, start, padded - start);
        Ok(Self {
            map: Arc::new(map),
            start,
            len,
        })
    }

    /// A handle that faults the pages in, for another thread to run ahead of the data.
    pub(crate) fn populator(&self) -> Populator {
        Populator {
            map: Arc::clone(&self.map),
            start: self.start,
            len: self.len,
        }
    }
}

impl std::ops::Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: start + len lies within the mapping, which lives as long as self, is readable and initialised (the
        // kernel zeroes it). Only this value hands out its contents, under the borrow rules of self; a Populator
        // shares the mapping and never reads or writes contents.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start), self.len) }
    }
}

impl std::ops::DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in deref, and self is borrowed mutably, so that no other slice of the contents exists.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(self.start), self.len) }
    }
}

/// Faults the pages of a [`Memory`] in; contents stay as they are.
#[derive(Debug)]
pub(crate) struct Populator {
    map: Arc<MmapRaw>,
    start: usize,
    len: usize,
}

impl Populator {
    /// Bytes that there are to fault in.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Faults in what lies in `at..at + len`, as much of it as exists.
    ///
    /// # Errors
    /// Where the kernel is older than 5.14 or has no memory left; touching the pages still works or fails as ever.
    pub(crate) fn populate(&self, at: usize, len: usize) -> io::Result<()> {
        let end = at.saturating_add(len).min(self.len);
        if at >= end {
            return Ok(());
        }
        self.map.advise_range(Advice::PopulateWrite, self.start + at, end - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_aligned_and_exactly_as_long_as_asked() {
        for len in [0, 1, 4095, HUGE_PAGE_BYTES, HUGE_PAGE_BYTES + 1] {
            let memory = Memory::zeroed(len).expect("a few megabytes");
            assert_eq!(memory.len(), len);
            assert_eq!(memory.as_ptr().align_offset(HUGE_PAGE_BYTES), 0);
            assert!(memory.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn populating_keeps_contents_and_outlives_the_memory() {
        let mut memory = Memory::zeroed(3 << 20).expect("3 MiB");
        let populator = memory.populator();
        memory[5] = 7;
        populator.populate(0, usize::MAX).expect("populate");
        assert_eq!(memory[5], 7);
        drop(memory);
        populator.populate(1 << 20, 1 << 20).expect("still mapped");
    }

    #[test]
    fn more_than_the_address_space_is_an_error() {
        assert!(Memory::zeroed(usize::MAX).is_err());
        assert!(Memory::zeroed(1 << 62).is_err());
    }
}
