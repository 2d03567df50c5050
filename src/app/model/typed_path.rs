//! What a path means that someone typed: a file, a folder, several files, or shared memory as `shm:NAME`.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::transfer::{Origin, ShmName, SinkSpec, expand};

/// The path of a file as it is typed, with `~` for the home folder.
#[must_use]
pub(crate) fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

/// What is sent: shared memory, a file, or the files of a folder or a pattern.
///
/// # Errors
/// The name of shared memory is malformed, or the folder or pattern names no file.
pub(crate) fn typed_origins(text: &str) -> Result<Vec<Origin>, Error> {
    if let Some(name) = ShmName::parse(text.trim()) {
        let name = name?;
        return Ok(vec![Origin::Shm { name, dtype: None }]);
    }
    let path = typed_path(text);
    let files = expand(path.as_os_str())?.unwrap_or_else(|| vec![path]);
    let file = |path| Origin::File { path, dtype: None };
    Ok(files.into_iter().map(file).collect())
}

/// What is made new: a file, or shared memory.
///
/// # Errors
/// The name of shared memory is malformed.
pub(crate) fn typed_new_sink(text: &str) -> Result<SinkSpec, Error> {
    Ok(match ShmName::parse(text.trim()) {
        Some(name) => SinkSpec::Shm(name?),
        None => SinkSpec::File(typed_path(text)),
    })
}
