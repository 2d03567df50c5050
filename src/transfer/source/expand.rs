//! Several files by one name: a pattern.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::array::Dtype;
use crate::error::{Error, reason};
use crate::transfer::plan::Origin;

/// The files that a pattern names where the shell has not replaced it, viewed as `dtype`; nothing where `text` is one source
/// by itself.
///
/// # Errors
/// There are none, or they cannot be found out.
pub(crate) fn expand(text: &OsStr, dtype: Option<&Dtype>) -> Result<Option<Vec<Origin>>, Error> {
    let Some(mut paths) = expand_paths(text)? else {
        return Ok(None);
    };
    paths.retain(|path| !path.is_dir());
    if paths.is_empty() {
        return Err(Error::Usage(format!(
            "{} names no file: check the pattern",
            text.display()
        )));
    }
    let file = |path| Origin::File {
        path,
        dtype: dtype.cloned(),
    };
    Ok(Some(paths.into_iter().map(file).collect()))
}

/// The files and folders that a pattern names where the shell has not replaced it; nothing where `text` is one source by
/// itself.
///
/// # Errors
/// There are none, or they cannot be found out.
pub(crate) fn expand_paths(text: &OsStr) -> Result<Option<Vec<PathBuf>>, Error> {
    let path = Path::new(text);
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
    let mut paths = Vec::new();
    for found in matches {
        paths.push(found.map_err(|error| unreadable(error.path(), error.error()))?);
    }
    if paths.is_empty() {
        return Err(Error::Usage(format!("{pattern} names no file: check the pattern")));
    }
    Ok(Some(paths))
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
            Origin::File { path, .. } => path,
            other => panic!("{other:?}"),
        };
        files.into_iter().map(path).collect()
    }

    #[test]
    fn a_pattern_is_its_files_and_anything_else_is_itself() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["b.npy", "a.npy", "c.txt", "d[1].npy"] {
            std::fs::write(path(name), "x").expect("write");
        }
        std::fs::create_dir(path("deeper")).expect("folder");
        let expanded = |name: &str| expand(path(name).as_os_str(), None);
        let names = |name: &str| paths(expanded(name).expect("found").expect("several"));
        assert_eq!(names("[ab].npy"), ["a.npy", "b.npy"].map(path));
        // One whose own name reads like a pattern.
        assert_eq!(expanded("d[1].npy"), Ok(None));
        for one in ["a.npy", "deeper", ""] {
            assert_eq!(expanded(one), Ok(None), "{one}");
        }
        for wrong in ["no*", "a[.npy"] {
            assert!(matches!(expanded(wrong), Err(Error::Usage(_))), "{wrong}");
        }
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
    }
}
