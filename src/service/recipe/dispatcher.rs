//! One thread that accepts connections, reads nothing of them, and hands each to the plain worker that has had fewest.

use std::collections::VecDeque;
use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::error::{Error, reason};
use crate::service::event_loop::WAKER;
use crate::service::status::{ServiceEvent, Status, Tally, Told};
use crate::transfer::{Command, Listener, Outlet, SocketFile, remove_stale_socket};

use super::AuthKey;
use super::plain_worker::{Given, PlainWorker};

const EVENTS: usize = 256;
const LISTENER: Token = Token(usize::MAX);
const DOOR: Token = Token(usize::MAX - 2);
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Where descriptors run out, the next try is so much later.
const PAUSE: Duration = Duration::from_millis(100);

/// A service's connections on their way to others.
pub(in crate::service) struct RecipeDispatcher {
    poll: Poll,
    listener: Option<Listener>,
    door: UnixListener,
    _file: SocketFile,
    /// What workers have to have.
    key: Option<AuthKey>,
    workers: Slab<PlainWorker>,
    /// What those who have gone did not answer for.
    again: VecDeque<Given>,
    /// Who does not answer for so long is let go.
    timeout: Duration,
    commands: Receiver<Command>,
    outlet: Outlet<Told>,
    accepts_more: bool,
    pause_until: Option<Instant>,
    status_at: Instant,
    has_news: bool,
    tally: Tally,
    told_status: Status,
}

impl RecipeDispatcher {
    /// Takes workers at `path`, whose socket is its user's alone; one that an earlier process has left gives way.
    pub(in crate::service) fn new(
        poll: Poll,
        listener: Listener,
        path: &Path,
        key: Option<AuthKey>,
        timeout: Duration,
        commands: Receiver<Command>,
        events: Sender<Told>,
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Endpoint {
            endpoint: path.display().to_string(),
            reason: reason(&error),
        };
        remove_stale_socket(path)?;
        let door = UnixListener::bind(path).map_err(failed)?;
        let file = SocketFile::new(path);
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        door.set_nonblocking(true).map_err(failed)?;
        register(&poll, &listener, LISTENER).map_err(failed)?;
        register(&poll, &door, DOOR).map_err(failed)?;
        let now = Instant::now();
        Ok(Self {
            poll,
            listener: Some(listener),
            door,
            _file: file,
            key,
            workers: Slab::new(),
            again: VecDeque::new(),
            timeout,
            commands,
            outlet: Outlet::new(events),
            accepts_more: true,
            pause_until: None,
            status_at: now,
            has_news: false,
            tally: Tally::new(now),
            told_status: Status::default(),
        })
    }

