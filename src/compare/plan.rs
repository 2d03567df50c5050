//! What is asked for.

use std::path::PathBuf;

use crate::transfer::SourceSpec;

/// What to compare, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is moved.
    pub source: SourceSpec,
    /// The `arraylift` program that the children run: in that program, [`std::env::current_exe`].
    pub program: PathBuf,
    /// A folder for the contestants that write a file; where there is none, that of a source that is a file.
    pub into: Option<PathBuf>,
    /// Rounds that count, beside one to warm up; at least 1.
    pub rounds: u32,
    /// Whether time is measured against size, too.
    pub sizes: bool,
}
