//! `arraylift loopback SOURCE`: both ends on this machine.

use crate::transfer::Side;

use super::arguments::{LoopbackArguments, WindowArguments};
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
pub(crate) fn run_default(reason: &str, typed: WindowArguments) -> Result<(), Failure> {
    let WindowArguments { path, keep } = typed;
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
