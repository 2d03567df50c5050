//! Files that the system makes up as they are read, as in `/proc` and `/sys`: the length that they tell is not theirs, and
//! they cannot be mapped. They are read whole, once, into memory.

use std::fs::{File, Metadata};
use std::io;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, pread, retry_on_intr};

use crate::sys::{MemoryFile, SharedFile};

/// What is read of such a file without being asked for a length. There are some that never end.
const BYTES_MAX: usize = 64 << 20;
/// What is read at a time.
const PIECE_BYTES: usize = 1 << 16;

/// How a file that was opened can be read.
pub(super) enum Opened {
    /// By the length that it tells.
    Mapped(SharedFile),
    /// Its bytes are not there before they are read.
    MadeUp,
}

/// Maps a file that tells this length, unless it is made up.
pub(super) fn map(file: File, len: u64) -> io::Result<Opened> {
    // Nearly all that is in /proc tells 0.
    if len == 0 && !is_empty(&file)? {
        return Ok(Opened::MadeUp);
    }
    match SharedFile::map(file, len) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NODEV) => Ok(Opened::MadeUp),
        mapped => mapped.map(Opened::Mapped),
    }
}

/// Reads a file that is made up until its end, from its beginning; `None` where it has too much, or nothing more for now.
pub(super) fn read_whole(file: &File) -> io::Result<Option<(SharedFile, Metadata)>> {
    do_not_wait(file)?;
    let mut bytes = Vec::new();
    loop {
        let begun = bytes.len();
        bytes.resize(begun + PIECE_BYTES, 0);
        // Where standard input stands is not moved: whoever opens it next begins there.
        match read_at(file, &mut bytes[begun..], begun as u64) {
            Ok(read) => bytes.truncate(begun + read),
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        if bytes.len() == begun {
            break;
        }
        if bytes.len() > BYTES_MAX {
            return Ok(None);
        }
    }
    let mut memory = MemoryFile::new("arraylift-file", bytes.len() as u64)?;
    memory.write(0, &bytes)?;
    let file = memory.seal()?;
    let metadata = file.metadata()?;
    Ok(Some((SharedFile::map(file, metadata.len())?, metadata)))
}

fn is_empty(file: &File) -> io::Result<bool> {
    do_not_wait(file)?;
    match read_at(file, &mut [0], 0) {
        Ok(read) => Ok(read == 0),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read_at(file: &File, out: &mut [u8], at: u64) -> Result<usize, Errno> {
    retry_on_intr(|| pread(file, &mut *out, at))
}

/// Has reads return where they would wait for something to happen, as some files of the kernel do.
fn do_not_wait(file: &File) -> io::Result<()> {
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags | OFlags::NONBLOCK)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_made_up(path: &str) -> bool {
        let file = File::open(path).expect("there");
        let len = file.metadata().expect("metadata").len();
        matches!(map(file, len), Ok(Opened::MadeUp))
    }

    fn whole(path: &str) -> Option<Vec<u8>> {
        let (memory, metadata) = read_whole(&File::open(path).expect("there")).expect("readable")?;
        let mut bytes = vec![0; usize::try_from(metadata.len()).expect("a length")];
        memory.copy_out(0, &mut bytes).expect("memory");
        Some(bytes)
    }

    #[test]
    fn what_tells_no_length_or_a_wrong_one_is_read_until_its_end() {
        // One tells 0 bytes, the other 4096.
        for path in ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"] {
            if std::path::Path::new(path).exists() {
                assert!(is_made_up(path), "{path}");
                assert_eq!(whole(path), std::fs::read(path).ok());
            }
        }
    }

    #[test]
    fn files_that_are_there_are_mapped_the_empty_ones_too() {
        let file = tempfile::NamedTempFile::new().expect("file");
        let path = file.path().to_str().expect("utf-8");
        assert!(!is_made_up(path));
        std::fs::write(path, "x").expect("written");
        assert!(!is_made_up(path));
    }

    #[test]
    fn what_never_ends_is_not_read_whole() {
        assert_eq!(whole("/dev/zero"), None);
    }
}
