//! Where a file has no disk space behind it, and will need some.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;

use rustix::fs::{SeekFrom, seek};

/// So many holes are told apart; what lies beyond them counts as one.
const HOLES_MAX: usize = 1024;

/// The holes in some bytes of a file.
#[derive(Debug)]
pub(super) struct Holes {
    ranges: Vec<Range<u64>>,
    /// Disk space that they need in all.
    pub(super) bytes: u64,
}

impl Holes {
    /// A new file: nothing has space.
    pub(super) fn whole(bytes: Range<u64>) -> Self {
        Self {
            bytes: bytes.end - bytes.start,
            ranges: vec![bytes],
        }
    }

    /// Those within these bytes of a file, as far as its file system tells them.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub(super) fn within(file: &File, bytes: Range<u64>) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let missing_bytes = metadata.len().saturating_sub(512 * metadata.blocks());
        let mut ranges = Vec::new();
        if missing_bytes > 0 {
            let mut at = bytes.start;
            while at < bytes.end {
                let Some(start) = next(file, SeekFrom::Hole(at))?.filter(|start| *start < bytes.end) else {
                    break;
                };
                let end = if ranges.len() + 1 == HOLES_MAX {
                    None
                } else {
                    next(file, SeekFrom::Data(start))?
                };
                at = end.unwrap_or(u64::MAX).min(bytes.end);
                ranges.push(start..at);
            }
        }
        let sum: u64 = ranges.iter().map(|hole| hole.end - hole.start).sum();
        Ok(Self {
            // Space that was taken and never written counts as a hole for some file systems, and as blocks for all.
            bytes: sum.min(missing_bytes),
            ranges,
        })
    }

    /// How many of these bytes lie in holes.
    pub(super) fn bytes_in(&self, bytes: &Range<u64>) -> u64 {
        let common = |hole: &Range<u64>| hole.end.min(bytes.end).saturating_sub(hole.start.max(bytes.start));
        self.ranges.iter().map(common).sum()
    }
}

/// Where the next hole or the next data is; `None` where there is none.
fn next(file: &File, from: SeekFrom) -> io::Result<Option<u64>> {
    match seek(file, from) {
        Ok(at) => Ok(Some(at)),
        Err(rustix::io::Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn sparse() -> File {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        file.set_len(8 * MIB).expect("lengthened");
        file.write_all_at(&vec![1; 2 << 20], 2 * MIB).expect("written");
        file
    }

    #[test]
    fn the_holes_within_some_bytes_are_what_they_lack() {
        let file = sparse();
        for (bytes, lacks) in [
            (0..8 * MIB, 6 * MIB),
            (2 * MIB..4 * MIB, 0),
            (0..3 * MIB, 2 * MIB),
            (3 * MIB..5 * MIB, MIB),
            (5..5, 0),
        ] {
            assert_eq!(
                Holes::within(&file, bytes.clone()).expect("seen").bytes,
                lacks,
                "{bytes:?}"
            );
        }
        let holes = Holes::within(&file, 0..8 * MIB).expect("seen");
        assert_eq!(holes.bytes_in(&(MIB..5 * MIB)), 2 * MIB);
    }

    #[test]
    fn space_that_was_taken_and_not_written_is_lacking_nowhere() {
        let file = sparse();
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, 8 * MIB).expect("there is room");
        assert_eq!(Holes::within(&file, 0..8 * MIB).expect("seen").bytes, 0);
    }

    #[test]
    fn of_many_holes_the_last_ones_count_as_one() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).expect("a file");
        let count = 2 * HOLES_MAX as u64;
        file.set_len(count * (64 << 10)).expect("lengthened");
        for number in 0..count {
            file.write_all_at(&[1; 4096], number * (64 << 10)).expect("written");
        }
        let holes = Holes::within(&file, 0..count * (64 << 10)).expect("seen");
        assert_eq!(holes.ranges.len(), HOLES_MAX);
        assert_eq!(holes.ranges.last().map(|last| last.end), Some(count * (64 << 10)));
    }
}
