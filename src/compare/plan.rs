//! The plan of a comparison.

use std::path::PathBuf;

use crate::transfer::SourceSpec;

/// What to compare and how.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// The source that is moved.
    pub source: SourceSpec,
    /// The `arraylift` program that the children run; in `arraylift` itself, [`std::env::current_exe`].
    pub program: PathBuf,
    /// A folder for the contestants that write a file. Without one it is the folder of a source that is a file.
    pub into: Option<PathBuf>,
    /// Rounds that count, at least 1. One round to warm up is added.
    pub rounds: u32,
    /// Whether time is measured against size, too.
    pub sizes: bool,
}
