//! Opens what lies below an open folder, without following a link on the way.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

/// How folders are opened.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(CAREFUL);
/// How files are opened: one that has become a pipe makes nobody wait.
const FILE: OFlags = OFlags::RDONLY.union(CAREFUL);
const CAREFUL: OFlags = OFlags::NOFOLLOW
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Opens the folder `name` in `folder`.
pub(super) fn open_folder(folder: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(folder, name, FOLDER, Mode::empty())
}

/// Opens the file `name` in `folder`. Whether it is one, the caller looks.
pub(super) fn open_file(folder: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(folder, name, FILE, Mode::empty())
}

/// Opens the folder at `path`, of names joined by `/` and at most 4,095 bytes, below `folder`. In one call where the
/// system has it (openat2(2), Linux 5.6, which some sandboxes forbid by EPERM), else name by name.
pub(super) fn open_folder_below(folder: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    match openat2(folder, path, FOLDER, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM) => by_names(folder, path),
        opened => opened,
    }
}

fn by_names(folder: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut names = path.split(|byte| *byte == b'/');
    let first = open_folder(folder, names.next().unwrap_or_default())?;
    names.try_fold(first, open_folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn both_ways_down_end_in_the_same_folder_and_follow_no_link() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b/c")).unwrap();
        symlink("b", folder.path().join("a/link")).unwrap();
        let top = std::fs::File::open(folder.path()).unwrap();
        let inode = |fd: OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
        let way = |path: &[u8]| (open_folder_below(top.as_fd(), path), by_names(top.as_fd(), path));
        let (one, other) = way(b"a/b/c");
        assert_eq!(inode(one.unwrap()), inode(other.unwrap()));
        let (one, other) = way(b"a/link/c");
        assert_eq!(one.unwrap_err(), Errno::LOOP);
        // O_DIRECTORY sees first that a link is no folder.
        assert_eq!(other.unwrap_err(), Errno::NOTDIR);
        let (one, other) = way(b"a/none/c");
        assert_eq!((one.unwrap_err(), other.unwrap_err()), (Errno::NOENT, Errno::NOENT));
    }
}
