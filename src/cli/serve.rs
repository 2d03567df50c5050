//! `arraylift serve ENDPOINT`: a receiver that stays up and takes thousands of senders at once.

use crate::service::{Leftover, Service, leftovers};
use crate::transfer::{Listener, Side, SinkSpec};
use crossbeam_channel::bounded;

use super::arguments::ServeArguments;
use super::follow_service::{DRAIN_THEN_STOP, EVENTS, follow};
use super::plan::ServicePlan;
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &ServeArguments) -> Result<(), Failure> {
    let plan = plan::serve(typed)?;
    let left = match &plan.service {
        ServicePlan::Arrays(service) => {
            service.sink.check()?;
            left_in(&service.sink)
        }
        ServicePlan::Echo { .. } | ServicePlan::Recipe { .. } => Vec::new(),
    };
    let (is_echo, is_recipe) = (
        matches!(plan.service, ServicePlan::Echo { .. }),
        matches!(plan.service, ServicePlan::Recipe { .. }),
    );
    // A name may take long to be looked up: until then a signal ends the program.
    let listener = Listener::bind_with_buffers(&plan.at, plan.socket_buffer_bytes)?;
    // Before anyone learns the address, and may go on to send a signal.
    let signals = Signals::new(DRAIN_THEN_STOP.len())?;
    let address = listener.address().to_owned();
    let (tell, told) = bounded(EVENTS);
    let service = match plan.service {
        ServicePlan::Arrays(service) => Service::start(listener, *service, tell)?,
        ServicePlan::Echo { limits, timeout } => Service::echo(listener, &limits, timeout, tell)?,
        ServicePlan::Recipe { at, key, options } => Service::recipe(listener, &at, key, &options, tell)?,
    };
    let mut report = Report::new(plan.json, Side::Receiver);
    report.open_control(&format!("serve {address}"));
    report.listening(&address);
    for leftover in &left {
        report.leftover(leftover);
    }
    follow(&service, &told, &signals, DRAIN_THEN_STOP, &mut report);
    let status = service.join()?;
    if is_echo {
        report.ended_echo(&status);
    } else if is_recipe {
        report.ended_recipe(&status);
    } else {
        report.ended_service(&status);
    }
    if status.cut_off > 0 {
        Err(Failure::Cancelled)
    } else {
        Ok(())
    }
}

/// What earlier services left behind, half received.
fn left_in(sink: &SinkSpec) -> Vec<Leftover> {
    match sink {
        SinkSpec::Folder(folder) => leftovers(folder),
        _ => Vec::new(),
    }
}
