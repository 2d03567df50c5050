//! The first elements of an array as one side has them.

use crate::array::{ArrayMeta, Dtype, values};

use super::event::EventKind;

/// The first elements of an array as one side has them.
#[derive(Debug)]
pub(crate) struct Prefix {
    dtype: Dtype,
    bytes: Vec<u8>,
    missing: usize,
}

impl Prefix {
    /// The most bytes that are kept, whatever the size of an element.
    const BYTES_MAX: u64 = 64 << 10;

    pub(crate) fn new(meta: &ArrayMeta, elements: usize) -> Self {
        let item = meta.dtype().item_size() as u64;
        let count = meta.element_count().min(elements as u64).min(Self::BYTES_MAX / item);
        // Bounded just above.
        let bytes = vec![0; usize::try_from(count * item).unwrap_or(0)];
        Self {
            dtype: meta.dtype().clone(),
            missing: bytes.len(),
            bytes,
        }
    }

    /// How many bytes they are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Takes what of `bytes` belongs here, each byte once. True where that was the last of it.
    pub(crate) fn take(&mut self, at: u64, bytes: &[u8]) -> bool {
        let Some(at) = usize::try_from(at).ok().filter(|at| *at < self.bytes.len()) else {
            return false;
        };
        let end = (at + bytes.len()).min(self.bytes.len());
        self.bytes[at..end].copy_from_slice(&bytes[..end - at]);
        self.missing = self.missing.saturating_sub(end - at);
        self.missing == 0
    }

    pub(crate) fn event(&self) -> EventKind {
        EventKind::Preview {
            offset: 0,
            values: values(&self.dtype, &self.bytes),
        }
    }
}
