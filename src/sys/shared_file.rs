//! A file mapped for reading while others may change or shrink it.
//!
//! Its bytes are never handed out as `&[u8]`: they are checksummed, copied out or sent. A page that vanished under a
//! reader is replaced by an empty one; from then on every read of the mapping, also one that is under way on another
//! thread, ends with [`ReadError::Shrunk`].

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering, fence};

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::memory_file::is_sealed;
use super::sigbus;

/// Why bytes of a shared file could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The file no longer reaches that far.
    Shrunk,
    /// The descriptor that they were sent to said no.
    Io(io::Error),
}

/// A readable file of a known length and its mapping.
#[derive(Debug)]
pub(crate) struct SharedFile {
    file: File,
    map: Option<MmapRaw>,
    len: usize,
    /// A page has vanished, and an empty one may stand in its place: nothing can be read any more.
    shrunk: AtomicBool,
}

impl SharedFile {
    /// Maps the first `len` bytes of `file`; an empty file needs no mapping.
    pub(crate) fn map(file: File, len: u64) -> io::Result<Self> {
        // Private for reading is the same pages, and the one way that every kernel maps sealed memory in.
        // SAFETY: the mapping is never seen as a slice that others could change: only this type reads it.
        let mapped = Self::map_by(file, len, |options, file| unsafe {
            options.map_copy_read_only(file).map(Into::into)
        })?;
        if let Some(map) = &mapped.map {
            // Advice only: reading works without.
            let _ = map.advise(Advice::Sequential);
        }
        Ok(mapped)
    }

    /// Maps the first `len` bytes of `file` in a way of the caller's, who never hands out slices of it.
    pub(super) fn map_by(
        file: File,
        len: u64,
        way: impl FnOnce(&MmapOptions, &File) -> io::Result<MmapRaw>,
    ) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        sigbus::install()?;
        let map = match len {
            0 => None,
            _ => Some(way(MmapOptions::new().len(len), &file)?),
        };
        Ok(Self {
            file,
            map,
            len,
            shrunk: AtomicBool::new(false),
        })
    }

    /// What the file system says of the open file.
    pub(crate) fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.file.metadata()
    }

    /// Whether nobody can change it any more.
    pub(crate) fn is_sealed(&self) -> bool {
        is_sealed(&self.file)
    }

    /// Adds `at..at + len` to a checksum. If someone writes there meanwhile, the checksum is of some mixture.
    pub(crate) fn checksum(&self, at: usize, len: usize, digest: &mut crc_fast::Digest) -> Result<(), ReadError> {
        self.guarded(at, len, |pointer| {
            // SAFETY: reading() checked that the range lies in the mapping, which outlives this call and is readable:
            // a page that vanished is replaced under the guard. The slice lives for this call only, in which
            // crc_fast reads each byte as a plain integer; another process that writes meanwhile can change which
            // integer, and nothing rests on it but the checksum's value.
            digest.update(unsafe { std::slice::from_raw_parts(pointer, len) });
        })
    }

    /// Copies `at..at + out.len()` out.
    pub(crate) fn copy_out(&self, at: usize, out: &mut [u8]) -> Result<(), ReadError> {
        self.guarded(at, out.len(), |pointer| {
            // SAFETY: the source range lies in the mapping (checked by reading), out is a distinct allocation of the
            // same length, and bytes have no invalid values.
            unsafe { std::ptr::copy_nonoverlapping(pointer, out.as_mut_ptr(), out.len()) };
        })
    }

    /// Sends bytes of `at..at + len` to a socket, as many as it takes now. Where a page vanishes meanwhile, it may have
    /// sent zeros and then fails.
    pub(crate) fn send_to(&self, socket: BorrowedFd<'_>, at: usize, len: usize) -> Result<usize, ReadError> {
        self.by_kernel(at, len, |pointer| {
            // SAFETY: the range lies in the mapping; the kernel only reads it, and answers EFAULT for a vanished page.
            unsafe { libc::send(socket.as_raw_fd(), pointer.cast(), len, libc::MSG_NOSIGNAL) }
        })
    }

    /// Has a system call of the caller's use `at..at + len`, which gets the first byte's address and returns what the
    /// call does. The call must not change bytes of a mapping that was not made for that.
    pub(super) fn by_kernel(
        &self,
        at: usize,
        len: usize,
        call: impl FnOnce(*mut u8) -> libc::ssize_t,
    ) -> Result<usize, ReadError> {
        let moved = self.reading(at, len, |pointer| {
            usize::try_from(call(pointer)).map_err(|_| io::Error::last_os_error())
        })?;
        moved.map_err(|error| {
            if error.raw_os_error() != Some(libc::EFAULT) {
                return ReadError::Io(error);
            }
            self.shrunk.store(true, Ordering::Relaxed);
            ReadError::Shrunk
        })
    }

    /// Reads where pages may vanish; what was read counts only where this says so.
    fn guarded(&self, at: usize, len: usize, read: impl FnOnce(*const u8)) -> Result<(), ReadError> {
        self.reading(at, len, |pointer| {
            let start = pointer as usize;
            // SAFETY: the range lies in the mapping, which lives as long as self. All that read it do so by reading,
            // which looks at the mark afterwards. The handler was installed before the file was mapped.
            unsafe { sigbus::guarded(start..start + len, &self.shrunk, || read(pointer)) };
        })
    }

    /// All reads go through here: `read` gets the address of byte `at`, behind which `len` bytes lie in the mapping.
    fn reading<T>(&self, at: usize, len: usize, read: impl FnOnce(*mut u8) -> T) -> Result<T, ReadError> {
        let lies_within = at.checked_add(len).is_some_and(|end| end <= self.len);
        if !lies_within || self.shrunk.load(Ordering::Relaxed) {
            return Err(ReadError::Shrunk);
        }
        let first = self.map.as_ref().map_or(std::ptr::dangling_mut(), MmapRaw::as_mut_ptr);
        let result = read(first.wrapping_add(at));
        // The mark is looked at after the bytes: a page is marked before an empty one is put in its place.
        fence(Ordering::Acquire);
        if self.shrunk.load(Ordering::Relaxed) {
            return Err(ReadError::Shrunk);
        }
        Ok(result)
    }
}

