//! `arraylift send SOURCE... ENDPOINT`: connects to a receiver and sends, several sources by a bounded pool.

use crate::checksum::ChecksumKind;
use crate::queue::Queue;
use crate::transfer::{Job, Side};

use super::arguments::SendArguments;
use super::batch::{BatchOptions, NamedJob, run as run_many};
use super::follow::run_patiently;
use super::plan::{SendPlan, Sources};
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &SendArguments) -> Result<(), Failure> {
    let plan = plan::send(typed)?;
    let mut report = Report::new(plan.json, Side::Sender);
    report.keep("send", typed.keep);
    if plan.options.checksum == ChecksumKind::None {
        report.without_checksums();
    }
    let signals = Signals::new(1)?;
    report.open_control(&format!("send to {}", plan.to));
    match plan {
        SendPlan {
            sources: Sources::One(source),
            to,
            retry,
            options,
            ..
        } => {
            if let Some(title) = source.origin.title() {
                report.all_of(title);
            }
            let job = || Job::Send {
                source: (*source).clone(),
                to: to.clone(),
            };
            let patience = retry.unwrap_or_default();
            run_patiently(job, &options, patience, &signals, &mut report).map(drop)
        }
        SendPlan {
            sources: Sources::Many(sources),
            at_once,
            to,
            options,
            ..
        } => {
            // Each over a connection of its own.
            let jobs = sources.into_iter().map(|(name, source)| {
                let to = to.clone();
                let job = Job::Send { source, to };
                NamedJob { name, job }
            });
            let batch = BatchOptions {
                done: "sent",
                to_one_place: true,
            };
            run_many(Queue::new(jobs, at_once), batch, &options, &signals, &mut report)
        }
    }
}
