//! `arraylift receive ENDPOINT`: takes senders, one or many at once.
//!
//! Unlike a service, each transfer has threads of its own, and tells that it listens before a sender has connected. So
//! nothing here is a guest of the service's front: what both share is the listener.

use crate::Error;
use crate::transfer::{Event, EventKind, Incoming, Job, Listener, Side, State};

use super::arguments::ReceiveArguments;
use super::follow::{Occurrence, Running, end, next, run as run_one};
use super::plan::{ReceivePlan, TransferPlan};
use super::report::Report;
use super::signals::Signals;
use super::{Failure, plan};

/// Transfers at once, the one that waits for a sender included; further senders wait to be accepted.
const AT_ONCE: usize = 16;

pub(crate) fn run(typed: &ReceiveArguments) -> Result<(), Failure> {
    let plan = plan::receive(typed)?;
    plan.sink.check()?;
    // Before anyone learns the address, and may go on to send a signal.
    let signals = Signals::new(1)?;
    let listener = Listener::bind_with_buffers(&plan.at, plan.options.socket_buffer_bytes)?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.open_control(&format!("receive {}", listener.address()));
    report.listening(listener.address());
    if plan.once {
        let (job, options, json) = (plan.job(listener), plan.options, plan.json);
        if run_one(TransferPlan { job, options, json }, &signals, &mut report)?.is_none() {
            let text = "the connection joins a transfer that is not here, and nothing was received";
            return Err(Error::BadOffer(text.into()).into());
        }
        Ok(())
    } else {
        serve(&plan, &listener, &signals, &mut report)
    }
}

/// Takes senders until a signal comes. A transfer that fails says so and concerns no other.
fn serve(plan: &ReceivePlan, listener: &Listener, signals: &Signals, report: &mut Report) -> Result<(), Failure> {
    let mut running: Vec<Running> = Vec::new();
    // The last of `running` has no sender yet.
    let mut waiting = false;
    // Whether further senders are taken.
    let mut open = true;
    let mut result = Ok(());
    // Nothing is left to take a sender with, until a transfer ends.
    let mut exhausted = false;
    let commands = report.commands();
    loop {
        if open && !waiting && !exhausted && running.len() < AT_ONCE {
            match start(plan, listener) {
                Ok(one) => {
                    running.push(one);
                    waiting = true;
                }
                // No descriptor or thread is left: one that ends gives its own back.
                Err(_) if !running.is_empty() => exhausted = true,
                Err(error) => return Err(error.into()),
            }
        }
        if running.is_empty() {
            return result;
        }
        match next(&running, signals, &commands) {
            Occurrence::Nothing => {}
            Occurrence::Drain => {
                open = false;
                if let Some(one) = running.last().filter(|_| waiting) {
                    one.transfer.cancel();
                }
            }
            Occurrence::Stop => {
                open = false;
                for one in &running {
                    one.transfer.cancel();
                }
            }
            Occurrence::Event(index, event) => {
                report.event(&event);
                if waiting && index + 1 == running.len() && has_met(&event) {
                    waiting = false;
                }
            }
            Occurrence::Ended(index) => {
                let never_met = waiting && index + 1 == running.len();
                waiting &= !never_met;
                exhausted = false;
                match end(running.remove(index).transfer, report) {
                    // Nobody was cut off.
                    Ok(_) | Err(Failure::Cancelled) if never_met => open = false,
                    Ok(_) => {}
                    Err(_) if never_met && !running.is_empty() => exhausted = true,
                    // Not a sender's fault: the next one would fare no better.
                    Err(failure) if never_met => (open, result) = (false, Err(failure)),
                    Err(Failure::Cancelled) => result = Err(Failure::Cancelled),
                    Err(failure) => report.failure(&failure),
                }
            }
        }
    }
}

fn start(plan: &ReceivePlan, listener: &Listener) -> Result<Running, Error> {
    Running::start(plan.job(listener.clone()), plan.options.clone())
}

/// Whether a transfer that waited has a sender now.
fn has_met(event: &Event) -> bool {
    match event.kind {
        EventKind::State { state } => state != State::Listening,
        EventKind::Failed(_) | EventKind::Cancelled { .. } => false,
        _ => true,
    }
}

impl ReceivePlan {
    fn job(&self, listener: Listener) -> Job {
        Job::Receive {
            from: Incoming::Listener(listener),
            sink: self.sink.clone(),
            expect: self.expect.clone(),
        }
    }
}
