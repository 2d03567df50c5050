//! What a signal does to this process.

use std::io;
use std::mem::MaybeUninit;
use std::ptr::null;

/// Whether the process ignores a signal.
///
/// # Errors
/// There is no such signal.
pub(crate) fn is_ignored(signal: libc::c_int) -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: nothing is installed, and the kernel writes the action to where there is room for it.
    if unsafe { libc::sigaction(signal, null(), action.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has succeeded, so it is written.
    Ok(unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "miri has no signals")]
    fn ignored_signals_are_told_from_others() {
        // Rust programs ignore it from the start.
        assert!(is_ignored(libc::SIGPIPE).unwrap());
        assert!(!is_ignored(libc::SIGCHLD).unwrap());
        assert!(is_ignored(-1).is_err());
    }
}
