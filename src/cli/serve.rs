//! `arraylift serve ENDPOINT`: a receiver that stays up and takes thousands of senders at once.

use crate::service::{AnyEvent, Leftover, Service, leftovers};
use crate::transfer::{Listener, Side, SinkSpec};
use crossbeam_channel::{Receiver, bounded, select};

use super::arguments::ServeArguments;
use super::plan::ServicePlan;
use super::report::Report;
use super::signals::Signals;
use super::{Failure, plan};

/// Events that may wait to be printed.
pub(crate) const EVENTS: usize = 4096;

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
    // Before anyone learns the address, and may go on to send a signal: one to drain, and one to stop.
    let signals = Signals::new(2)?;
    let listener = Listener::bind_with_buffers(&plan.at, plan.socket_buffer_bytes)?;
    let address = listener.address().to_owned();
    let (tell, told) = bounded(EVENTS);
    let service = match plan.service {
        ServicePlan::Arrays(service) => Service::start(listener, *service, tell)?,
        ServicePlan::Echo { limits, timeout } => Service::echo(listener, &limits, timeout, tell)?,
        ServicePlan::Recipe { at, key, timeout } => Service::recipe(listener, &at, key, timeout, tell)?,
    };
    let mut report = Report::new(plan.json, Side::Receiver);
    report.open_control(&format!("serve {address}"));
    report.listening(&address);
    for leftover in &left {
        report.leftover(leftover);
    }
    follow(&service, &told, &signals, &mut report);
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

/// Tells what a service does until it has told everything, and passes commands on to it.
pub(crate) fn follow(service: &Service, told: &Receiver<AnyEvent>, signals: &Signals, report: &mut Report) {
    let commands = report.commands();
    let mut was_asked = false;
    loop {
        select! {
            recv(told) -> event => match event {
                Ok(event) => tell_all(event, told, report),
                // It has told everything.
                Err(_) => break,
            },
            recv(commands) -> command => {
                if let Ok(command) = command {
                    service.apply(command);
                }
            }
            recv(signals.asked()) -> _ => {
                if std::mem::replace(&mut was_asked, true) {
                    service.stop();
                } else {
                    service.drain();
                    report.draining();
                }
            }
        }
    }
}

/// What earlier services left behind, half received.
fn left_in(sink: &SinkSpec) -> Vec<Leftover> {
    match sink {
        SinkSpec::Folder(folder) => leftovers(folder),
        _ => Vec::new(),
    }
}

/// Tells an event, and those that wait behind it.
fn tell_all(first: AnyEvent, more: &Receiver<AnyEvent>, report: &mut Report) {
    report.hold(true);
    let mut next = Some(first);
    while let Some(event) = next {
        report.told(&event);
        next = more.try_recv().ok();
    }
    report.hold(false);
}
