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

/// Makes the folder, which only this user can enter, and the file, which only this user can read. Returns its path without
/// a link on the way.
pub(super) fn make(path: &Path) -> io::Result<PathBuf> {
    let folder = folder_of(path);
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let real = without_links(path)?;
    let real_folder = folder_of(&real);
    let metadata = real_folder.symlink_metadata()?;
    check(&metadata, metadata.is_dir(), "its folder is another user's")?;
    // Who may enter a folder that was made for something else is for who made it.
    if metadata.mode() & 0o077 != 0 && !folder.is_symlink() {
        std::fs::set_permissions(real_folder, Permissions::from_mode(0o700))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&real);
    match file {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_file(&real)?,
        result => drop(result?),
    }
    Ok(real)
}

/// The path of the file, where it is there, without a link on the way.
pub(super) fn existing(path: &Path) -> io::Result<PathBuf> {
    let real = without_links(path)?;
    check_file(&real)?;
    Ok(real)
}

/// Checks that what is there is a file of this user, and no link to one, and lets nobody else read it.
fn check_file(path: &Path) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    check(
        &metadata,
        metadata.is_file(),
        "it is another user's, or a link, or no file",
    )?;
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The same place without a link on the way to it: a home may well be behind one. The file itself is to be none.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let folder = folder_of(path).canonicalize()?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

fn check(metadata: &Metadata, is_right_kind: bool, otherwise: &str) -> io::Result<()> {
    if is_right_kind && metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, otherwise))
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
    fn a_folder_may_be_behind_a_link_and_the_file_may_be_none() {
        let base = tempfile::tempdir().expect("a folder");
        let (elsewhere, link) = (base.path().join("elsewhere"), base.path().join("arraylift"));
        DirBuilder::new().mode(0o755).create(&elsewhere).expect("a folder");
        std::os::unix::fs::symlink(&elsewhere, &link).expect("a link");
        let made = make(&link.join("history.db")).expect("made");
        assert_eq!(made, existing(&link.join("history.db")).expect("there"));
        assert!(elsewhere.join("history.db").is_file());
        let mode = elsewhere.metadata().expect("there").mode() & 0o777;
        assert_eq!(mode, 0o755, "another folder is as it was");
        let real = elsewhere.canonicalize().expect("a folder").join("history.db");
        assert_eq!(made, real);
        std::fs::set_permissions(&real, Permissions::from_mode(0o644)).expect("it is mine");
        existing(&real).expect("there");
        let mode = real.metadata().expect("there").mode() & 0o777;
        assert_eq!(mode, 0o600, "nobody else reads it");
        std::os::unix::fs::symlink("/dev/null", base.path().join("history.db")).expect("a link");
        let made = make(&base.path().join("history.db")).expect_err("a link");
        assert_eq!(made.kind(), io::ErrorKind::PermissionDenied);
    }
}
