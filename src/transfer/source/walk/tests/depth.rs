//! Trees that are deeper than descriptors and paths reach.

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Command;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, open, openat, renameat};

use super::super::TreeReader;
use super::super::walker::OPEN_FOLDERS_MAX;
use super::*;
use crate::transfer::tree::path::{DEPTH_MAX, PATH_BYTES_MAX};

/// A temporary folder that is removed however deep it is.
struct Deep(TempDir);

impl Drop for Deep {
    fn drop(&mut self) {
        let _ = Command::new("rm").arg("-rf").arg(self.0.path().join("t")).status();
    }
}

impl Deep {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("t")).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Makes folders of this name in each other below `t`, each with a file `z` beside the next, and gives the last one.
    fn chain(&self, name: &str, depth: usize) -> OwnedFd {
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let top = open(self.path().join("t"), flags, Mode::empty()).unwrap();
        (0..depth).fold(top, |folder, _| {
            let mode = Mode::from_raw_mode(0o755);
            mkdirat(&folder, name, mode).unwrap();
            openat(&folder, "z", OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, mode).unwrap();
            openat(&folder, name, flags, Mode::empty()).unwrap()
        })
    }

    fn open_folders(&self) -> usize {
        let own = fs::read_dir("/proc/self/fd").unwrap().flatten();
        own.filter(|fd| fs::read_link(fd.path()).is_ok_and(|path| path.starts_with(self.path())))
            .count()
    }
}

#[test]
fn a_thousand_folders_deep_at_most_64_are_open() {
    let deep = Deep::new();
    drop(deep.chain("d", 1_000));
    // To count them takes long where paths are long.
    let (mut most, mut step) = (0, 0);
    let steps: Vec<_> = Walk::new(roots(&[&deep.path().join("t")]), Selection::everything())
        .inspect(|_| {
            step += 1;
            if step % 37 == 0 {
                most = most.max(deep.open_folders());
            }
        })
        .collect();
    assert_eq!(most, OPEN_FOLDERS_MAX);
    let files = files(&steps);
    assert_eq!(files.len(), 1_000);
    assert_eq!(files[0].path.depth(), 1_001, "the deepest first");
    assert_eq!(steps.len(), 1_001 + 1_000 + 1_001);
    let mut reader = TreeReader::new(roots(&[&deep.path().join("t")]));
    for entry in &files {
        reader.read_small(entry, &mut Vec::new()).unwrap();
    }
}

#[test]
fn what_lies_deeper_than_a_tree_may_is_named_and_the_rest_goes_on() {
    let deep = Deep::new();
    drop(deep.chain("d", DEPTH_MAX + 3));
    let steps = walked(deep.path(), Selection::everything());
    // In the deepest folder that is sent neither the next folder nor the file beside it can be.
    let failed: Vec<_> = lines(&steps).into_iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(failed.len(), 2);
    for line in failed {
        assert!(
            line.ends_with(": it lies 1025 folders deep, and at most 1024 are taken"),
            "{line}"
        );
    }
    assert_eq!(files(&steps).len(), DEPTH_MAX - 1);
}

#[test]
fn a_tree_may_lie_where_no_absolute_path_reaches_and_a_path_in_it_that_is_too_long_is_named() {
    let deep = Deep::new();
    let name = "n".repeat(250);
    let bottom = deep.chain(&name, 20);
    for depth in ["a/b/c", "a/b/x"] {
        let made = depth.split('/').fold(bottom.try_clone().unwrap(), |folder, part| {
            let _ = mkdirat(&folder, part, Mode::from_raw_mode(0o755));
            openat(&folder, part, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
        });
        openat(
            made,
            "file",
            OFlags::CREATE | OFlags::CLOEXEC,
            Mode::from_raw_mode(0o644),
        )
        .unwrap();
    }
    // A relative path would do, but the current folder is the whole process's.
    let number = bottom.as_raw_fd();
    let below = roots(&[Path::new(&format!("/proc/self/fd/{number}"))]);
    let steps: Vec<_> = Walk::new(Arc::clone(&below), Selection::everything()).collect();
    let files_below = files(&steps);
    assert_eq!(steps.len(), 12);
    assert_eq!(files_below[0].path.display(), format!("{number}/a/b/c/file"));
    let mut reader = TreeReader::new(below);
    for entry in &files_below {
        reader.read_small(entry, &mut Vec::new()).unwrap();
    }

    let from_top = walked(deep.path(), Selection::everything());
    let longest = files(&from_top)
        .iter()
        .map(|entry| entry.path.as_bytes().len())
        .max()
        .unwrap();
    assert!(longest <= PATH_BYTES_MAX && longest > 3_700, "{longest}");
    let failed: Vec<_> = lines(&from_top)
        .into_iter()
        .filter(|line| line.starts_with('!'))
        .collect();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0].contains("its path has 4268 bytes, and at most 4095 are taken"),
        "{}",
        failed[0]
    );
}

#[test]
fn a_folder_that_is_moved_away_while_the_walk_is_below_it_is_named_and_the_rest_goes_on() {
    let deep = Deep::new();
    drop(deep.chain("d", 200));
    let mut walk = Walk::new(roots(&[&deep.path().join("t")]), Selection::everything());
    let down = walk.by_ref().take(201).count();
    assert_eq!(down, 201);
    // Folders 1 to 137 are closed by now; the 100th gets another name, and another folder has its own.
    let parent = deep.path().join("t").join("d/".repeat(99));
    renameat(CWD, parent.join("d"), CWD, parent.join("moved")).unwrap();
    fs::create_dir(parent.join("d")).unwrap();
    let rest: Vec<_> = walk.collect();
    let failed: Vec<_> = lines(&rest).into_iter().filter(|line| line.starts_with('!')).collect();
    // Those that would have to be opened anew, from the 138th up to the 100th.
    assert!((30..=40).contains(&failed.len()), "{}", failed.len());
    let last = format!(
        "! t{}: the folder was moved or replaced while it was read",
        "/d".repeat(100)
    );
    assert_eq!(failed.last(), Some(&last));
    let ends = rest.iter().filter(|step| matches!(step, Step::FolderEnd(_))).count();
    assert_eq!(ends, 201);
    assert_eq!(files(&rest).len(), 200 - failed.len());
}
