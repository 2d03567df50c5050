//! Names of POSIX shared memory: `shm:NAME`, which `SharedMemory(NAME)` of Python opens.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Where Linux keeps it. `shm_open(3)`.
const FOLDER: &str = "/dev/shm";
/// As of any file name.
const NAME_BYTES_MAX: usize = 255;

/// The name of a POSIX shared memory object, which is a file directly in `/dev/shm`. Shown as `shm:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShmName(String);

impl ShmName {
    /// Checks a name: 1 to 255 bytes without a slash, so that it never leaves the folder.
    ///
    /// # Errors
    /// [`Error::Usage`] says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, Error> {
        let wrong = match name {
            "" => "a name of shared memory has at least one character",
            "." | ".." => "that is a folder and no shared memory",
            _ if name.contains('/') => "a name of shared memory has no slash, not even at its beginning",
            _ if name.contains('\0') => "a name of shared memory has no zero byte",
            _ if name.len() > NAME_BYTES_MAX => "a name of shared memory has at most 255 bytes",
            _ => return Ok(Self(name.into())),
        };
        Err(Error::Usage(format!("shm:{name}: {wrong}")))
    }

    /// The name in `shm:NAME`; nothing where the text is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, Error>> {
        text.strip_prefix("shm:").map(Self::new)
    }

    /// The name alone.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file that it is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Self::folder().join(&self.0)
    }

    /// The folder that all of them are in.
    pub(super) fn folder() -> &'static Path {
        Path::new(FOLDER)
    }
}

impl fmt::Display for ShmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shm:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leaves_the_folder() {
        for wrong in ["", ".", "..", "/a", "a/b", "../a", "a\0", &"x".repeat(256)] {
            let error = ShmName::new(wrong).expect_err(wrong);
            assert!(
                matches!(&error, Error::Usage(text) if text.starts_with("shm:")),
                "{error}"
            );
        }
        for right in ["psm_1a2b", "...", ".hidden", "a b.npy", &"x".repeat(255)] {
            let name = ShmName::new(right).expect(right);
            assert_eq!(name.path().parent(), Some(Path::new("/dev/shm")));
        }
    }

    #[test]
    fn what_begins_with_shm_is_a_name_and_nothing_else_is() {
        assert_eq!(
            ShmName::parse("shm:a").map(|name| name.map(|name| name.to_string())),
            Some(Ok("shm:a".into()))
        );
        assert!(ShmName::parse("shm:").is_some_and(|name| name.is_err()));
        for path in ["shm", "./shm:a", "/dev/shm/a"] {
            assert_eq!(ShmName::parse(path), None);
        }
    }
}
