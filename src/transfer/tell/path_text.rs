//! Paths as JSON text. A path is bytes: what of it is no UTF-8 is told as U+FFFD, so that whatever happens can be told.

use std::path::{Path, PathBuf};

use serde::Serializer;

/// For `#[serde(serialize_with = "..")]`.
pub(crate) fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// The same of a path that may be missing.
#[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
pub(crate) fn optional<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(known) => self::path(known, serializer),
        None => serializer.serialize_none(),
    }
}
