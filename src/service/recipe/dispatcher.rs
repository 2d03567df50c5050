//! The guest that hands each connection, unread, to the plain worker that has taken fewest.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::Error;
use crate::service::front::{Closing, FrontContext, Guest, JOINS};
use crate::service::status::{AnyEvent, OpenCounts, ServiceEvent};
use crate::sys::awake_now;
use crate::transfer::{Options, PeerUser, PrivateListener};

use super::AuthKey;
use super::plain_worker::{Handover, PlainWorker};

/// Connections on their way to plain workers.
pub(in crate::service) struct RecipeDispatcher {
    joins: PrivateListener,
    /// The key that workers need.
    key: Option<AuthKey>,
    workers: Slab<PlainWorker>,
    /// Connections that wait for a worker: those for which one that has gone did not answer.
    waiting: VecDeque<Handover>,
    /// A worker that does not answer for so long is removed.
    timeout: Duration,
    /// Whose connections are handed over, where they come over a Unix socket.
    peer_user: PeerUser,
}

impl RecipeDispatcher {
    /// Takes workers at `path`, whose socket is its user's alone; one that an earlier process has left gives way.
    ///
    /// # Errors
    /// The path cannot be used, or the system does not let it be watched.
    pub(in crate::service) fn new(
        path: &Path,
        key: Option<AuthKey>,
        options: &Options,
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
            waiting: VecDeque::new(),
            timeout: options.timeout,
            peer_user: options.peer_user,
        })
    }

    fn take_joining(&mut self, front: &mut FrontContext) {
        while let Some(stream) = self.joins.accept() {
            // One that may not work here, or has gone again, is closed.
            let known_by = awake_now() + self.timeout;
            let Ok(worker) = PlainWorker::new(stream, self.key.as_ref(), known_by) else {
                continue;
            };
            let entry = self.workers.vacant_entry();
            // That there is room again tells that something was read.
            if front.watch(&worker, entry.key()).is_ok() {
                let worker = entry.insert(worker);
                if worker.is_known() {
                    let worker = worker.pid;
                    front.tell(AnyEvent::Service(ServiceEvent::WorkerReady { worker }));
                }
            }
        }
    }

    fn read_worker(&mut self, key: usize, front: &mut FrontContext) {
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let was_known = worker.is_known();
            let answered = worker.receive();
            if worker.is_known() && !was_known {
                let worker = worker.pid;
                front.tell(AnyEvent::Service(ServiceEvent::WorkerReady { worker }));
            }
            match answered {
                Ok(Some(handover)) => {
                    let worker = worker.pid;
                    front.counters.count_connection(true);
                    front.counts_have_changed();
                    front.tell(AnyEvent::Service(ServiceEvent::HandedOver {
                        worker,
                        peer: handover.peer,
                        after_s: awake_now()
                            .saturating_duration_since(handover.accepted_at)
                            .as_secs_f64(),
                    }));
                }
                Ok(None) => return,
                Err(error) => {
                    let how = match error.kind() {
                        io::ErrorKind::InvalidData => "was let go, as it said what was not to be said (OK is)",
                        io::ErrorKind::PermissionDenied => "was turned away: it has another key",
                        _ => "has left",
                    };
                    return self.remove(key, how, front);
                }
            }
        }
    }

    /// Removes a worker. The connection for which it did not answer goes to the next one.
    fn remove(&mut self, key: usize, how: &str, front: &mut FrontContext) {
        let Some(worker) = self.workers.try_remove(key) else {
            return;
        };
        front.tell(AnyEvent::Service(ServiceEvent::WorkerGone {
            worker: worker.pid,
            how: how.into(),
            transfers: 0,
        }));
        self.waiting.extend(worker.into_unanswered());
    }

    /// The free worker that has taken fewest.
    fn next_worker(&self) -> Option<usize> {
        let free = self.workers.iter().filter(|(_, worker)| worker.is_free());
        free.min_by_key(|(_, worker)| worker.handed_over).map(|(key, _)| key)
    }

    fn remove_silent(&mut self, front: &mut FrontContext) {
        let now = awake_now();
        let is_late = |worker: &PlainWorker| worker.due(self.timeout).is_some_and(|due| now >= due);
        let late = self.workers.iter().filter(|(_, worker)| is_late(worker));
        let late: Vec<usize> = late.map(|(key, _)| key).collect();
        for key in late {
            self.remove(key, "was let go, as it did not answer", front);
        }
    }

    /// Hands over the connections that wait, as far as workers are free.
    fn hand_over_waiting(&mut self, front: &mut FrontContext) {
        while let Some(key) = self.next_worker() {
            let Some(handover) = self.waiting.pop_front() else {
                return;
            };
            let worker = self.workers.get_mut(key);
            if worker.is_some_and(|worker| worker.hand_over(handover, awake_now()).is_err()) {
                self.remove(key, "has left", front);
            }
        }
    }
}

impl Guest for RecipeDispatcher {
    type Arrival = (OwnedFd, String);

    /// Nobody is accepted before there is somebody to have it.
    fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.next_worker().is_some()
    }

    fn accept(&mut self, (socket, peer): (OwnedFd, String), front: &mut FrontContext) {
        if let Err(error) = self.peer_user.check(&socket, &peer) {
            front.tell_stranger(&peer, &error);
            return front.counters.count_connection(false);
        }
        // Programs expect a blocking socket. One that cannot be made so has broken already.
        if rustix::io::ioctl_fionbio(&socket, false).is_err() {
            return front.counters.count_connection(false);
        }
        self.waiting.push_back(Handover {
            socket,
            peer,
            accepted_at: awake_now(),
        });
        self.hand_over_waiting(front);
    }

    fn ready(&mut self, token: usize, front: &mut FrontContext) {
        if token == JOINS {
            self.take_joining(front);
        } else {
            self.read_worker(token, front);
        }
    }

    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        self.remove_silent(front);
        self.hand_over_waiting(front);
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
        !self.workers.iter().any(|(_, worker)| worker.has_unanswered())
    }

    fn finish(&mut self, front: &mut FrontContext) {
        // No worker took them.
        self.waiting
            .drain(..)
            .for_each(|_| front.counters.count_connection(false));
    }

    fn open_counts(&self) -> OpenCounts {
        let unanswered = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.has_unanswered())
            .count();
        OpenCounts {
            connections: unanswered + self.waiting.len(),
            receiving: 0,
            waiting: self.waiting.len(),
        }
    }
}
