//! What marks a folder that a tree has begun and not finished, so that a later session knows it: an extended attribute,
//! see xattr(7). No peer can give one to anything. Where a file system has none a folder is not marked, and a later session
//! takes it for one that was there.

use std::os::fd::{AsFd as _, AsRawFd as _};

use rustix::fs::{XattrFlags, getxattr, removexattr, setxattr};

use crate::transfer::sink::folder::Folder;

const NAME: &str = "user.arraylift.unfinished";
/// The value of a folder that was made for a tree begins so. Its mode follows, in octal.
const MADE: &str = "made ";

/// What is to become of a folder at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was made for a tree, with this mode, and gets its own and its time.
    Made(u32),
    /// It was there, and its owner gets these permissions again: bits of 0o700.
    Opened(u32),
}

impl Mark {
    /// That of a folder, if it has one.
    pub(super) fn of(folder: &Folder) -> Option<Self> {
        let mut value = [0; 16];
        let len = getxattr(path(folder), NAME, &mut value[..]).ok()?;
        let value = std::str::from_utf8(value.get(..len)?).ok()?;
        let octal = |text| u32::from_str_radix(text, 8).ok();
        if let Some(mode) = value.strip_prefix(MADE) {
            return octal(mode).map(Self::Made);
        }
        octal(value).filter(|bits| bits & !0o700 == 0).map(Self::Opened)
    }

    /// Gives it to a folder. Where that cannot be, the folder has none.
    pub(super) fn put_on(self, folder: &Folder) {
        let value = match self {
            Self::Made(mode) => format!("{MADE}{mode:o}"),
            Self::Opened(bits) => format!("{bits:o}"),
        };
        let _ = setxattr(path(folder), NAME, value.as_bytes(), XattrFlags::empty());
    }

    /// Takes it off a folder, which is finished.
    pub(super) fn take_off(folder: &Folder) {
        // There may be none.
        let _ = removexattr(path(folder), NAME);
    }
}

/// An open folder by its name in `/proc`: `fsetxattr(2)` takes no descriptor that is open by `O_PATH`.
fn path(folder: &Folder) -> String {
    format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd())
}
