//! Sources in memory: ranges behind a descriptor, and the private bytes of the routes that need some.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use crate::array::Range;
use crate::error::Error;
use crate::route::send::{COPYING_BYTES_MAX, Generated};
use crate::sys::{FrozenMemory, MemoryFile, SharedFile};
use crate::transfer::limits::promise;
use crate::transfer::plan::SourceSpec;
use crate::transfer::source::{Content, Source};

/// What is generated into memory, at a time.
pub(super) const PIECE_BYTES: usize = 1 << 18;

/// The bytes of a range, or of the slice of it that is sent, in a sealed file that exists in memory only: the system
/// frees it when its last descriptor is closed. `None` where the source is a file already.
pub(crate) fn in_memory(spec: &SourceSpec) -> Result<Option<File>, Error> {
    let source = Source::open(spec)?;
    let Content::Range(range) = &source.content else {
        return Ok(None);
    };
    let Some(file) = range_in_memory(range, source.base, source.meta.byte_len(), &|| false)? else {
        return Ok(None);
    };
    let copy = file.as_fd().try_clone_to_owned();
    let copy = copy.map_err(|error| Error::system("cannot keep the range in memory", &error))?;
    Ok(Some(File::from(copy)))
}

/// Generates a range into memory behind a descriptor, sealed; `None` where it was cancelled meanwhile.
pub(super) fn range_in_memory(
    range: &Range,
    base: u64,
    len: u64,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Arc<SharedFile>>, Error> {
    promise::check(len)?;
    let failed = |error: io::Error| Error::system("cannot generate the range in memory", &error);
    let mut memory = MemoryFile::new("arraylift-range", len).map_err(failed)?;
    let mut generated = Generated::new(range.clone(), base, PIECE_BYTES);
    let mut at = 0;
    while at < len {
        if cancelled() {
            return Ok(None);
        }
        let piece = usize::try_from(len - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        memory.write(at, generated.piece(at, piece)).map_err(failed)?;
        at += piece as u64;
    }
    let file = memory.seal().map_err(failed)?;
    SharedFile::map(file, len).map(Arc::new).map(Some).map_err(failed)
}

impl Source {
    /// The whole of it in private memory, for the route that copies what is left after every send.
    pub(super) fn bytes_for_copying(&self) -> Result<Vec<u8>, Error> {
        let len = self.meta.byte_len();
        if len > COPYING_BYTES_MAX {
            let text =
                "the copying route takes time that grows with the square of the length: it is refused above 1 GB";
            return Err(Error::Usage(text.into()));
        }
        let mut bytes = vec![0; self.len_in_memory(2)?];
        self.copy_prefix(&mut bytes)?;
        Ok(bytes)
    }

    /// The whole of it in memory that nobody can change any more, for the route that lends it to the kernel.
    pub(super) fn frozen(&self) -> Result<FrozenMemory, Error> {
        let mut copied = Ok(());
        let memory = FrozenMemory::new(self.len_in_memory(1)?, |bytes| copied = self.copy_prefix(bytes));
        copied?;
        memory.map_err(|error| Error::system("cannot keep the array in memory", &error))
    }

    /// Its length, where there is memory for it `times` over.
    fn len_in_memory(&self, times: u64) -> Result<usize, Error> {
        let len = self.meta.byte_len();
        promise::check(len.saturating_mul(times))?;
        Ok(usize::try_from(len).unwrap_or(0))
    }
}
