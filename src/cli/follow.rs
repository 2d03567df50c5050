//! Starts transfers and follows them until they have ended or someone asks for an end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::retry::Retry;
use crate::rounds::{RoundEvent, Rounds, RoundsPlan};
use crate::transfer::{
    Command, Event, Failure as TransferFailure, Finished, Items, Job, Options, Outcome, Transfer, TransferId,
};
use crate::{Error, Fault};
use crossbeam_channel::{Receiver, Select, after, bounded, select};

use super::plan::TransferPlan;
use super::repeated::Repeated;
use super::report::Report;
use super::{Failure, output};
use crate::signals::Signals;

/// Events that may wait; samples beyond are dropped by the transfer.
const EVENTS: usize = 1024;

/// A transfer and what it tells.
#[derive(Debug)]
pub(super) struct Running {
    pub transfer: Transfer,
    events: Receiver<Event>,
}

impl Running {
    pub(super) fn start(job: Job, options: Options) -> Result<Self, Error> {
        let (tell, events) = bounded(EVENTS);
        // The channel itself wakes whoever reads it.
        let transfer = Transfer::start(job, options, tell, Arc::new(|| {}))?;
        Ok(Self { transfer, events })
    }
}

/// What a command that follows transfers has to act on.
#[derive(Debug)]
pub(super) enum Occurrence {
    /// A signal or an attached viewer asks for the end.
    Stop,
    /// An attached viewer asks that nothing new begins.
    Drain,
    /// What happened was dealt with here.
    Nothing,
    /// One of the transfers told something.
    Event(Box<Event>),
    /// The transfer of this index has told everything.
    Ended(usize),
}

/// Waits for the next thing that happens to any of them. A command for one of them is obeyed here.
pub(super) fn next(running: &[Running], signals: &Signals, commands: &Receiver<Command>) -> Occurrence {
    let mut select = Select::new();
    for one in running {
        select.recv(&one.events);
    }
    select.recv(signals.asked());
    select.recv(commands);
    let ready = select.select();
    match running.get(ready.index()) {
        None if ready.index() > running.len() => match ready.recv(commands) {
            Ok(command) => obey(command, running),
            Err(_) => Occurrence::Nothing,
        },
        None => {
            // A signal has come, or none can come any more.
            let _ = ready.recv(signals.asked());
            Occurrence::Stop
        }
        Some(one) => {
            let index = ready.index();
            match ready.recv(&one.events) {
                Ok(event) => Occurrence::Event(Box::new(event)),
                Err(_) => Occurrence::Ended(index),
            }
        }
    }
}

fn obey(command: Command, running: &[Running]) -> Occurrence {
    match command {
        Command::Stop => Occurrence::Stop,
        Command::Drain => Occurrence::Drain,
        Command::Pause { transfer }
        | Command::Resume { transfer }
        | Command::Cancel { transfer }
        | Command::Limit { transfer, .. } => {
            if let Some(one) = running.iter().find(|one| one.transfer.id() == transfer) {
                one.transfer.apply(command);
            }
            Occurrence::Nothing
        }
    }
}

/// Does one transfer, to its end.
pub(super) fn run(plan: TransferPlan, signals: &Signals, report: &mut Report) -> Result<Option<Finished>, Failure> {
    let (id, outcome) = to_end(plan.job, plan.options, signals, report)?;
    end_of(id, outcome, report).map_err(|failure| failure.with(report.how_far(id)))
}

/// Does the same, and again where it fails in a way that may pass, until nothing has moved for as long as `patience`.
pub(super) fn run_patiently(
    job: impl Fn() -> Job,
    options: &Options,
    patience: Duration,
    signals: &Signals,
    report: &mut Report,
) -> Result<Option<Finished>, Failure> {
    let mut retry = Retry::new(patience);
    loop {
        let began = Instant::now();
        let (id, outcome) = to_end(job(), options.clone(), signals, report)?;
        let wait = match &outcome {
            Outcome::Failed(failure) => retry.after(&failure.error, failure.bytes, began.elapsed()),
            _ => None,
        };
        let ended = end_of(id, outcome, report);
        let how_far = report.how_far(id);
        let (Some(wait), Err(failure)) = (wait, &ended) else {
            return ended.map_err(|failure| failure.with(how_far));
        };
        report.retry(failure, wait);
        if is_stopped_within(wait, signals, report) {
            return Err(Failure::Cancelled(None));
        }
    }
}

