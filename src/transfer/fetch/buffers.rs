//! The HTTP library's buffers, watched: how much of an answer they hold, whether more fits, and how a failure to read
//! into them is told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ureq::Error as HttpError;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, LazyBuffers};

/// The library's buffers, watched.
pub(super) struct CountedBuffers {
    buffers: LazyBuffers,
    held_bytes: Arc<AtomicUsize>,
}

/// Where the library's next bytes go.
///
/// # Errors
/// It holds as much as it takes, and has found no end of a head in it.
pub(super) fn room(buffers: &mut impl Buffers) -> Result<&mut [u8], HttpError> {
    let held = buffers.input().len();
    match buffers.input_append_buf() {
        [] => Err(HttpError::LargeResponseHeader(held, held)),
        room => Ok(room),
    }
}

/// An error of reading as the library passes it on. It would take some kinds for the end of a body whose length is not
/// known, which only an orderly end ends. RFC 9112, 9.8.
pub(super) fn unswallowed(error: io::Error) -> HttpError {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            HttpError::Io(io::Error::new(io::ErrorKind::BrokenPipe, error))
        }
        _ => error.into(),
    }
}

impl Buffers for CountedBuffers {
    fn output(&mut self) -> &mut [u8] {
        self.buffers.output()
    }

    fn input(&self) -> &[u8] {
        self.buffers.input()
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.buffers.input_append_buf()
    }

    fn input_appended(&mut self, amount: usize) {
        self.buffers.input_appended(amount);
        self.count_held();
    }

    fn input_consume(&mut self, amount: usize) {
        self.buffers.input_consume(amount);
        self.count_held();
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.buffers.tmp_and_output()
    }

    fn can_use_input(&self) -> bool {
        self.buffers.can_use_input()
    }
}

impl CountedBuffers {
    /// Says in `held_bytes` how many bytes they hold.
    pub(super) fn new(config: &Config, held_bytes: &Arc<AtomicUsize>) -> Self {
        Self {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            held_bytes: Arc::clone(held_bytes),
        }
    }

    fn count_held(&self) {
        self.held_bytes.store(self.buffers.input().len(), Ordering::Release);
    }
}
