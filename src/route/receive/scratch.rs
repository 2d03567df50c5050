//! One buffer for each thread, which the connections of that thread share, thousands of them in a service.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, of `len` bytes with any content.
pub(super) fn with_scratch<T>(len: usize, act: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = SCRATCH.take();
    if buffer.len() < len {
        // A new buffer, because resizing the old one would copy its content.
        buffer = vec![0; len];
    }
    let result = act(&mut buffer[..len]);
    SCRATCH.set(buffer);
    result
}
