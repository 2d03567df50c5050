//! What the program does when it is started: it opens the window, or runs a command.

use std::env;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{self, ExitCode};

use crate::Error;
use crate::cli::{self, Command, Failure, WindowArguments};
use crate::compare::end_with_comparison;

/// Runs what was asked for on the command line; without a command it opens the window.
#[must_use]
pub fn main() -> ExitCode {
    if !end_with_comparison() {
        return ExitCode::FAILURE;
    }
    let ended = match cli::parse() {
        Ok((None, typed)) => open(typed),
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
        Ok((Some(Command::Resume(typed)), _)) => cli::resume::run(&typed),
        Ok((Some(Command::History(typed)), _)) => cli::history::run(&typed),
        Ok((Some(Command::Pages(typed)), _)) => cli::pages::run(&typed),
        Err(told) => return told,
    };
    ended
        .and_then(|()| cli::output::end())
        .map_or_else(|failure| cli::exit(&failure), |()| ExitCode::SUCCESS)
}

/// The window where there is a display for it, else the transfer that the window opens with.
fn open(typed: WindowArguments) -> Result<(), Failure> {
    if hides_good_display() {
        return Err(open_without_wayland());
    }
    let shown = if has_display() {
        open_window(&typed)
    } else {
        Err("there is no display".into())
    };
    shown.or_else(|reason| cli::loopback::run_default(&reason, typed))
}

fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether nobody listens where `WAYLAND_DISPLAY` leads, as in a shell that has outlived its desktop, and `DISPLAY`
/// leads somewhere else.
fn hides_good_display() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let (Some(name), Some(_)) = (set("WAYLAND_DISPLAY"), set("DISPLAY")) else {
        return false;
    };
    // A socket that was inherited needs no name.
    if set("WAYLAND_SOCKET").is_some() {
        return false;
    }
    let folder = set("XDG_RUNTIME_DIR").map(PathBuf::from).unwrap_or_default();
    UnixStream::connect(folder.join(name)).is_err()
}

/// Begins anew without `WAYLAND_DISPLAY`: whatever opens windows, dialogs and clipboards reads it. Returns only where
/// that fails.
fn open_without_wayland() -> Failure {
    let failed = |error: std::io::Error| Failure::from(Error::system("cannot open the window by DISPLAY", &error));
    match env::current_exe() {
        Ok(program) => failed(
            process::Command::new(program)
                .args(env::args_os().skip(1))
                .env_remove("WAYLAND_DISPLAY")
                .exec(),
        ),
        Err(error) => failed(error),
    }
}

/// Returns when the window was closed, or says why there is none.
#[cfg(feature = "app")]
fn open_window(typed: &WindowArguments) -> Result<(), String> {
    // What the window system says is for its developers: sources and lines.
    let options = crate::app::AppOptions {
        path: typed.path.clone(),
        no_history: typed.keep.no_history,
        minimized: typed.minimized,
        language: typed.lang,
    };
    crate::app::run(options).map_err(|_| "this display opens no window".into())
}

#[cfg(not(feature = "app"))]
fn open_window(_typed: &WindowArguments) -> Result<(), String> {
    Err("this build has no window".into())
}
