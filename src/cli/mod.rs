//! The terminal. What was typed (`arguments`) becomes a validated plan (`plan`) before anything runs; one file a command.

mod arguments;
pub(crate) mod attach;
mod batch;
pub(crate) mod compare;
mod comparison_tables;
pub(crate) mod fetch;
mod follow;
mod follow_service;
pub(crate) mod history;
mod history_tables;
mod how_far;
mod json;
mod lines;
pub(crate) mod loopback;
mod moment;
pub(crate) mod output;
pub(crate) mod pages;
pub(crate) mod ping;
mod ping_table;
mod plan;
pub(crate) mod receive;
mod repeated;
mod report;
pub(crate) mod resume;
pub(crate) mod send;
pub(crate) mod serve;
mod source;
pub(crate) mod status;
mod terminal;
pub(crate) mod worker;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};

pub(crate) use arguments::{Command, WindowArguments};

/// The commands, for who typed none of them.
const COMMANDS: &str =
    "loopback, send, receive, fetch, serve, worker, status, attach, ping, compare, resume, history or pages";

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The transfer failed, or could not start.
    #[error(transparent)]
    Transfer(Error),
    /// The transfer with this peer failed.
    #[error("{peer}: {error}")]
    Peer {
        /// Its address.
        peer: String,
        /// What happened.
        error: Error,
    },
    /// One of several.
    #[error("{name}: {failure}")]
    Of {
        /// What it is.
        name: String,
        /// What happened to it.
        failure: Box<Failure>,
    },
    /// It broke, and can be gone on with.
    #[error("{failure}; {how}")]
    Broke {
        /// What happened.
        failure: Box<Failure>,
        /// How far it came, and how it goes on.
        how: String,
    },
    /// Some of what was to be done was not.
    #[error("{0}")]
    Incomplete(String),
    /// A signal ended it: what had been done by then, where there is something to say.
    #[error("cancelled{}", .0.as_ref().map(|how_far| format!(": {how_far}")).unwrap_or_default())]
    Cancelled(Option<String>),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            // What the engine cannot name: the option that helps.
            Error::LengthNeeded(path) if path == Path::new("/dev/stdin") => {
                Self::Usage("standard input (-) does not tell its length: add --length BYTES, or name a file".into())
            }
            Error::LengthNeeded(path) => Self::Usage(format!(
                "{} does not tell its length: add --length BYTES, or copy it into a file first",
                path.display()
            )),
            error => Self::Transfer(error),
        }
    }
}

impl Failure {
    /// The same with how it goes on, where that is known.
    fn with(self, how: Option<String>) -> Self {
        match how {
            Some(how) => Self::Broke {
                failure: Box::new(self),
                how,
            },
            None => self,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Transfer(Error::Usage(_)) => ExitCode::from(2),
            Self::Transfer(_)
            | Self::Peer { .. }
            | Self::Of { .. }
            | Self::Broke { .. }
            | Self::Incomplete(_)
            | Self::Cancelled(_) => ExitCode::FAILURE,
        }
    }
}

/// What was typed: a command, or how the window opens. Help and mistakes are printed here and give the exit code.
pub(crate) fn parse() -> Result<(Option<Command>, WindowArguments), ExitCode> {
    let typed = arguments::Arguments::try_parse().map_err(|error| {
        if error.use_stderr() {
            let typed = std::env::args_os().nth(1).unwrap_or_default();
            let typed = typed.to_string_lossy();
            exit(&Failure::Usage(match error.kind() {
                ErrorKind::ArgumentConflict | ErrorKind::UnknownArgument
                    if !is_command(&typed) && !typed.starts_with('-') =>
                {
                    format!("{typed} is no command: {COMMANDS} (--help tells more)")
                }
                ErrorKind::UnknownArgument => {
                    unknown_option(&typed, &error).unwrap_or_else(|| one_line(&error.render().to_string()))
                }
                _ => one_line(&error.render().to_string()),
            }))
        } else {
            // Help or the version; a reader who has gone needs neither.
            match error.print() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => exit(&Failure::Transfer(Error::system(
                    "cannot write to standard output",
                    &error,
                ))),
                _ => ExitCode::SUCCESS,
            }
        }
    })?;
    Ok((typed.command, typed.window))
}

/// Prints a failure, once and after everything else, and gives its exit code.
pub(crate) fn exit(failure: &Failure) -> ExitCode {
    output::finish();
    output::complain(failure);
    output::finish();
    failure.exit_code()
}

/// A text without what would move the cursor, ring the bell or hide: names of files and words of peers can be anything.
fn printable(text: &str) -> String {
    crate::text::shown(text)
}

fn is_command(word: &str) -> bool {
    arguments::Arguments::command()
        .get_subcommands()
        .any(|command| command.get_name() == word)
}

/// An option that the command does not have, and those that have it.
fn unknown_option(command: &str, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let name = typed.strip_prefix("--").filter(|_| is_command(command))?;
    let arguments = arguments::Arguments::command();
    let has = |command: &&clap::Command| command.get_arguments().any(|one| one.get_long() == Some(name));
    let others: Vec<&str> = arguments
        .get_subcommands()
        .filter(has)
        .map(clap::Command::get_name)
        .collect();
    let what = format!("{typed} is no option of {command}");
    (!others.is_empty()).then(|| format!("{what}, but of {} (--help tells more)", others.join(", ")))
}

/// What clap says in a paragraph, as one line without the usage that `--help` tells better.
fn one_line(rendered: &str) -> String {
    let said = rendered.split("\n\nUsage:").next().unwrap_or(rendered);
    let said = said.split("\n\nFor more information").next().unwrap_or(said);
    let said = said
        .strip_prefix("error: ")
        .unwrap_or(said)
        .replace("\n\n  tip: ", "; ");
    let words: Vec<&str> = said.split_whitespace().collect();
    format!("{} (--help tells more)", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_of_clap_becomes_one_line() {
        let rendered = "error: the following required arguments were not provided:\n  <SOURCE>\n\nUsage: arraylift send \
                        <SOURCE> <ENDPOINT>\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(rendered),
            "the following required arguments were not provided: <SOURCE> (--help tells more)"
        );
    }

    #[test]
    fn usage_is_2_and_everything_else_is_1() {
        assert_eq!(Failure::Usage("x".into()).exit_code(), ExitCode::from(2));
        assert_eq!(Failure::from(Error::Usage("x".into())).exit_code(), ExitCode::from(2));
        assert_eq!(Failure::from(Error::ResultMismatch).exit_code(), ExitCode::from(1));
        assert_eq!(Failure::Cancelled(None).exit_code(), ExitCode::from(1));
        assert_eq!(Failure::Cancelled(None).to_string(), "cancelled");
        let how_far = "a.npy, 3.2 of 80.0 MB had moved";
        assert_eq!(
            Failure::Cancelled(Some(how_far.into())).to_string(),
            format!("cancelled: {how_far}")
        );
    }
}
