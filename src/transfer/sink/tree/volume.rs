//! What a file system does with names and times, probed once for each that a tree lies on, and how it is synced.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, futimens, openat, syncfs, utimensat};
use rustix::io::{Errno, retry_on_intr};

use crate::transfer::sink::file_system::FileSystem;
use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::part_name::PartNumber;

use super::time::{FileTime, TimeRules};

/// An odd second, and every digit behind it another one: what a file system leaves of it tells its step.
const PROBED: FileTime = FileTime {
    seconds: 1_000_000_001,
    nanoseconds: 123_456_789,
};

/// One file system that a part of the tree lies on.
#[derive(Debug)]
pub(super) struct Volume {
    pub(super) device: u64,
    pub(super) traits: Traits,
    kind: FileSystem,
    /// A folder of it, open since before the first write: errors of a file system are told to whoever had it open then.
    to_sync: Option<File>,
    /// Something there is not synced yet.
    is_touched: bool,
}

/// What a file system does with names and times.
#[derive(Debug, Clone)]
pub(super) struct Traits {
    pub(super) times: TimeRules,
    /// Names that differ by the case of letters alone are one name.
    pub(super) folds_case: bool,
    /// Files can be made without a name. `O_TMPFILE` of `open(2)`.
    pub(super) has_nameless: bool,
}

/// How a file system gets what was stored there onto its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syncing {
    /// There is no disk.
    Never,
    /// All at once, by `syncfs(2)`.
    AtOnce,
    /// Each file and each folder: a program or a network stands behind it, and `syncfs(2)` may do nothing.
    Each,
}

impl Volume {
    /// The one that a folder lies on.
    pub(super) fn of(folder: &Folder) -> Self {
        let kind = FileSystem::of(folder);
        Self {
            device: folder.id().0,
            traits: Traits::probed(folder),
            kind,
            to_sync: (kind == FileSystem::Disk).then(|| folder.to_sync().ok()).flatten(),
            is_touched: false,
        }
    }

    pub(super) fn syncing(&self) -> Syncing {
        match self.kind {
            FileSystem::Memory => Syncing::Never,
            FileSystem::Disk if self.to_sync.is_some() => Syncing::AtOnce,
            FileSystem::Disk | FileSystem::Unknown => Syncing::Each,
        }
    }

    /// Something was written there.
    pub(super) fn touch(&mut self) {
        self.is_touched = true;
    }

    /// Puts everything on disk that was stored since the last time, where that goes at once.
    pub(super) fn sync_at_once(&mut self) -> io::Result<()> {
        let is_touched = std::mem::take(&mut self.is_touched);
        match &self.to_sync {
            Some(folder) if is_touched => Ok(retry_on_intr(|| syncfs(folder))?),
            _ => Ok(()),
        }
    }
}

impl Traits {
    /// Asks the file system by a file that is gone afterwards. What cannot be asked is as on ext4: a folder that takes no
    /// file takes none of the tree's either.
    fn probed(folder: &Folder) -> Self {
        let has_nameless = nameless(folder, Mode::RUSR | Mode::WUSR).is_ok();
        let before = fstat(folder);
        let name = PartNumber::draw().name_for(Path::new("a"));
        let (times, folds_case) = match folder.create(&name) {
            Ok(file) => {
                let found = (probed_times(&file), folds(folder, &name));
                // It was made above, and has a name that says what it is.
                let _ = folder.unlink(&name);
                found
            }
            Err(_) => (TimeRules::exact(), false),
        };
        if let Ok(before) = before {
            // A tree that is there already stays as it was. Whoever does not own the folder cannot do that.
            let _ = utimensat(
                folder,
                ".",
                &FileTime::modified(&before).as_modified(),
                rustix::fs::AtFlags::empty(),
            );
        }
        Self {
            times,
            folds_case,
            has_nameless,
        }
    }
}

/// A new file without a name in that folder, with this mode but for what the process masks.
pub(super) fn nameless(folder: &Folder, mode: Mode) -> Result<File, Errno> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    openat(folder, ".", flags, mode).map(File::from)
}

/// Whether an error says that a file system has no files without names.
pub(super) fn says_no_nameless(error: Errno) -> bool {
    // The last two are kernels' and file systems' that take the flag for a folder to be opened for writing.
    matches!(
        error,
        Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::ISDIR | Errno::NOENT
    )
}

fn probed_times(file: &File) -> TimeRules {
    let after = |time: FileTime| -> Option<FileTime> {
        futimens(file, &time.as_modified()).ok()?;
        Some(FileTime::modified(&fstat(file).ok()?))
    };
    let end = |seconds: i64| {
        let read = after(FileTime {
            seconds,
            nanoseconds: 0,
        });
        read.map_or(seconds, |read| read.seconds)
    };
    let Some(read) = after(PROBED) else {
        return TimeRules::exact();
    };
    let (earliest, latest) = (end(i64::MIN), end(i64::MAX));
    // One that wraps around tells nothing.
    let makes_sense = earliest < PROBED.seconds && PROBED.seconds < latest;
    TimeRules {
        step_ns: TimeRules::step_ns(PROBED, read),
        seconds: if makes_sense {
            earliest..=latest
        } else {
            i64::MIN..=i64::MAX
        },
    }
}

/// Whether a name that is there is found in capital letters, too.
fn folds(folder: &Folder, name: &Path) -> bool {
    let capitals = PathBuf::from(name.to_string_lossy().to_ascii_uppercase());
    let (there, found) = (folder.stat(name), folder.stat(&capitals));
    matches!((there, found), (Ok(there), Ok(found)) if there.st_ino == found.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probing_a_folder_leaves_nothing_in_it_and_its_time_as_it_was() {
        let folder = tempfile::tempdir().expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        utimensat(&open, ".", &PROBED.as_modified(), rustix::fs::AtFlags::empty()).expect("own");
        let volume = Volume::of(&open);
        assert_eq!(std::fs::read_dir(folder.path()).expect("there").count(), 0);
        assert_eq!(FileTime::modified(&fstat(&open).expect("open")), PROBED);
        assert!(volume.traits.times.are_same(PROBED, PROBED));
    }

    #[test]
    fn ext4_and_its_like_keep_every_nanosecond_and_the_case_of_letters() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("folder");
        let open = Folder::open(folder.path()).expect("there");
        if FileSystem::of(&*open) != FileSystem::Disk {
            return;
        }
        let traits = Traits::probed(&open);
        assert_eq!((traits.times.step_ns, traits.folds_case), (1, false));
    }
}
