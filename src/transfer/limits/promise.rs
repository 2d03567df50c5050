//! Memory that is promised to arrays which have not arrived yet: strangers cannot have the same bytes promised twice.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;
use crate::telemetry::available_memory_bytes;

/// Promised by this process and not filled yet.
static PROMISED_BYTES: AtomicU64 = AtomicU64::new(0);

/// Fails where so many bytes of memory are not free, or are promised to others.
pub(crate) fn check(needed: u64) -> Result<(), Error> {
    check_against(needed, PROMISED_BYTES.load(Ordering::SeqCst))
}

/// Bytes that are promised until they are filled or this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    open: AtomicU64,
}

impl Promise {
    /// Promises `len` bytes, where there are so many.
    pub(crate) fn new(len: u64) -> Result<Self, Error> {
        let mut promised = PROMISED_BYTES.load(Ordering::SeqCst);
        loop {
            check_against(len, promised)?;
            let sum = promised.saturating_add(len);
            match PROMISED_BYTES.compare_exchange(promised, sum, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => {
                    return Ok(Self {
                        open: AtomicU64::new(len),
                    });
                }
                // Someone else was faster, and there may not be enough for both.
                Err(now) => promised = now,
            }
        }
    }

    /// So many more bytes are in use now, and promised no longer.
    pub(crate) fn filled(&self, bytes: u64) {
        let less = |open: u64| open.saturating_sub(bytes);
        let open = self.open.update(Ordering::SeqCst, Ordering::SeqCst, less);
        PROMISED_BYTES.fetch_sub(bytes.min(open), Ordering::SeqCst);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        PROMISED_BYTES.fetch_sub(*self.open.get_mut(), Ordering::SeqCst);
    }
}

fn check_against(needed: u64, promised: u64) -> Result<(), Error> {
    match available_memory_bytes().map(|available| available.saturating_sub(promised)) {
        Some(available) if needed > available => Err(Error::NotEnoughMemory { needed, available }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_not_promised_twice_and_comes_back() {
        let available = available_memory_bytes().expect("meminfo");
        let most = available / 3 * 2;
        let first = Promise::new(most).expect("free");
        assert!(matches!(Promise::new(most), Err(Error::NotEnoughMemory { .. })));
        first.filled(most - 1);
        drop(Promise::new(most).expect("what has arrived is no promise any more"));
        first.filled(u64::MAX);
        drop(first);
        Promise::new(most).expect("free again");
    }
}
