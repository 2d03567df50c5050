//! `send(2)` of a range that is generated a piece at a time, so that a range of any length needs no memory of its own.
//! Parts of a piece are generated and checksummed in the first-level cache; the piece is sent from a larger one.

use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::array;
use crate::wire::Digest;

use super::{Cost, SendError, SendRoute, copy_slice, index, send_slice};

/// The part of a piece that is generated, and then checksummed while it is in the first-level cache. It is a whole
/// number of elements.
const PART_BYTES: usize = 16 << 10;

/// Generates a range and sends it.
pub(crate) struct Generated {
    range: array::Range,
    base: u64,
    piece: Vec<u8>,
    /// Position of the piece's first byte.
    piece_at: u64,
    piece_len: usize,
    /// The size of an element, in bytes.
    element_bytes: usize,
}

impl Generated {
    /// Sends the range from byte `base` on, in pieces of at most `piece_bytes`.
    pub(crate) fn new(range: array::Range, base: u64, piece_bytes: usize) -> Self {
        let element_bytes = range.dtype().item_size();
        // Room for the elements at both ends that are only partly wanted.
        let piece = vec![0; piece_bytes + 2 * element_bytes];
        Self {
            range,
            base,
            piece,
            piece_at: 0,
            piece_len: 0,
            element_bytes,
        }
    }
}

impl Generated {
    /// The bytes `at..at + len` of what is sent; `len` is at most a piece.
    pub(crate) fn piece(&mut self, at: u64, len: usize) -> &[u8] {
        self.make(at, 0..len);
        (self.piece_at, self.piece_len) = (at, len);
        &self.piece[..len]
    }

    /// Generates the bytes from `at` on at this place of the piece. It overwrites what follows there.
    fn make(&mut self, at: u64, place: Range<usize>) {
        let element_bytes = self.element_bytes as u64;
        let start = self.base + at;
        let first = start / element_bytes;
        // Smaller than an element.
        let skip = usize::try_from(start % element_bytes).unwrap_or(0);
        let whole = (skip + place.len()).next_multiple_of(self.element_bytes);
        self.range
            .fill(first, &mut self.piece[place.start..place.start + whole]);
        if skip > 0 {
            self.piece
                .copy_within(place.start + skip..place.end + skip, place.start);
        }
    }
}

impl SendRoute for Generated {
    fn name(&self) -> &'static str {
        "write"
    }

    fn another(&self) -> Option<Box<dyn SendRoute>> {
        Some(Box::new(Self::new(
            self.range.clone(),
            self.base,
            self.piece.len() - 2 * self.element_bytes,
        )))
    }

    fn load(&mut self, at: u64, len: usize, digest: &mut Digest) -> Result<(), SendError> {
        for begin in (0..len).step_by(PART_BYTES) {
            let part = begin..len.min(begin + PART_BYTES);
            self.make(at + begin as u64, part.clone());
            digest.update(&self.piece[part]);
        }
        (self.piece_at, self.piece_len) = (at, len);
        Ok(())
    }

    fn copy_loaded(&self, at: u64, out: &mut [u8]) -> bool {
        copy_slice(&self.piece[..self.piece_len], index(at - self.piece_at), out)
    }

    fn send(&mut self, socket: BorrowedFd<'_>, at: u64, len: usize) -> Result<usize, SendError> {
        let begin = index(at - self.piece_at)?;
        send_slice(socket, &self.piece[begin..(begin + len).min(self.piece_len)])
    }

    fn cost(&self, sent: usize) -> Cost {
        Cost::copied(sent)
    }
}
