//! How many descriptors the process may have, and files that are held open for a while, many at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a process has where the system does not say.
const UNKNOWN: usize = 1024;
/// Each who holds files open may hold so many, whatever the others do.
const HELD_MIN: usize = 16;
/// All of them hold one in so many descriptors, beyond that.
const HELD_SHARE: usize = 8;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// Raises the process's limit of descriptors as far as it may be, and says what it is.
pub(crate) fn raise_descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Where it may not be raised, fewer connections are taken at once.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let now = getrlimit(Resource::Nofile).current;
    now.map_or(UNKNOWN, |now| usize::try_from(now).unwrap_or(usize::MAX))
}

/// Files that somebody holds open until all of them are on disk. They count until this is dropped.
#[derive(Debug)]
pub(crate) struct HeldFiles {
    held: usize,
    most_in_all: usize,
}

impl HeldFiles {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            held: 0,
            most_in_all: raise_descriptor_limit() / HELD_SHARE,
        }
    }

    /// One more is held.
    pub(crate) fn add(&mut self) {
        self.held += 1;
        HELD.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether they are as many as may be.
    pub(crate) fn are_enough(&self) -> bool {
        self.held >= HELD_MIN && HELD.load(Ordering::Relaxed) >= self.most_in_all
    }
}

impl Drop for HeldFiles {
    fn drop(&mut self) {
        HELD.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_what_this_user_may_have() {
        raise_descriptor_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[test]
    fn where_many_hold_files_each_still_may_hold_some() {
        let mut held = HeldFiles::new();
        held.most_in_all = 0;
        for _ in 0..HELD_MIN {
            assert!(!held.are_enough());
            held.add();
        }
        assert!(held.are_enough());
        held.most_in_all = usize::MAX;
        assert!(!held.are_enough());
    }
}
