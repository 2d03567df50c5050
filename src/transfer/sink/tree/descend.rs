//! The way from a folder down to one below it, which no link leads astray.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

use super::item::{Refusal, Stop};

/// The kernel takes a path of at most so many bytes. `PATH_MAX` without its zero byte.
const PIECE_BYTES_MAX: usize = 4_095;
/// The kernel asks to try again where folders were renamed meanwhile; beyond, parts are opened one by one.
const TRIES: usize = 100;

/// How a folder below is opened: only to find names in it.
const OPEN: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Opens folders below others.
#[derive(Debug, Default)]
pub(super) struct Descent {
    /// The kernel has no `openat2(2)`, or a filter does not let it through.
    part_by_part: AtomicBool,
}

impl Descent {
    /// For a system that refuses `openat2(2)`.
    #[cfg(test)]
    pub(super) fn part_by_part() -> Self {
        Self {
            part_by_part: AtomicBool::new(true),
        }
    }

    /// Opens the folder of that path below `folder`: names with a slash between them, of any length in all. The caller has
    /// checked the names.
    pub(super) fn open(&self, folder: impl AsFd, path: &[u8]) -> Result<OwnedFd, Stop> {
        let mut below: Option<OwnedFd> = None;
        for piece in pieces(path) {
            let from = below.as_ref().map_or(folder.as_fd(), AsFd::as_fd);
            below = Some(match self.open_piece(from, piece) {
                Ok(opened) => opened,
                Err(error) => return Err(in_the_way(from, piece, error)),
            });
        }
        below.ok_or(Stop::Failed(Errno::INVAL.into()))
    }

    fn open_piece(&self, folder: impl AsFd, piece: &[u8]) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        for _ in 0..TRIES {
            if self.part_by_part.load(Ordering::Relaxed) {
                break;
            }
            match openat2(&folder, piece, OPEN, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                // The second is what filters of containers say, and nothing else does here.
                Err(Errno::NOSYS | Errno::PERM) => self.part_by_part.store(true, Ordering::Relaxed),
                result => return result,
            }
        }
        open_parts(&folder, piece)
    }
}

/// Opens a folder below another one by a call for each part of its path.
fn open_parts(folder: impl AsFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut below: Option<OwnedFd> = None;
    for part in path.split(|byte| *byte == b'/') {
        let from = below.as_ref().map_or(folder.as_fd(), AsFd::as_fd);
        // Without names that a caller has checked, this one would lead out.
        if part == b".." {
            return Err(Errno::XDEV);
        }
        below = Some(openat(from, part, OPEN, Mode::empty())?);
    }
    below.ok_or(Errno::INVAL)
}

/// Parts of a path that are each short enough for the kernel.
fn pieces(mut path: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if path.is_empty() {
            return None;
        }
        let start = path.get(..=PIECE_BYTES_MAX);
        let cut = start.and_then(|start| start.iter().rposition(|byte| *byte == b'/'));
        let (piece, rest) = match cut.and_then(|at| path.split_at_checked(at)) {
            Some((piece, rest)) => (piece, rest.get(1..).unwrap_or_default()),
            None => (path, [].as_slice()),
        };
        path = rest;
        Some(piece)
    })
}

/// Finds out which part of a path a folder could not be opened for, and what it is.
fn in_the_way(folder: impl AsFd, piece: &[u8], error: Errno) -> Stop {
    match error {
        Errno::LOOP | Errno::NOTDIR => {}
        Errno::NOENT => return Refusal::FolderMissing.into(),
        error => return error.into(),
    }
    let ends = piece.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = ends.map(|(at, _)| at).chain([piece.len()]);
    for start in ends.filter_map(|end| piece.get(..end)) {
        match statat(&folder, start, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Symlink => {
                return Refusal::LinkInPath.into();
            }
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::Directory => {}
            _ => return Refusal::NoFolderInPath.into(),
        }
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::path::Path;

    fn both_ways() -> [Descent; 2] {
        [Descent::default(), Descent::part_by_part()]
    }

    fn refusal(result: Result<OwnedFd, Stop>) -> Refusal {
        match result.expect_err("in the way") {
            Stop::Refused(refusal) => refusal,
            Stop::Failed(error) => panic!("{error}"),
        }
    }

    #[test]
    fn neither_a_link_nor_a_file_in_the_way_is_walked_through() {
        let (root, elsewhere) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("a/b/c")).expect("folders");
        std::fs::create_dir(elsewhere.path().join("b")).expect("folder");
        std::os::unix::fs::symlink(elsewhere.path(), at("out")).expect("link");
        std::os::unix::fs::symlink("a", at("inside")).expect("link");
        std::fs::write(at("file"), "").expect("file");
        let open = File::open(root.path()).expect("root");
        for descent in both_ways() {
            descent.open(&open, b"a/b/c").expect("a folder");
            for path in ["out", "out/b", "inside", "inside/b", "inside/b/c"] {
                let result = descent.open(&open, path.as_bytes());
                assert_eq!(refusal(result), Refusal::LinkInPath, "{path}");
            }
            for path in ["file", "file/b"] {
                let result = descent.open(&open, path.as_bytes());
                assert_eq!(refusal(result), Refusal::NoFolderInPath, "{path}");
            }
            assert_eq!(refusal(descent.open(&open, b"a/none/c")), Refusal::FolderMissing);
            descent.open(&open, b"a/../../b").expect_err("leads out");
        }
    }

    #[test]
    fn a_path_longer_than_the_kernel_takes_is_walked_in_pieces() {
        let root = tempfile::tempdir().expect("folder");
        let part = "p".repeat(200);
        let mut folder = openat(
            rustix::fs::CWD,
            root.path(),
            OFlags::PATH | OFlags::DIRECTORY,
            Mode::empty(),
        )
        .expect("root");
        let open = File::open(root.path()).expect("root");
        for _ in 0..60 {
            rustix::fs::mkdirat(&folder, part.as_str(), Mode::RWXU).expect("free");
            folder = openat(&folder, Path::new(&part), OPEN, Mode::empty()).expect("there");
        }
        let last = rustix::fs::fstat(&folder).expect("open").st_ino;
        let path = vec![part.as_str(); 60].join("/");
        assert!(path.len() > 2 * PIECE_BYTES_MAX);
        for descent in both_ways() {
            let opened = descent.open(&open, path.as_bytes()).expect("there");
            assert_eq!(rustix::fs::fstat(opened).expect("open").st_ino, last);
        }
        for piece in pieces(path.as_bytes()) {
            assert!(piece.len() <= PIECE_BYTES_MAX && !piece.ends_with(b"/") && !piece.starts_with(b"/"));
        }
    }
}
