//! The HTTP library's buffers, watched: how much of an answer they hold, and whether more fits.

use std::sync::Arc;

use ureq::Error as HttpError;
use ureq::config::Config;
use ureq::unversioned::transport::{Buffers, LazyBuffers};

use super::connection::ServerConnection;

/// The library's buffers, watched.
pub(super) struct CountedBuffers {
    buffers: LazyBuffers,
    connection: Arc<ServerConnection>,
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
    pub(super) fn new(config: &Config, connection: &Arc<ServerConnection>) -> Self {
        Self {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            connection: Arc::clone(connection),
        }
    }

    fn count_held(&self) {
        self.connection.set_held_bytes(self.buffers.input().len());
    }
}
