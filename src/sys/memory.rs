//! Private anonymous memory in huge pages, that several threads fill at once, each its own part; a handle that faults
//! it in from another thread; and what is left of it when nobody needs it, for the next one.

use std::io;
use std::sync::Arc;

use memmap2::{Advice, MmapOptions, MmapRaw, UncheckedAdvice};

use super::spans::{Span, Whole};

/// A huge page on x86-64 and on most arm64 kernels.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Private memory, aligned to a huge page, whose contents are of no interest to anyone.
#[derive(Debug)]
pub(crate) struct Spare {
    map: Arc<MmapRaw>,
    start: usize,
    capacity: usize,
    /// The kernel takes the advice to use huge pages.
    huge: bool,
}

impl Spare {
    /// Reserves at least `len` bytes. Pages come when they are first touched, huge ones where the kernel grants them.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let padded = len
            .checked_next_multiple_of(HUGE_PAGE_BYTES)
            .and_then(|len| len.checked_add(HUGE_PAGE_BYTES))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let map = MmapRaw::from(MmapOptions::new().len(padded).no_reserve_swap().map_anon()?);
        let start = map.as_ptr().align_offset(HUGE_PAGE_BYTES);
        // Advice only: where huge pages are refused, small ones serve.
        let huge = map.advise_range(Advice::HugePage, start, padded - start).is_ok();
        Ok(Self {
            map: Arc::new(map),
            start,
            capacity: padded - HUGE_PAGE_BYTES,
            huge,
        })
    }

    /// How many bytes there is room for.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Whether the kernel took the advice to use huge pages.
    pub(crate) fn is_huge(&self) -> bool {
        self.huge
    }

    /// Lets the kernel have the pages back as soon as it is short of memory. `madvise(2)`, `MADV_FREE`.
    pub(crate) fn lend_to_kernel(&self) {
        // SAFETY: the advice makes contents vanish, which nobody has a reference to: a Spare has no other owner but
        // Populators, which neither read nor write contents. A refusal costs memory and nothing else.
        let _ = unsafe {
            self.map
                .unchecked_advise_range(UncheckedAdvice::Free, self.start, self.capacity)
        };
    }

    /// The first `len` bytes as a region; what is in them is not zeroed. `None` where there is no such room.
    pub(crate) fn into_region(self, len: usize) -> Option<Region> {
        (len <= self.capacity).then(|| Region {
            whole: Whole::new(len as u64),
            memory: Arc::new(self),
            len,
        })
    }
}

/// Private memory of an exact length, each part of which one owner fills.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    memory: Arc<Spare>,
    whole: Arc<Whole>,
    len: usize,
}

/// A part of a region, and the only way to its bytes.
#[derive(Debug)]
pub(crate) struct Part {
    memory: Arc<Spare>,
    span: Span,
}

impl Region {
    /// What spans of it are taken from.
    pub(crate) fn whole(&self) -> &Arc<Whole> {
        &self.whole
    }

    /// The bytes of a span; `None` where it is one of something else.
    pub(crate) fn part(&self, span: Span) -> Option<Part> {
        span.is_of(&self.whole).then(|| Part {
            memory: Arc::clone(&self.memory),
            span,
        })
    }

    /// A handle that faults the pages in, for another thread to run ahead of the data.
    pub(crate) fn populator(&self) -> Populator {
        Populator {
            map: Arc::clone(&self.memory.map),
            start: self.memory.start,
            len: self.len,
        }
    }

    /// The memory behind it; `None` where someone still has a part.
    pub(crate) fn into_spare(self) -> Option<Spare> {
        Arc::into_inner(self.memory)
    }
}

impl Part {
    /// The first byte, counted from the region's first.
    pub(crate) fn at(&self) -> u64 {
        self.span.at()
    }

    /// Where it begins in the mapping, and its length: both were checked against the region when the span was taken.
    fn place(&self) -> (usize, usize) {
        // A region's length is a usize, and a span lies within.
        let offset = usize::try_from(self.span.at()).unwrap_or(0);
        let len = usize::try_from(self.span.len()).unwrap_or(0);
        (self.memory.start + offset, len)
    }
}

