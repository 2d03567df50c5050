//! A lock on a file for as long as it is open: whoever is killed lets go of it, and its number is nobody's.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// Locks all of `file`, which has to be open for writing, for as long as it is open here. `F_OFD_SETLK` of `fcntl(2)`:
/// it belongs to the open file and not to a process, and stays through a rename.
///
/// # Errors
/// `WouldBlock` where somebody else has it locked; else the file system has no locks.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    let whole = whole();
    // SAFETY: the descriptor is open as long as `file` is borrowed, and the kernel only reads the one structure that the
    // pointer leads to, which lives until the call returns.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const whole) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether somebody else has any of `file` locked. `F_OFD_GETLK` of `fcntl(2)`.
///
/// # Errors
/// The file system has no locks.
pub(crate) fn is_locked(file: &File) -> io::Result<bool> {
    let mut found = whole();
    // SAFETY: the descriptor is open as long as `file` is borrowed, and the kernel reads and writes the one structure that
    // the pointer leads to, which lives until the call returns.
    match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut found) } {
        0 => Ok(i32::from(found.l_type) != libc::F_UNLCK),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A lock for writing on all bytes.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`fcntl` takes these constants as what they are cast to"
)]
fn whole() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_the_open_files_and_goes_with_it() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let open = || File::options().read(true).write(true).open(file.path()).expect("open");
        let (ours, theirs) = (open(), File::open(file.path()).expect("open"));
        assert!(!is_locked(&theirs).expect("a file system with locks"));
        lock(&ours).expect("free");
        assert!(!is_locked(&ours).expect("locks"), "its own is in nobody's way");
        assert!(is_locked(&theirs).expect("locks"));
        assert_eq!(lock(&open()).expect_err("taken").kind(), io::ErrorKind::WouldBlock);
        drop(ours);
        assert!(!is_locked(&theirs).expect("locks"));
    }
}
