//! The guest that hands each connection to the worker process with least to do.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::Error;
use crate::transfer::{Command, Ended, Event, EventKind, PrivateListener, Side, SinkSpec, TransferId, last_event};

use super::Plan;
use super::crew::{Parting, Said, Worker, Workers, least_loaded};
use super::front::{Closing, FrontContext, Guest};
use super::intake::now_ns;
use super::key::Key;
use super::leftovers::left_by;
use super::messages::{PlanMessage, ToWorker};
use super::status::{Open, ServiceEvent, Told};

/// The token of the socket where workers join.
const JOINS: usize = usize::MAX - 2;
/// Workers that end before they are ready, one after the other, mean that none will be.
const FAILED_STARTS_MAX: u32 = 5;
/// Workers that are told to stop get so long.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A service's connections, and who has them.
pub(super) struct Dispatcher {
    wanted: Workers,
    plan: ToWorker,
    folder: Option<PathBuf>,
    /// Where workers join, and the key that they have to have.
    joins: Option<(PrivateListener, Key)>,
    workers: Slab<Worker>,
    assigned: HashMap<TransferId, Assigned>,
    connections_max: usize,
    timeout: Duration,
    failed_starts: u32,
    /// By then the workers have to be gone.
    stop_by: Option<Instant>,
}

/// A connection that a worker has.
struct Assigned {
    worker: usize,
    peer: String,
    accepted_at: Instant,
    is_taken: bool,
    is_receiving: bool,
    bytes: u64,
}

impl Dispatcher {
    /// Hands connections to the workers that are wanted, which do as the plan says.
    ///
    /// # Errors
    /// No worker could do what the plan says, or workers cannot join where they are to.
    pub(super) fn new(
        plan: &Plan,
        wanted: Workers,
        connections_max: usize,
        front: &FrontContext,
    ) -> Result<Self, Error> {
        let mut joins = None;
        if let Some((path, key)) = &wanted.door {
            let listener = PrivateListener::bind(path)?;
            front
                .watch(&listener, JOINS)
                .map_err(|error| Error::system("cannot start the service", &error))?;
            joins = Some((listener, key.clone()));
        }
        Ok(Self {
            wanted,
            plan: ToWorker::Plan(Box::new(PlanMessage::of(plan)?)),
            folder: match &plan.sink {
                SinkSpec::Folder(folder) => Some(folder.clone()),
                _ => None,
            },
            joins,
            workers: Slab::new(),
            assigned: HashMap::new(),
            connections_max,
            timeout: plan.options.timeout,
            failed_starts: 0,
            stop_by: None,
        })
    }

    /// Starts as many workers as there are to be.
    fn hire(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        if !front.is_open() || front.is_paused(Instant::now()) {
            return Ok(());
        }
        let own = self.workers.iter().filter(|(_, worker)| worker.is_own()).count();
        for _ in own..self.wanted.count {
            if self.failed_starts >= FAILED_STARTS_MAX {
                return Err(Error::System {
                    doing: "cannot start worker processes",
                    reason: "each ends before it is ready".into(),
                });
            }
            let Ok(worker) = Worker::start(&self.wanted.program, &self.plan) else {
                // No process or descriptor is left, for now.
                front.pause();
                return Ok(());
            };
            self.add(worker, front);
        }
        Ok(())
    }

    fn add(&mut self, worker: Worker, front: &FrontContext) {
        let entry = self.workers.vacant_entry();
        // Where it cannot be watched it goes again.
        if front.watch(&worker, entry.key()).is_ok() {
            entry.insert(worker);
        }
    }

    /// Takes those who want to work here, too.
    fn take_joining(&mut self, front: &FrontContext) {
        while let Some(stream) = self.joins.as_ref().and_then(|(listener, _)| listener.accept()) {
            if let Ok(worker) = Worker::introduce(stream, Instant::now()) {
                self.add(worker, front);
            }
        }
    }

