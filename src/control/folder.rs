//! The folder of control sockets.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::{Reason, reason};

const NAME: &str = "arraylift";
const EXTENSION: &str = "sock";

/// The folder for this user's control sockets: `arraylift` in `$XDG_RUNTIME_DIR` (XDG Base Directory Specification);
/// without that variable, a folder of this user in the folder for temporary files.
#[must_use]
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) if Path::new(&runtime).is_absolute() => Path::new(&runtime).join(NAME),
        _ => without_variable(),
    }
}

/// What a look for engines has found.
#[derive(Debug)]
pub(crate) struct Engines {
    /// Their process ids and sockets, by process id. Some of the processes may have ended.
    pub found: Vec<(u32, PathBuf)>,
    /// Where it looked.
    pub folders: Vec<PathBuf>,
    /// Where it could not look, and why: nobody knows whether engines are there.
    pub unknown: Vec<(PathBuf, Reason)>,
}

/// Looks for engines where processes of this user have their sockets: with `$XDG_RUNTIME_DIR` as it is here, and without
/// it, as under cron; where it is not set here, as a login has it (`pam_systemd(8)`).
#[must_use]
pub(crate) fn engines() -> Engines {
    let (first, without) = (folder(), without_variable());
    let other = if first == without { of_login() } else { without };
    let mut engines = Engines {
        found: Vec::new(),
        folders: vec![first, other],
        unknown: Vec::new(),
    };
    for (index, folder) in engines.folders.iter().enumerate() {
        match sockets_in(folder) {
            Ok(sockets) => engines.found.extend(sockets),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // Where another user was first, those of this one have no sockets.
            Err(error) if index > 0 && error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => engines.unknown.push((folder.clone(), reason(&error))),
        }
    }
    engines.found.sort();
    engines
}

fn of_login() -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    Path::new("/run/user").join(user.to_string()).join(NAME)
}

fn sockets_in(folder: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    // A folder of another user is not read.
    check(folder)?;
    let mut sockets = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        sockets.extend(process_of(&path).map(|process| (process, path)));
    }
    Ok(sockets)
}

fn without_variable() -> PathBuf {
    std::env::temp_dir().join(format!("{NAME}-{}", rustix::process::geteuid().as_raw()))
}

/// The path for this process's socket. It makes the folder, which only this user can enter.
pub(super) fn own_path() -> io::Result<PathBuf> {
    let folder = folder();
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => check(&folder)?,
    }
    std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
    Ok(folder.join(format!("{}.{EXTENSION}", std::process::id())))
}

/// Checks that it is a folder of this user.
fn check(folder: &Path) -> io::Result<()> {
    let metadata = std::fs::symlink_metadata(folder)?;
    if metadata.is_dir() && metadata.uid() == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user, or is no folder",
        ))
    }
}

fn process_of(path: &Path) -> Option<u32> {
    let is_socket = path.extension().is_some_and(|extension| extension == EXTENSION);
    path.file_stem()?.to_str()?.parse().ok().filter(|_| is_socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_named_after_its_process_and_anything_else_is_none() {
        assert_eq!(process_of(Path::new("/run/user/0/arraylift/123.sock")), Some(123));
        for other in ["/a/123", "/a/x.sock", "/a/-1.sock", "/a/123.sock.part", "/"] {
            assert_eq!(process_of(Path::new(other)), None, "{other}");
        }
    }
}
