//! Watches what other processes of this user send, receive and serve, by their control sockets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::Error;
use crate::control::{EngineEvent, EngineLine, Viewer, engines};
use crate::service::{AnyEvent, ServiceEvent, Status};
use crate::thread::Thread;
use crate::transfer::{Command, Event, Side, TransferId, Waker};

/// New engines are looked for so often.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// One that takes nobody by then is tried again with the next look.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(50);
/// More are not watched at once.
const ENGINES_MAX: usize = 32;
/// News that may wait. A full queue holds up the thread that reads the engine, which then sends it no samples.
const NEWS_MAX: usize = 4096;
/// An engine answers a command by then.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was heard of another process.
#[derive(Debug)]
pub(super) enum ProcessNews {
    /// Something happened to a transfer of it, whose `side` it is.
    Event { pid: u32, side: Side, event: Box<Event> },
    /// A transfer of it has this source.
    Source {
        pid: u32,
        transfer: TransferId,
        source: String,
    },
    /// It runs this command, as it was typed.
    Command { pid: u32, command: String },
    /// It is a service, and this is what it has done and does.
    Status { pid: u32, status: Status },
    /// It has ended.
    Ended { pid: u32 },
}

/// Threads that look for engines and listen to them. Dropping it ends and joins them.
#[derive(Debug)]
pub(super) struct OtherProcesses {
    /// Dropped before the thread: whatever waits to send sees that nobody reads. Boxed: a channel has the memory for all
    /// that may wait in it from the start on.
    news: Receiver<Box<ProcessNews>>,
    _thread: Thread,
}

impl OtherProcesses {
    /// Starts to look.
    pub(super) fn start(waker: Waker) -> std::io::Result<Self> {
        let (tell, news) = bounded(NEWS_MAX);
        let (stop, stopped) = bounded(1);
        let body = move || {
            look(&tell, &waker, &stopped);
            Ok(())
        };
        let thread = Thread::start("engines", body)?.cancelled_by(move || {
            // One request is enough.
            let _ = stop.try_send(());
        });
        Ok(Self { news, _thread: thread })
    }

    /// What was heard since, at most so much.
    pub(super) fn news(&self, most: usize) -> impl Iterator<Item = Box<ProcessNews>> + '_ {
        self.news.try_iter().take(most)
    }
}

/// Sends an engine a command.
///
/// # Errors
/// It has gone, or refuses.
pub(super) fn send(pid: u32, command: Command) -> Result<(), Error> {
    let gone = || Error::ClosedWhile("as its process has ended");
    let path = engines().found.into_iter().find(|(other, _)| *other == pid);
    let mut viewer = Viewer::connect(&path.ok_or_else(gone)?.1, PATIENCE)?;
    viewer.send(command)?;
    loop {
        match viewer.next_line()? {
            Some(EngineLine::Engine(EngineEvent::Passed)) => return Ok(()),
            Some(EngineLine::Engine(EngineEvent::Refused { why })) => return Err(Error::Usage(why)),
            Some(_) => {}
            None => return Err(gone()),
        }
    }
}

fn look(tell: &Sender<Box<ProcessNews>>, waker: &Waker, stopped: &Receiver<()>) {
    let mut watched: HashMap<PathBuf, Thread> = HashMap::new();
    loop {
        watched.retain(|_, one| one.result().is_none());
        for (pid, path) in engines().found {
            if pid != std::process::id() && watched.len() < ENGINES_MAX && !watched.contains_key(&path) {
                // One that cannot be watched now is looked at again.
                if let Ok(one) = watch(pid, &path, tell.clone(), waker.clone()) {
                    watched.insert(path, one);
                }
            }
        }
        if stopped.recv_timeout(LOOK_INTERVAL) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
}

fn watch(pid: u32, path: &Path, tell: Sender<Box<ProcessNews>>, waker: Waker) -> Result<Thread, Error> {
    let mut viewer = Viewer::connect(path, CONNECT_TIMEOUT)?;
    viewer.set_patience(None)?;
    let close = viewer.closer()?;
    let body = move || {
        let mut side = Side::Receiver;
        // However it ends, it is seen no more.
        while let Ok(Some(line)) = viewer.next_line() {
            let news = match line {
                EngineLine::Engine(EngineEvent::Engine { side: its, command, .. }) => {
                    side = its;
                    ProcessNews::Command { pid, command }
                }
                EngineLine::Event(AnyEvent::Service(ServiceEvent::Service(status))) => {
                    ProcessNews::Status { pid, status }
                }
                EngineLine::Engine(EngineEvent::Job { transfer, source }) => {
                    ProcessNews::Source { pid, transfer, source }
                }
                EngineLine::Event(AnyEvent::Transfer(event)) => ProcessNews::Event {
                    pid,
                    side,
                    event: Box::new(event),
                },
                _ => continue,
            };
            if tell.send(Box::new(news)).is_err() {
                return Ok(());
            }
            waker();
        }
        if tell.send(Box::new(ProcessNews::Ended { pid })).is_ok() {
            waker();
        }
        Ok(())
    };
    let thread = Thread::start(&format!("engine {pid}"), body);
    let thread = thread.map_err(|error| Error::system("cannot watch", &error))?;
    Ok(thread.cancelled_by(close))
}
