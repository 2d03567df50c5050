//! Private anonymous memory in huge pages, that several threads fill at once, each its own part; a handle that faults
//! it in from another thread; and what is left of it when nobody needs it, for the next one.
//!
//! The kernel may zero the pages of lent memory at any time until someone writes to them (`MADV_FREE`). A [`Part`]
//! therefore shows only the bytes that were written since it was taken.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(not(miri))]
use memmap2::UncheckedAdvice;
use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::net::{RecvFlags, recv};

use crate::ledger::{Ledger, Span};

/// A huge page on x86-64 and on most arm64 kernels. Miri goes through it byte by byte.
const HUGE_PAGE_BYTES: usize = if cfg!(miri) { 8 << 10 } else { 2 << 20 };

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
        let mut options = MmapOptions::new();
        options.len(padded);
        if cfg!(not(miri)) {
            options.no_reserve_swap();
        }
        let map = MmapRaw::from(options.map_anon()?);
        let start = map.as_ptr().align_offset(HUGE_PAGE_BYTES);
        // Advice only: where huge pages are refused, small ones serve.
        let huge = advise(&map, Advice::HugePage, start, padded - start).is_ok();
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
        #[cfg(miri)]
        self.forget_contents();
        // SAFETY: the advice makes contents vanish, which nobody has a reference to: a Spare has no other owner but
        // Populators, which neither read nor write contents. Whoever takes a Part of it later reads only what was
        // written after that, and a write to a page ends its being lent. A refusal costs memory and nothing else.
        #[cfg(not(miri))]
        let _ = unsafe {
            self.map
                .unchecked_advise_range(UncheckedAdvice::Free, self.start, self.capacity)
        };
    }

    /// What lending means to a reader, in the terms of miri, which has no `madvise`: nothing there can be read.
    #[cfg(miri)]
    fn forget_contents(&self) {
        const PIECE_BYTES: usize = 4096;
        for at in (self.start..self.start + self.capacity).step_by(PIECE_BYTES) {
            let piece = self.map.as_mut_ptr().wrapping_add(at).cast();
            // SAFETY: the piece lies in the mapping, for the capacity is a multiple of huge pages, and nobody has a
            // reference to it, as in lend_to_kernel.
            unsafe { std::ptr::write(piece, MaybeUninit::<[u8; PIECE_BYTES]>::uninit()) };
        }
    }

    /// The first bytes as a region, as many as the ledger is of; what is in them is not zeroed. `None` where there is no
    /// such room.
    pub(crate) fn into_region(self, ledger: &Arc<Ledger>) -> Option<Region> {
        let len = usize::try_from(ledger.total_bytes()?).ok()?;
        (len <= self.capacity).then(|| Region {
            ledger: Arc::clone(ledger),
            memory: Arc::new(self),
            filled: Arc::default(),
            len,
        })
    }
}

/// Private memory of an exact length, each part of which one owner fills.
#[derive(Debug, Clone)]
pub(crate) struct Region {
    memory: Arc<Spare>,
    /// How many bytes the parts that are gone were filled with.
    filled: Arc<AtomicUsize>,
    ledger: Arc<Ledger>,
    len: usize,
}

/// A part of a region, and the only way to its bytes. It is filled from its first byte on, and derefs to the bytes that
/// it has been filled with so far.
#[derive(Debug)]
pub(crate) struct Part {
    memory: Arc<Spare>,
    filled_in_all: Arc<AtomicUsize>,
    span: Span,
    /// So many of its first bytes hold what the part was filled with;
    filled: usize,
    /// and so many, at least as many, have been written at all since it was taken: zeros follow.
    written: usize,
}

