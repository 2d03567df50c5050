//! The guest that hands each connection to the worker process with least to do.

mod heard;

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::error::{Error, reason};
use crate::sys::awake_now;
use crate::transfer::{
    AbandonedParts, Command, Ended, Event, EventKind, PartNumber, PrivateListener, PromiseTable, Side, SinkSpec,
    TransferId, last_event,
};

use super::handover::now_ns;
use super::messages::{PlanMessage, ToWorker};
use super::worker::{Departure, Worker, WorkerReport, WorkerSetup, least_loaded};
use crate::service::front::{Closing, FrontContext, Guest, JOINS};
use crate::service::key::Key;
use crate::service::plan::{Plan, Workers};
use crate::service::status::{AnyEvent, OpenCounts, ServiceEvent};

pub(crate) use heard::{hear_service, hear_worker};

/// After so many workers in a row that ended before they were ready, none will be.
const FAILED_STARTS_MAX: u32 = 5;
/// Workers that are told to stop have to be gone within this time; those that are told to take nothing new, once they
/// have nothing to do.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A service's workers, and which of them has which transfer.
pub(in crate::service) struct Dispatcher {
    wanted: Workers,
    setup: WorkerSetup,
    /// Of the next worker.
    next_number: u64,
    /// Where workers join, and the key that they need.
    joins: Option<(PrivateListener, Key)>,
    workers: Slab<Worker>,
    assigned: HashMap<TransferId, Assignment>,
    /// What workers that have gone had half received.
    abandoned: AbandonedParts,
    connections_max: usize,
    timeout: Duration,
    failed_starts: u32,
    /// No worker can be started, which was told.
    cannot_start: bool,
    /// The workers were told to take nothing new.
    drains: bool,
    /// When the workers have to be gone.
    stop_by: Option<Instant>,
}

/// A transfer that a worker was handed.
struct Assignment {
    worker: usize,
    peer: String,
    accepted_at: Instant,
    is_confirmed: bool,
    is_receiving: bool,
    /// The number of the file that it receives into, until that is whole.
    part: PartNumber,
    bytes: u64,
}

impl Assignment {
    /// To that worker, now.
    fn new(worker: usize, peer: String) -> Self {
        Self {
            worker,
            peer,
            accepted_at: awake_now(),
            is_confirmed: false,
            is_receiving: false,
            part: PartNumber::draw(),
            bytes: 0,
        }
    }
}

impl Dispatcher {
    /// Hands connections to the workers that are wanted, which do as the plan says.
    ///
    /// # Errors
    /// No worker could do what the plan says, what they promise cannot be counted together, or workers cannot join where
    /// they are to.
    pub(in crate::service) fn new(
        plan: &Plan,
        wanted: Workers,
        connections_max: usize,
        front: &FrontContext,
    ) -> Result<Self, Error> {
        let mut joins = None;
        if let Some((path, key)) = &wanted.join_at {
            let listener = PrivateListener::bind(path)?;
            front
                .watch(&listener, JOINS)
                .map_err(|error| Error::system("cannot start the service", &error))?;
            joins = Some((listener, key.clone()));
        }
        let folder = match &plan.sink {
            SinkSpec::Folder(folder) => Some(folder.clone()),
            _ => None,
        };
        let waker = front.waker();
        let abandoned = AbandonedParts::new(folder, Arc::new(move || drop(waker.wake())));
        Ok(Self {
            wanted,
            setup: WorkerSetup {
                plan: PlanMessage::of(plan)?,
                promises: PromiseTable::new()
                    .map_err(|error| Error::system("cannot count together what the workers promise", &error))?,
            },
            next_number: 1,
            joins,
            workers: Slab::new(),
            assigned: HashMap::new(),
            abandoned,
            connections_max,
            timeout: plan.options.timeout,
            failed_starts: 0,
            cannot_start: false,
            drains: false,
            stop_by: None,
        })
    }

