//! A process that works for a service: joins it, receives over the connections it is handed, and reports what happens.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now, wait};
use crate::transfer::{Dial, PromiseTable, SinkSpec, check_own};

use super::handle::Service;
use super::key::{Challenge, End, Key};
use super::status::{AnyEvent, Status};
use super::workers::{Channel, FromWorker, HandoverSource, PlanMessage, ToWorker};

/// The service has to let a worker in and send the plan within this time.
const SETUP_TIMEOUT: Duration = Duration::from_secs(10);
/// Events that may wait to be sent.
const EVENTS: usize = 4096;

/// A worker of a service that runs elsewhere on this machine.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    service: Service,
    events: Receiver<AnyEvent>,
    channel: Channel,
    wake: Wake,
}

impl WorkerProcess {
    /// Works for the service that started this process and holds the other end of `stream`. `None` where it was
    /// `cancelled` before it had the plan, which is asked whenever `wake` ends a wait.
    ///
    /// # Errors
    /// Where what it says makes no sense here.
    pub(crate) fn of_parent(
        stream: UnixStream,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let mut setup = SetupChannel::new(stream, dial(wake, cancelled))?;
        match setup.receive()? {
            Some(ToWorker::Plan(plan, number)) => setup.start(*plan, number),
            Some(_) => Err(confused()),
            None => Ok(None),
        }
    }

    /// Joins a service where it lets workers in; both ends show that they have the key. `None` where it was `cancelled`
    /// before it had the plan, which is asked whenever `wake` ends a wait.
    ///
    /// # Errors
    /// Where there is no service, it does not answer in time, or it has another key.
    pub(crate) fn join(
        path: &Path,
        key: &Key,
        wake: &Wake,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, Error> {
        let dial = dial(wake, cancelled);
        let Some(stream) = dial.unix_stream(path)? else {
            return Ok(None);
        };
        check_own(&stream, &path.display().to_string())?;
        let mut setup = SetupChannel::new(stream, dial)?;
        let challenge = match setup.receive()? {
            Some(ToWorker::Challenge(challenge)) => challenge,
            Some(_) => return Err(confused()),
            None => return Ok(None),
        };
        let ours = Challenge::new()?;
        setup.send(&FromWorker::Answer(key.answer(&challenge, End::Worker), ours))?;
        match setup.receive() {
            Ok(Some(ToWorker::Answer(answer))) if key.accepts(&ours, End::Service, &answer) => {}
            Ok(None) => return Ok(None),
            _ => return Err(Error::OtherKey("the service")),
        }
        match setup.receive()? {
            Some(ToWorker::Plan(plan, number)) => setup.start(*plan, number),
            Some(_) => Err(confused()),
            None => Ok(None),
        }
    }

    /// Reports to the service until there is nothing more to be done. The first message over `asked` makes this worker
    /// take no more connections, and the second one stop.
    ///
    /// # Errors
    /// Where the system does not let it go on.
    pub(crate) fn run(mut self, asked: &Receiver<()>) -> Result<Status, Error> {
        let mut signals = 0;
        loop {
            crossbeam_channel::select! {
                recv(self.events) -> event => match event {
                    Ok(event) => self.send(&FromWorker::event(event))?,
                    Err(_) => break,
                },
                recv(asked) -> _ => {
                    signals += 1;
                    if signals == 1 {
                        self.send(&FromWorker::Leaving)?;
                        self.service.drain();
                    } else {
                        self.service.stop();
                    }
                }
            }
        }
        self.service.join()
    }

    /// Sends to the service. Where it has gone, this process's front finds that out and ends.
    ///
    /// # Errors
    /// The message cannot be said: without it the service would wait for ever.
    fn send(&mut self, message: &FromWorker) -> Result<(), Error> {
        match send(&mut self.channel, &self.wake, message) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Error::Bug(format!("a worker cannot say what happened: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// The channel to the service until the plan has come.
struct SetupChannel<'a> {
    channel: Channel,
    dial: Dial<'a>,
}

impl<'a> SetupChannel<'a> {
    fn new(stream: UnixStream, dial: Dial<'a>) -> Result<Self, Error> {
        let channel = Channel::new(stream).map_err(|error| failed(&error))?;
        Ok(Self { channel, dial })
    }

    fn send(&mut self, message: &FromWorker) -> Result<(), Error> {
        let mut send = || -> io::Result<()> {
            self.channel.send(message, None)?;
            while !self.channel.is_flushed() && self.dial.wait_for(self.channel.as_fd(), Interest::WRITE)? {
                self.channel.flush()?;
            }
            Ok(())
        };
        send().map_err(|error| failed(&error))
    }

    /// The next message; `None` where it was cancelled.
    fn receive(&mut self) -> Result<Option<ToWorker>, Error> {
        loop {
            if let Some(message) = self.channel.receive().map_err(|error| failed(&error))? {
                return Ok(Some(message));
            }
            if self.channel.is_over() {
                return Err(Error::ClosedWhile(
                    "before it said what to do: it turned this worker away",
                ));
            }
            match self.dial.wait_for(self.channel.as_fd(), Interest::READ) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(Error::Silent(SETUP_TIMEOUT)),
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    fn start(mut self, plan: PlanMessage, number: u64) -> Result<Option<WorkerProcess>, Error> {
        let promises = self.channel.descriptor();
        let (sender, events) = bounded(EVENTS);
        let wake = Wake::new().map_err(|error| failed(&error))?;
        let (sending, receiving) = self.channel.split().map_err(|error| failed(&error))?;
        self.channel = sending;
        let plan = plan.plan()?;
        if let Some(promises) = promises {
            share_promises(promises, number, &plan.sink);
        }
        let source = HandoverSource::new(receiving, plan.options.socket_buffer_bytes);
        let service = Service::receive(source, None, plan, sender)?;
        self.send(&FromWorker::Ready)?;
        Ok(Some(WorkerProcess {
            service,
            events,
            channel: self.channel,
            wake,
        }))
    }
}

fn dial<'a>(wake: &'a Wake, cancelled: &'a dyn Fn() -> bool) -> Dial<'a> {
    Dial {
        buffer_bytes: None,
        deadline: awake_now() + SETUP_TIMEOUT,
        wake,
        cancelled,
    }
}

/// What this process promises counts with what the service's other workers promise.
fn share_promises(table: OwnedFd, number: u64, sink: &SinkSpec) {
    let device = match sink {
        SinkSpec::Folder(folder) => std::fs::metadata(folder).ok().map(|folder| folder.dev()),
        _ => None,
    };
    // Where there is no row left, it promises for itself alone.
    let _ = PromiseTable::join(table, number, device);
}

/// Sends a message and waits until it has gone.
fn send(channel: &mut Channel, wake: &Wake, message: &FromWorker) -> io::Result<()> {
    channel.send(message, None)?;
    while !channel.is_flushed() {
        wait(channel.as_fd(), Interest::WRITE, wake, None)?;
        channel.flush()?;
    }
    Ok(())
}

fn failed(error: &io::Error) -> Error {
    Error::system("cannot speak with the service", error)
}

fn confused() -> Error {
    Error::Protocol("it does not speak as a service does with its workers".into())
}