impl Region {
    /// The bytes of a span; `None` where it was claimed in another ledger.
    pub(crate) fn part(&self, span: Span) -> Option<Part> {
        span.is_of(&self.ledger).then(|| Part {
            memory: Arc::clone(&self.memory),
            filled_in_all: Arc::clone(&self.filled),
            span,
            filled: 0,
            written: 0,
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

    /// All of its bytes. `None` where someone still has a part, or the parts that are gone have not filled all of it.
    pub(crate) fn into_filled(self) -> Option<Filled> {
        let (len, filled) = (self.len, Arc::clone(&self.filled));
        let memory = self.into_spare()?;
        (filled.load(Ordering::Acquire) == len).then_some(Filled { memory, len })
    }

    /// The memory behind it; `None` where someone still has a part.
    pub(crate) fn into_spare(self) -> Option<Spare> {
        Arc::into_inner(self.memory)
    }
}

impl Part {
    /// The byte that is filled next, counted from the region's first.
    pub(crate) fn next_at(&self) -> u64 {
        self.span.at() + self.filled as u64
    }

    /// Receives what the socket has, at most `len` bytes, behind what the part is filled with. Returns these bytes: none
    /// where the peer has closed, or the part is full.
    pub(crate) fn receive_from(&mut self, socket: BorrowedFd<'_>, len: usize) -> io::Result<&[u8]> {
        let ((received, _), _) = recv(socket, self.room(len), RecvFlags::empty())?;
        let received = received.len();
        self.written = self.filled + received;
        Ok(self.fill_up(received))
    }

    /// Lets `write` write at most `len` bytes behind what the part is filled with, over zeros; it returns how many it
    /// wrote. Returns these bytes.
    pub(crate) fn fill_with(
        &mut self,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<&[u8]> {
        let len = self.room(len).len();
        // Each byte is zeroed once, however little is written at a time.
        let zeroed = (self.written - self.filled).min(len);
        self.room(len)[zeroed..].fill(MaybeUninit::new(0));
        self.written = self.written.max(self.filled + len);
        // SAFETY: all of the room has been written since the part was taken: what lies before `written`, earlier, and
        // the rest just now.
        let room = unsafe { self.room(len).assume_init_mut() };
        let filled = write(room)?.min(len);
        Ok(self.fill_up(filled))
    }

    /// Counts `len` bytes, which have been written, as filled, and returns them.
    fn fill_up(&mut self, len: usize) -> &[u8] {
        let before = self.filled;
        self.filled += len;
        &self[before..]
    }

    /// At most `len` bytes behind what the part is filled with, as many as belong to it.
    fn room(&mut self, len: usize) -> &mut [MaybeUninit<u8>] {
        // A region's length is a usize, and a span lies within.
        let part_bytes = usize::try_from(self.span.len()).unwrap_or(0);
        let len = len.min(part_bytes - self.filled);
        let first = self.first_byte().wrapping_add(self.filled).cast();
        // SAFETY: a span lies within the length of its Ledger, which never changes once it is known, and which
        // into_region checked against the mapping's room; the mapping lives as long as self. No byte is in two spans of
        // one Ledger, Spans cannot be copied, and a region of the same memory with another Ledger is only made from a
        // Spare, which there is only once every Part is gone: these bytes are self's alone, and self is borrowed mutably.
        // They may be anything, and change while the kernel still may zero them, which is what MaybeUninit allows.
        unsafe { std::slice::from_raw_parts_mut(first, len) }
    }

    fn first_byte(&self) -> *mut u8 {
        let offset = usize::try_from(self.span.at()).unwrap_or(0);
        self.memory.map.as_mut_ptr().wrapping_add(self.memory.start + offset)
    }
}

impl std::ops::Deref for Part {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: as in room, but self is borrowed for reading. The bytes have been written since the part was taken,
        // so that no page with one of them is the kernel's to zero any more.
        unsafe { std::slice::from_raw_parts(self.first_byte(), self.filled) }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.filled_in_all.fetch_add(self.filled, Ordering::AcqRel);
    }
}

/// Memory of an exact length that is filled, and that nobody writes to any more.
#[derive(Debug)]
pub(crate) struct Filled {
    memory: Spare,
    len: usize,
}

impl std::ops::Deref for Filled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        let first = self.memory.map.as_ptr().wrapping_add(self.memory.start);
        // SAFETY: self is made where no Part is left and the Parts of its region have filled as many bytes as it has. No
        // byte is in two spans of one Ledger, so each of these has been written since the region was made, and no page
        // with one of them is the kernel's to zero. into_region checked the length against the mapping's room, and the
        // mapping lives as long as self, which alone has it.
        unsafe { std::slice::from_raw_parts(first, self.len) }
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
        advise(&self.map, Advice::PopulateWrite, self.start + at, end - at)
    }
}

fn advise(map: &MmapRaw, advice: Advice, at: usize, len: usize) -> io::Result<()> {
    if cfg!(miri) {
        // It has no `madvise`, and needs no advice.
        return Ok(());
    }
    map.advise_range(advice, at, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumKind;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    fn ledger(len: usize) -> Arc<Ledger> {
        Ledger::new(len as u64, ChecksumKind::None, 1)
    }

    fn region(len: usize) -> Region {
        Spare::new(len)
            .expect("a few megabytes")
            .into_region(&ledger(len))
            .expect("room")
    }

    fn part(region: &Region, at: u64, len: u64) -> Option<Part> {
        let mut claim = region.ledger.claim(at, len).ok()?;
        region.part(claim.take_span()?)
    }

    fn fill(part: &mut Part, byte: u8, len: usize) {
        let write = |room: &mut [u8]| {
            room.fill(byte);
            Ok(room.len())
        };
        assert_eq!(part.fill_with(len, write).expect("written").len(), len);
    }

    #[test]
    fn fresh_memory_is_zeroed_aligned_and_exactly_as_long_as_asked() {
        for len in [0, 1, 4095, HUGE_PAGE_BYTES, HUGE_PAGE_BYTES + 1] {
            let region = region(len);
            let mut part = part(&region, 0, len as u64).expect("free");
            assert_eq!(part.as_ptr().align_offset(HUGE_PAGE_BYTES), 0);
            let look = |room: &mut [u8]| {
                assert!(room.iter().all(|byte| *byte == 0));
                Ok(room.len())
            };
            assert_eq!(part.fill_with(usize::MAX, look).expect("written").len(), len);
            assert_eq!(part.len(), len);
        }
    }

    #[test]
    fn threads_fill_parts_that_never_overlap() {
        const LEN: usize = HUGE_PAGE_BYTES / 2;
        let region = region(3 * LEN);
        let parts: Vec<Part> = (0..3_u64)
            .filter_map(|i| part(&region, i * LEN as u64, LEN as u64))
            .collect();
        assert!(part(&region, 5, 1).is_none(), "taken");
        std::thread::scope(|scope| {
            for (i, mut part) in (1..).zip(parts) {
                let work = move || {
                    fill(&mut part, i, LEN);
                    assert_eq!(part.next_at(), u64::from(i) * LEN as u64);
                    assert!(part.len() == LEN && part.iter().all(|byte| *byte == i));
                };
                std::thread::Builder::new().spawn_scoped(scope, work).expect("thread");
            }
        });
    }

    /// Has the kernel take lent pages back at once. Miri has forgotten them when they were lent.
    fn take_back(region: &Region) {
        let first = region.memory.map.as_mut_ptr().wrapping_add(region.memory.start);
        if cfg!(not(miri)) {
            let advice = rustix::mm::Advice::LinuxPageOut;
            // SAFETY: the range is one of the mapping, which lives, and the advice keeps contents but of lent pages.
            unsafe { rustix::mm::madvise(first.cast(), region.len, advice) }.expect("a kernel since 5.4");
        }
    }

    #[test]
    fn a_part_shows_only_what_was_written_since_it_was_taken() {
        let len = 2 * HUGE_PAGE_BYTES;
        let first = region(len);
        fill(&mut part(&first, 0, len as u64).expect("free"), 7, len);
        let spare = first.into_spare().expect("nobody has it");
        spare.lend_to_kernel();
        let again = spare.into_region(&ledger(len)).expect("room");
        let mut part = part(&again, 0, len as u64).expect("free");
        assert!(part.is_empty(), "nothing was written");
        fill(&mut part, 1, 3);
        // Now the kernel takes back what it may, rather than at a time of its own.
        take_back(&again);
        assert_eq!(part[..], [1; 3]);
        let look = |room: &mut [u8]| {
            assert!(room.iter().all(|byte| *byte == 0), "nothing of the earlier array");
            room[..2].fill(2);
            Ok(2)
        };
        assert_eq!(part.fill_with(len, look).expect("written"), [2; 2]);
        let error = part.fill_with(len, |room| {
            room[0] = 3;
            Err(io::ErrorKind::WouldBlock.into())
        });
        assert!(error.is_err());
        assert_eq!(part[..], [1, 1, 1, 2, 2]);
        assert!(part.fill_with(usize::MAX, |_| Ok(usize::MAX)).is_ok());
        assert_eq!(part.len(), len, "no more than there is room for");
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no recv(2) on a Unix socket")]
    fn what_a_socket_has_lands_behind_what_is_there() {
        let region = region(10);
        let mut last = part(&region, 4, 6).expect("free");
        fill(&mut last, b'-', 2);
        let (mut a, b) = UnixStream::pair().expect("pair");
        b.set_nonblocking(true).expect("non-blocking");
        a.write_all(b"hello").expect("write");
        assert_eq!(last.receive_from(b.as_fd(), 3).expect("received"), b"hel");
        assert_eq!(last.receive_from(b.as_fd(), 3).expect("received"), b"l", "it is full");
        assert_eq!(&last[..], b"--hell");
        let mut other = part(&region, 0, 4).expect("free");
        assert_eq!(other.receive_from(b.as_fd(), 9).expect("received"), b"o");
        let error = other.receive_from(b.as_fd(), 9).expect_err("nothing has come");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(a);
        assert!(other.receive_from(b.as_fd(), 9).expect("the end").is_empty());
        assert_eq!(&other[..], b"o");
    }

    #[test]
    fn a_span_of_something_else_opens_nothing() {
        let (one, other) = (region(10), region(10));
        let mut claim = other.ledger.claim(0, 10).expect("free");
        assert!(one.part(claim.take_span().expect("the first time")).is_none());
    }

    #[test]
    fn memory_is_spare_when_the_last_part_is_gone_and_can_be_lent_and_used_again() {
        let first = region(1 << 20);
        let mut held = part(&first, 0, 10).expect("free");
        fill(&mut held, 7, 10);
        assert!(first.clone().into_spare().is_none(), "two have it");
        assert!(first.into_spare().is_none(), "a part is held");
        assert_eq!(held[9], 7);
        let spare = region(1 << 20).into_spare().expect("nobody has it");
        spare.lend_to_kernel();
        assert!(spare.capacity() >= 1 << 20);
        let again = spare.into_region(&ledger(1 << 19)).expect("smaller");
        assert!(part(&again, 0, 1 << 19).is_some() && part(&again, 1 << 19, 1).is_none());
        assert!(
            again
                .into_spare()
                .expect("free")
                .into_region(&ledger(1 << 40))
                .is_none()
        );
    }

    #[test]
    fn populating_keeps_contents_and_outlives_the_memory() {
        let region = region(3 << 20);
        let populator = region.populator();
        let mut part = part(&region, 0, 3 << 20).expect("free");
        fill(&mut part, 7, 6);
        populator.populate(0, usize::MAX).expect("populate");
        assert_eq!(part[5], 7);
        drop((part, region));
        populator.populate(1 << 20, 1 << 20).expect("still mapped");
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri ends where it has no memory")]
    fn more_than_the_address_space_is_an_error() {
        assert!(Spare::new(usize::MAX).is_err());
        assert!(Spare::new(1 << 62).is_err());
    }

    #[test]
    fn only_a_region_that_its_parts_have_filled_can_be_read_as_a_whole() {
        for halves in [&[0][..], &[50], &[0, 50]] {
            let region = region(100);
            for at in halves {
                let mut part = part(&region, *at, 50).expect("free");
                assert!(region.clone().into_filled().is_none(), "someone has a part");
                fill(&mut part, 7, 50);
            }
            let filled = region.into_filled();
            assert_eq!(filled.is_some(), halves.len() == 2);
            assert!(filled.is_none_or(|filled| *filled == [7; 100]));
        }
    }
}
