//! Starts transfers and follows them until they have ended or someone asks for an end.

use std::sync::Arc;

use crate::transfer::{Command, Event, Failure as TransferFailure, Finished, Job, Options, Outcome, Transfer};
use crate::{Error, Fault};
use crossbeam_channel::{Receiver, Select, bounded};

use super::Failure;
use super::plan::TransferPlan;
use super::report::Report;
use super::signals::Signals;

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
    let running = [Running::start(plan.job, plan.options)?];
    let commands = report.commands();
    loop {
        match next(&running, signals, &commands) {
            Occurrence::Stop => running[0].transfer.cancel(),
            // It is what is on its way.
            Occurrence::Drain | Occurrence::Nothing => {}
            Occurrence::Event(event) => report.event(&event),
            Occurrence::Ended(_) => break,
        }
    }
    let [Running { transfer, .. }] = running;
    end(transfer, report)
}

/// Joins a transfer that has told everything, and says how it ended.
pub(super) fn end(transfer: Transfer, report: &mut Report) -> Result<Option<Finished>, Failure> {
    let id = transfer.id();
    let outcome = transfer.join();
    report.ended(id, &outcome);
    match outcome {
        Outcome::Done(finished) => Ok(Some(finished)),
        Outcome::Joined => Ok(None),
        Outcome::Failed(TransferFailure {
            peer: Some(peer),
            error,
            fault: Fault::Peer,
            ..
        }) => Err(Failure::Peer { peer, error }),
        Outcome::Failed(failure) => Err(failure.error.into()),
        Outcome::Cancelled => Err(Failure::Cancelled),
    }
}
