//! Files that an earlier process left half received, because it was killed.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A file that never became whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Leftover {
    /// Its path, `NAME.PID-NUMBER.part`.
    pub path: PathBuf,
    /// Its length; not all of it has come.
    pub bytes: u64,
}

/// Finds half received files in a folder whose process is gone, in order of their names. None is taken for whole, and
/// none removed: whoever knows their sender decides.
#[must_use]
pub(crate) fn leftovers(folder: &Path) -> Vec<Leftover> {
    half_received(folder, |process| !Path::new("/proc").join(process.to_string()).exists())
}

/// Finds those of one process, which must be gone.
pub(super) fn left_by(folder: &Path, process: u32) -> Vec<Leftover> {
    half_received(folder, |other| other == process)
}

fn half_received(folder: &Path, by: impl Fn(u32) -> bool) -> Vec<Leftover> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<Leftover> = entries
        .filter_map(|entry| {
            process_of(entry.file_name().to_str()?).filter(|process| by(*process))?;
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            Some(Leftover {
                path: entry.path(),
                bytes: metadata.len(),
            })
        })
        .collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The process that made a file of this name for an array that is not whole.
fn process_of(name: &str) -> Option<u32> {
    let (_, numbers) = name.strip_suffix(".part")?.rsplit_once('.')?;
    let (process, number) = numbers.split_once('-')?;
    number.parse::<u32>().ok()?;
    process.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_half_received_files_of_processes_that_are_gone_are_left_over() {
        let folder = tempfile::tempdir().expect("folder");
        let mut gone = std::process::Command::new("true").spawn().expect("a process");
        let dead = gone.id();
        gone.wait().expect("its end");
        let here = std::process::id();
        let left = format!("a.npy.{dead}-0.part");
        for name in [
            left.as_str(),
            &format!("b.npy.{here}-0.part"),
            "c.part",
            "d.npy",
            "e.1-x.part",
        ] {
            std::fs::write(folder.path().join(name), "abc").expect("write");
        }
        std::fs::create_dir(folder.path().join(format!("f.{dead}-1.part"))).expect("a folder");
        let path = folder.path().join(left);
        assert_eq!(leftovers(folder.path()), [Leftover { path, bytes: 3 }]);
        assert_eq!(left_by(folder.path(), here).len(), 1);
        assert!(leftovers(Path::new("/no/such/folder")).is_empty());
    }
}
