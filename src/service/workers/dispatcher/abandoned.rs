//! Removes what workers that have gone had half received.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::sys::awake_now;
use crate::transfer::{left_behind, remove_path};

/// A connection may be seen to close before its process has let go of its files: they are looked at for so long.
const LOOK_TIME: Duration = Duration::from_secs(2);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Files that nobody may receive into any more.
#[derive(Debug, Default)]
pub(super) struct AbandonedParts(Vec<(PathBuf, Instant)>);

impl AbandonedParts {
    /// A file whose worker has gone, or hangs.
    pub(super) fn add(&mut self, part: PathBuf) {
        self.0.push((part, awake_now() + LOOK_TIME));
    }

    /// Removes those that nobody has locked. One that stays locked stays: the next service tells of it.
    pub(super) fn remove(&mut self) {
        self.0.retain(|(part, until)| {
            if left_behind(part).is_some() {
                remove_path(part);
                return false;
            }
            // Who else deleted it has saved us the work.
            awake_now() < *until && part.symlink_metadata().is_ok()
        });
    }

    /// When to look again.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.is_empty()).then_some(now + LOOK_INTERVAL)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_goes_once_nobody_has_it_and_nothing_else_ever_goes() {
        let folder = tempfile::tempdir().expect("folder");
        let [part, other] = ["a.arraylift-00000001.part", "precious.npy"].map(|name| folder.path().join(name));
        std::fs::write(&other, "precious").expect("written");
        let held = std::fs::File::create_new(&part).expect("a file");
        crate::sys::lock(&held).expect("free");
        let mut abandoned = AbandonedParts::default();
        abandoned.add(part.clone());
        abandoned.add(other.clone());
        abandoned.remove();
        assert!(part.exists() && abandoned.due(awake_now()).is_some());
        drop(held);
        abandoned.remove();
        assert!(!part.exists() && other.exists());
        std::thread::sleep(LOOK_TIME);
        abandoned.remove();
        assert!(abandoned.is_empty() && other.exists());
    }
}
