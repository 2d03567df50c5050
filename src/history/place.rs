//! Where the history is, and whether any is kept.

use std::fs::{DirBuilder, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const FOLDER: &str = "arraylift";
const NAME: &str = "history.db";

/// The variable that switches the history off for a process and all that it starts.
pub(crate) const SWITCH: &str = "ARRAYLIFT_HISTORY";

/// Whether `ARRAYLIFT_HISTORY` is `off`.
pub(crate) fn is_switched_off() -> bool {
    std::env::var_os(SWITCH).is_some_and(|value| value == "off")
}

/// This user's history: in `arraylift` in `$XDG_DATA_HOME`, else in `~/.local/share` (XDG Base Directory Specification).
/// `None` where this user has no folder for it.
pub(crate) fn path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(data.join(FOLDER).join(NAME))
}

/// Makes the folder, which only this user can enter, and the file, which only this user can read.
pub(super) fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let metadata = folder.symlink_metadata()?;
    check(&metadata, metadata.is_dir(), "the folder")?;
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match file {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_file(path),
        result => result.map(drop),
    }
}

/// Checks that what is there is a file of this user.
pub(super) fn check_file(path: &Path) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    check(&metadata, metadata.is_file(), "it")
}

fn check(metadata: &Metadata, is_right_kind: bool, what: &str) -> io::Result<()> {
    if is_right_kind && metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let why = format!("{what} is another user's, or is neither a folder nor a file");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_user_can_read_what_is_made() {
        let base = tempfile::tempdir().expect("a folder");
        let path = base.path().join("share/arraylift/history.db");
        make(&path).expect("made");
        make(&path).expect("it is there");
        let mode = |path: &Path| path.metadata().expect("there").mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a folder")), 0o700);
    }

    #[test]
    fn a_link_is_neither_a_folder_nor_a_file_of_ones_own() {
        let base = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(base.path(), base.path().join("arraylift")).expect("a link");
        let made = make(&base.path().join("arraylift/history.db")).expect_err("a link");
        assert_eq!(made.kind(), io::ErrorKind::PermissionDenied);
        std::os::unix::fs::symlink("/dev/null", base.path().join("history.db")).expect("a link");
        make(&base.path().join("history.db")).expect_err("a link");
    }
}