    /// Hears a worker, and says what was left to say to it.
    fn attend(&mut self, key: usize, front: &mut FrontContext) {
        front.has_changed();
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let heard = worker.channel.flush().and_then(|()| {
                let shared = self.joins.as_ref().map(|(_, key)| key);
                worker.hear(shared, &self.plan)
            });
            match heard {
                Ok(Some(Said::Ready)) => {
                    self.failed_starts = 0;
                    let worker = worker.pid;
                    front.tell(Told::Service(ServiceEvent::WorkerReady { worker }));
                }
                Ok(Some(Said::Told(told))) => match *told {
                    Told::Transfer(event) => self.pass_on(key, event, front),
                    Told::Service(ServiceEvent::Service(status)) => worker.status = status,
                    Told::Service(_) => {}
                },
                Ok(None) if !worker.channel.is_over() => return,
                Ok(None) => return self.lose(key, &Parting::Gone, front),
                Err(error) => return self.lose(key, &Parting::Unheard(error), front),
            }
        }
    }

    /// Tells what happened to a transfer, and takes note of it.
    fn pass_on(&mut self, key: usize, event: Event, front: &mut FrontContext) {
        let id = event.transfer;
        let Some(assigned) = self.assigned.get_mut(&id).filter(|assigned| assigned.worker == key) else {
            return;
        };
        if !std::mem::replace(&mut assigned.is_taken, true)
            && let Some(worker) = self.workers.get_mut(key)
        {
            worker.untaken -= 1;
        }
        let (mut bytes, mut is_over) = (assigned.bytes, false);
        match &event.kind {
            EventKind::Started(_) => assigned.is_receiving = true,
            EventKind::Sample(sample) => bytes = sample.bytes,
            EventKind::Finished(finished) => (bytes, is_over) = (finished.bytes, true),
            EventKind::Failed(failure) => (bytes, is_over) = (failure.bytes, true),
            EventKind::Cancelled { bytes: moved } => (bytes, is_over) = (*moved, true),
            EventKind::Joined => is_over = true,
            _ => {}
        }
        front.counters.landed(bytes.saturating_sub(assigned.bytes));
        assigned.bytes = bytes.max(assigned.bytes);
        if is_over {
            self.assigned.remove(&id);
            if let Some(worker) = self.workers.get_mut(key) {
                worker.assigned -= 1;
            }
            front.counters.ended(&event.kind);
        }
        front.tell(Told::Transfer(event));
    }

    /// A worker has gone: what it had has failed, and nothing half received stays.
    fn lose(&mut self, key: usize, parting: &Parting, front: &mut FrontContext) {
        let Some(worker) = self.workers.try_remove(key) else {
            return;
        };
        let (pid, was_known, was_ready, is_own) = (worker.pid, worker.is_known(), worker.is_ready(), worker.is_own());
        let how = worker.end(parting);
        if !was_known {
            return;
        }
        let its: Vec<TransferId> = self
            .assigned
            .iter()
            .filter_map(|(id, assigned)| (assigned.worker == key).then_some(*id))
            .collect();
        for id in &its {
            let Some(assigned) = self.assigned.remove(id) else {
                continue;
            };
            let error = Error::WorkerLost { pid, how: how.clone() };
            let bytes = assigned.bytes;
            let last = last_event(Ended::Failed { error, bytes }, Some(&assigned.peer));
            front.counters.ended(&last);
            front.tell(Told::Transfer(Event {
                kind: last,
                transfer: *id,
                side: Side::Receiver,
                elapsed_s: assigned.accepted_at.elapsed().as_secs_f64(),
            }));
        }
        if let Some(folder) = self.folder.as_ref().filter(|_| is_own) {
            for leftover in left_by(folder, pid) {
                // Gone already is as good.
                let _ = std::fs::remove_file(leftover.path);
            }
        }
        if is_own && !was_ready && front.is_open() {
            self.failed_starts += 1;
            front.pause();
        }
        let transfers = its.len();
        front.tell(Told::Service(ServiceEvent::WorkerGone {
            worker: pid,
            how,
            transfers,
        }));
    }

    fn say(&mut self, key: usize, message: &ToWorker, front: &mut FrontContext) {
        let said = self
            .workers
            .get_mut(key)
            .map(|worker| worker.channel.say(message, None));
        if let Some(Err(error)) = said {
            self.lose(key, &Parting::Unheard(error), front);
        }
    }

    /// Lets workers go that do not say that they have what they were given, or who they are, or do not stop.
    fn dismiss_the_silent(&mut self, front: &mut FrontContext) {
        let now = Instant::now();
        let has_to_stop = self.stop_by.is_some_and(|by| now >= by);
        let is_late = |worker: &Worker| has_to_stop || worker.due().is_some_and(|due| now >= due);
        let mut silent: Vec<usize> = self
            .workers
            .iter()
            .filter(|(_, worker)| is_late(worker))
            .map(|(key, _)| key)
            .collect();
        if self.workers.iter().any(|(_, worker)| worker.untaken > 0) {
            let untaken = self.assigned.values().filter(|assigned| !assigned.is_taken);
            let late = untaken.filter(|assigned| now >= assigned.accepted_at + self.timeout);
            silent.extend(late.map(|assigned| assigned.worker));
        }
        for key in silent {
            self.lose(key, &Parting::Silent, front);
        }
    }
}

