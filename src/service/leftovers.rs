//! Files that an earlier process left half received, because it was killed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::transfer::{folders_below, interrupted_parts, left_behind};

/// A file that never became whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leftover {
    /// Its path, `NAME.arraylift-NUMBER.part`.
    #[serde(serialize_with = "crate::transfer::path_text::path")]
    pub path: PathBuf,
    /// Its length; not all of it has come.
    pub bytes: u64,
    /// How much of it need not come again, where a transfer of the same can go on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_bytes: Option<u64>,
}

/// Finds half received files in a folder that nobody receives into any more, in order of their names. None is taken for
/// whole, and none removed: whoever knows their sender decides.
#[must_use]
pub(crate) fn leftovers(folder: &Path) -> Vec<Leftover> {
    // What has a log.
    let mut interrupted = interrupted_parts(folder).unwrap_or_default();
    interrupted.retain(|known| known.within.is_none());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Leftover> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let bytes = left_behind(&path)?;
            // They are in order: there can be as many as peers have begun.
            let known = interrupted.binary_search_by(|known| known.part.cmp(&path));
            let known = known.ok().and_then(|at| interrupted.get(at));
            Some(Leftover {
                resumed_bytes: known.map(|known| known.recorded_bytes),
                path,
                bytes,
            })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Finds those in a folder and below it that no transfer can go on with: nothing tells which of their bytes are right.
#[must_use]
pub(crate) fn unlogged_below(folder: &Path) -> Vec<Leftover> {
    let folders = folders_below(folder).flat_map(|folder| leftovers(&folder));
    let mut found: Vec<Leftover> = folders.filter(|left| left.resumed_bytes.is_none()).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_received_files_that_nobody_has_open_are_left_over() {
        let folder = tempfile::tempdir().expect("folder");
        let left = "a.npy.arraylift-00000001.part";
        let open = "b.npy.arraylift-00000002.part";
        // Complete files of those names come from peers, and from programs that have their own.
        for name in [left, open, "c.part", "d.npy", "e.4711-0.part", "f.arraylift-1.part"] {
            std::fs::write(folder.path().join(name), "abc").expect("write");
        }
        std::fs::create_dir(folder.path().join("g.arraylift-00000003.part")).expect("a folder");
        let receives = std::fs::File::options().write(true).open(folder.path().join(open));
        let receives = receives.expect("open");
        crate::sys::lock(&receives).expect("free");
        let path = folder.path().join(left);
        let alone = Leftover {
            path,
            bytes: 3,
            resumed_bytes: None,
        };
        assert_eq!(leftovers(folder.path()), [alone]);
        drop(receives);
        assert_eq!(leftovers(folder.path()).len(), 2);
        assert!(leftovers(Path::new("/no/such/folder")).is_empty());
    }
}
