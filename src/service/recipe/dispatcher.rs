//! The guest that reads nothing of a connection, and hands each to the plain worker that has had fewest.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::Error;
use crate::service::front::{Closing, FrontContext, Guest};
use crate::service::status::{Open, ServiceEvent, Told};
use crate::transfer::PrivateListener;

use super::AuthKey;
use super::plain_worker::{Given, PlainWorker};

/// The token of the socket where workers join.
const JOINS: usize = usize::MAX - 2;

/// A service's connections on their way to others.
pub(in crate::service) struct RecipeDispatcher {
    joins: PrivateListener,
    /// What workers have to have.
    key: Option<AuthKey>,
    workers: Slab<PlainWorker>,
    /// What those who have gone did not answer for.
    again: VecDeque<Given>,
    /// Who does not answer for so long is let go.
    timeout: Duration,
}

impl RecipeDispatcher {
    /// Takes workers at `path`, whose socket is its user's alone; one that an earlier process has left gives way.
    ///
    /// # Errors
    /// The path cannot be used, or the system does not let it be watched.
    pub(in crate::service) fn new(
        path: &Path,
        key: Option<AuthKey>,
        timeout: Duration,
        front: &FrontContext,
    ) -> Result<Self, Error> {
        let joins = PrivateListener::bind(path)?;
        front
            .watch(&joins, JOINS)
            .map_err(|error| Error::system("cannot start the service", &error))?;
        Ok(Self {
            joins,
            key,
            workers: Slab::new(),
            again: VecDeque::new(),
            timeout,
        })
    }

    fn take_joining(&mut self, front: &mut FrontContext) {
        while let Some(stream) = self.joins.accept() {
            // Who may not, or has gone again, is closed.
            let known_by = Instant::now() + self.timeout;
            let Ok(worker) = PlainWorker::new(stream, self.key.as_ref(), known_by) else {
                continue;
            };
            let entry = self.workers.vacant_entry();
            // That there is room again tells that something was read.
            if front.watch(&worker, entry.key()).is_ok() {
                let worker = entry.insert(worker);
                if worker.is_known() {
                    let worker = worker.pid;
                    front.tell(Told::Service(ServiceEvent::WorkerReady { worker }));
                }
            }
        }
    }

    fn attend(&mut self, key: usize, front: &mut FrontContext) {
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let was_known = worker.is_known();
            let heard = worker.hear();
            if worker.is_known() && !was_known {
                let worker = worker.pid;
                front.tell(Told::Service(ServiceEvent::WorkerReady { worker }));
            }
            match heard {
                Ok(Some(given)) => {
                    let worker = worker.pid;
                    front.counters.closed(true);
                    front.has_changed();
                    front.tell(Told::Service(ServiceEvent::HandedOver {
                        worker,
                        peer: given.peer,
                        after_s: given.accepted_at.elapsed().as_secs_f64(),
                    }));
                }
                Ok(None) => return,
                Err(error) => {
                    let how = match error.kind() {
                        io::ErrorKind::InvalidData => "was let go, as it said what was not to be said (OK is)",
                        io::ErrorKind::PermissionDenied => "was turned away: it has another key",
                        _ => "has left",
                    };
                    return self.lose(key, how, front);
                }
            }
        }
    }

    /// A worker has gone: what it has not answered for goes to the next one.
    fn lose(&mut self, key: usize, how: &str, front: &mut FrontContext) {
        let Some(worker) = self.workers.try_remove(key) else {
            return;
        };
        front.tell(Told::Service(ServiceEvent::WorkerGone {
            worker: worker.pid,
            how: how.into(),
            transfers: 0,
        }));
        self.again.extend(worker.into_unanswered());
    }

    /// Who is free, and has had fewest.
    fn next_worker(&self) -> Option<usize> {
        let free = self.workers.iter().filter(|(_, worker)| worker.is_free());
        free.min_by_key(|(_, worker)| worker.had).map(|(key, _)| key)
    }

    fn dismiss_the_silent(&mut self, front: &mut FrontContext) {
        let now = Instant::now();
        let is_late = |worker: &PlainWorker| worker.due(self.timeout).is_some_and(|due| now >= due);
        let late = self.workers.iter().filter(|(_, worker)| is_late(worker));
        let late: Vec<usize> = late.map(|(key, _)| key).collect();
        for key in late {
            self.lose(key, "was let go, as it did not answer", front);
        }
    }

    /// Hands over what waits for a worker.
    fn hand_over(&mut self, front: &mut FrontContext) {
        while let Some(key) = self.next_worker() {
            let Some(given) = self.again.pop_front() else { return };
            let worker = self.workers.get_mut(key);
            if worker.is_some_and(|worker| worker.give(given, Instant::now()).is_err()) {
                self.lose(key, "has left", front);
            }
        }
    }
}

impl Guest for RecipeDispatcher {
    type Arrival = (OwnedFd, String);

    /// Nobody is accepted before there is somebody to have it.
    fn has_room(&self) -> bool {
        self.again.is_empty() && self.next_worker().is_some()
    }

    fn accept(&mut self, (socket, peer): (OwnedFd, String), front: &mut FrontContext) {
        // Programs expect that it waits. One that cannot be told so has broken already.
        if rustix::io::ioctl_fionbio(&socket, false).is_err() {
            return front.counters.closed(false);
        }
        self.again.push_back(Given {
            socket,
            peer,
            accepted_at: Instant::now(),
        });
        self.hand_over(front);
    }

    fn ready(&mut self, token: usize, front: &mut FrontContext) {
        if token == JOINS {
            self.take_joining(front);
        } else {
            self.attend(token, front);
        }
    }

    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        self.dismiss_the_silent(front);
        self.hand_over(front);
        Ok(())
    }

    fn due(&self, _now: Instant) -> Option<Instant> {
        let due = self.workers.iter().filter_map(|(_, worker)| worker.due(self.timeout));
        due.min()
    }

    fn close(&mut self, how: Closing, _front: &mut FrontContext) {
        if how == Closing::Stop {
            self.workers.clear();
        }
    }

    /// Each that was accepted is answered for.
    fn is_idle(&self) -> bool {
        !self.workers.iter().any(|(_, worker)| worker.owes())
    }

    fn finish(&mut self, front: &mut FrontContext) {
        // Nobody is left to take them.
        self.again.drain(..).for_each(|_| front.counters.closed(false));
    }

    fn open(&self) -> Open {
        let unanswered = self.workers.iter().filter(|(_, worker)| worker.owes()).count();
        Open {
            connections: unanswered + self.again.len(),
            receiving: 0,
            waiting: self.again.len(),
        }
    }
}