    /// Starts as many workers as there are to be.
    fn start_missing(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        if !front.is_open() || front.is_paused(awake_now()) {
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
            let number = self.next_number();
            let started = Worker::start(&self.wanted.program, &self.setup, number);
            match started.and_then(|worker| self.add(worker, front)) {
                Ok(()) => self.cannot_start = false,
                Err(error) => {
                    // No process or descriptor is left, for now. It is tried again, and told once.
                    front.pause();
                    if !std::mem::replace(&mut self.cannot_start, true) {
                        let why = reason(&error).to_string();
                        front.tell(AnyEvent::Service(ServiceEvent::WorkerMissing { why }));
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn next_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// Adds a worker, which ends again where it cannot be watched.
    fn add(&mut self, worker: Worker, front: &FrontContext) -> io::Result<()> {
        let entry = self.workers.vacant_entry();
        match front.watch(&worker, entry.key()) {
            Ok(()) => {
                entry.insert(worker);
                Ok(())
            }
            Err(error) => {
                worker.end(&Departure::Gone);
                Err(error)
            }
        }
    }

    /// Takes processes that ask to join.
    fn take_joining(&mut self, front: &FrontContext) {
        while let Some(stream) = self.joins.as_ref().and_then(|(listener, _)| listener.accept()) {
            let number = self.next_number();
            let joins = Worker::challenge(stream, number, awake_now());
            // Where that fails the process sees its connection close, and says so.
            if let Ok(worker) = joins {
                let _ = self.add(worker, front);
            }
        }
    }

    /// Reads what a worker reports, and sends what found no room before.
    fn read_worker(&mut self, key: usize, front: &mut FrontContext) {
        front.has_moved();
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let report = worker.channel.flush().and_then(|()| {
                let key = self.joins.as_ref().map(|(_, key)| key);
                worker.receive(key, &self.setup)
            });
            match report {
                Ok(Some(WorkerReport::Ready)) => {
                    self.failed_starts = 0;
                    let worker = worker.pid;
                    front.tell(AnyEvent::Service(ServiceEvent::WorkerReady { worker }));
                }
                Ok(Some(WorkerReport::Event { event, file_stays })) => match *event {
                    AnyEvent::Transfer(event) => self.pass_on(key, event, file_stays, front),
                    AnyEvent::Service(ServiceEvent::Service(status)) => worker.status = status,
                    AnyEvent::Service(_) => {}
                },
                Ok(None) if !worker.channel.is_over() => return,
                Ok(None) => return self.remove(key, &Departure::Gone, front),
                Err(error) => return self.remove(key, &Departure::Broken(error), front),
            }
        }
    }

    /// Tells what happened to a transfer, and counts it.
    fn pass_on(&mut self, key: usize, event: Event, file_stays: bool, front: &mut FrontContext) {
        let id = event.transfer;
        let Some(assigned) = self.assigned.get_mut(&id).filter(|assigned| assigned.worker == key) else {
            return;
        };
        if !std::mem::replace(&mut assigned.is_confirmed, true)
            && let Some(worker) = self.workers.get_mut(key)
        {
            worker.unconfirmed -= 1;
        }
        let mut bytes = assigned.bytes;
        match &event.kind {
            EventKind::Started(_) => {
                assigned.is_receiving = true;
                front.counts_have_changed();
            }
            EventKind::Sample(sample) => bytes = sample.bytes,
            EventKind::Finished(finished) => bytes = finished.moved_bytes(),
            EventKind::Failed(failure) => bytes = failure.bytes,
            EventKind::Cancelled { bytes: moved, .. } => bytes = *moved,
            _ => {}
        }
        front.counters.add_bytes(bytes.saturating_sub(assigned.bytes));
        assigned.bytes = bytes.max(assigned.bytes);
        if event.kind.is_last() {
            let part = assigned.part;
            self.assigned.remove(&id);
            front.counts_have_changed();
            if let Some(worker) = self.workers.get_mut(key) {
                worker.assigned -= 1;
                if !file_stays {
                    worker.keeps_not(part);
                }
                if self.drains && worker.assigned == 0 {
                    worker.leaves_by = Some(awake_now() + STOP_TIMEOUT);
                }
            }
            front.counters.count_transfer(&event.kind);
        }
        front.tell(AnyEvent::Transfer(event));
    }

    /// Removes a worker: its transfers fail, or are cut off where all are, and what it had half received of them is deleted.
    fn remove(&mut self, key: usize, departure: &Departure, front: &mut FrontContext) {
        let Some(mut worker) = self.workers.try_remove(key) else {
            return;
        };
        let number = worker.number;
        let (pid, was_known, was_ready, is_own) = (worker.pid, worker.is_known(), worker.is_ready(), worker.is_own());
        let mut parts = worker.take_unkept();
        let how = worker.end(departure);
        self.setup.promises.release(number);
        if !was_known {
            return;
        }
        let lost: Vec<TransferId> = self
            .assigned
            .iter()
            .filter_map(|(id, assigned)| (assigned.worker == key).then_some(*id))
            .collect();
        for id in &lost {
            let Some(assigned) = self.assigned.remove(id) else {
                continue;
            };
            parts.push(assigned.part);
            let bytes = assigned.bytes;
            let ended = if self.stop_by.is_some() {
                // It was to be cut off in any case.
                Ended::Cancelled { bytes, note: None }
            } else {
                let how = how.trim_end_matches(',').into();
                let error = Error::WorkerLost { pid, how };
                Ended::Failed { error, bytes }
            };
            let last = last_event(ended, Some(&assigned.peer));
            front.counters.count_transfer(&last);
            front.tell(AnyEvent::Transfer(Event {
                kind: last,
                transfer: *id,
                side: Side::Receiver,
                elapsed_s: awake_now()
                    .saturating_duration_since(assigned.accepted_at)
                    .as_secs_f64(),
            }));
        }
        self.abandoned.add(parts, !is_own);
        self.abandoned.remove();
        if is_own && !was_ready && front.is_open() {
            self.failed_starts += 1;
            front.pause();
        }
        let transfers = lost.len();
        front.counts_have_changed();
        front.tell(AnyEvent::Service(ServiceEvent::WorkerGone {
            worker: pid,
            how,
            transfers,
        }));
    }

    fn send(&mut self, key: usize, message: &ToWorker, front: &mut FrontContext) {
        let sent = self
            .workers
            .get_mut(key)
            .map(|worker| worker.channel.send(message, None));
        if let Some(Err(error)) = sent {
            self.remove(key, &Departure::Broken(error), front);
        }
    }

    /// Asks workers that have transfers and tell nothing of them whether they go on.
    fn ask_quiet(&mut self, front: &mut FrontContext) {
        let now = awake_now();
        let is_quiet = |worker: &Worker| worker.ask_at().is_some_and(|at| now >= at);
        let quiet = self.workers.iter().filter(|(_, worker)| is_quiet(worker));
        for key in quiet.map(|(key, _)| key).collect::<Vec<_>>() {
            let asked = self.workers.get_mut(key).map(|worker| worker.ask(now));
            if let Some(Err(error)) = asked {
                self.remove(key, &Departure::Broken(error), front);
            }
        }
    }

    /// Removes workers that do not confirm a connection in time, give no sign of life, do not show that they have the key,
    /// or do not stop.
    fn remove_silent(&mut self, front: &mut FrontContext) {
        let now = awake_now();
        let has_to_stop = self.stop_by.is_some_and(|by| now >= by);
        let timeout = self.timeout;
        let is_late = |worker: &Worker| has_to_stop || worker.due(timeout).is_some_and(|due| now >= due);
        let mut silent: Vec<usize> = self
            .workers
            .iter()
            .filter(|(_, worker)| is_late(worker))
            .map(|(key, _)| key)
            .collect();
        if self.workers.iter().any(|(_, worker)| worker.unconfirmed > 0) {
            let unconfirmed = self.assigned.values().filter(|assigned| !assigned.is_confirmed);
            let late = unconfirmed.filter(|assigned| now >= assigned.accepted_at + self.timeout);
            silent.extend(late.map(|assigned| assigned.worker));
        }
        for key in silent {
            self.remove(key, &Departure::Silent, front);
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
        let assignment = Assignment::new(key, peer.clone());
        let part = assignment.part;
        self.assigned.insert(id, assignment);
        let Some(worker) = self.workers.get_mut(key) else {
            return;
        };
        worker.assigned += 1;
        worker.unconfirmed += 1;
        let message = ToWorker::Connection {
            id,
            peer,
            sent_ns,
            part,
        };
        if let Err(error) = worker.channel.send(&message, Some(socket)) {
            self.remove(key, &Departure::Broken(error), front);
        }
        front.counts_have_changed();
    }

    fn ready(&mut self, token: usize, front: &mut FrontContext) {
        if token == JOINS {
            self.take_joining(front);
        } else {
            self.read_worker(token, front);
        }
    }

    fn work(&mut self, front: &mut FrontContext) -> Result<(), Error> {
        self.ask_quiet(front);
        self.remove_silent(front);
        self.abandoned.remove();
        self.start_missing(front)
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let has_unconfirmed = self.workers.iter().any(|(_, worker)| worker.unconfirmed > 0);
        let unconfirmed = has_unconfirmed.then(|| now + self.timeout);
        let of_workers = |(_, worker): (usize, &Worker)| [worker.due(self.timeout), worker.ask_at()];
        let worker_due = self.workers.iter().flat_map(of_workers).flatten().min();
        let due = [unconfirmed, worker_due, self.stop_by, self.abandoned.due()];
        due.into_iter().flatten().min()
    }

    fn apply(&mut self, command: Command, transfer: TransferId, front: &mut FrontContext) {
        let worker = self.assigned.get(&transfer).map(|assigned| assigned.worker);
        if let Some(key) = worker {
            self.send(key, &ToWorker::Command(command), front);
        }
    }

    /// Commands the workers to end, and lets nobody join any more.
    fn close(&mut self, how: Closing, front: &mut FrontContext) {
        self.joins = None;
        let command = match how {
            Closing::Stop => {
                self.stop_by.get_or_insert(awake_now() + STOP_TIMEOUT);
                Command::Stop
            }
            Closing::Drain | Closing::SourceOver => {
                self.drains = true;
                for (_, worker) in self.workers.iter_mut().filter(|(_, worker)| worker.assigned == 0) {
                    worker.leaves_by = Some(awake_now() + STOP_TIMEOUT);
                }
                Command::Drain
            }
        };
        let keys: Vec<usize> = self.workers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.send(key, &ToWorker::Command(command), front);
        }
    }

    fn is_idle(&self) -> bool {
        self.workers.is_empty() && self.abandoned.is_empty()
    }

    fn open_counts(&self) -> OpenCounts {
        let waiting = self.workers.iter().map(|(_, worker)| worker.status.waiting);
        OpenCounts {
            connections: self.assigned.len(),
            receiving: self.assigned.values().filter(|assigned| assigned.is_receiving).count(),
            waiting: waiting.fold(0, usize::saturating_add),
        }
    }
}
