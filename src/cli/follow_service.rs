//! Follows a service until it has told everything.

use crate::service::{AnyEvent, Service, Status, leftovers};
use crate::transfer::{Command, KeepFree, SinkSpec};
use crossbeam_channel::{Receiver, select};

use super::Failure;
use super::output;
use super::report::Report;
use crate::signals::Signals;

/// Events that may wait to be printed.
pub(super) const EVENTS: usize = 4096;

/// What signals ask of a service, one after the other.
pub(super) const DRAIN_THEN_STOP: &[Command] = &[Command::Drain, Command::Stop];

/// Tells what a service does until it has told everything, and passes commands on to it. The signals ask for `asks`, one
/// after the other.
pub(super) fn follow(
    service: &Service,
    told: &Receiver<AnyEvent>,
    signals: &Signals,
    asks: &[Command],
    report: &mut Report,
) {
    let commands = report.commands();
    let mut asks = asks.iter().copied();
    loop {
        select! {
            recv(told) -> event => match event {
                Ok(event) => tell_all(event, told, report),
                // It has told everything.
                Err(_) => break,
            },
            recv(commands) -> command => {
                if let Ok(command) = command {
                    service.apply(command);
                }
            }
            recv(signals.asked()) -> _ => {
                if let Some(command) = asks.next() {
                    service.apply(command);
                    if command == Command::Drain {
                        report.draining();
                    }
                }
            }
        }
    }
}

/// Names what earlier processes left half received in a folder, and says where too little of its disk is free for any
/// array.
pub(super) fn tell_what_lies_there(sink: &SinkSpec, keep_free: Option<KeepFree>, report: &mut Report) {
    let SinkSpec::Folder(folder) = sink else {
        return;
    };
    for leftover in &leftovers(folder) {
        report.leftover(leftover);
    }
    if let Some(full) = keep_free.and_then(|keep| keep.leaves_nothing(folder)) {
        report.no_room(&full);
    }
}

/// Fails where a service has cut transfers off.
pub(super) fn whole(status: &Status) -> Result<(), Failure> {
    let what = match status.cut_off {
        0 => return Ok(()),
        1 => "1 transfer was cut off; what can be gone on with is kept".into(),
        several => format!("{several} transfers were cut off; what can be gone on with is kept"),
    };
    Err(Failure::Cancelled(Some(what)))
}

/// Tells an event, and those that wait behind it.
fn tell_all(first: AnyEvent, more: &Receiver<AnyEvent>, report: &mut Report) {
    output::hold(true);
    let mut next = Some(first);
    while let Some(event) = next {
        report.told(&event);
        next = more.try_recv().ok();
    }
    output::hold(false);
}
