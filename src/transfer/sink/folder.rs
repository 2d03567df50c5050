//! The folder in which a new file has its names, held open: it stays the same one when it is renamed or moved.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, Stat, fstat, linkat, openat, renameat, renameat_with, stat, statat,
    unlinkat,
};
use rustix::io::Errno;

/// An open folder. Names are single components of a path; what they lead to is in this folder wherever it is now.
#[derive(Debug)]
pub(super) struct Folder {
    descriptor: OwnedFd,
    /// As it was asked for; empty where that is the current one, whose names stand alone.
    path: PathBuf,
    id: FolderId,
}

/// Tells folders of this machine apart: the device and the inode.
pub(super) type FolderId = (u64, u64);

impl Folder {
    /// The folder of that path, or the current one where it is empty. The files in a folder share one descriptor for as
    /// long as any of them has it.
    ///
    /// # Errors
    /// There is none, or no descriptor is left.
    pub(super) fn open(path: &Path) -> io::Result<Arc<Self>> {
        static OPEN: Mutex<Vec<Weak<Folder>>> = Mutex::new(Vec::new());
        let now = id_of(&stat(or_current(path))?);
        // Nothing that panics is done under the lock.
        let shared = |open: &Vec<Weak<Self>>| {
            let mut there = open.iter().filter_map(Weak::upgrade);
            there.find(|folder| folder.path == path && folder.id == now)
        };
        if let Some(folder) = shared(&OPEN.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(folder);
        }
        // It need not be readable: names are made in it, and found by themselves.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = openat(CWD, or_current(path), flags, Mode::empty())?;
        let folder = Arc::new(Self {
            id: id_of(&fstat(&descriptor)?),
            descriptor,
            path: path.into(),
        });
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|folder| folder.strong_count() > 0);
        open.push(Arc::downgrade(&folder));
        Ok(folder)
    }

    /// A folder that is open already. `path` is where people find it.
    ///
    /// # Errors
    /// The system does not say which one it is.
    pub(super) fn of_descriptor(descriptor: OwnedFd, path: PathBuf) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            id: id_of(&fstat(&descriptor)?),
            descriptor,
            path,
        }))
    }

    pub(super) fn id(&self) -> FolderId {
        self.id
    }

    /// Where something of that name is now, for people and for other programs.
    pub(super) fn path_of(&self, name: &Path) -> PathBuf {
        let is_there = stat(or_current(&self.path)).is_ok_and(|there| id_of(&there) == self.id);
        let moved = || present_path(&self.descriptor);
        let path = if is_there { None } else { moved() };
        path.unwrap_or_else(|| self.path.clone()).join(name)
    }

    /// Whether nothing has that name.
    ///
    /// # Errors
    /// Nothing can have it, as it is too long, say.
    pub(super) fn is_free(&self, name: &Path) -> io::Result<bool> {
        match self.stat(name) {
            Ok(_) => Ok(false),
            Err(Errno::NOENT) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether that name leads to `file`, and not to something that took its place.
    pub(super) fn leads_to(&self, name: &Path, file: &File) -> bool {
        let ours = fstat(file);
        ours.and_then(|ours| Ok(id_of(&ours) == id_of(&self.stat(name)?)))
            .unwrap_or(false)
    }

    /// Makes a file that nobody had before, only for this user.
    ///
    /// # Errors
    /// `AlreadyExists` where the name is taken, or what the system says.
    pub(super) fn create(&self, name: &Path) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.descriptor, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(File::from(file))
    }

    /// Opens a file that is there to be read and written, and neither follows a link nor waits for anybody.
    pub(super) fn open_existing(&self, name: &Path) -> Result<File, Errno> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.descriptor, name, flags, Mode::empty())?))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        renameat(&self.descriptor, from, &self.descriptor, to)
    }

    /// Renames, and replaces nothing.
    pub(super) fn rename_new(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        renameat_with(&self.descriptor, from, &self.descriptor, to, RenameFlags::NOREPLACE)
    }

    pub(super) fn link(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        linkat(&self.descriptor, from, &self.descriptor, to, AtFlags::empty())
    }

    pub(super) fn unlink(&self, name: &Path) -> Result<(), Errno> {
        unlinkat(&self.descriptor, name, AtFlags::empty())
    }

    /// The folder, open to be synced.
    ///
    /// # Errors
    /// It may be written and not read.
    pub(super) fn to_sync(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.descriptor, ".", flags, Mode::empty())?))
    }

    /// What has that name; of a link, the link itself.
    pub(super) fn stat(&self, name: &Path) -> Result<Stat, Errno> {
        statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW)
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Where an open file or folder is now: a name of it, in `/proc`. `None` where it has none any more, or nobody says so.
pub(super) fn present_path(open: &impl AsFd) -> Option<PathBuf> {
    let number = open.as_fd().as_raw_fd();
    let path = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    // What was removed has its last name and more.
    let there = stat(&path).ok()?;
    (id_of(&there) == id_of(&fstat(open).ok()?)).then_some(path)
}

fn or_current(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

fn id_of(status: &Stat) -> FolderId {
    (status.st_dev, status.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_renamed_and_whose_name_another_one_has_is_still_the_same() {
        let parent = tempfile::tempdir().expect("folder");
        let (before, after) = (parent.path().join("before"), parent.path().join("after"));
        std::fs::create_dir(&before).expect("a folder");
        let folder = Folder::open(&before).expect("there");
        assert!(Arc::ptr_eq(&folder, &Folder::open(&before).expect("there")));
        let name = Path::new("a");
        assert_eq!(folder.path_of(name), before.join("a"));
        std::fs::rename(&before, &after).expect("renamed");
        assert_eq!(folder.path_of(name), after.join("a"));
        std::fs::create_dir(&before).expect("another folder");
        let another = Folder::open(&before).expect("there");
        assert_ne!(folder.id(), another.id());
        let file = folder.create(name).expect("free");
        assert!(after.join("a").is_file() && !before.join("a").exists());
        assert!(folder.leads_to(name, &file) && !another.leads_to(name, &file));
        assert_eq!(present_path(&file), Some(after.join("a")));
        folder.unlink(name).expect("there");
        assert_eq!(present_path(&file), None);
        assert!(folder.is_free(name).expect("a name"));
        std::fs::remove_dir(&after).expect("empty");
        assert_eq!(folder.path_of(name), before.join("a"), "nobody knows better");
    }
}
