//! A file mapped for receiving into while others may change or shrink it.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use memmap2::MmapOptions;

use super::{ReadError, SharedFile};

/// A file of a known length and its mapping, into which only the kernel writes: a page that has vanished meanwhile is
/// an error of the call, and no signal.
#[derive(Debug)]
pub(crate) struct WritableFile(SharedFile);

impl WritableFile {
    /// Maps the first `len` bytes of `file`, which has to be open for reading and writing.
    pub(crate) fn map(file: File, len: u64) -> io::Result<Self> {
        SharedFile::map_by(file, len, |options: &MmapOptions, file| options.map_raw(file)).map(Self)
    }

    /// Receives what the socket has into `at..at + len`; 0 where the peer has closed.
    pub(crate) fn receive_from(&self, socket: BorrowedFd<'_>, at: usize, len: usize) -> Result<usize, ReadError> {
        self.0.by_kernel(at, len, |pointer| {
            // SAFETY: the range lies in the mapping, which is writable and never seen as a slice; the kernel writes to
            // it, and answers EFAULT for a vanished page.
            unsafe { libc::recv(socket.as_raw_fd(), pointer.cast(), len, 0) }
        })
    }

    /// Copies `at..at + out.len()` out.
    pub(crate) fn copy_out(&self, at: usize, out: &mut [u8]) -> Result<(), ReadError> {
        self.0.copy_out(at, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_is_received_is_in_the_file_and_can_be_read_back() {
        let file = tempfile::tempfile().expect("file");
        file.set_len(10_000).expect("length");
        let map = WritableFile::map(file.try_clone().expect("clone"), 10_000).expect("map");
        let (mut a, b) = UnixStream::pair().expect("pair");
        a.write_all(b"hello").expect("write");
        assert_eq!(map.receive_from(b.as_fd(), 4094, 100).expect("received"), 5);
        let mut back = [0; 5];
        map.copy_out(4094, &mut back).expect("read back");
        assert_eq!(&back, b"hello");
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut back, 4094).expect("read");
        assert_eq!(&back, b"hello");
        assert!(map.receive_from(b.as_fd(), 9_999, 2).is_err(), "beyond the mapping");
    }

    #[test]
    fn a_file_that_shrinks_under_the_receiver_is_an_error_and_not_a_crash() {
        let file = tempfile::tempfile().expect("file");
        file.set_len(1 << 20).expect("length");
        let map = WritableFile::map(file.try_clone().expect("clone"), 1 << 20).expect("map");
        file.set_len(0).expect("shrink");
        let (mut a, b) = UnixStream::pair().expect("pair");
        a.write_all(b"hello").expect("write");
        assert!(matches!(map.receive_from(b.as_fd(), 0, 5), Err(ReadError::Shrunk)));
        assert!(matches!(map.copy_out(0, &mut [0; 5]), Err(ReadError::Shrunk)));
    }
}