impl AsFd for SharedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::net::UnixStream;

    fn shared(content: &[u8]) -> (tempfile::NamedTempFile, SharedFile) {
        let mut file = tempfile::NamedTempFile::new().expect("temporary file");
        file.write_all(content).expect("write");
        let shared = SharedFile::map(file.reopen().expect("reopen"), content.len() as u64).expect("map");
        (file, shared)
    }

    #[test]
    fn bytes_are_copied_checksummed_and_sent_as_they_are_in_the_file() {
        let (_file, shared) = shared(b"123456789");
        let mut out = [0; 4];
        shared.copy_out(3, &mut out).expect("copy");
        assert_eq!(&out, b"4567");
        let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc);
        shared.checksum(0, 9, &mut digest).expect("checksum");
        assert_eq!(digest.finalize(), 0xcbf4_3926);
        let (a, mut b) = UnixStream::pair().expect("pair");
        assert_eq!(shared.send_to(a.as_fd(), 1, 8).expect("send"), 8);
        drop(a);
        let mut got = Vec::new();
        io::Read::read_to_end(&mut b, &mut got).expect("read");
        assert_eq!(got, b"23456789");
    }

    #[test]
    fn a_file_that_shrinks_under_the_reader_is_an_error_and_not_a_crash() {
        let (file, shared) = shared(&vec![1; 1 << 20]);
        file.as_file().set_len(4096).expect("shrink");
        shared.copy_out(0, &mut [0; 8]).expect("what is left can still be read");
        let (a, _b) = UnixStream::pair().expect("pair");
        assert!(matches!(
            shared.send_to(a.as_fd(), 4096 * 100, 4096),
            Err(ReadError::Shrunk)
        ));
        let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
        assert!(matches!(
            shared.checksum(0, 1 << 20, &mut digest),
            Err(ReadError::Shrunk)
        ));
        assert!(
            matches!(shared.copy_out(0, &mut [0; 8]), Err(ReadError::Shrunk)),
            "a shrunk file stays shrunk"
        );
    }

    #[test]
    fn a_page_that_was_replaced_under_one_thread_is_told_to_all_that_read_it() {
        let (file, shared) = shared(&vec![1; 1 << 16]);
        let (replaced, told) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let other = || {
                while !replaced.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                let first = shared.copy_out(0, &mut [0; 8]);
                told.store(true, Ordering::SeqCst);
                assert!(matches!(first, Err(ReadError::Shrunk)));
            };
            std::thread::Builder::new().spawn_scoped(scope, other).expect("thread");
            let mut byte = 1;
            let read = shared.guarded(0, 8, |pointer| {
                file.as_file().set_len(0).expect("shrink");
                replaced.store(true, Ordering::SeqCst);
                while !told.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                // SAFETY: guarded gives the address of 8 bytes.
                byte = unsafe { pointer.read_volatile() };
            });
            assert_eq!(byte, 0, "the empty page, and no signal");
            assert!(matches!(read, Err(ReadError::Shrunk)));
        });
        let (a, _b) = UnixStream::pair().expect("pair");
        assert!(matches!(shared.send_to(a.as_fd(), 0, 8), Err(ReadError::Shrunk)));
    }

    #[test]
    fn a_page_that_vanishes_while_it_is_sent_is_told_even_where_zeros_went() {
        let (file, shared) = shared(&vec![1; 1 << 16]);
        let sent = shared.by_kernel(0, 8, |_| {
            file.as_file().set_len(0).expect("shrink");
            assert!(matches!(shared.copy_out(0, &mut [0; 8]), Err(ReadError::Shrunk)));
            8
        });
        assert!(matches!(sent, Err(ReadError::Shrunk)));
        let (file, shared) = self::shared(&vec![1; 1 << 16]);
        file.as_file().set_len(0).expect("shrink");
        let (a, _b) = UnixStream::pair().expect("pair");
        assert!(matches!(shared.send_to(a.as_fd(), 0, 8), Err(ReadError::Shrunk)));
        file.as_file().set_len(1 << 16).expect("grow");
        assert!(
            matches!(shared.copy_out(0, &mut [0; 8]), Err(ReadError::Shrunk)),
            "what grew again is something else"
        );
    }

    #[test]
    fn nothing_outside_the_mapping_is_read() {
        let (_file, mapped) = shared(b"1234");
        assert!(mapped.copy_out(2, &mut [0; 3]).is_err());
        assert!(mapped.copy_out(usize::MAX, &mut [0; 3]).is_err());
        let (_file, empty) = shared(b"");
        empty.copy_out(0, &mut []).expect("nothing of nothing");
        assert!(empty.copy_out(0, &mut [0]).is_err());
    }
}
