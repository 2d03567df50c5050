//! `arraylift worker PATH`: receives for a service that runs elsewhere on this machine.

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

use crate::Error;
use crate::service::{AuthKey, Key, Service, WorkerProcess};
use crate::sys::Wake;
use crate::transfer::Side;
use crossbeam_channel::bounded;

use super::arguments::WorkerArguments;
use super::follow_service::{DRAIN_THEN_STOP, EVENTS, follow, tell_what_lies_there, whole};
use super::report::Report;
use super::{Failure, plan};
use crate::signals::Signals;

pub(crate) fn run(typed: &WorkerArguments) -> Result<(), Failure> {
    let wake = Arc::new(Wake::new().map_err(|error| Error::system("cannot listen for signals", &error))?);
    let signals = {
        let wake = Arc::clone(&wake);
        Signals::with_waker(DRAIN_THEN_STOP.len(), move || wake.wake())?
    };
    // Until the service has let it in there is nothing that the first signal would let go on.
    let is_asked = || !signals.asked().is_empty();
    if let Some(path) = &typed.recipe {
        return receive_for(path, typed, &signals, (&wake, &is_asked));
    }
    let Some(path) = &typed.path else {
        return Err(Failure::Usage("say where the service lets workers join".into()));
    };
    if path == Path::new("-") {
        let worker = WorkerProcess::of_parent(parent()?, &wake, &is_asked)?;
        worker.ok_or(Failure::Cancelled(None))?.run(signals.asked())?;
        return Ok(());
    }
    let Some(key) = &typed.key else {
        return Err(Failure::Usage(
            "a worker has to show its service's key: add --key FILE".into(),
        ));
    };
    let key = Key::load(key)?;
    let worker = WorkerProcess::join(path, &key, &wake, &is_asked)?.ok_or(Failure::Cancelled(None))?;
    let mut report = Report::new(typed.common.json, Side::Receiver);
    report.working(path);
    let status = worker.run(signals.asked())?;
    report.ended_service(&status);
    whole(&status)
}

/// Receives over the connections that a program of another kind accepts.
fn receive_for(
    path: &Path,
    typed: &WorkerArguments,
    signals: &Signals,
    is_asked: (&Wake, &dyn Fn() -> bool),
) -> Result<(), Failure> {
    let plan = plan::recipe_worker(typed)?;
    let (sink, keep_free) = (plan.sink.clone(), plan.limits.keep_free);
    let (tell, told) = bounded(EVENTS);
    let key = typed.key.as_deref().map(AuthKey::load).transpose()?;
    let service = Service::of_recipe(path, key.as_ref(), plan, tell, is_asked)?.ok_or(Failure::Cancelled(None))?;
    let mut report = Report::new(typed.common.json, Side::Receiver);
    report.keep("worker", typed.keep);
    report.open_control(&format!("worker --recipe {}", path.display()));
    report.working(path);
    tell_what_lies_there(&sink, Some(keep_free), &mut report);
    follow(&service, &told, signals, DRAIN_THEN_STOP, &mut report);
    let status = service.join()?;
    report.ended_service(&status);
    whole(&status)
}

/// Standard input, where the service that started this process is.
fn parent() -> Result<UnixStream, Failure> {
    let input = std::io::stdin();
    let owned = input
        .as_fd()
        .try_clone_to_owned()
        .map_err(|error| Error::system("cannot speak with the service", &error))?;
    Ok(UnixStream::from(owned))
}
