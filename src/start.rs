//! What the program does when it is started: it opens the window, or runs a command.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{self, Command, Failure};

/// Runs what was asked for on the command line; without a command it opens the window.
#[must_use]
pub fn main() -> ExitCode {
    let ended = match cli::parse() {
        Ok((None, path)) => open(path),
        Ok((Some(Command::Loopback(typed)), _)) => cli::loopback::run(&typed),
        Ok((Some(Command::Send(typed)), _)) => cli::send::run(&typed),
        Ok((Some(Command::Receive(typed)), _)) => cli::receive::run(&typed),
        Ok((Some(Command::Fetch(typed)), _)) => cli::fetch::run(&typed),
        Ok((Some(Command::Serve(typed)), _)) => cli::serve::run(&typed),
        Ok((Some(Command::Worker(typed)), _)) => cli::worker::run(&typed),
        Ok((Some(Command::Status(typed)), _)) => cli::status::run(&typed),
        Ok((Some(Command::Attach(typed)), _)) => cli::attach::run(&typed),
        Ok((Some(Command::Ping(typed)), _)) => cli::ping::run(&typed),
        Ok((Some(Command::Compare(typed)), _)) => cli::compare::run(&typed),
        Err(told) => return told,
    };
    ended
        .and_then(|()| cli::output::end())
        .map_or_else(|failure| cli::exit(&failure), |()| ExitCode::SUCCESS)
}

/// The window where there is a display for it, else the transfer that the window opens with.
fn open(path: Option<PathBuf>) -> Result<(), Failure> {
    let shown = if has_display() {
        open_window(path.clone())
    } else {
        Err("there is no display".into())
    };
    shown.or_else(|reason| cli::loopback::run_default(&reason, path))
}

fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Returns when the window was closed, or says why there is none.
#[cfg(feature = "app")]
fn open_window(path: Option<PathBuf>) -> Result<(), String> {
    // What the window system says is for its developers: sources and lines.
    crate::app::run(crate::app::AppOptions { path }).map_err(|_| "this display opens no window".into())
}

#[cfg(not(feature = "app"))]
fn open_window(_path: Option<PathBuf>) -> Result<(), String> {
    Err("this build has no window".into())
}
