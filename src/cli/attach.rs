//! `arraylift attach [PID]`: watches what runs elsewhere on this machine, or sends it a command.

use std::time::Duration;

use crate::control::{EngineEvent, EngineLine, Viewer, engines};
use crate::thread::Thread;
use crate::transfer::Command;
use crate::units;
use crate::{Error, Fault};
use crossbeam_channel::{bounded, select};

use super::arguments::AttachArguments;
use super::report::Report;
use super::status::{not_known, nothing};
use super::{Failure, output};
use crate::signals::Signals;

/// An engine answers by then.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at whether anyone still reads, while nothing happens.
const LOOK: Duration = Duration::from_secs(1);
/// Lines that may wait to be shown.
const LINES: usize = 1024;

pub(crate) fn run(typed: &AttachArguments) -> Result<(), Failure> {
    let mut viewer = find(typed.pid)?;
    let first = viewer.next_line()?;
    let Some(EngineLine::Engine(EngineEvent::Engine { pid, command, side, .. })) = &first else {
        return Err(gone());
    };
    let mut report = Report::new(typed.json, *side);
    if let Some(command) = typed.command() {
        return send(&mut viewer, *pid, command, &mut report);
    }
    let signals = Signals::new(1)?;
    match &first {
        Some(first) if typed.json => report.heard(first),
        _ => report.say(&format!("attached to {pid}: {command}")),
    }
    watch(viewer, typed.json, report, &signals)
}

/// Shows what happens, until the engine ends or a signal comes.
fn watch(mut viewer: Viewer, json: bool, mut report: Report, signals: &Signals) -> Result<(), Failure> {
    viewer.set_patience(None)?;
    let close = viewer.closer()?;
    let (tell, told) = bounded(LINES);
    let body = move || {
        loop {
            let Some(heard) = viewer.next_line()? else {
                return Ok(());
            };
            if tell.send(heard).is_err() {
                return Ok(());
            }
        }
    };
    let thread = Thread::start("arraylift-viewer", body).map_err(|error| Error::system("cannot watch", &error))?;
    let thread = thread.cancelled_by(close);
    let mut has_ended = true;
    loop {
        select! {
            recv(told) -> heard => match heard {
                Ok(heard) if json => report.heard(&heard),
                Ok(EngineLine::Event(told)) => report.told(&told),
                Ok(EngineLine::Engine(EngineEvent::Job { transfer, source })) => report.job(transfer, &source),
                Ok(EngineLine::Engine(_)) => {}
                Err(_) => break,
            },
            recv(signals.asked()) -> _ => {
                has_ended = false;
                break;
            }
            default(LOOK) => {}
        }
        if output::is_abandoned() {
            has_ended = false;
            break;
        }
    }
    thread.cancel();
    drop(told);
    let ended = thread.join();
    if !has_ended {
        return Ok(());
    }
    ended?;
    if !json {
        report.say("it has ended");
    }
    Ok(())
}

/// Sends an engine a command, and waits for its answer.
fn send(viewer: &mut Viewer, pid: u32, command: Command, report: &mut Report) -> Result<(), Failure> {
    viewer.send(command)?;
    // What it says to every new viewer may come first.
    loop {
        match viewer.next_line()? {
            Some(EngineLine::Engine(note @ EngineEvent::Passed)) => {
                report.passed(&note, &does(pid, command));
                return Ok(());
            }
            Some(EngineLine::Engine(EngineEvent::Refused { why })) => {
                let fault = Fault::Caller;
                return Err(Error::Told {
                    fault,
                    message: why,
                    may_pass: false,
                }
                .into());
            }
            Some(_) => {}
            None => return Err(gone()),
        }
    }
}

/// What a process does now that it has a command.
fn does(pid: u32, command: Command) -> String {
    match command {
        Command::Pause { transfer } => format!("process {pid} pauses transfer {}", transfer.0),
        Command::Resume { transfer } => format!("process {pid} goes on with transfer {}", transfer.0),
        Command::Cancel { transfer } => format!("process {pid} cancels transfer {}", transfer.0),
        Command::Limit {
            transfer,
            bytes_per_s: Some(limit),
        } => format!(
            "process {pid} limits transfer {} to {}",
            transfer.0,
            units::rate(limit as f64)
        ),
        Command::Limit {
            transfer,
            bytes_per_s: None,
        } => format!("process {pid} limits transfer {} no longer", transfer.0),
        Command::Drain => format!("process {pid} begins nothing new, and ends when what is on its way is done"),
        Command::Stop => format!("process {pid} ends at once"),
    }
}

/// The engine with this process id, or the only one.
fn find(pid: Option<u32>) -> Result<Viewer, Failure> {
    let engines = engines();
    if let Some(pid) = pid {
        let path = engines
            .found
            .iter()
            .find(|(other, _)| *other == pid)
            .map(|(_, path)| path);
        let none = || {
            if !engines.unknown.is_empty() {
                return Failure::Incomplete(not_known(&engines));
            }
            Failure::Incomplete(format!(
                "process {pid} sends, receives and serves nothing (arraylift status)"
            ))
        };
        return Ok(Viewer::connect(path.ok_or_else(none)?, PATIENCE)?);
    }
    let mut running: Vec<(u32, Viewer)> = Vec::new();
    let mut unreachable = None;
    for (pid, path) in &engines.found {
        match Viewer::connect(path, PATIENCE) {
            Ok(viewer) => running.push((*pid, viewer)),
            // It has ended meanwhile.
            Err(Error::NobodyListening(_)) => {}
            Err(error) => unreachable = Some(error),
        }
    }
    match (running.pop(), running.len()) {
        (Some((_, viewer)), 0) => Ok(viewer),
        (None, _) if let Some(error) = unreachable => Err(error.into()),
        (None, _) if !engines.unknown.is_empty() => Err(Failure::Incomplete(not_known(&engines))),
        (None, _) => Err(Failure::Incomplete(nothing(&engines))),
        (Some((last, _)), _) => {
            let pids: Vec<String> = running.iter().map(|(pid, _)| pid.to_string()).collect();
            let text = format!("several run, say which: {} or {last}", pids.join(", "));
            Err(Failure::Usage(text))
        }
    }
}

fn gone() -> Failure {
    Failure::Transfer(Error::ClosedWhile("before it answered"))
}
