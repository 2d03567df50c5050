//! Where blocks that come over further connections of a tree's session get to its first one, which alone decides.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sys::awake_now;
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::limiter::Throttle;
use crate::wire::native::TreeBlock;

/// While blocks that take so much memory wait for the first connection, further ones read no more.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// What a block takes beside its data, which may be a single byte, and its own piece of memory.
const BLOCK_MEMORY_BYTES: usize = 2 * size_of::<TreeBlock>();

/// What the connections of one tree's receiver share.
pub(crate) struct Junction {
    waiting: Mutex<Waiting>,
    throttle: Mutex<Throttle>,
    /// Bytes of files that have come, over all connections.
    pub(super) bytes: AtomicU64,
    /// And those by which it is seen that the peer gets on.
    pub(super) progress_bytes: AtomicU64,
    is_over: AtomicBool,
    controls: Arc<Controls>,
}

#[derive(Default)]
struct Waiting {
    blocks: Vec<TreeBlock>,
    memory_bytes: usize,
}

impl Junction {
    /// The `controls` wake every connection of the session.
    pub(super) fn new(controls: Arc<Controls>) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            throttle: Mutex::new(Throttle::new(awake_now())),
            bytes: AtomicU64::new(0),
            progress_bytes: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            controls,
        })
    }

    /// What keeps all connections together to a limit.
    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        // Nothing that panics is done under the lock.
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a further connection may read on.
    pub(super) fn has_room(&self) -> bool {
        self.lock().memory_bytes < WAITING_BYTES_MAX
    }

    /// Whether something waits for the first connection.
    pub(super) fn has_blocks(&self) -> bool {
        !self.lock().blocks.is_empty()
    }

    /// A block has come over a further connection.
    pub(super) fn put(&self, block: TreeBlock) {
        let mut waiting = self.lock();
        let was_empty = waiting.blocks.is_empty();
        waiting.memory_bytes += block.data.len() + BLOCK_MEMORY_BYTES;
        waiting.blocks.push(block);
        drop(waiting);
        if was_empty {
            self.controls.wake();
        }
    }

    /// All that has come, for the first connection.
    pub(super) fn take(&self) -> Vec<TreeBlock> {
        let Waiting { blocks, memory_bytes } = std::mem::take(&mut *self.lock());
        if memory_bytes >= WAITING_BYTES_MAX {
            // Others wait for room.
            self.controls.wake();
        }
        blocks
    }

    /// Nothing more is to come.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.controls.wake();
    }

    /// Whether nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that panics is done under the lock.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_one_byte_count_for_the_memory_that_they_take() {
        let junction = Junction::new(Arc::new(Controls::new(None)));
        let mut count = 0;
        while junction.has_room() {
            junction.put(TreeBlock {
                item: 1,
                index: count,
                ends: false,
                data: vec![0],
                checksum: 0,
            });
            count += 1;
        }
        assert!(count < 100_000, "{count}");
        assert_eq!(junction.take().len(), count as usize);
        assert!(junction.has_room() && !junction.has_blocks());
    }
}
