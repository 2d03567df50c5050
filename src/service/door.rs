//! Where workers join a service from outside: a Unix socket that its user alone can open.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::error::{Error, reason};
use crate::transfer::{SocketFile, remove_stale_socket};

use super::key::Key;

/// Workers that may wait to be let in.
pub(super) struct Door {
    listener: UnixListener,
    key: Key,
    _file: SocketFile,
}

impl Door {
    /// Listens at a path; a socket that an earlier process has left there gives way.
    pub(super) fn open(path: &Path, key: Key) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Endpoint {
            endpoint: path.display().to_string(),
            reason: reason(&error),
        };
        remove_stale_socket(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let file = SocketFile::new(path);
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self {
            listener,
            key,
            _file: file,
        })
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// Somebody who wants to come in.
    pub(super) fn next(&self) -> Option<UnixStream> {
        // One that went away again, or finds no descriptor, tries again.
        self.listener.accept().ok().map(|(stream, _)| stream)
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
