//! The file of a Unix socket: whose it is, and when it may go.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};
use crate::transfer::net::peer_user::PeerUser;

/// A file that was made by binding, and that another may have taken the place of. It goes with this value.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            identity: identity_of(path),
        }
    }

    fn is_still_there(&self) -> bool {
        self.identity.is_some() && identity_of(&self.path) == self.identity
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.is_still_there() {
            // Gone already is as good.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A non-blocking Unix socket where its user alone, and root, can connect. Its file is removed with it.
#[derive(Debug)]
pub(crate) struct PrivateListener {
    listener: UnixListener,
    _file: SocketFile,
}

impl PrivateListener {
    /// Listens at a path; a socket that an earlier process has left there gives way.
    ///
    /// # Errors
    /// [`Error::AddressInUse`] where somebody listens there, and [`Error::Endpoint`] where the path cannot be used.
    pub(crate) fn bind(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Endpoint {
            endpoint: path.display().to_string(),
            reason: reason(&error),
        };
        remove_stale_socket(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let file = SocketFile::new(path);
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, _file: file })
    }

    /// Somebody of this user, or root, who has connected, if any. One that finds no descriptor here waits until the next call.
    pub(crate) fn accept(&self) -> Option<UnixStream> {
        let (stream, _) = self.listener.accept().ok()?;
        // Between the making of its file and the setting of its mode anyone could connect.
        PeerUser::Own.check(&stream, "").is_ok().then_some(stream)
    }
}

impl AsFd for PrivateListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Removes a socket file that nobody listens at any more; anything else in the way is left alone.
pub(crate) fn remove_stale_socket(path: &Path) -> Result<(), Error> {
    let endpoint = || format!("unix:{}", path.display());
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        let reason = "something that is not a socket has that name; choose another".into();
        return Err(Error::Endpoint {
            endpoint: endpoint(),
            reason,
        });
    }
    // A datagram socket cannot connect to a listener, and is told whether there is one: nobody has to accept it.
    match UnixDatagram::unbound().and_then(|probe| probe.connect(path)) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| Error::Endpoint {
                endpoint: endpoint(),
                reason: reason(&error),
            })
        }
        _ => Err(Error::AddressInUse(endpoint())),
    }
}

fn identity_of(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
