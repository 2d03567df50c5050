//! `arraylift receive ENDPOINT`: takes senders, one or many at once.

use crate::service::{Service, check_spare_descriptors};
use crate::transfer::{Command, Incoming, Job, Listener, Side, SinkSpec};
use crossbeam_channel::bounded;

use super::arguments::ReceiveArguments;
use super::follow;
use super::follow_service::{EVENTS, follow, tell_what_lies_there, whole};
use super::plan::{ReceivePlan, TransferPlan};
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

/// What a signal asks for.
const ASKS: &[Command] = &[Command::Stop];

pub(crate) fn run(typed: &ReceiveArguments) -> Result<(), Failure> {
    let plan = plan::receive(typed)?;
    plan.sink.check()?;
    // A name may take long to be looked up: until then a signal ends the program.
    let listener = Listener::bind_with_buffers(&plan.at, plan.options.socket_buffer_bytes)?;
    // Before anyone learns the address, and may go on to send a signal.
    let signals = Signals::new(ASKS.len())?;
    if !plan.once {
        check_spare_descriptors()?;
    }
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("receive", typed.keep);
    if plan.once {
        receive_one(plan, listener, &signals, &mut report)
    } else {
        receive_all(plan, listener, &signals, &mut report)
    }
}

fn receive_one(plan: ReceivePlan, listener: Listener, signals: &Signals, report: &mut Report) -> Result<(), Failure> {
    let ReceivePlan {
        sink,
        expect,
        options,
        json,
        ..
    } = plan;
    tell_listening(&listener, &sink, report);
    let from = Incoming::Listener(listener);
    let job = Job::Receive { from, sink, expect };
    follow::run(TransferPlan { job, options, json }, signals, report)?;
    Ok(())
}

/// Takes senders until a signal comes. A transfer that fails says so and concerns no other.
fn receive_all(plan: ReceivePlan, listener: Listener, signals: &Signals, report: &mut Report) -> Result<(), Failure> {
    let (tell, told) = bounded(EVENTS);
    let sink = plan.sink.clone();
    let service = Service::transfers(listener.clone(), plan.sink, plan.expect, plan.options, tell)?;
    // Not before somebody takes who comes.
    tell_listening(&listener, &sink, report);
    drop(listener);
    follow(&service, &told, signals, ASKS, report);
    whole(&service.join()?)
}

fn tell_listening(listener: &Listener, sink: &SinkSpec, report: &mut Report) {
    report.open_control(&format!("receive {}", listener.address()));
    report.listening(listener.address());
    tell_what_lies_there(sink, None, report);
}
