//! Several jobs of one command: a bounded pool, each one's end told as it happens.

use crate::Error;
use crate::queue::{JobEnd, Queue};
use crate::transfer::{Job, Options};

use super::Failure;
use super::follow::{Happening, Running, end, next};
use super::report::Report;
use super::signals::Signals;

/// A job, and what it is called.
#[derive(Debug)]
pub struct Named {
    pub name: String,
    pub job: Job,
}

/// What they have in common.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// What those that end well are.
    pub done: &'static str,
    /// Where one finds nobody, none will.
    pub to_one_place: bool,
}

/// Does all of them. One that fails says so and concerns no other.
pub fn run(
    mut queue: Queue<Named>,
    manner: Manner,
    options: &Options,
    signals: &Signals,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut running: Vec<Running> = Vec::new();
    // Beside `running`, in the same order.
    let mut names: Vec<String> = Vec::new();
    let mut was_asked = false;
    let commands = report.commands();
    loop {
        while let Some(Named { name, job }) = queue.start_next() {
            match Running::start(job, options.clone()) {
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
        match next(&running, signals, &commands) {
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
                        if manner.to_one_place && is_unreachable(&failure) {
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
    report.jobs(&counts, manner.done);
    if was_asked {
        Err(Failure::Cancelled)
    } else if counts.failed + counts.withdrawn > 0 {
        let missing = counts.failed + counts.withdrawn;
        let all = missing + counts.done + counts.cancelled;
        Err(Failure::Incomplete(format!(
            "{missing} of {all} were not {}",
            manner.done
        )))
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
    // What concerns a URL says so itself.
    if failure.to_string().starts_with(&name) {
        return failure;
    }
    Failure::Of {
        name,
        failure: Box::new(failure),
    }
}
