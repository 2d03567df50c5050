//! A file that exists in memory only, is filled once, and can then be sealed: `memfd_create(2)`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, memfd_create};

/// Pages are asked for so many bytes ahead of what is written: a few huge pages, still in cache when that comes.
const AHEAD_BYTES: usize = 4 << 20;

/// Memory behind a descriptor, of a length that stays, on its way to being filled.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    file: File,
    /// Only for asking for pages; contents are written through the descriptor, since others could open it as well.
    ahead: Option<MmapRaw>,
    asked: usize,
}

impl MemoryFile {
    /// Makes room for `len` bytes. Pages come when they are written, huge ones where the kernel grants them.
    ///
    /// # Errors
    /// Also where a sandbox refuses such files.
    pub(crate) fn new(name: &str, len: u64) -> io::Result<Self> {
        let file = File::from(memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.set_len(len)?;
        let ahead = usize::try_from(len)
            .ok()
            .filter(|len| *len >= AHEAD_BYTES)
            .and_then(|len| MmapOptions::new().len(len).map_raw(&file).ok())
            // Where huge pages are refused, small ones come as they are written.
            .filter(|map| map.advise(Advice::HugePage).is_ok());
        Ok(Self { file, ahead, asked: 0 })
    }

    /// Writes bytes to their place.
    pub(crate) fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let end = usize::try_from(at).unwrap_or(usize::MAX).saturating_add(bytes.len());
        while let Some(map) = self.ahead.as_ref().filter(|map| self.asked < end.min(map.len())) {
            let len = AHEAD_BYTES.min(map.len() - self.asked);
            if map.advise_range(Advice::PopulateWrite, self.asked, len).is_err() {
                // A kernel older than 5.14: writing brings the pages as well.
                self.ahead = None;
                break;
            }
            self.asked += len;
        }
        self.file.write_all_at(bytes, at)
    }

    /// Seals it: from here on nobody, in any process, can change it, shrink it or let it grow.
    pub(crate) fn seal(self) -> io::Result<File> {
        // A mapping that could be written to would forbid it.
        drop(self.ahead);
        fcntl_add_seals(
            &self.file,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
        )?;
        Ok(self.file)
    }
}

/// Whether what is behind a descriptor can no longer be changed or change its length, by anyone.
pub(super) fn is_sealed(file: &File) -> bool {
    let needed = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    // What cannot be sealed says so by an error.
    fcntl_get_seals(file).is_ok_and(|seals| seals.contains(needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_there_and_nobody_can_change_it_any_more() {
        for len in [0, 1, 4096, 3 * 4096 + 1, AHEAD_BYTES + 5, 3 * AHEAD_BYTES] {
            let mut memory = MemoryFile::new("arraylift-test", len as u64).expect("memory");
            let piece = vec![7; 100_000];
            for at in (0..len).step_by(piece.len()) {
                let bytes = &piece[..piece.len().min(len - at)];
                memory.write(at as u64, bytes).expect("write");
            }
            let file = memory.seal().expect("seal");
            assert!(is_sealed(&file));
            assert_eq!(file.metadata().expect("metadata").len(), len as u64);
            let mut content = vec![0; len];
            file.read_exact_at(&mut content, 0).expect("read");
            assert!(content.iter().all(|byte| *byte == 7), "{len}");
            assert!(file.write_all_at(b"x", 0).is_err() && file.set_len(len as u64 + 1).is_err());
            assert!(len == 0 || file.set_len(0).is_err());
        }
    }

    #[test]
    fn an_ordinary_file_is_not_sealed() {
        assert!(!is_sealed(&tempfile::tempfile().expect("file")));
        assert!(!is_sealed(&File::open("/dev/null").expect("device")));
    }
}
