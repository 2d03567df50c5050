//! `arraylift loopback SOURCE`: both ends on this machine.

use std::path::PathBuf;

use crate::transfer::Side;

use super::arguments::{KeepArguments, LoopbackArguments};
use super::report::Report;
use super::{Failure, follow, output, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &LoopbackArguments) -> Result<(), Failure> {
    let plan = plan::loopback(typed)?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("loopback", typed.keep);
    let finished = follow::repeat(plan, typed.repeat, &Signals::new(1)?, &mut report)?;
    report.repeated(&finished);
    Ok(())
}

/// What runs where the window was meant and cannot open, for `reason`.
pub(crate) fn run_default(reason: &str, path: Option<PathBuf>) -> Result<(), Failure> {
    let what = path
        .as_ref()
        .map_or_else(|| "range:0:50_000_000".into(), |path| path.display().to_string());
    output::complain(&format_args!(
        "{reason}: moving {what} to memory over loopback instead (--help tells what else there is)"
    ));
    let plan = plan::default_loopback(path)?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("loopback", KeepArguments::default());
    follow::run(plan, &Signals::new(1)?, &mut report).map(drop)
}
