//! A file of several blocks on its way out.

use rustix::io::{Errno, pread};

use crate::checksum::{Checksum, ChecksumKind, Digest};
use crate::transfer::source::walk::{OpenedFile, ReadFault};
use crate::wire::Grain;
use crate::wire::native::Message;

/// The longest blocks of files in a tree. They pass through memory at both ends, where longer ones leave the caches.
pub(super) const GRAIN_MAX: Grain = Grain::MIB;

/// The blocks of a file of so many bytes.
pub(super) fn grain(bytes: u64) -> Grain {
    Grain::for_array(bytes, GRAIN_MAX.bytes())
}

/// A file that was opened, and whose blocks are sent in order.
pub(super) struct SentFile {
    item: u32,
    opened: OpenedFile,
    bytes: u64,
    grain: Grain,
    at: u64,
    index: u32,
    kind: ChecksumKind,
    /// Of all before `at`.
    whole: Option<Checksum>,
}

/// What was sent.
pub(super) enum Sent {
    /// A block of so many bytes.
    Block(u64),
    /// Nothing: all was before. So many bytes, and the checksum of them all.
    Last(u64, Option<u64>),
}

impl SentFile {
    pub(super) fn new(item: u32, opened: OpenedFile, bytes: u64, grain: Grain, kind: ChecksumKind) -> Self {
        Self {
            item,
            opened,
            bytes,
            grain,
            at: 0,
            index: 0,
            kind,
            whole: Digest::new(kind).checksum(),
        }
    }

    pub(super) fn item(&self) -> u32 {
        self.item
    }

    /// The bytes of the next block; none where all are sent.
    pub(super) fn next_bytes(&self) -> u64 {
        (self.bytes - self.at).min(self.grain.bytes())
    }

    /// Appends the next block to `out`, or finds that all are sent and that the file is still what was offered.
    ///
    /// # Errors
    /// It is not, or cannot be read; `out` is then as it was.
    pub(super) fn send(&mut self, out: &mut Vec<u8>) -> Result<Sent, ReadFault> {
        let bytes = self.next_bytes();
        if bytes == 0 {
            self.opened.check()?;
            return Ok(Sent::Last(self.bytes, self.whole.map(Checksum::value)));
        }
        let before = out.len();
        let read = self.append(bytes, out);
        if read.is_err() {
            out.truncate(before);
        }
        read.map(|()| Sent::Block(bytes))
    }

    fn append(&mut self, bytes: u64, out: &mut Vec<u8>) -> Result<(), ReadFault> {
        Message::Block {
            item: self.item,
            index: self.index,
            // At most a block's.
            len: u32::try_from(bytes).unwrap_or(u32::MAX),
            ends: false,
        }
        .encode(out);
        let begin = out.len();
        out.resize(begin + usize::try_from(bytes).unwrap_or(usize::MAX), 0);
        let mut at = begin;
        while at < out.len() {
            let offset = self.at + (at - begin) as u64;
            match pread(self.opened.as_fd(), &mut out[at..], offset) {
                // It has become shorter.
                Ok(0) => return Err(ReadFault::Changed),
                Ok(read) => at += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut digest = Digest::new(self.kind);
        digest.update(&out[begin..]);
        out.extend_from_slice(&digest.value().unwrap_or_default().to_le_bytes());
        self.whole = self
            .whole
            .zip(digest.checksum())
            .map(|(whole, block)| whole.followed_by(block));
        self.at += bytes;
        self.index += 1;
        Ok(())
    }
}
