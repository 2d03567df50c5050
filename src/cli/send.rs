//! `arraylift send SOURCE ENDPOINT`: connects to a receiver and sends.

use arraylift::transfer::Side;

use super::arguments::SendArguments;
use super::report::Report;
use super::signals::Signals;
use super::{Failure, follow, plan};

pub fn run(typed: &SendArguments) -> Result<(), Failure> {
    let plan = plan::send(typed)?;
    let mut report = Report::new(plan.json, Side::Sender);
    follow::run(plan, &Signals::new()?, &mut report).map(drop)
}
