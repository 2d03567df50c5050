//! Elements of which a part came with one piece and the rest with another.

use std::collections::BTreeMap;

/// More are not kept at once: as many pieces are not on their way.
const FRAGMENTS_MAX: usize = 4096;
/// No number is longer, in bytes.
pub(super) const ITEM_BYTES_MAX: usize = 8;

/// Elements that are not whole yet, by their index.
#[derive(Clone, Debug, Default)]
pub(super) struct Fragments(BTreeMap<u64, Fragment>);

#[derive(Clone, Copy, Debug, Default)]
struct Fragment {
    bytes: [u8; ITEM_BYTES_MAX],
    /// A bit for each byte that is there.
    there: u8,
}

impl Fragments {
    /// Takes a part of an element of `size` bytes, from its byte `at` on. Returns the element where it is whole with it.
    pub(super) fn take(&mut self, index: u64, size: usize, at: usize, part: &[u8]) -> Option<[u8; ITEM_BYTES_MAX]> {
        if self.0.len() >= FRAGMENTS_MAX && !self.0.contains_key(&index) {
            return None;
        }
        let fragment = self.0.entry(index).or_default();
        for (place, byte) in (at..size.min(ITEM_BYTES_MAX)).zip(part) {
            fragment.bytes[place] = *byte;
            fragment.there |= 1 << place;
        }
        let all = u8::MAX >> (ITEM_BYTES_MAX - size.clamp(1, ITEM_BYTES_MAX));
        if fragment.there != all {
            return None;
        }
        self.0.remove(&index).map(|fragment| fragment.bytes)
    }

    /// Takes over what another one has. Returns the elements that are whole with it.
    pub(super) fn absorb(&mut self, other: &mut Self, size: usize) -> Vec<(u64, [u8; ITEM_BYTES_MAX])> {
        let mut whole = Vec::new();
        for (index, fragment) in std::mem::take(&mut other.0) {
            for place in (0..size).filter(|place| fragment.there & 1 << place != 0) {
                let element = self.take(index, size, place, &fragment.bytes[place..=place]);
                whole.extend(element.map(|element| (index, element)));
            }
        }
        whole
    }
}