impl Guest for Dispatcher {
    type Arrival = (OwnedFd, String);

    fn has_room(&self) -> bool {
        self.assigned.len() < self.connections_max && least_loaded(&self.workers).is_some()
    }

    fn accept(&mut self, (socket, peer): (OwnedFd, String), front: &mut FrontContext) {
        let Some(key) = least_loaded(&self.workers) else { return };
        let (id, sent_ns) = (TransferId::next(), now_ns());
        let assigned = Assigned {
            worker: key,
            peer: peer.clone(),
            accepted_at: Instant::now(),
            is_taken: false,
            is_receiving: false,
            bytes: 0,
        };
        self.assigned.insert(id, assigned);
        let Some(worker) = self.workers.get_mut(key) else {
            return;
        };
        worker.assigned += 1;
        worker.untaken += 1;
        let message = ToWorker::Connection { id, peer, sent_ns };
        if let Err(error) = worker.channel.say(&message, Some(socket)) {
            self.lose(key, &Parting::Unheard(error), front);
        }
        front.has_changed();
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
        self.hire(front)
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let has_untaken = self.workers.iter().any(|(_, worker)| worker.untaken > 0);
        let untaken = has_untaken.then(|| now + self.timeout);
        let introduced = self.workers.iter().filter_map(|(_, worker)| worker.due()).min();
        [untaken, introduced, self.stop_by].into_iter().flatten().min()
    }

    fn apply(&mut self, command: Command, transfer: TransferId, front: &mut FrontContext) {
        let worker = self.assigned.get(&transfer).map(|assigned| assigned.worker);
        if let Some(key) = worker {
            self.say(key, &ToWorker::Command(command), front);
        }
    }

    /// Tells the workers, and lets nobody join any more.
    fn close(&mut self, how: Closing, front: &mut FrontContext) {
        self.joins = None;
        let command = match how {
            Closing::Stop => {
                self.stop_by.get_or_insert(Instant::now() + STOP_PATIENCE);
                Command::Stop
            }
            Closing::Drain | Closing::SourceOver => Command::Drain,
        };
        let keys: Vec<usize> = self.workers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.say(key, &ToWorker::Command(command), front);
        }
    }

    fn is_idle(&self) -> bool {
        self.workers.is_empty()
    }

    fn open(&self) -> Open {
        Open {
            connections: self.assigned.len(),
            receiving: self.assigned.values().filter(|assigned| assigned.is_receiving).count(),
            waiting: self.workers.iter().map(|(_, worker)| worker.status.waiting).sum(),
        }
    }
}
