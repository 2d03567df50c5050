//! Which parts of a whole are taken, so that no byte of it ever has two owners.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A whole of some bytes, parts of which are taken, each once.
#[derive(Debug)]
pub(crate) struct Whole {
    len: u64,
    /// First byte to the byte after the last, of what is taken; neighbours are merged.
    taken: Mutex<BTreeMap<u64, u64>>,
}

/// A part of a whole that nobody else has or will have. It cannot be copied.
#[derive(Debug)]
pub(crate) struct Span {
    whole: Arc<Whole>,
    at: u64,
    len: u64,
}

impl Whole {
    /// A whole of `len` bytes, nothing of which is taken.
    pub(crate) fn new(len: u64) -> Arc<Self> {
        Arc::new(Self {
            len,
            taken: Mutex::default(),
        })
    }

    /// Takes `at..at + len`; `None` where it reaches beyond the whole, or someone has a byte of it.
    pub(crate) fn take(self: &Arc<Self>, at: u64, len: u64) -> Option<Span> {
        let end = at.checked_add(len).filter(|end| *end <= self.len)?;
        let span = Span {
            whole: Arc::clone(self),
            at,
            len,
        };
        if len == 0 {
            return Some(span);
        }
        // Nothing that panics is done under the lock.
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let before = taken.range(..end).next_back().map(|(start, end)| (*start, *end));
        let start = match before {
            Some((_, before_end)) if before_end > at => return None,
            Some((before_start, before_end)) if before_end == at => before_start,
            _ => at,
        };
        let end = taken.remove(&end).unwrap_or(end);
        taken.insert(start, end);
        Some(span)
    }
}

impl Span {
    /// The first byte, counted from the whole's first.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is a part of that whole and no other.
    pub(crate) fn is_of(&self, whole: &Arc<Whole>) -> bool {
        Arc::ptr_eq(&self.whole, whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_taken_in_order_stays_one_piece() {
        let whole = Whole::new(100);
        for at in (0..100).step_by(10) {
            assert!(whole.take(at, 10).is_some());
        }
        assert_eq!(whole.taken.lock().expect("lock").len(), 1);
        assert!(whole.take(99, 1).is_none() && whole.take(100, 1).is_none());
        assert!(whole.take(100, 0).is_some() && whole.take(101, 0).is_none());
        assert!(whole.take(u64::MAX, 2).is_none());
    }

    proptest! {
        #[test]
        fn no_byte_is_ever_taken_twice(wanted in prop::collection::vec((0_u64..64, 0_u64..16), 0..40)) {
            let whole = Whole::new(64);
            let mut owners = [0; 64];
            for (at, len) in wanted {
                let end = at + len;
                let is_free = end <= 64 && (at..end).all(|byte| owners[usize::try_from(byte).expect("small")] == 0);
                let span = whole.take(at, len);
                prop_assert_eq!(span.is_some(), is_free);
                if span.is_some() {
                    (at..end).for_each(|byte| owners[usize::try_from(byte).expect("small")] += 1);
                }
            }
            prop_assert!(owners.iter().all(|count| *count <= 1));
        }
    }
}
