//! Files of this program's own, such as keys: each is whole and on disk under its name, or is not there.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::{Errno, retry_on_intr};

/// Puts a new file on disk, with these permissions as far as the umask lets them.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where the name is taken: what has it stays as it is. Any other one where the file is
/// not sure to be on disk.
pub(crate) fn create(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let new = NewFile::write(path, mode, bytes)?;
    match renameat_with(CWD, &new.path, CWD, path, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            // Whoever makes a file first has its name, so that the rename replaces nobody else's.
            OpenOptions::new().write(true).create_new(true).open(path)?;
            std::fs::rename(&new.path, path)?;
        }
        result => result?,
    }
    sync_folder(path)
}

/// Puts a file on disk in place of the one of that name, if there is one.
///
/// # Errors
/// Either the one before is there as it was, or the new one is not sure to outlast a loss of power.
pub(crate) fn replace(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::write(path, mode, bytes)?;
    std::fs::rename(&new.path, path)?;
    sync_folder(path)
}

/// A file that is on disk under a name of its own, which goes with this.
struct NewFile {
    path: PathBuf,
}

impl NewFile {
    fn write(wanted: &Path, mode: u32, bytes: &[u8]) -> io::Result<Self> {
        let number = RandomState::new().hash_one(std::process::id());
        // Short, whatever the other name is.
        let path = wanted.with_file_name(format!(".arraylift-{number:016x}.new"));
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(mode).open(&path)?;
        let new = Self { path };
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(new)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Where it got the other name, nothing has this one any more.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // One that may be written and not read: ext4, XFS and btrfs keep the newest name of a file that was synced.
    let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) else {
        return Ok(());
    };
    match retry_on_intr(|| rustix::fs::fsync(&folder)) {
        // A file system that syncs no folders.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_made_once_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        create(&path, 0o600, b"one").expect("made");
        let mode = path.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = create(&path, 0o600, b"two").expect_err("it exists");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).expect("a file"), b"one");
        replace(&path, 0o644, b"three").expect("replaced");
        assert_eq!(std::fs::read(&path).expect("a file"), b"three");
        replace(&folder.path().join("no/key"), 0o600, b"").expect_err("no folder");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
