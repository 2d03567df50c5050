//! Several jobs of one command: a bounded pool, each one's end told as it happens.

use crate::Error;
use crate::queue::{JobEnd, Queue};
use crate::transfer::{Job, Options};

use super::Failure;
use super::follow::{Occurrence, Running, end, next};
use super::output;
use super::report::Report;
use crate::signals::Signals;

/// A job and its name in messages.
#[derive(Debug)]
pub(super) struct NamedJob {
    pub name: String,
    pub job: Job,
}

/// What the jobs of a batch have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchOptions {
    /// The word for jobs that end well, such as `sent`.
    pub done: &'static str,
    /// All go to one endpoint: if one finds nobody there, the others are not begun.
    pub to_one_place: bool,
}

/// Runs all jobs. One that fails says so; the others go on.
pub(super) fn run(
    mut queue: Queue<NamedJob>,
    batch: BatchOptions,
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
        while let Some(NamedJob { name, job }) = queue.start_next() {
            match Running::start(job, options.clone()) {
                Ok(one) => {
                    report.job(one.transfer.id(), &name);
                    running.push(one);
                    names.push(name);
                }
                Err(error) => {
                    queue.ended(JobEnd::Failed);
                    output::complain(&of(name, error.into()));
                }
            }
        }
        if running.is_empty() {
            break;
        }
        match next(&running, signals, &commands) {
            Occurrence::Nothing => {}
            Occurrence::Drain => queue.withdraw_waiting(),
            Occurrence::Stop => {
                was_asked = true;
                queue.withdraw_waiting();
                for one in &running {
                    one.transfer.stop();
                }
            }
            Occurrence::Event(event) => report.event(&event),
            Occurrence::Ended(index) => {
                let (transfer, name) = (running.remove(index).transfer, names.remove(index));
                match end(transfer, report) {
                    Ok(_) => queue.ended(JobEnd::Done),
                    Err(Failure::Cancelled(_)) => queue.ended(JobEnd::Cancelled),
                    Err(failure) => {
                        queue.ended(JobEnd::Failed);
                        if batch.to_one_place && is_unreachable(&failure) {
                            // The others would fare no better.
                            queue.withdraw_waiting();
                        }
                        output::complain(&of(name, failure));
                    }
                }
            }
        }
    }
    let counts = queue.counts();
    report.jobs(&counts, batch.done);
    let missing = counts.failed + counts.withdrawn + counts.cancelled;
    let all = missing + counts.done;
    let words = format!("{missing} of {all} were not {}", batch.done);
    if was_asked {
        Err(Failure::Cancelled(Some(words)))
    } else if missing > 0 {
        Err(Failure::Incomplete(words))
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
    let said = failure.to_string();
    if said.starts_with(&name) || (name.contains("://") && said.contains(&name)) {
        return failure;
    }
    Failure::Of {
        name,
        failure: Box::new(failure),
    }
}
