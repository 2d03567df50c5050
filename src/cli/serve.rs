//! `arraylift serve ENDPOINT`: a receiver that stays up and takes thousands of senders at once.

use crate::service::Service;
use crate::transfer::{Listener, Side};
use crossbeam_channel::bounded;

use super::arguments::ServeArguments;
use super::follow_service::{DRAIN_THEN_STOP, EVENTS, follow, tell_what_lies_there, whole};
use super::plan::ServicePlan;
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &ServeArguments) -> Result<(), Failure> {
    let plan = plan::serve(typed)?;
    let place = match &plan.service {
        ServicePlan::Arrays(service) => {
            service.sink.check()?;
            Some((service.sink.clone(), service.limits.keep_free))
        }
        ServicePlan::Echo { .. } | ServicePlan::Recipe { .. } => None,
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
        ServicePlan::Echo { limits, options } => Service::echo(listener, &limits, &options, tell)?,
        ServicePlan::Recipe { at, key, options } => Service::recipe(listener, &at, key, &options, tell)?,
    };
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("serve", typed.keep);
    report.open_control(&format!("serve {address}"));
    report.listening(&address);
    if let Some((sink, keep_free)) = place {
        tell_what_lies_there(&sink, Some(keep_free), &mut report);
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
    whole(&status)
}
