//! Standard output and standard error, each written by a thread of its own. Who has something to say goes on at once:
//! nobody has to read it for a transfer to go on, a signal to be heard or the process to end.

pub(super) mod backlog;
mod bars;
mod printer;
mod screen;

use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use crate::Error;
use crate::line_queue::json_line;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

pub(super) use bars::{BarChange, BarId, Look};

use super::{Failure, printable};
use printer::Printer;
use screen::Said;

/// Why something could not be written, the first time.
static LOST: OnceLock<String> = OnceLock::new();
static STANDARD_OUTPUT: OnceLock<Printer> = OnceLock::new();
static STANDARD_ERROR: OnceLock<Printer> = OnceLock::new();

/// Writes an object as a line of JSON on standard output.
pub(super) fn line(object: &impl Serialize) {
    write(object, false);
}

/// Writes an event of a transfer or a service. A sample is the first to be left out where nobody reads: the next one
/// tells as much.
pub(super) fn event(event: &impl Serialize, is_sample: bool) {
    write(event, is_sample);
}

/// Writes lines for people on standard output.
pub(super) fn text(lines: String) {
    standard_output().push(Said::Text(lines), false);
}

/// Changes a bar on standard error, where that is a terminal.
pub(super) fn bar(bar: BarId, change: BarChange) {
    if has_bars() {
        let is_sample = change.is_sample();
        standard_error().push(Said::Bar(bar, change), is_sample);
    }
}

/// Whether bars are seen.
pub(super) fn has_bars() -> bool {
    static IS_TERMINAL: OnceLock<bool> = OnceLock::new();
    *IS_TERMINAL.get_or_init(|| io::stderr().is_terminal())
}

/// Writes one line on standard error.
pub(super) fn complain(message: &dyn Display) {
    let line = format!("arraylift: {}\n", printable(&message.to_string()));
    standard_error().push(Said::Complaint(line), false);
}

/// Whether more objects follow at once, so that they are written together.
pub(super) fn hold(holds: bool) {
    standard_output().hold(holds);
}

/// Waits until what was said is written, but not for a reader who takes nothing: so that little of much has to wait.
pub(super) fn flush() {
    // What is not written yet is waited for again at the end.
    let _ = standard_output().finish();
}

/// Waits until all is written, a few seconds at most.
pub(super) fn finish() {
    if !STANDARD_OUTPUT.get().is_none_or(Printer::finish) {
        lose("nobody reads it".into());
    }
    if let Some(printer) = STANDARD_ERROR.get() {
        // Who does not read it cannot be told that either.
        let _ = printer.finish();
    }
}

/// Waits for the last lines. Fails where someone may miss what could not be written: it is not for want of a reader.
pub(crate) fn end() -> Result<(), Failure> {
    finish();
    LOST.get().map_or(Ok(()), |reason| {
        Err(Failure::Transfer(Error::System {
            doing: "cannot write to standard output, what was to be done is done",
            reason: reason.as_str().into(),
        }))
    })
}

/// Whether standard output is a pipe whose reader has gone. `poll(2)`.
pub(super) fn is_abandoned() -> bool {
    let out = io::stdout();
    let mut descriptors = [PollFd::new(&out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut descriptors, Some(&now)).is_ok() && descriptors[0].revents().contains(PollFlags::ERR)
}

/// What was to be written to standard output is lost.
fn lose(reason: String) {
    // The first reason is told.
    let _ = LOST.set(reason);
}

fn write(object: &impl Serialize, is_sample: bool) {
    match json_line(object) {
        Ok(line) => standard_output().push(Said::Object(line), is_sample),
        Err(error) => complain(&Error::Bug(format!("an event has no form in JSON: {error}"))),
    }
}

/// Who writes standard output. Where both are a terminal one thread writes both, as the bars have to make room.
fn standard_output() -> &'static Printer {
    static IS_TERMINAL: OnceLock<bool> = OnceLock::new();
    if *IS_TERMINAL.get_or_init(|| has_bars() && io::stdout().is_terminal()) {
        return standard_error();
    }
    STANDARD_OUTPUT.get_or_init(|| Printer::new("arraylift-out"))
}

fn standard_error() -> &'static Printer {
    STANDARD_ERROR.get_or_init(|| Printer::new("arraylift-err"))
}
