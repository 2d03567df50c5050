//! Walks a tree on a thread of its own, so that a slow folder holds no connection up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use rustix::io::{Errno, pread};

use crate::checksum::{ChecksumKind, Digest};
use crate::error::Error;
use crate::sys::Wake;
use crate::thread::Thread;
use crate::transfer::source::walk::{Entry, ReadFault, Step, TreeReader, Walk};

/// So much is read at once for a checksum.
const READ_BYTES: usize = 256 << 10;
/// So many steps are ready at most.
const STEPS: usize = 1024;

/// A walk that goes on by itself, as far as its steps are taken. It ends with this value.
pub(super) struct Walker {
    steps: Option<Receiver<(Step, Option<u64>)>>,
    /// Whoever takes the steps has found none.
    is_awaited: Arc<AtomicBool>,
    _thread: Thread,
}

/// The next step of a walk.
pub(super) enum NextStep {
    /// Of a file with the checksum of what is in it, where that was asked for.
    Step(Step, Option<u64>),
    /// None is ready; the sender is woken when one is.
    NotYet,
    /// The walk is over.
    Over,
}

impl Walker {
    /// Begins; `wake` ends the wait of whoever takes the steps. With a `kind` each file is read for its checksum.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn begin(
        walk: Walk,
        mut reader: TreeReader,
        kind: Option<ChecksumKind>,
        wake: &Arc<Wake>,
    ) -> Result<Self, Error> {
        let (sender, steps) = bounded(STEPS);
        let wake = Arc::clone(wake);
        let is_awaited = Arc::new(AtomicBool::new(false));
        let awaited = Arc::clone(&is_awaited);
        let body = move || {
            for step in walk {
                // What cannot be read is told when it is its turn.
                let content = match (&step, kind) {
                    (Step::File(entry), Some(kind)) => content(&mut reader, entry, kind).ok().flatten(),
                    _ => None,
                };
                // Where nobody takes them any more, it is over.
                if sender.send((step, content)).is_err() {
                    return Ok(());
                }
                if awaited.swap(false, Ordering::SeqCst) {
                    wake.wake();
                }
            }
            drop(sender);
            wake.wake();
            Ok(())
        };
        let thread = Thread::start("arraylift-walk", body);
        Ok(Self {
            steps: Some(steps),
            is_awaited,
            _thread: thread.map_err(|error| Error::system("cannot start a thread", &error))?,
        })
    }

    pub(super) fn next(&mut self) -> NextStep {
        let Some(steps) = &self.steps else {
            return NextStep::Over;
        };
        let mut next = steps.try_recv();
        if next == Err(TryRecvError::Empty) {
            self.is_awaited.store(true, Ordering::SeqCst);
            // One may have come meanwhile, without a wake.
            next = steps.try_recv();
        }
        match next {
            Ok((step, content)) => NextStep::Step(step, content),
            Err(TryRecvError::Empty) => NextStep::NotYet,
            Err(TryRecvError::Disconnected) => {
                self.steps = None;
                NextStep::Over
            }
        }
    }
}

/// The checksum of what is in a file.
fn content(reader: &mut TreeReader, entry: &Entry, kind: ChecksumKind) -> Result<Option<u64>, ReadFault> {
    let opened = reader.open(&entry.path, entry.identity)?;
    let (mut digest, mut buffer, mut at) = (Digest::new(kind), vec![0; READ_BYTES], 0);
    while at < entry.bytes {
        match pread(opened.as_fd(), &mut buffer[..], at) {
            Ok(0) => return Err(ReadFault::Changed),
            Ok(read) => {
                digest.update(&buffer[..read]);
                at += read as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(digest.value())
}

impl Drop for Walker {
    fn drop(&mut self) {
        // The thread, which is joined next, may wait for room.
        self.steps = None;
    }
}
