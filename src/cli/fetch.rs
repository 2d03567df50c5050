//! `arraylift fetch URL...`: takes files from web servers, several by a bounded pool.

use crate::queue::Queue;
use crate::transfer::Url;
use crate::transfer::{Job, Side};

use super::arguments::FetchArguments;
use super::batch::{BatchOptions, NamedJob, run as run_many};
use super::follow::run as run_one;
use super::plan::TransferPlan;
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &FetchArguments) -> Result<(), Failure> {
    let plan = plan::fetch(typed)?;
    plan.sink.check()?;
    let mut report = Report::new(plan.json, Side::Receiver);
    report.keep("fetch", typed.keep);
    let signals = Signals::new(1)?;
    let what = match &*plan.urls {
        [only] => format!("fetch {only}"),
        several => format!("fetch {} URLs", several.len()),
    };
    report.open_control(&what);
    let job = |url: Url| Job::Fetch {
        url,
        trust: plan.trust.clone(),
        sink: plan.sink.clone(),
    };
    if let [only] = &*plan.urls {
        let (job, options, json) = (job(only.clone()), plan.options, plan.json);
        return run_one(TransferPlan { job, options, json }, &signals, &mut report).map(drop);
    }
    let jobs = plan.urls.iter().map(|url| NamedJob {
        name: url.to_string(),
        job: job(url.clone()),
    });
    let batch = BatchOptions {
        done: "fetched",
        to_one_place: false,
    };
    run_many(
        Queue::new(jobs, plan.at_once),
        batch,
        &plan.options,
        &signals,
        &mut report,
    )
}
