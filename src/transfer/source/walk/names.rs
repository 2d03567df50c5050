//! The names in a folder: read in one piece, and given sorted by their bytes.

use std::cmp::Reverse;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, RawDir};
use rustix::io::Errno;

/// Room for what one call of the system tells: some thousand names. getdents(2).
const BUFFER_BYTES: usize = 256 << 10;

/// The names that are left in one folder: 16 bytes and the name's own each.
#[derive(Debug, Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    /// Sorted, the next one last.
    left: Vec<Span>,
}

/// Where a name lies in the bytes, and what the folder says that it is.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    len: u16,
    kind: FileType,
}

/// A buffer for reading folders, used for one after another.
pub(super) struct NamesBuffer(Vec<MaybeUninit<u8>>);

impl NamesBuffer {
    pub(super) fn new() -> Self {
        Self(vec![MaybeUninit::uninit(); BUFFER_BYTES])
    }
}

impl Names {
    /// Reads the folder from where its descriptor stands to its end.
    pub(super) fn read(folder: BorrowedFd<'_>, buffer: &mut NamesBuffer) -> Result<Self, Errno> {
        let mut names = Self::default();
        let mut entries = RawDir::new(folder, &mut buffer.0);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push(name, entry.file_type())?;
            }
        }
        let Self { bytes, left } = &mut names;
        left.sort_unstable_by_key(|span| Reverse(span.of(bytes)));
        names.bytes.shrink_to_fit();
        names.left.shrink_to_fit();
        Ok(names)
    }

    /// The next name, and what it is where the folder tells that ([`FileType::Unknown`] where not).
    pub(super) fn pop(&mut self) -> Option<(Vec<u8>, FileType)> {
        let span = self.left.pop()?;
        Some((span.of(&self.bytes).to_vec(), span.kind))
    }

    /// Forgets what is left.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, name: &[u8], kind: FileType) -> Result<(), Errno> {
        let start = self.bytes.len();
        let len = u16::try_from(name.len()).map_err(|_| Errno::NAMETOOLONG)?;
        self.bytes.extend_from_slice(name);
        self.left.push(Span { start, len, kind });
        Ok(())
    }
}

impl Span {
    fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start..self.start + usize::from(self.len))
            .unwrap_or_default()
    }
}
