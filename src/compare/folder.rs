//! A temporary folder for the files and sockets of runs. One that a killed process left behind is removed by the next
//! one there.

use std::collections::hash_map::RandomState;
use std::fs::{DirBuilder, File};
use std::hash::BuildHasher as _;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};
use crate::sys::lock;

/// Before the digits of a name.
const MARK: &str = ".arraylift-compare-";
/// The digits of a name. They are drawn: a process id comes again, and in every container.
const DIGITS: usize = 16;
/// In the folder: whoever has it locked has the folder.
const LOCK: &str = "lock";

/// A folder of one's own, which is removed with its content.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// As long as it is open, nobody else takes the folder for left behind.
    _lock: File,
}

impl Folder {
    /// A new folder within `parent`, from which those are removed that nobody has any more.
    ///
    /// # Errors
    /// Nothing can be made there.
    pub(super) fn within(parent: &Path) -> Result<Self, Error> {
        /// The second try is there for chance alone.
        const TRIES: usize = 100;
        remove_left_behind(parent);
        let names = RandomState::new();
        let mut tries = 0..TRIES;
        loop {
            match Self::create(parent.join(format!("{MARK}{:016x}", names.hash_one(tries.start)))) {
                Ok(folder) => return Ok(folder),
                Err(error) if is_race(&error) && tries.next().is_some() => {}
                Err(error) => {
                    return Err(Error::SinkUnwritable {
                        path: parent.into(),
                        reason: reason(&error),
                    });
                }
            }
        }
    }

    /// The path of something in it.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn create(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&path)?;
        let lock_path = path.join(LOCK);
        let file = File::options().write(true).create_new(true).open(&lock_path)?;
        match lock(&file) {
            // Whoever removes it has it.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            // A file system without locks: nothing of it is ever taken for left behind.
            Ok(()) | Err(_) => {}
        }
        if lock_path.symlink_metadata()?.ino() != file.metadata()?.ino() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(Self { path, _lock: file })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody needs what a run left behind.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Somebody else has the name, or has removed the folder between its making and its lock.
fn is_race(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound | io::ErrorKind::WouldBlock
    )
}

/// Removes this user's folders whose process was killed. What cannot be removed stays.
fn remove_left_behind(parent: &Path) {
    let own = rustix::process::geteuid().as_raw();
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| is_ours(&entry.file_name().to_string_lossy())) {
        let path = entry.path();
        let is_own = |metadata: &std::fs::Metadata| metadata.is_dir() && metadata.uid() == own;
        if !path.symlink_metadata().is_ok_and(|metadata| is_own(&metadata)) {
            continue;
        }
        match File::options().write(true).open(path.join(LOCK)) {
            // The lock is held until it has gone: whoever is about to make a folder of that name sees that.
            Ok(file) if lock(&file).is_ok() => drop(std::fs::remove_dir_all(&path)),
            // Its process ended before it had made the lock, or is about to.
            Err(error) if error.kind() == io::ErrorKind::NotFound => drop(std::fs::remove_dir(&path)),
            Ok(_) | Err(_) => {}
        }
    }
}

fn is_ours(name: &str) -> bool {
    let digits = name.strip_prefix(MARK);
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_somebody_has_is_not() {
        let parent = tempfile::tempdir().expect("folder");
        let ours = Folder::within(parent.path()).expect("room");
        let made = |name: &str, has_lock: bool| {
            let path = parent.path().join(name);
            std::fs::create_dir(&path).expect("free");
            std::fs::write(path.join("array.bin"), "precious").expect("write");
            if has_lock {
                std::fs::write(path.join(LOCK), "").expect("write");
            }
            path
        };
        let left = made(".arraylift-compare-00000000000000aa", true);
        let empty = parent.path().join(".arraylift-compare-00000000000000ab");
        std::fs::create_dir(&empty).expect("free");
        let others = [
            made(".arraylift-compare-00000000000000ac", false),
            made(".arraylift-compare-1", true),
            made("arraylift-compare-00000000000000ad", true),
        ];
        let second = Folder::within(parent.path()).expect("room");
        assert_ne!(ours.path, second.path);
        assert!(!left.exists() && !empty.exists());
        assert!(ours.path.exists() && others.iter().all(|other| other.join("array.bin").exists()));
        let gone = ours.path.clone();
        drop(ours);
        assert!(!gone.exists() && second.path.exists());
        assert!(matches!(
            Folder::within(Path::new("/no/such/folder")),
            Err(Error::SinkUnwritable { .. })
        ));
    }
}
