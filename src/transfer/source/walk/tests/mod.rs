//! The walk and the reader, with real folders.

mod depth;
mod many;
mod reading;
mod selected;
mod what_comes;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Entry, Roots, Selection, Step, Walk};
use crate::transfer::tree::path::shown_bytes;

/// A folder with these files, each with its own path as content; a path that ends in a slash is an empty folder.
fn tree(paths: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in paths {
        put(folder.path(), path.as_bytes());
    }
    folder
}

fn put(folder: &Path, path: &[u8]) {
    let whole = folder.join(OsStr::from_bytes(path));
    if path.ends_with(b"/") {
        fs::create_dir_all(whole).unwrap();
    } else {
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(whole, path).unwrap();
    }
}

fn roots(paths: &[&Path]) -> Arc<Roots> {
    Arc::new(Roots::new(paths.iter().map(PathBuf::from)).unwrap())
}

/// All steps of a walk through `folder/NAME`, in which NAME is `t`.
fn walked(folder: &Path, selection: Selection) -> Vec<Step> {
    Walk::new(roots(&[&folder.join("t")]), selection).collect()
}

/// Steps as lines: `D` for a folder, `F` for a file, `L` for a link, `/` for a folder's end, `!` for a failure.
fn lines(steps: &[Step]) -> Vec<String> {
    let line = |step: &Step| match step {
        Step::Folder(entry) => format!("D {}", entry.path.display()),
        Step::File(entry) => format!("F {}", entry.path.display()),
        Step::Link { entry, target } => format!("L {} -> {}", entry.path.display(), shown_bytes(target)),
        Step::FolderEnd(path) => format!("/ {}", path.display()),
        Step::Failed { path, reason } => format!("! {}: {reason}", shown_bytes(path)),
    };
    steps.iter().map(line).collect()
}

/// The files among the steps.
fn files(steps: &[Step]) -> Vec<Entry> {
    let file = |step: &Step| match step {
        Step::File(entry) => Some(entry.clone()),
        _ => None,
    };
    steps.iter().filter_map(file).collect()
}

/// The paths of the files below `t` that a selection leaves.
fn left(folder: &Path, selection: Selection) -> Vec<String> {
    let steps = walked(folder, selection);
    let path = |entry: Entry| entry.path.display().strip_prefix("t/").unwrap().to_owned();
    files(&steps).into_iter().map(path).collect()
}