    /// Hands connections over until it is closed and each that was accepted is answered for.
    pub(in crate::service) fn run(mut self) -> Result<Status, Error> {
        let mut events = Events::with_capacity(EVENTS);
        while self.listener.is_some() || self.workers.iter().any(|(_, worker)| worker.owes()) {
            self.wait(&mut events)?;
            for event in &events {
                match event.token() {
                    LISTENER => self.accepts_more = true,
                    WAKER => {}
                    DOOR => self.let_in(),
                    Token(key) => self.attend(key),
                }
            }
            self.obey();
            self.hand_over();
            self.dismiss_the_silent();
            self.outlet.retry();
            let now = Instant::now();
            if self.has_news && now >= self.status_at {
                self.tell_status(now);
                self.status_at = now + STATUS_INTERVAL;
            }
        }
        // Nobody is left to take them.
        self.again.drain(..).for_each(|_| self.tally.closed(false));
        self.tell_status(Instant::now());
        self.outlet.finish();
        Ok(self.told_status)
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), Error> {
        let now = Instant::now();
        let timeout = if self.may_accept(now) {
            Some(Duration::ZERO)
        } else {
            let due = self.workers.iter().filter_map(|(_, worker)| worker.due(self.timeout));
            let due = due.min();
            let status = self.has_news.then_some(self.status_at);
            let until = [due, status, self.pause_until].into_iter().flatten().min();
            until.map(|until| until.saturating_duration_since(now))
        };
        match self.poll.poll(events, timeout) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            Err(error) => Err(Error::system("cannot wait for connections", &error)),
        }
    }

    fn let_in(&mut self) {
        while let Ok((stream, _)) = self.door.accept() {
            // Who may not, or has gone again, is closed.
            let known_by = Instant::now() + self.timeout;
            let Ok(worker) = PlainWorker::new(stream, self.key.as_ref(), known_by) else {
                continue;
            };
            let entry = self.workers.vacant_entry();
            if register(&self.poll, &worker, Token(entry.key())).is_ok() {
                let worker = entry.insert(worker);
                if worker.is_known() {
                    let worker = worker.pid;
                    self.outlet.keep(Told::Service(ServiceEvent::WorkerReady { worker }));
                }
            }
        }
    }

    fn attend(&mut self, key: usize) {
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let was_known = worker.is_known();
            let heard = worker.hear();
            if worker.is_known() && !was_known {
                let worker = worker.pid;
                self.outlet.keep(Told::Service(ServiceEvent::WorkerReady { worker }));
            }
            match heard {
                Ok(Some(given)) => {
                    let worker = worker.pid;
                    self.tally.closed(true);
                    self.has_news = true;
                    self.outlet.keep(Told::Service(ServiceEvent::HandedOver {
                        worker,
                        peer: given.peer,
                        after_s: given.accepted_at.elapsed().as_secs_f64(),
                    }));
                }
                Ok(None) => return,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return self.lose(key, "was let go, as it said what was not to be said (OK is)");
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return self.lose(key, "was turned away: it has another key");
                }
                Err(_) => return self.lose(key, "has left"),
            }
        }
    }

    /// A worker has gone: what it has not answered for goes to the next one.
    fn lose(&mut self, key: usize, how: &str) {
        let Some(worker) = self.workers.try_remove(key) else {
            return;
        };
        self.outlet.keep(Told::Service(ServiceEvent::WorkerGone {
            worker: worker.pid,
            how: how.into(),
            transfers: 0,
        }));
        self.again.extend(worker.into_unanswered());
    }

    fn obey(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Drain => self.close(),
                Command::Stop => {
                    self.close();
                    self.workers.drain().for_each(drop);
                }
                // What the workers do is theirs.
                Command::Pause { .. } | Command::Resume { .. } | Command::Cancel { .. } | Command::Limit { .. } => {}
            }
        }
    }

    fn close(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
    }

    /// Who is free, and has had fewest.
    fn next_worker(&self) -> Option<usize> {
        let free = self.workers.iter().filter(|(_, worker)| worker.is_free());
        free.min_by_key(|(_, worker)| worker.had).map(|(key, _)| key)
    }

    fn may_accept(&self, now: Instant) -> bool {
        self.listener.is_some()
            && self.accepts_more
            && self.pause_until.is_none_or(|until| now >= until)
            && self.next_worker().is_some()
    }

    fn hand_over(&mut self) {
        while let Some(key) = self.next_worker() {
            let now = Instant::now();
            let Some(given) = self.again.pop_front().or_else(|| self.accept(now)) else {
                return;
            };
            let worker = self.workers.get_mut(key);
            if worker.is_some_and(|worker| worker.give(given, now).is_err()) {
                self.lose(key, "has left");
            }
        }
    }

    fn accept(&mut self, now: Instant) -> Option<Given> {
        let may = self.may_accept(now);
        let listener = self.listener.as_ref().filter(|_| may)?;
        self.pause_until = None;
        match listener.try_accept_socket() {
            // Programs expect that it waits. One that cannot be told so has broken already.
            Ok(Some((socket, peer))) if rustix::io::ioctl_fionbio(&socket, false).is_ok() => {
                return Some(Given {
                    socket,
                    peer,
                    accepted_at: now,
                });
            }
            Ok(Some(_)) => self.tally.closed(false),
            Ok(None) => self.accepts_more = false,
            // No descriptor or memory is left: whoever ends gives its own back.
            Err(_) => {
                self.pause_until = Some(now + PAUSE);
                self.tally.exhausted();
            }
        }
        None
    }

    fn dismiss_the_silent(&mut self) {
        let now = Instant::now();
        let is_late = |worker: &PlainWorker| worker.due(self.timeout).is_some_and(|due| now >= due);
        let late = self.workers.iter().filter(|(_, worker)| is_late(worker));
        let late: Vec<usize> = late.map(|(key, _)| key).collect();
        for key in late {
            self.lose(key, "was let go, as it did not answer");
        }
    }

    fn tell_status(&mut self, now: Instant) {
        let unanswered = self.workers.iter().filter(|(_, worker)| worker.owes()).count();
        let counts = [unanswered + self.again.len(), 0, self.again.len()];
        self.told_status = self.tally.status(counts, &self.told_status, now);
        self.has_news = false;
        self.outlet
            .offer(Told::Service(ServiceEvent::Service(self.told_status)));
    }
}

fn register(poll: &Poll, socket: &impl AsFd, token: Token) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    // That there is room again tells that something was read.
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut SourceFd(&descriptor), token, both)
}
