//! The worker's end: joins a service, does what it is told, and tells it what happens.

use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use crate::error::{Error, reason};
use crate::sys::{Interest, Wake, wait};

use super::channel::Channel;
use super::key::{Challenge, End, Key};
use super::messages::{FromWorker, ToWorker};
use super::status::Told;
use super::{Service, Status};

/// The service has to answer by then.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Events that may wait to be sent.
const EVENTS: usize = 4096;

/// A worker of a service that runs elsewhere on this machine.
#[derive(Debug)]
pub struct WorkerProcess {
    service: Service,
    told: Receiver<Told>,
    channel: Channel,
    wake: Wake,
}

impl WorkerProcess {
    /// Works for the service that started this process and holds the other end of `stream`.
    ///
    /// # Errors
    /// Where what it says makes no sense here.
    pub fn of_parent(stream: UnixStream) -> Result<Self, Error> {
        let mut line = Line::new(stream)?;
        match line.hear()? {
            ToWorker::Plan(plan) => line.start(*plan),
            _ => Err(confused()),
        }
    }

    /// Joins a service where it lets workers in; both ends show that they have the key.
    ///
    /// # Errors
    /// Where there is no service, or it has another key.
    pub fn join(path: &Path, key: &Key) -> Result<Self, Error> {
        let stream = UnixStream::connect(path).map_err(|error| Error::Endpoint {
            endpoint: path.display().to_string(),
            reason: reason(&error),
        })?;
        let mut line = Line::new(stream)?;
        let ToWorker::Challenge(challenge) = line.hear()? else {
            return Err(confused());
        };
        let ours = Challenge::new()?;
        line.say(&FromWorker::Answer(key.answer(&challenge, End::Worker), ours))?;
        match line.hear() {
            Ok(ToWorker::Answer(answer)) if key.accepts(&ours, End::Service, &answer) => {}
            _ => {
                let text = "the service has another key: give both the same --key file";
                return Err(Error::Usage(text.into()));
            }
        }
        match line.hear()? {
            ToWorker::Plan(plan) => line.start(*plan),
            _ => Err(confused()),
        }
    }

    /// Tells the service what happens, until there is nothing more to be done. `asked` brings what a user wants of this
    /// worker: first to take nothing new, then to stop.
    ///
    /// # Errors
    /// Where the system does not let it go on.
    pub fn run(mut self, asked: &Receiver<()>) -> Result<Status, Error> {
        let mut wishes = 0;
        loop {
            crossbeam_channel::select! {
                recv(self.told) -> told => match told {
                    Ok(told) => self.pass_on(told),
                    Err(_) => break,
                },
                recv(asked) -> _ => {
                    wishes += 1;
                    if wishes == 1 {
                        self.say(&FromWorker::Leaving);
                        self.service.drain();
                    } else {
                        self.service.stop();
                    }
                }
            }
        }
        self.service.join()
    }

    fn pass_on(&mut self, told: Told) {
        self.say(&FromWorker::Told(Box::new(told)));
    }

    /// A service that has gone hears nothing, and its worker's own loop ends for the same reason.
    fn say(&mut self, message: &FromWorker) {
        let _ = say(&mut self.channel, &self.wake, message, None);
    }
}

/// A worker before it works.
struct Line {
    channel: Channel,
    wake: Wake,
    until: Instant,
}

impl Line {
    fn new(stream: UnixStream) -> Result<Self, Error> {
        Ok(Self {
            channel: Channel::new(stream).map_err(|error| failed(&error))?,
            wake: Wake::new().map_err(|error| failed(&error))?,
            until: Instant::now() + INTRODUCTION,
        })
    }

    fn say(&mut self, message: &FromWorker) -> Result<(), Error> {
        say(&mut self.channel, &self.wake, message, Some(self.until)).map_err(|error| failed(&error))
    }

    fn hear(&mut self) -> Result<ToWorker, Error> {
        loop {
            if let Some(message) = self.channel.hear().map_err(|error| failed(&error))? {
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

    fn start(mut self, plan: super::messages::PlanMessage) -> Result<WorkerProcess, Error> {
        let (tell, told) = bounded(EVENTS);
        let (speaking, hearing) = self.channel.split().map_err(|error| failed(&error))?;
        self.channel = speaking;
        let service = Service::of_worker(hearing, plan.plan()?, tell)?;
        self.say(&FromWorker::Ready)?;
        Ok(WorkerProcess {
            service,
            told,
            channel: self.channel,
            wake: self.wake,
        })
    }
}

/// Says something, and waits until it is sent; until then at most, where it is given.
fn say(channel: &mut Channel, wake: &Wake, message: &FromWorker, until: Option<Instant>) -> io::Result<()> {
    channel.say(message, None)?;
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
