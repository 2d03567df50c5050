//! Writes by another thread, for file systems that keep whoever writes waiting for as long as they like.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::error::Error;
use crate::route::receive::Inflow;
use crate::transfer::sink::file_system::Effort;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::sink::task::Pending;
use crate::transfer::tell::event::EventKind;

/// So much is taken at once: as much memory as each of a thousand connections costs then. FUSE asks its program for as
/// much in one write, where it asked for no more (`FUSE_DEFAULT_MAX_PAGES_PER_REQ`).
const BYTES_MAX: usize = 128 << 10;

/// One connection's writes, one after the other.
pub(crate) struct WriteAway {
    file: Arc<File>,
    base: u64,
    /// Empty while it is written.
    buffer: Vec<u8>,
    writing: Option<Writing>,
}

/// A write that has begun.
struct Writing {
    /// The buffer comes back.
    written: Pending<Vec<u8>>,
    bytes: u64,
    preview: Option<Box<EventKind>>,
}

/// What became of the last write.
pub(super) enum LastWrite {
    /// There is none to ask for.
    None,
    /// It is not done yet. There is a wake when it is.
    Lasts,
    /// So many bytes are written; the preview that was complete with them.
    Done(u64, Option<Box<EventKind>>),
}

impl WriteAway {
    /// Writes into `file`, from byte `base` on.
    pub(super) fn new(file: Arc<File>, base: u64) -> Self {
        Self {
            file,
            base,
            buffer: Vec::new(),
            writing: None,
        }
    }

    /// What became of the last write, which is told once.
    ///
    /// # Errors
    /// It failed, or the file is not what it was.
    pub(super) fn last(&mut self) -> Result<LastWrite, Error> {
        let Some(writing) = self.writing.take() else {
            return Ok(LastWrite::None);
        };
        let Some(result) = writing.written.take() else {
            self.writing = Some(writing);
            return Ok(LastWrite::Lasts);
        };
        self.buffer = result?;
        Ok(LastWrite::Done(writing.bytes, writing.preview))
    }

    /// Takes what has arrived, at most `len` bytes, and not so many that they would cost much memory.
    pub(super) fn take(&mut self, from: &mut dyn Inflow, len: usize) -> io::Result<&[u8]> {
        let len = len.min(BYTES_MAX);
        if self.buffer.len() < len {
            self.buffer = vec![0; len];
        }
        let received = from.take(&mut self.buffer[..len])?;
        Ok(&self.buffer[..received])
    }

    /// Begins to write the first `bytes` of what was taken to `at`, by a thread of `disk`.
    pub(super) fn begin(
        &mut self,
        incoming: &Arc<IncomingArray>,
        (at, bytes): (u64, usize),
        preview: Option<Box<EventKind>>,
        disk: &PublishContext,
    ) {
        let (incoming, file) = (Arc::clone(incoming), Arc::clone(&self.file));
        let (buffer, at) = (std::mem::take(&mut self.buffer), self.base + at);
        let written = disk.begin(Effort::MayLast, move || {
            incoming.sink.check()?;
            let written = file.write_all_at(&buffer[..bytes], at);
            written.map_err(|error| incoming.sink.write_error(&error))?;
            Ok(buffer)
        });
        let bytes = bytes as u64;
        self.writing = Some(Writing {
            written,
            bytes,
            preview,
        });
    }
}
