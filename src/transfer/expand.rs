//! Several files by one name: a folder, or a pattern.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};

/// The files in a folder, or those that a pattern names where the shell has not replaced it, by their names; nothing
/// where `text` is one source by itself.
///
/// # Errors
/// There are none, or they cannot be found out.
pub fn expand(text: &OsStr) -> Result<Option<Vec<PathBuf>>, Error> {
    let path = Path::new(text);
    if path.is_dir() {
        return files_in(path).map(Some);
    }
    let is_pattern = |text: &&str| text.contains(['*', '?', '[']);
    let Some(pattern) = text.to_str().filter(is_pattern).filter(|_| !path.exists()) else {
        return Ok(None);
    };
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
            files.push(found);
        }
    }
    if files.is_empty() {
        return Err(Error::Usage(format!("{pattern} names no file")));
    }
    Ok(Some(files))
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        // Links to files are sent, too; sockets and the like are not files.
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let text = format!(
            "{} has no files in it; the folders in it are sent by their own names",
            folder.display()
        );
        return Err(Error::Usage(text));
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::SourceUnreadable {
        path: path.into(),
        reason: reason(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_pattern_are_their_files_and_a_file_is_itself() {
        let folder = tempfile::tempdir().expect("folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["b.npy", "a.npy", "c.txt", "d[1].npy"] {
            std::fs::write(path(name), "x").expect("write");
        }
        std::fs::create_dir(path("deeper")).expect("folder");
        let expanded = |name: &str| expand(path(name).as_os_str());
        let names = |name: &str| expanded(name).expect("found").expect("several");
        assert_eq!(names(""), ["a.npy", "b.npy", "c.txt", "d[1].npy"].map(path));
        assert_eq!(names("[ab].npy"), ["a.npy", "b.npy"].map(path));
        // One whose own name reads like a pattern.
        assert_eq!(expanded("d[1].npy"), Ok(None));
        assert_eq!(expanded("a.npy"), Ok(None));
        for wrong in ["deeper", "no*", "a[.npy"] {
            assert!(matches!(expanded(wrong), Err(Error::Usage(_))), "{wrong}");
        }
    }
}
