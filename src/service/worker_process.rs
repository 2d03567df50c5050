//! A process that works for a service: joins it, receives over the connections it is handed, and reports what happens.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::error::{Error, reason};
use crate::sys::{Interest, Wake, wait};
use crate::transfer::{PromiseTable, SinkSpec};

use super::handle::Service;
use super::key::{Challenge, End, Key};
use super::status::{AnyEvent, Status};
use super::workers::{Channel, FromWorker, HandoverSource, PlanMessage, ToWorker};

/// The service has to send the plan within this time.
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
    /// Works for the service that started this process and holds the other end of `stream`.
    ///
    /// # Errors
    /// Where what it says makes no sense here.
    pub(crate) fn of_parent(stream: UnixStream) -> Result<Self, Error> {
        let mut setup = SetupChannel::new(stream)?;
        match setup.receive()? {
            ToWorker::Plan(plan, number) => setup.start(*plan, number),
            _ => Err(confused()),
        }
    }

    /// Joins a service where it lets workers in; both ends show that they have the key.
    ///
    /// # Errors
    /// Where there is no service, or it has another key.
    pub(crate) fn join(path: &Path, key: &Key) -> Result<Self, Error> {
        let stream = UnixStream::connect(path).map_err(|error| Error::Endpoint {
            endpoint: path.display().to_string(),
            reason: reason(&error),
        })?;
        let mut setup = SetupChannel::new(stream)?;
        let ToWorker::Challenge(challenge) = setup.receive()? else {
            return Err(confused());
        };
        let ours = Challenge::new()?;
        setup.send(&FromWorker::Answer(key.answer(&challenge, End::Worker), ours))?;
        match setup.receive() {
            Ok(ToWorker::Answer(answer)) if key.accepts(&ours, End::Service, &answer) => {}
            _ => {
                let text = "the service has another key: give both the same --key file";
                return Err(Error::Usage(text.into()));
            }
        }
        match setup.receive()? {
            ToWorker::Plan(plan, number) => setup.start(*plan, number),
            _ => Err(confused()),
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
                    Ok(event) => self.send(&FromWorker::Event(Box::new(event)))?,
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
        match send(&mut self.channel, &self.wake, message, None) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Error::Bug(format!("a worker cannot say what happened: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// The channel to the service until the plan has come.
struct SetupChannel {
    channel: Channel,
    wake: Wake,
    until: Instant,
}

impl SetupChannel {
    fn new(stream: UnixStream) -> Result<Self, Error> {
        Ok(Self {
            channel: Channel::new(stream).map_err(|error| failed(&error))?,
            wake: Wake::new().map_err(|error| failed(&error))?,
            until: Instant::now() + SETUP_TIMEOUT,
        })
    }

    fn send(&mut self, message: &FromWorker) -> Result<(), Error> {
        send(&mut self.channel, &self.wake, message, Some(self.until)).map_err(|error| failed(&error))
    }

    fn receive(&mut self) -> Result<ToWorker, Error> {
        loop {
            if let Some(message) = self.channel.receive().map_err(|error| failed(&error))? {
                return Ok(message);
            }
            if self.channel.is_over() {
                return Err(Error::ClosedWhile(
                    "before it said what to do: it turned this worker away",
                ));
            }
            wait_for(&self.channel, &self.wake, true, Some(self.until)).map_err(|error| failed(&error))?;
        }
    }

    fn start(mut self, plan: PlanMessage, number: u64) -> Result<WorkerProcess, Error> {
        let promises = self.channel.descriptor();
        let (sender, events) = bounded(EVENTS);
        let (sending, receiving) = self.channel.split().map_err(|error| failed(&error))?;
        self.channel = sending;
        let plan = plan.plan()?;
        if let Some(promises) = promises {
            share_promises(promises, number, &plan.sink);
        }
        let source = HandoverSource::new(receiving, plan.options.socket_buffer_bytes);
        let service = Service::receive(source, None, plan, sender)?;
        self.send(&FromWorker::Ready)?;
        Ok(WorkerProcess {
            service,
            events,
            channel: self.channel,
            wake: self.wake,
        })
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

/// Sends a message and waits until it has gone, but not beyond `until`.
fn send(channel: &mut Channel, wake: &Wake, message: &FromWorker, until: Option<Instant>) -> io::Result<()> {
    channel.send(message, None)?;
    while !channel.is_flushed() {
        wait_for(channel, wake, false, until)?;
        channel.flush()?;
    }
    Ok(())
}

fn wait_for(channel: &Channel, wake: &Wake, read: bool, until: Option<Instant>) -> io::Result<()> {
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    if left == Some(Duration::ZERO) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let interest = Interest { read, write: !read };
    wait(channel.as_fd(), interest, wake, left).map(|_| ())
}

fn failed(error: &io::Error) -> Error {
    Error::system("cannot speak with the service", error)
}

fn confused() -> Error {
    Error::Protocol("it does not speak as a service does with its workers".into())
}
