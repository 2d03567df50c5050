//! What can be typed for folders that are sent.

use clap::Args;

/// What stands above these options in the help.
const FOLDERS: &str = "Folders";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(crate) struct TreeArguments {
    /// Leaves out what this glob matches, as in a .gitignore; may be given several times
    #[arg(long, help_heading = FOLDERS, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// Sends only files that match one of these globs
    #[arg(long, help_heading = FOLDERS, value_name = "GLOB")]
    pub include: Vec<String>,
    /// Obeys the .gitignore and .ignore files in the folders
    #[arg(long, help_heading = FOLDERS)]
    pub ignore_files: bool,
    /// Leaves folders empty in which another file system begins
    #[arg(long, help_heading = FOLDERS)]
    pub one_file_system: bool,
    /// Has files at the receiver replaced that differ and are not newer, where it allows that (--allow-replace)
    #[arg(long, help_heading = FOLDERS, conflicts_with = "replace")]
    pub update: bool,
    /// Has files at the receiver replaced that differ, where it allows that (--allow-replace)
    #[arg(long, help_heading = FOLDERS)]
    pub replace: bool,
    /// Tells by their content which files are there already, and not by length and time
    #[arg(long, help_heading = FOLDERS)]
    pub by_content: bool,
}

impl TreeArguments {
    /// Whether anything was typed that makes sense for folders alone.
    pub(crate) fn is_typed(&self) -> bool {
        !self.exclude.is_empty()
            || !self.include.is_empty()
            || self.ignore_files
            || self.one_file_system
            || self.update
            || self.replace
            || self.by_content
    }
}
