//! Connections that go to, or come from, programs that know nothing of Arraylift: a byte over a Unix socket with the
//! descriptor beside it (`SCM_RIGHTS`, `unix(7)`), answered by `OK`, as the Python Cookbook passes sockets around. With a
//! key they are those of `multiprocessing.connection`: first a handshake and the worker's process id, and no answers.

mod dispatcher;
mod handshake;
mod plain_worker;
mod source;

use std::path::Path;

use crate::error::Error;
use crate::service::key;

pub(super) use dispatcher::RecipeDispatcher;
pub(crate) use handshake::{Handshake, RANDOM_BYTES, Role};
pub(super) use source::RecipeSource;

/// An authkey of `multiprocessing`: a file's content as it is.
#[derive(Clone)]
pub(crate) struct AuthKey(Vec<u8>);

impl AuthKey {
    /// Reads it from a file that nobody else may be able to read.
    ///
    /// # Errors
    /// Where there is none, or others could read it, or it is empty or no key by its length.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        key::read_key_file(path, 1).map(Self)
    }
}

impl std::fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthKey")
    }
}

/// What a program answers that has taken a descriptor.
const OK_REPLY: &[u8] = b"OK";
/// What `recv_handle` of Python's `multiprocessing` says after each descriptor since 3.14, and `send_handle` waits for.
const ACKNOWLEDGEMENT: u8 = b'A';
/// What is sent with a descriptor: one byte at least is needed, and `multiprocessing.reduction` puts a count in it.
const HANDOVER_BYTE: &[u8] = b"\x01";
