//! A new file of a tree until it is whole: without a name where its file system has such files, or with one that is its
//! own.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, fsync, futimens, linkat, openat};
use rustix::io::{Errno, retry_on_intr};

use crate::transfer::sink::final_name::rename_new;
use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::part_name::PartNumber;

use crate::wire::native::Timestamp;

/// Numbers are drawn, so that the second try is there for chance alone.
const TRIES: usize = 100;
/// How a file without a name is opened. It is read again where it is compared with one that is there.
const NAMELESS: OFlags = OFlags::TMPFILE.union(OFlags::RDWR).union(OFlags::CLOEXEC);

/// A new file. It is removed unless it got its final name, or is kept.
#[derive(Debug)]
pub(super) struct NewFile {
    pub(super) file: File,
    pub(super) folder: Arc<Folder>,
    /// Its temporary name, where it has one.
    name: Option<PathBuf>,
    /// Its name is not to be removed.
    stays: bool,
    /// All of it but its name is on disk, or nothing more can be done for that.
    is_synced: bool,
}

impl NewFile {
    /// A file that nobody finds until it is named, with this mode but for what the process masks.
    pub(super) fn nameless(folder: Arc<Folder>, mode: u32) -> Result<Self, Errno> {
        Ok(Self {
            file: openat(&folder, ".", NAMELESS, Mode::from_raw_mode(mode)).map(File::from)?,
            folder,
            name: None,
            stays: false,
            is_synced: false,
        })
    }

    /// A file that has a temporary name, which is ours to give.
    pub(super) fn named(folder: Arc<Folder>, file: File, name: PathBuf) -> Self {
        Self {
            file,
            folder,
            name: Some(name),
            stays: false,
            is_synced: false,
        }
    }

    /// A file for this user alone, of a temporary name that no peer may give.
    pub(super) fn private(folder: Arc<Folder>, wanted: &Path) -> io::Result<Self> {
        Self::numbered(folder, wanted, None)
    }

