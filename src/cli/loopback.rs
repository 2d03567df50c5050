//! `arraylift loopback SOURCE`: both ends on this machine.

use std::path::Path;

use crate::transfer::Side;

use super::arguments::{LoopbackArguments, WindowArguments};
use super::report::Report;
use super::{COMMANDS, Failure, follow, output, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &LoopbackArguments) -> Result<(), Failure> {
    let plan = plan::loopback(typed)?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("loopback", typed.keep);
    let repeated = follow::repeat(plan, typed.repeat, &Signals::new(1)?, &mut report)?;
    report.repeated(&repeated);
    Ok(())
}

/// What runs where the window was meant and cannot open, for `reason`.
pub(crate) fn run_default(reason: &str, typed: WindowArguments) -> Result<(), Failure> {
    let WindowArguments { path, keep, .. } = typed;
    if let Some(path) = path.as_ref().filter(|path| !path.exists() && is_word(path)) {
        let path = path.display();
        return Err(Failure::Incomplete(format!(
            "there is no file at {path}, and no command of that name: {COMMANDS} (--help tells more)"
        )));
    }
    let what = path
        .as_ref()
        .map_or_else(|| "range:0:50_000_000".into(), |path| path.display().to_string());
    output::complain(&format_args!(
        "{reason}: moving {what} to memory over loopback instead (--help tells what else there is)"
    ));
    let plan = plan::default_loopback(path)?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("loopback", keep);
    follow::run(plan, &Signals::new(1)?, &mut report).map(drop)
}

/// Whether it could be meant as a command.
fn is_word(path: &Path) -> bool {
    let is_letters = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
    path.to_str().is_some_and(is_letters)
}
