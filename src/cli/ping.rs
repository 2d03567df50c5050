//! `arraylift ping ENDPOINT`: how long bytes take to an echo service and back.

use crate::ping::Ping;
use crossbeam_channel::{bounded, select};

use super::arguments::PingArguments;
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

/// Events that may wait to be printed.
const EVENTS: usize = 16;

pub(crate) fn run(typed: &PingArguments) -> Result<(), Failure> {
    let plan = plan::ping(typed)?;
    let signals = Signals::new(1)?;
    let mut report = Report::new(typed.json, crate::transfer::Side::Sender);
    let peer = plan.to.to_string();
    let (tell, told) = bounded(EVENTS);
    let ping = Ping::start(plan, tell)?;
    loop {
        select! {
            recv(told) -> event => match event {
                Ok(event) => report.ping(&event),
                // It has told everything.
                Err(_) => break,
            },
            recv(signals.asked()) -> _ => ping.cancel(),
        }
    }
    match ping.join() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Cancelled(None)),
        Err(error) if error.fault() == crate::Fault::Peer => Err(Failure::Peer { peer, error }),
        Err(error) => Err(error.into()),
    }
}
