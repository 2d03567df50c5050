//! When a folder is looked through for parts that nobody has gone on with for days.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::folder::{Folder, FolderId};
use super::part_log::expire;

/// A folder is looked through so often.
const INTERVAL: Duration = Duration::from_hours(1);
/// A process removes no part before it has received for so long: its senders come back first.
const FIRST_LOOK: Duration = Duration::from_mins(10);
/// So many are remembered. Beyond, a further one is looked through once another is due.
const FOLDERS_MAX: usize = 1024;

/// Removes what nobody has gone on with in a folder for days, if the time has come to look.
pub(super) fn expire_in(folder: &Folder) {
    static LOOKS: LazyLock<Mutex<Looks>> = LazyLock::new(|| Mutex::new(Looks::new(Instant::now())));
    // Nothing that panics is done under the lock.
    let mut looks = LOOKS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_due = looks.is_due(folder.id(), Instant::now());
    drop(looks);
    if is_due {
        // What cannot be removed is told of by the next service, as before.
        let _ = expire(&folder.path_of(Path::new("")), SystemTime::now());
    }
}

/// The folders that were looked through within the interval.
#[derive(Debug)]
struct Looks {
    first: Instant,
    next: HashMap<FolderId, Instant>,
}

impl Looks {
    /// Of a process that receives since `began`.
    fn new(began: Instant) -> Self {
        Self {
            first: began + FIRST_LOOK,
            next: HashMap::new(),
        }
    }

    /// Whether it is time to look through that folder, which is said once an interval.
    fn is_due(&mut self, folder: FolderId, now: Instant) -> bool {
        if now < self.first || self.next.get(&folder).is_some_and(|next| now < *next) {
            return false;
        }
        if self.next.len() >= FOLDERS_MAX {
            self.next.retain(|_, next| now < *next);
        }
        let has_room = self.next.len() < FOLDERS_MAX || self.next.contains_key(&folder);
        if has_room {
            self.next.insert(folder, now + INTERVAL);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_is_due_once_an_hour_from_ten_minutes_on() {
        let began = Instant::now();
        let at = |minutes| began + Duration::from_mins(minutes);
        let mut looks = Looks::new(began);
        assert!(!looks.is_due((1, 1), at(9)));
        assert!(looks.is_due((1, 1), at(10)), "however often it was asked for before");
        assert!(looks.is_due((1, 2), at(10)), "each for itself");
        assert!(!looks.is_due((1, 1), at(69)) && !looks.is_due((1, 2), at(69)));
        assert!(looks.is_due((1, 1), at(70)) && looks.is_due((1, 2), at(70)));
    }

    #[test]
    fn no_more_folders_are_remembered_than_there_is_room_for() {
        let began = Instant::now();
        let mut looks = Looks::new(began);
        let count = FOLDERS_MAX as u64;
        let first = (0..2 * count).filter(|inode| looks.is_due((1, *inode), began + FIRST_LOOK));
        assert_eq!(first.count(), FOLDERS_MAX);
        assert_eq!(looks.next.len(), FOLDERS_MAX);
        assert!(
            looks.is_due((1, count), began + FIRST_LOOK + INTERVAL),
            "the others are past"
        );
    }
}
