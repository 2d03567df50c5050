//! Several files by one name: a folder, or a pattern.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::array::Dtype;
use crate::error::{Error, reason};
use crate::transfer::plan::Origin;

/// The files in a folder, or those that a pattern names where the shell has not replaced it, by their names and viewed as
/// `dtype`; nothing where `text` is one source by itself.
///
/// # Errors
/// There are none, or they cannot be found out.
pub(crate) fn expand(text: &OsStr, dtype: Option<&Dtype>) -> Result<Option<Vec<Origin>>, Error> {
    let path = Path::new(text);
    if path.is_dir() {
        let folder = std::fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        let in_folder = |found| Origin::InFolder {
            folder: folder.clone(),
            path: found,
            dtype: dtype.cloned(),
        };
        let files = files_in(path)?;
        return Ok(Some(files.into_iter().map(in_folder).collect()));
    }
    let is_pattern = |text: &&str| text.contains(['*', '?', '[']);
    let Some(pattern) = text.to_str().filter(is_pattern).filter(|_| !path.exists()) else {
        return Ok(None);
    };
    check_names(pattern)?;
    check_reach(pattern)?;
    let matches = glob::glob(pattern).map_err(|error| {
        Error::Usage(format!(
            "{pattern} is no pattern: {} at character {}",
            error.msg, error.pos
        ))
    })?;
    let mut files = Vec::new();
    for found in matches {
        let found = found.map_err(|error| unreadable(error.path(), error.error()))?;
        if !found.is_dir() {
            let dtype = dtype.cloned();
            files.push(Origin::File { path: found, dtype });
        }
    }
    if files.is_empty() {
        return Err(Error::Usage(format!("{pattern} names no file: check the pattern")));
    }
    Ok(Some(files))
}

/// Fails where the pattern could mean names that it never finds: those that are not UTF-8.
fn check_names(pattern: &str) -> Result<(), Error> {
    let folder = match Path::new(pattern).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = Path::new(pattern)
        .file_name()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    // Where the folder is a pattern, too, or is not there, there is nothing to look at.
    let (Ok(entries), Ok(name)) = (std::fs::read_dir(folder), glob::Pattern::new(name)) else {
        return Ok(());
    };
    let is_left_out = |found: &OsStr| found.to_str().is_none() && name.matches(&found.to_string_lossy());
    if entries.flatten().any(|entry| is_left_out(&entry.file_name())) {
        return Err(Error::Usage(format!(
            "{} has names that are not UTF-8, which {pattern} would leave out: send the folder, or let the shell name \
             the files",
            folder.display()
        )));
    }
    Ok(())
}

/// Fails where a name that the pattern spells out cannot be looked for, as in a folder that is forbidden: the pattern would
/// leave it out in silence.
fn check_reach(pattern: &str) -> Result<(), Error> {
    let parts: Vec<&str> = pattern.split('/').collect();
    let mut from = 0;
    while from < parts.len() {
        let spelled = parts[from..].iter().take_while(|part| !part.contains(['*', '?', '[']));
        let spelled: Vec<&str> = spelled.copied().collect();
        let name = spelled.join("/");
        let folders: Vec<PathBuf> = match from {
            0 => vec![PathBuf::new()],
            // What is wrong with it is told when it is used.
            _ => glob::glob(&parts[..from].join("/")).map_or(Vec::new(), |found| found.flatten().collect()),
        };
        let name = if from == 0 {
            &*name
        } else {
            name.trim_start_matches('/')
        };
        for path in folders.iter().map(|folder| folder.join(name)) {
            match path.symlink_metadata() {
                Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                    return Err(unreadable(&path, &error));
                }
                _ => {}
            }
        }
        from += spelled.len() + 1;
    }
    Ok(())
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut files, mut has_folders) = (Vec::new(), false);
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        // Links to files are sent, too; sockets and the like are not files. What cannot be looked at, as a link to
        // nowhere, is among them, and so are links out of the folder: their own transfers say why they cannot be sent.
        if let Ok(metadata) = path.metadata()
            && !metadata.is_file()
        {
            has_folders |= metadata.is_dir();
            continue;
        }
        files.push(path);
    }
    if files.is_empty() {
        let folders = if has_folders {
            "; the folders in it are sent by their own names"
        } else {
            ": check the path"
        };
        return Err(Error::Usage(format!(
            "{} has no files in it{folders}",
            folder.display()
        )));
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::SourceUnreadable {
        path: path.into(),
        reason: reason(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: Vec<Origin>) -> Vec<PathBuf> {
        let path = |file| match file {
            Origin::File { path, .. } | Origin::InFolder { path, .. } => path,
            other => panic!("{other:?}"),
        };
        files.into_iter().map(path).collect()
    }

    #[test]
    fn a_folder_and_a_pattern_are_their_files_and_a_file_is_itself() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["b.npy", "a.npy", "c.txt", "d[1].npy"] {
            std::fs::write(path(name), "x").expect("write");
        }
        std::fs::create_dir(path("deeper")).expect("folder");
        let expanded = |name: &str| expand(path(name).as_os_str(), None);
        let names = |name: &str| paths(expanded(name).expect("found").expect("several"));
        assert_eq!(names(""), ["a.npy", "b.npy", "c.txt", "d[1].npy"].map(path));
        assert_eq!(names("[ab].npy"), ["a.npy", "b.npy"].map(path));
        // One whose own name reads like a pattern.
        assert_eq!(expanded("d[1].npy"), Ok(None));
        assert_eq!(expanded("a.npy"), Ok(None));
        for wrong in ["deeper", "no*", "a[.npy"] {
            assert!(matches!(expanded(wrong), Err(Error::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_link_to_nowhere_and_a_loop_are_named_by_what_is_sent_of_a_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a"), "x").expect("write");
        std::os::unix::fs::symlink("nowhere", path("b")).expect("a link");
        std::os::unix::fs::symlink("c", path("c")).expect("a loop");
        std::os::unix::fs::symlink(".", path("d")).expect("a link to a folder");
        let files = expand(folder.path().as_os_str(), None)
            .expect("found")
            .expect("several");
        assert_eq!(paths(files), ["a", "b", "c"].map(path));
    }

    #[test]
    fn a_name_that_cannot_be_looked_for_is_told_and_one_that_is_not_there_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        for name in ["a", "b"] {
            std::fs::create_dir(folder.path().join(name)).expect("folder");
        }
        std::fs::write(folder.path().join("a/y"), "x").expect("write");
        let expanded = |pattern: &str| expand(folder.path().join(pattern).as_os_str(), None);
        assert_eq!(expanded("*/y").expect("found").expect("several").len(), 1);
        // As for a folder that is forbidden, the system does not say whether it is there.
        std::os::unix::fs::symlink("loop", folder.path().join("loop")).expect("a loop");
        assert!(matches!(expanded("lo*/y"), Err(Error::SourceUnreadable { .. })));
    }

    #[test]
    fn a_pattern_leaves_no_name_out_in_silence() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("a.npy"), "x").expect("write");
        std::fs::write(folder.path().join(OsStr::from_bytes(b"b\xff.npy")), "x").expect("write");
        let pattern = expand(folder.path().join("*.npy").as_os_str(), None);
        assert!(matches!(pattern, Err(Error::Usage(text)) if text.contains("not UTF-8")));
        let other = expand(folder.path().join("a*.npy").as_os_str(), None)
            .expect("found")
            .expect("several");
        assert_eq!(other.len(), 1, "one that does not mean it");
        let whole = expand(folder.path().as_os_str(), None)
            .expect("found")
            .expect("several");
        assert_eq!(whole.len(), 2);
    }
}
