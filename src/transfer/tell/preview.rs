//! The first elements of an array as one side has them.

use crate::array::{ArrayMeta, Dtype, values};

use super::event::EventKind;

/// The first elements of an array as one side has them.
#[derive(Debug)]
pub(crate) struct Prefix {
    dtype: Dtype,
    bytes: Vec<u8>,
    missing: usize,
    /// So many bytes from the first on are there.
    there: usize,
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
            there: 0,
        }
    }

    /// How many bytes they are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All of them, to be filled.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.there = self.bytes.len();
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
        if self.missing == 0 {
            self.there = self.bytes.len();
        } else if at <= self.there {
            self.there = self.there.max(end);
        }
        self.missing == 0
    }

    /// Tells the elements that are there as a whole.
    pub(crate) fn event(&self) -> EventKind {
        let item = self.dtype.item_size();
        EventKind::Preview {
            offset: 0,
            values: values(&self.dtype, &self.bytes[..self.there - self.there % item]),
        }
    }

    /// The same where fewer than were hoped for are all that there are.
    pub(crate) fn last_event(&self) -> Option<EventKind> {
        (self.missing > 0 && self.there >= self.dtype.item_size()).then(|| self.event())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Value;

    fn shown(event: &EventKind) -> Vec<String> {
        let EventKind::Preview { values, .. } = event else {
            panic!("{event:?}")
        };
        values.iter().map(Value::to_string).collect()
    }

    #[test]
    fn only_whole_elements_that_have_arrived_are_shown() {
        let meta = ArrayMeta::vector(Dtype::from_name("u16").expect("a dtype"), 4).expect("an array");
        let mut prefix = Prefix::new(&meta, 4);
        assert_eq!(shown(&prefix.event()), [""; 0]);
        assert_eq!(prefix.last_event(), None);
        assert!(!prefix.take(0, &[1, 0, 2]));
        assert_eq!(shown(&prefix.event()), ["1"]);
        assert_eq!(prefix.last_event(), Some(prefix.event()));
        // Over another connection, and not beside what is there.
        assert!(!prefix.take(6, &[4, 0]));
        assert_eq!(shown(&prefix.event()), ["1"]);
        assert!(prefix.take(3, &[0, 3, 0]));
        assert_eq!(shown(&prefix.event()), ["1", "2", "3", "4"]);
        assert_eq!(prefix.last_event(), None);
    }
}
