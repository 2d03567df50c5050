//! What can be typed to look at what broke, and to go on with it.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  arraylift resume
      what lies half received in this folder, and what was sent from here and did not arrive whole
  arraylift resume --in incoming/
  arraylift resume 4711
      sends number 4711 of the list again, as it was typed: what has arrived of it does not move again
  arraylift resume --in incoming/ --discard
      removes what lies half received there, and is not being received";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResumeArguments {
    /// The number of a transfer that broke, as it is listed: does the same again
    #[arg(value_name = "NUMBER", conflicts_with_all = ["folder", "discard", "json"])]
    pub id: Option<u64>,
    /// The folder that was received into; those below it are looked through, too
    #[arg(long = "in", value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Removes what lies half received there; not what is being received, and of a part of an existing file only its log
    #[arg(long, conflicts_with = "json")]
    pub discard: bool,
    /// Prints one JSON object for each
    #[arg(long)]
    pub json: bool,
}
