//! Private memory that is written once and then stays as it is, for the kernel to read when it likes.

use std::io;

use memmap2::{Mmap, MmapMut};

/// Bytes in a mapping of their own, which nobody can change any more. Where it is dropped while the kernel still reads
/// some of its pages, the kernel keeps these, and nobody else gets them before it is done.
#[derive(Debug)]
pub(crate) struct FrozenMemory(Mmap);

impl FrozenMemory {
    /// Reserves `len` bytes, has `fill` write them over zeros, and freezes them.
    ///
    /// # Errors
    /// Where there is no such room.
    pub(crate) fn new(len: usize, fill: impl FnOnce(&mut [u8])) -> io::Result<Self> {
        let mut memory = MmapMut::map_anon(len)?;
        fill(&mut memory);
        memory.make_read_only().map(Self)
    }
}

impl std::ops::Deref for FrozenMemory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "miri has no mprotect")]
    fn it_holds_what_it_was_filled_with_and_as_much_as_was_asked_for() {
        for len in [0, 1, 4096, 10_000] {
            let memory = FrozenMemory::new(len, |bytes| {
                assert!(bytes.iter().all(|byte| *byte == 0));
                bytes.fill(7);
            });
            let memory = memory.expect("a few pages");
            assert!(memory.len() == len && memory.iter().all(|byte| *byte == 7));
        }
        assert!(FrozenMemory::new(1 << 62, |_| ()).is_err());
    }
}
