//! A line that says what came of something, for a while.

use crate::app::words::say;
use std::path::{Path, PathBuf};

/// It stands for so long.
const STANDS_S: f64 = 12.0;

/// The line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Notice {
    /// What happened.
    pub text: String,
    /// What was saved, if anything was.
    path: Option<PathBuf>,
    at_s: f64,
}

impl Notice {
    /// Something was saved there, at `now_s` on the window's clock.
    #[must_use]
    pub(crate) fn saved(path: PathBuf, now_s: f64) -> Self {
        Self {
            text: say!("notice-saved", path = path.display().to_string()),
            path: Some(path),
            at_s: now_s,
        }
    }

    /// Something did not work.
    #[must_use]
    pub(crate) fn failure(text: String, now_s: f64) -> Self {
        Self {
            text,
            path: None,
            at_s: now_s,
        }
    }

    /// The folder of what was saved.
    #[must_use]
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }

    /// For how long it still stands, in seconds.
    #[must_use]
    pub(crate) fn left_s(&self, now_s: f64) -> f64 {
        self.at_s + STANDS_S - now_s
    }
}