    /// The same, with the first of the numbers that were given which no other file has, or with any where all are taken.
    pub(super) fn numbered(
        folder: Arc<Folder>,
        wanted: &Path,
        given: impl IntoIterator<Item = PartNumber>,
    ) -> io::Result<Self> {
        let drawn = std::iter::repeat_with(PartNumber::draw);
        for number in given.into_iter().chain(drawn).take(TRIES) {
            let name = number.name_for(wanted);
            match folder.create(&name) {
                Ok(file) => return Ok(Self::named(folder, file, name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Its temporary name, if it has one.
    pub(super) fn name(&self) -> Option<&Path> {
        self.name.as_deref()
    }

    /// Sets its mode.
    pub(super) fn set_mode(&self, mode: u32) -> Result<(), Errno> {
        fchmod(&self.file, Mode::from_raw_mode(mode))
    }

    /// Sets the time of its last modification. Nothing is written afterwards.
    pub(super) fn set_mtime(&self, mtime: Timestamp) -> Result<(), Errno> {
        futimens(&self.file, &mtime.as_modified())
    }

    /// Puts it on disk, but for its name. False where its file system syncs no files.
    pub(super) fn sync(&mut self) -> Result<bool, Errno> {
        let is_on_disk = match retry_on_intr(|| fsync(&self.file)) {
            Ok(()) => true,
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => false,
            Err(error) => return Err(error),
        };
        self.is_synced = true;
        Ok(is_on_disk)
    }

    /// All of its file system was put on disk.
    pub(super) fn was_synced(&mut self) {
        self.is_synced = true;
    }

    /// Whether a new name for it cannot lead to less than all of it, whenever the power is cut.
    pub(super) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Gives it its final name, which is free.
    ///
    /// # Errors
    /// `AlreadyExists` where it is not, or what the system says.
    pub(super) fn give_name(&mut self, wanted: &Path) -> io::Result<()> {
        match &self.name {
            Some(name) => rename_new(&self.folder, &self.file, name, wanted)?,
            None => self.link(wanted)?,
        }
        self.stays = true;
        Ok(())
    }

    /// Gives it its final name in place of what has it.
    ///
    /// # Errors
    /// What the system says: nothing was replaced.
    pub(super) fn replace(&mut self, wanted: &Path) -> io::Result<()> {
        let name = self.temporary_name(wanted)?;
        self.folder.rename(&name, wanted)?;
        self.stays = true;
        Ok(())
    }

    /// How many of its bytes have no disk space, where it is to have so many.
    pub(super) fn missing_bytes(&self, bytes: u64) -> io::Result<u64> {
        // Blocks of 512 bytes, whatever those of the file system. stat(2).
        let taken_bytes = self.file.metadata()?.blocks().saturating_mul(512);
        Ok(bytes.saturating_sub(taken_bytes))
    }

    /// Whether its temporary name leads to it, and not to something that took its place.
    pub(super) fn is_there(&self) -> bool {
        self.name().is_some_and(|name| self.folder.leads_to(name, &self.file))
    }

    /// Leaves it where it is, under its temporary name.
    pub(super) fn keep(&mut self) {
        self.stays = true;
    }

    /// Makes sure that it has a name, which only then can take another one's place.
    pub(super) fn temporary_name(&mut self, wanted: &Path) -> io::Result<PathBuf> {
        if let Some(name) = &self.name {
            return Ok(name.clone());
        }
        for _ in 0..TRIES {
            let name = PartNumber::draw().name_for(wanted);
            match self.link(&name) {
                Ok(()) => {
                    self.name = Some(name.clone());
                    return Ok(name);
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Gives a file without a name its first one. `linkat(2)`: without rights only since Linux 6.10 by the descriptor
    /// itself, and before by its name in `/proc`.
    fn link(&self, name: &Path) -> Result<(), Errno> {
        match linkat(&self.file, "", &self.folder, name, AtFlags::EMPTY_PATH) {
            Err(Errno::NOENT | Errno::PERM | Errno::INVAL) => {
                let number = self.file.as_raw_fd();
                let own = format!("/proc/self/fd/{number}");
                linkat(CWD, own, &self.folder, name, AtFlags::SYMLINK_FOLLOW)
            }
            result => result,
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(name) = self.name.take()
            && !self.stays
            && self.folder.leads_to(&name, &self.file)
        {
            // What cannot be removed has a name that says what it is.
            let _ = self.folder.unlink(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn names_in(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder)
            .expect("there")
            .map(|entry| entry.expect("read"));
        entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn a_new_file_is_found_only_once_it_has_its_name_and_leaves_nothing_without() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        let new = NewFile::nameless(Arc::clone(&open), 0o640).expect("tmpfs and ext4 have it");
        assert_eq!(names_in(folder.path()), Vec::<String>::new());
        drop(new);
        drop(NewFile::private(Arc::clone(&open), Path::new("a")).expect("room"));
        assert_eq!(names_in(folder.path()), Vec::<String>::new());
        let nameless = || NewFile::nameless(Arc::clone(&open), 0o640).expect("tmpfs and ext4 have it");
        let private = || NewFile::private(Arc::clone(&open), Path::new("a")).expect("room");
        for make in [&nameless as &dyn Fn() -> NewFile, &private] {
            let mut new = make();
            new.file.write_all(b"data").expect("room");
            new.give_name(Path::new("a")).expect("free");
            let mut other = NewFile::private(Arc::clone(&open), Path::new("a")).expect("room");
            let error = other.give_name(Path::new("a")).expect_err("taken");
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            drop((new, other));
            assert_eq!(names_in(folder.path()), ["a"]);
            assert_eq!(std::fs::read(folder.path().join("a")).expect("read"), b"data");
            std::fs::remove_file(folder.path().join("a")).expect("there");
        }
    }

    #[test]
    fn a_file_without_a_name_takes_another_ones_place() {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("a"), "old").expect("file");
        let open = Folder::open(folder.path()).expect("there");
        let mut new = NewFile::nameless(open, 0o640).expect("tmpfs and ext4 have it");
        new.file.write_all(b"new").expect("room");
        new.replace(Path::new("a")).expect("there");
        drop(new);
        assert_eq!(names_in(folder.path()), ["a"]);
        assert_eq!(std::fs::read(folder.path().join("a")).expect("read"), b"new");
    }
}