impl std::ops::Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let (start, len) = self.place();
        // SAFETY: a span lies within the length that its Whole was made with, which into_region checked against the
        // mapping's room; the mapping lives as long as self and is initialised (the kernel zeroes it). No byte is in
        // two spans of one Whole, Spans cannot be copied, and a region of the same memory with another Whole is only
        // made from a Spare, which there is only once every Part is gone: these bytes are self's alone, under the
        // borrow rules of self. A Populator never reads or writes contents.
        unsafe { std::slice::from_raw_parts(self.memory.map.as_ptr().add(start), len) }
    }
}

impl std::ops::DerefMut for Part {
    fn deref_mut(&mut self) -> &mut [u8] {
        let (start, len) = self.place();
        // SAFETY: as in deref, and self is borrowed mutably, so that no other slice of these bytes exists.
        unsafe { std::slice::from_raw_parts_mut(self.memory.map.as_mut_ptr().add(start), len) }
    }
}

/// Faults the pages of a [`Region`] in; contents stay as they are.
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

    fn region(len: usize) -> Region {
        Spare::new(len)
            .expect("a few megabytes")
            .into_region(len)
            .expect("room")
    }

    fn part(region: &Region, at: u64, len: u64) -> Option<Part> {
        region.whole().take(at, len).and_then(|span| region.part(span))
    }

    #[test]
    fn fresh_memory_is_zeroed_aligned_and_exactly_as_long_as_asked() {
        for len in [0, 1, 4095, HUGE_PAGE_BYTES, HUGE_PAGE_BYTES + 1] {
            let region = region(len);
            let part = part(&region, 0, len as u64).expect("free");
            assert_eq!(part.len(), len);
            assert_eq!(part.as_ptr().align_offset(HUGE_PAGE_BYTES), 0);
            assert!(part.iter().all(|byte| *byte == 0));
        }
    }

    #[test]
    fn threads_fill_parts_that_never_overlap() {
        let region = region(3 << 20);
        let parts: Vec<Part> = (0..3).filter_map(|i| part(&region, i << 20, 1 << 20)).collect();
        assert!(part(&region, 5, 1).is_none(), "taken");
        std::thread::scope(|scope| {
            for (i, mut part) in (1..).zip(parts) {
                let fill = move || {
                    part.fill(i);
                    assert_eq!(part.at(), u64::from(i - 1) << 20);
                    assert!(part.iter().all(|byte| *byte == i));
                };
                std::thread::Builder::new().spawn_scoped(scope, fill).expect("thread");
            }
        });
    }

    #[test]
    fn a_span_of_something_else_opens_nothing() {
        let (one, other) = (region(10), region(10));
        assert!(one.part(other.whole().take(0, 10).expect("free")).is_none());
    }

    #[test]
    fn memory_is_spare_when_the_last_part_is_gone_and_can_be_lent_and_used_again() {
        let first = region(1 << 20);
        let mut held = part(&first, 0, 10).expect("free");
        held.fill(7);
        assert!(first.clone().into_spare().is_none(), "two have it");
        assert!(first.into_spare().is_none(), "a part is held");
        assert_eq!(held[9], 7);
        let spare = region(1 << 20).into_spare().expect("nobody has it");
        spare.lend_to_kernel();
        assert!(spare.capacity() >= 1 << 20);
        let again = spare.into_region(1 << 19).expect("smaller");
        assert!(part(&again, 0, 1 << 19).is_some() && part(&again, 1 << 19, 1).is_none());
        assert!(again.into_spare().expect("free").into_region(1 << 40).is_none());
    }

    #[test]
    fn populating_keeps_contents_and_outlives_the_memory() {
        let region = region(3 << 20);
        let populator = region.populator();
        let mut part = part(&region, 0, 3 << 20).expect("free");
        part[5] = 7;
        populator.populate(0, usize::MAX).expect("populate");
        assert_eq!(part[5], 7);
        drop((part, region));
        populator.populate(1 << 20, 1 << 20).expect("still mapped");
    }

    #[test]
    fn more_than_the_address_space_is_an_error() {
        assert!(Spare::new(usize::MAX).is_err());
        assert!(Spare::new(1 << 62).is_err());
    }
}
