//! What was written to a file begins its way to the disk before anyone waits for it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

/// Has the kernel begin to write out what it holds of `file`, and does not wait for the end. Nothing is promised by it,
/// and what goes wrong is told by the next `fsync`: it only makes that one short. `sync_file_range(2)`.
///
/// # Errors
/// The file system cannot, or the device refuses.
pub(crate) fn begin_write_out(file: &File) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `file` is borrowed, and no memory is passed.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), 0, 0, libc::SYNC_FILE_RANGE_WRITE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn writing_out_changes_nothing_of_what_is_read() {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        file.write_all(b"hello").expect("write");
        begin_write_out(file.as_file()).expect("a regular file");
        assert_eq!(std::fs::read(file.path()).expect("read"), b"hello");
    }
}
