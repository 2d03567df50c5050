//! A buffer that bytes pass through, one a thread: thousands of connections on a thread take turns with it.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, of `len` bytes with any content.
pub(super) fn with_scratch<T>(len: usize, act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = SCRATCH.take();
    if buffer.len() < len {
        // Not resized: what is there need not be copied.
        buffer = vec![0; len];
    }
    let result = act(&mut buffer[..len]);
    SCRATCH.set(buffer);
    result
}