/// Whether a signal or an attached viewer asks for the end before so much time has passed.
fn is_stopped_within(wait: Duration, signals: &Signals, report: &Report) -> bool {
    let (commands, over) = (report.commands(), after(wait));
    loop {
        select! {
            recv(over) -> _ => return false,
            recv(signals.asked()) -> _ => return true,
            recv(commands) -> command => match command {
                Ok(Command::Stop | Command::Drain) => return true,
                Ok(_) => {}
                Err(_) => return false,
            },
        }
    }
}

/// Follows one transfer until it has told everything.
fn to_end(job: Job, options: Options, signals: &Signals, report: &mut Report) -> Result<(TransferId, Outcome), Error> {
    let running = [Running::start(job, options)?];
    let commands = report.commands();
    loop {
        match next(&running, signals, &commands) {
            Occurrence::Stop => running[0].transfer.stop(),
            // It is what is on its way.
            Occurrence::Drain | Occurrence::Nothing => {}
            Occurrence::Event(event) => report.event(&event),
            Occurrence::Ended(_) => break,
        }
    }
    let [Running { transfer, .. }] = running;
    Ok((transfer.id(), transfer.join()))
}

/// Does the same so many times, one after the other. The first one that does not end well is the last.
pub(super) fn repeat(
    plan: TransferPlan<Infallible>,
    times: u32,
    signals: &Signals,
    report: &mut Report,
) -> Result<Repeated, Failure> {
    let (tell, events) = bounded(EVENTS);
    let job = move || {
        // Both ends are here: there is no peer.
        plan.job.clone().try_map_peer(|nobody: Infallible| match nobody {})
    };
    let plan = RoundsPlan {
        options: plan.options,
        times: Some(times),
        is_paused: false,
    };
    // The channel itself wakes whoever reads it.
    let rounds = Rounds::start(plan, job, tell, |event| event, Arc::new(|| {}))?;
    let commands = report.commands();
    let (mut repeated, mut id) = (Repeated::default(), rounds.id());
    loop {
        select! {
            recv(events) -> event => match event {
                Ok(RoundEvent::Began(transfer)) => id = transfer,
                Ok(RoundEvent::Told(event)) => report.event(&event),
                Ok(RoundEvent::Ended(outcome)) => {
                    if let Some(finished) = end_of(id, outcome, report)? {
                        repeated.push(&finished);
                    }
                }
                Err(_) => break,
            },
            recv(signals.asked()) -> _ => rounds.cancel(),
            recv(commands) -> command => match command {
                // What is on its way goes on, and what is on its way is all of them.
                Ok(Command::Drain) | Err(_) => {}
                Ok(command) if command.transfer().is_none_or(|transfer| transfer == rounds.id()) => rounds.apply(command),
                Ok(_) => {}
            },
        }
    }
    let done = repeated.count();
    if done < u64::from(times) {
        // Between two of them.
        return Err(Failure::Cancelled(Some(format!(
            "{done} of {times} transfers were done"
        ))));
    }
    Ok(repeated)
}

/// Joins a transfer that has told everything, and says how it ended.
pub(super) fn end(transfer: Transfer, report: &mut Report) -> Result<Option<Finished>, Failure> {
    let id = transfer.id();
    end_of(id, transfer.join(), report).map_err(|failure| failure.with(report.how_far(id)))
}

/// Names what did not arrive of a tree.
fn incomplete(items: &Items) -> Failure {
    for failure in &items.failures {
        output::complain(&Failure::Of {
            name: failure.path.clone(),
            failure: Box::new(Failure::Incomplete(failure.reason.clone())),
        });
    }
    let all = items.settled();
    Failure::Incomplete(format!(
        "{} of {all} files, folders and links did not arrive",
        items.failed
    ))
}

fn end_of(id: TransferId, outcome: Outcome, report: &mut Report) -> Result<Option<Finished>, Failure> {
    report.ended(id, &outcome);
    match outcome {
        Outcome::Done(finished) => match &finished.items {
            Some(items) if items.failed > 0 => Err(incomplete(items)),
            _ => Ok(Some(finished)),
        },
        Outcome::Joined => Ok(None),
        Outcome::Failed(TransferFailure {
            peer: Some(peer),
            error,
            fault: Fault::Peer,
            ..
        }) => Err(Failure::Peer { peer, error }),
        Outcome::Failed(failure) => Err(failure.error.into()),
        Outcome::Cancelled => Err(Failure::Cancelled(report.how_far(id))),
    }
}
