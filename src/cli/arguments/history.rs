//! What can be typed to look at what was transferred, and to keep none of it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use crate::cli::moment::{Moment, parse_moment};
use crate::units::parse_count;

/// Whether a command's transfers are kept in the history.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct KeepArguments {
    #[arg(
        long,
        help = "Keeps nothing of it in the history, as ARRAYLIFT_HISTORY=off in the environment does for all commands"
    )]
    pub no_history: bool,
}

const EXAMPLES: &str = "\
Examples:
  arraylift history
      the last transfers of this user, whatever did them
  arraylift history --since 2d --search run_0
      what began in the last two days and has that in its command, a name, a place, its message or its checksum
  arraylift history show 4711
      everything that is known of one
  arraylift history compare 4711 4718
      two runs, and how much more the second one has in percent
  arraylift history forget --before 2026-11-01";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct HistoryArguments {
    #[command(subcommand)]
    pub action: Option<HistoryAction>,
    /// Only the latest so many [default: 20; all with --since]
    #[arg(long, value_name = "N", value_parser = parse_count)]
    pub last: Option<u64>,
    /// Only what began since then: 2d or 3h ago, 2026-11-01, or 2026-11-01T12:30 by the clock here
    #[arg(long, value_name = "TIME", value_parser = parse_moment)]
    pub since: Option<Moment>,
    /// Only what has this text in its command, names, places, message or checksum
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Prints one JSON object for each, the latest first
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryAction {
    /// Tells all that is known of one transfer
    Show(ShowArguments),
    /// Sets two transfers side by side
    Compare(ComparisonArguments),
    /// Forgets transfers, and writes over what was kept of them
    Forget(ForgetArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// Its number, as arraylift history tells it
    pub id: u64,
    /// Prints one JSON object, with the bytes over time of the ends that were here
    #[arg(long)]
    pub json: bool,
    /// Prints a table in Markdown
    #[arg(long, conflicts_with = "json")]
    pub md: bool,
    /// Writes a report as one file, which runs and loads nothing; no file is overwritten
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Writes the bytes over time of the ends that were here; no file is overwritten
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ComparisonArguments {
    /// The number of the first one
    pub first: u64,
    /// The number of the second one
    pub second: u64,
    /// Prints one JSON object with both, and how much more the second one has in percent
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("chosen").required(true).multiple(false))]
pub(crate) struct ForgetArguments {
    /// Their numbers, as arraylift history tells them
    #[arg(value_name = "ID", group = "chosen")]
    pub ids: Vec<u64>,
    /// All that began before then: 30d ago, or 2026-11-01
    #[arg(long, value_name = "TIME", group = "chosen", value_parser = parse_moment)]
    pub before: Option<Moment>,
    /// All of them
    #[arg(long, group = "chosen")]
    pub all: bool,
}
