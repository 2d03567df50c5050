//! The disk side of receiving folders, on real ones.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::checksum::{ChecksumKind, Digest};
use crate::wire::native::Timestamp;
use crate::wire::{Grain, Replace};

use super::item::{MissingRight, Refusal};
use super::*;

mod files;
mod folders_and_links;
mod large;
mod other_file_systems;
mod resume;

const POLICY: TreePolicy = TreePolicy {
    replace: Replace::Never,
    allow_replace: true,
    keep_free: None,
    checksum: false,
    sync: false,
    umask: 0o022,
};

/// How large files come.
const BLOCKS: FileBlocks = FileBlocks {
    is_sparse: false,
    grain: Grain::MIN,
    checksum: ChecksumKind::Crc64Nvme,
};
const SPARSE: FileBlocks = FileBlocks {
    is_sparse: true,
    ..BLOCKS
};

const THEN: Timestamp = Timestamp {
    seconds: 1_234_567_890,
    nanoseconds: 987_654_321,
};

/// A root, and what is received into it.
struct Tree {
    root: TempDir,
    sink: TreeSink,
}

impl Tree {
    fn new(policy: TreePolicy) -> Self {
        // Beside the crate: `/tmp` may be memory.
        let root = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("folder");
        let sink = TreeSink::open(root.path(), policy).expect("there");
        Self { root, sink }
    }

    /// The same folder, as a later run finds it.
    fn again(self, policy: TreePolicy) -> Self {
        let sink = TreeSink::open(self.root.path(), policy).expect("there");
        Self { root: self.root, sink }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn store(&mut self, path: &str, data: &str) -> Outcome {
        let files = [small(path, data)];
        self.sink.store_batch(&files).remove(0)
    }

    /// What a receiver does with a small file: it decides, and stores what is wanted.
    fn receive(&mut self, path: &str, data: &str) -> Outcome {
        let mut file = small(path, data);
        match self.sink.decide(&file.item) {
            Decision::Had => return Outcome::Had,
            Decision::Make => {}
            Decision::Replace(seen) => file.replaces = Some(seen),
            Decision::Refused(refusal) => return Outcome::Refused(refusal),
            other => panic!("{other:?}"),
        }
        self.sink.store_batch(&[file]).remove(0)
    }

    fn folder(&mut self, path: &str) -> Outcome {
        self.sink.make_folder(&item(path, ItemKind::Folder))
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file")
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).expect("a folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("read").file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn path(path: &str) -> crate::transfer::tree::path::RelativePath {
    crate::transfer::tree::path::RelativePath::new(path).expect("a path of a tree")
}

fn item(at: &str, kind: ItemKind) -> TreeItem {
    TreeItem {
        path: path(at),
        kind,
        mode: 0o100_644,
        mtime: THEN,
    }
}

fn file_of(path: &str, bytes: u64) -> TreeItem {
    item(path, ItemKind::File { bytes })
}

fn link(path: &str, target: &str) -> TreeItem {
    item(path, ItemKind::Link { target: target.into() })
}

fn small(path: &str, data: &str) -> SmallFile {
    SmallFile {
        item: file_of(path, data.len() as u64),
        data: data.into(),
        replaces: None,
    }
}

fn mtime(path: &Path) -> (i64, i64) {
    let metadata = path.symlink_metadata().expect("there");
    (metadata.mtime(), metadata.mtime_nsec())
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().expect("there").mode() & 0o7777
}

fn stored() -> Outcome {
    Outcome::Stored { durable: Some(false) }
}
