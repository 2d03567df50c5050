//! A file mapped for reading while others may change or shrink it.
//!
//! Its bytes are never handed out as `&[u8]`: they are checksummed, copied out or sent. A page that vanished under the
//! reader raises SIGBUS; a guard puts an empty page in its place and the read ends with [`ReadError::Shrunk`].

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

use memmap2::{Advice, MmapOptions, MmapRaw};

use super::memory_file::is_sealed;

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
    /// A page has vanished and an empty one stands in its place: nothing can be read any more.
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
        let map = match len {
            0 => None,
            _ => Some(way(MmapOptions::new().len(len), &file)?),
        };
        install_guard()?;
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
            // SAFETY: guarded() checked that the range lies in the mapping, which outlives this call and is readable:
            // a page that vanished is replaced by the guard. The slice lives for this call only, in which
            // crc_fast reads each byte as a plain integer; another process that writes meanwhile can change which
            // integer, and nothing rests on it but the checksum's value.
            digest.update(unsafe { std::slice::from_raw_parts(pointer, len) });
        })
    }

    /// Copies `at..at + out.len()` out.
    pub(crate) fn copy_out(&self, at: usize, out: &mut [u8]) -> Result<(), ReadError> {
        self.guarded(at, out.len(), |pointer| {
            // SAFETY: the source range lies in the mapping (checked by guarded), out is a distinct allocation of the
            // same length, and bytes have no invalid values.
            unsafe { std::ptr::copy_nonoverlapping(pointer, out.as_mut_ptr(), out.len()) };
        })
    }

    /// Sends bytes of `at..at + len` to a socket, as many as it takes now.
    pub(crate) fn send_to(&self, socket: BorrowedFd<'_>, at: usize, len: usize) -> Result<usize, ReadError> {
        let pointer = self.pointer(at, len)?;
        // SAFETY: the range lies in the mapping; the kernel only reads it, and answers EFAULT for a vanished page.
        let sent = unsafe { libc::send(socket.as_raw_fd(), pointer.cast(), len, libc::MSG_NOSIGNAL) };
        usize::try_from(sent).map_err(|_| match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EFAULT) => ReadError::Shrunk,
            error => ReadError::Io(error),
        })
    }

    pub(super) fn pointer(&self, at: usize, len: usize) -> Result<*const u8, ReadError> {
        if self.shrunk.load(Ordering::Relaxed) {
            return Err(ReadError::Shrunk);
        }
        match &self.map {
            Some(map) if at.checked_add(len).is_some_and(|end| end <= self.len) => {
                // SAFETY: at <= self.len, so the pointer stays within the mapping or one past its end.
                Ok(unsafe { map.as_ptr().add(at) })
            }
            None if at == 0 && len == 0 => Ok(std::ptr::dangling()),
            _ => Err(ReadError::Shrunk),
        }
    }

    fn guarded(&self, at: usize, len: usize, read: impl FnOnce(*const u8)) -> Result<(), ReadError> {
        let pointer = self.pointer(at, len)?;
        let start = pointer as usize;
        GUARD.set(Guard {
            start,
            end: start + len,
            hit: false,
        });
        compiler_fence(Ordering::SeqCst);
        read(pointer);
        compiler_fence(Ordering::SeqCst);
        let hit = GUARD.replace(Guard::NONE).hit;
        if hit {
            self.shrunk.store(true, Ordering::Relaxed);
            return Err(ReadError::Shrunk);
        }
        Ok(())
    }
}

impl AsFd for SharedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What this thread is reading under guard.
#[derive(Clone, Copy)]
struct Guard {
    start: usize,
    end: usize,
    hit: bool,
}

impl Guard {
    const NONE: Self = Self {
        start: 0,
        end: 0,
        hit: false,
    };
}

thread_local! {
    // Constant and without a destructor: reading it in a signal handler allocates nothing and runs nothing.
    static GUARD: Cell<Guard> = const { Cell::new(Guard::NONE) };
}

static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the SIGBUS handler once for the process; a handler that was there keeps every fault that is not ours.
fn install_guard() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        // SAFETY: sigaction is plain data for which all zeroes is valid; both pointers are to live values; the
        // handler has the signature that SA_SIGINFO asks for and touches only what is safe in a signal handler.
        unsafe {
            let mut previous: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut previous) != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or(0));
            }
            // Kept before the handler can run.
            let _ = PREVIOUS.set(previous);
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_sigbus;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&raw mut action.sa_mask);
            if libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error().raw_os_error().unwrap_or(0));
            }
        }
        Ok(())
    });
    installed.map_err(io::Error::from_raw_os_error)
}

extern "C" fn on_sigbus(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler. sysconf, mmap and sigaction are plain
    // system calls here. The page that is replaced lies in the range that this very thread reads under guard, which
    // is part of a live read-only mapping of ours, so nothing else is unmapped.
    unsafe {
        let address = (*info).si_addr() as usize;
        let guard = GUARD.get();
        if (guard.start..guard.end).contains(&address) {
            let page_bytes = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
            let page = address & !(page_bytes - 1);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
            if libc::mmap(page as *mut libc::c_void, page_bytes, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED {
                GUARD.set(Guard { hit: true, ..guard });
                return;
            }
        }
        // Not ours: the handler that was there before gets the fault, which comes again when this one returns.
        if let Some(previous) = PREVIOUS.get() {
            libc::sigaction(libc::SIGBUS, previous, std::ptr::null_mut());
        }
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
    fn nothing_outside_the_mapping_is_read() {
        let (_file, mapped) = shared(b"1234");
        assert!(mapped.copy_out(2, &mut [0; 3]).is_err());
        assert!(mapped.copy_out(usize::MAX, &mut [0; 3]).is_err());
        let (_file, empty) = shared(b"");
        empty.copy_out(0, &mut []).expect("nothing of nothing");
        assert!(empty.copy_out(0, &mut [0]).is_err());
    }
}
