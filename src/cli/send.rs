//! `arraylift send SOURCE... ENDPOINT`: connects to a receiver and sends, several sources by a bounded pool.

use arraylift::Error;
use arraylift::queue::{JobEnd, Queue};
use arraylift::transfer::{Endpoint, Job, Options, Side};

use super::arguments::SendArguments;
use super::follow::{Happening, Running, end, next, run as run_one};
use super::plan::{Named, Send, Single, Sources};
use super::report::Report;
use super::signals::Signals;
use super::{Failure, plan};

pub fn run(typed: &SendArguments) -> Result<(), Failure> {
    let plan = plan::send(typed)?;
    let mut report = Report::new(plan.json, Side::Sender);
    let signals = Signals::new(1)?;
    report.open_control(&format!("send to {}", plan.to));
    match plan {
        Send {
            sources: Sources::One(source),
            to,
            options,
            json,
            ..
        } => {
            let job = Job::Send { source: *source, to };
            run_one(Single { job, options, json }, &signals, &mut report).map(drop)
        }
        Send {
            sources: Sources::Many(sources),
            at_once,
            to,
            options,
            ..
        } => send_many(Queue::new(sources, at_once), &to, &options, &signals, &mut report),
    }
}

/// Sends each source over a connection of its own. One that fails says so and concerns no other.
fn send_many(
    mut queue: Queue<Named>,
    to: &Endpoint,
    options: &Options,
    signals: &Signals,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut running: Vec<Running> = Vec::new();
    // Beside `running`, in the same order.
    let mut names: Vec<String> = Vec::new();
    let mut was_asked = false;
    let asked = report.asked();
    loop {
        while let Some(Named { name, source }) = queue.start_next() {
            let to = to.clone();
            match Running::start(Job::Send { source, to }, options.clone()) {
                Ok(one) => {
                    report.job(one.transfer.id(), &name);
                    running.push(one);
                    names.push(name);
                }
                Err(error) => {
                    queue.ended(JobEnd::Failed);
                    report.failure(&of(name, error.into()));
                }
            }
        }
        if running.is_empty() {
            break;
        }
        match next(&running, signals, &asked) {
            Happening::Nothing => {}
            Happening::Drain => queue.withdraw_waiting(),
            Happening::Asked => {
                was_asked = true;
                queue.withdraw_waiting();
                for one in &running {
                    one.transfer.cancel();
                }
            }
            Happening::Told(_, event) => report.event(&event),
            Happening::Ended(index) => {
                let (transfer, name) = (running.remove(index).transfer, names.remove(index));
                match end(transfer, report) {
                    Ok(_) => queue.ended(JobEnd::Done),
                    Err(Failure::Cancelled) => queue.ended(JobEnd::Cancelled),
                    Err(failure) => {
                        queue.ended(JobEnd::Failed);
                        if is_unreachable(&failure) {
                            // The others would fare no better.
                            queue.withdraw_waiting();
                        }
                        report.failure(&of(name, failure));
                    }
                }
            }
        }
    }
    let counts = queue.counts();
    report.jobs(&counts);
    if was_asked {
        Err(Failure::Cancelled)
    } else if counts.failed + counts.withdrawn > 0 {
        let missing = counts.failed + counts.withdrawn;
        let all = missing + counts.done + counts.cancelled;
        Err(Failure::Incomplete(format!("{missing} of {all} were not sent")))
    } else {
        Ok(())
    }
}

fn is_unreachable(failure: &Failure) -> bool {
    let (Failure::Transfer(error) | Failure::Peer { error, .. }) = failure else {
        return false;
    };
    matches!(error, Error::NobodyListening(_) | Error::Endpoint { .. })
}

fn of(name: String, failure: Failure) -> Failure {
    Failure::Of {
        name,
        failure: Box::new(failure),
    }
}
