//! The folder of control sockets.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const EXTENSION: &str = "sock";

/// The folder for this user's control sockets: `arraylift` in `$XDG_RUNTIME_DIR` (XDG Base Directory Specification);
/// without that variable, a folder of this user in the folder for temporary files.
#[must_use]
pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR") {
        Some(runtime) if Path::new(&runtime).is_absolute() => Path::new(&runtime).join("arraylift"),
        _ => std::env::temp_dir().join(format!("arraylift-{}", rustix::process::geteuid().as_raw())),
    }
}

/// The process ids of the engines there with their sockets, by process id. Some of the processes may have ended.
#[must_use]
pub(crate) fn engines() -> Vec<(u32, PathBuf)> {
    let folder = folder();
    // A folder of another user is not read.
    if check(&folder).is_err() {
        return Vec::new();
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut engines: Vec<(u32, PathBuf)> = paths.filter_map(|path| Some((process_of(&path)?, path))).collect();
    engines.sort();
    engines
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
        Err(io::ErrorKind::PermissionDenied.into())
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
