//! One thread that accepts connections and hands each to the worker process with least to do.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

use crate::error::Error;
use crate::transfer::{Command, Ended, Event, EventKind, Listener, Outlet, Side, SinkSpec, TransferId, last_event};

use super::Plan;
use super::crew::{Parting, Said, Worker, Workers, least_loaded};
use super::door::Door;
use super::event_loop::WAKER;
use super::intake::now_ns;
use super::leftovers::left_by;
use super::messages::{PlanMessage, ToWorker};
use super::status::{ServiceEvent, Status, Tally, Told};

const EVENTS: usize = 256;
const LISTENER: Token = Token(usize::MAX);
const DOOR: Token = Token(usize::MAX - 2);
/// Connections that are taken between two looks at the workers.
const ACCEPTS: usize = 64;
/// While so many events found no room with whoever reads them, nobody new is taken.
const KEPT_EVENTS_MAX: usize = 4096;
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Where something has run out, the next try is so much later.
const PAUSE: Duration = Duration::from_millis(100);
/// Workers that end before they are ready, one after the other, mean that none will be.
const FAILED_STARTS_MAX: u32 = 5;
/// Workers that are told to stop get so long.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A service's connections, and who has them.
pub(super) struct Dispatcher {
    poll: Poll,
    listener: Option<Listener>,
    wanted: Workers,
    plan: ToWorker,
    folder: Option<PathBuf>,
    door: Option<Door>,
    workers: Slab<Worker>,
    assigned: HashMap<TransferId, Assigned>,
    connections_max: usize,
    timeout: Duration,
    commands: Receiver<Command>,
    outlet: Outlet<Told>,
    accepts_more: bool,
    /// Before then nobody is accepted and no worker started.
    pause_until: Option<Instant>,
    failed_starts: u32,
    /// By then the workers have to be gone.
    stop_by: Option<Instant>,
    status_at: Instant,
    has_news: bool,
    tally: Tally,
    told_status: Status,
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
    pub(super) fn new(
        poll: Poll,
        plan: &Plan,
        wanted: Workers,
        listener: Listener,
        connections_max: usize,
        commands: Receiver<Command>,
        events: Sender<Told>,
    ) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::system("cannot start the service", &error);
        register(&poll, &listener, LISTENER, Interest::READABLE).map_err(failed)?;
        let door = wanted
            .door
            .clone()
            .map(|(path, key)| Door::open(&path, key))
            .transpose()?;
        if let Some(door) = &door {
            register(&poll, door, DOOR, Interest::READABLE).map_err(failed)?;
        }
        let now = Instant::now();
        Ok(Self {
            poll,
            listener: Some(listener),
            wanted,
            plan: ToWorker::Plan(Box::new(PlanMessage::of(plan)?)),
            folder: match &plan.sink {
                SinkSpec::Folder(folder) => Some(folder.clone()),
                _ => None,
            },
            door,
            workers: Slab::new(),
            assigned: HashMap::new(),
            connections_max,
            timeout: plan.options.timeout,
            commands,
            outlet: Outlet::new(events),
            accepts_more: true,
            pause_until: None,
            failed_starts: 0,
            stop_by: None,
            status_at: now,
            has_news: false,
            tally: Tally::new(now),
            told_status: Status::default(),
        })
    }

    /// Hands connections over until it is closed and the last worker has gone.
    pub(super) fn run(mut self) -> Result<Status, Error> {
        let mut events = Events::with_capacity(EVENTS);
        let mut result = Ok(());
        while self.listener.is_some() || !self.workers.is_empty() {
            if let Err(error) = self.hire() {
                result = Err(error);
                self.close(Command::Stop);
            }
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
            self.accept();
            self.dismiss_the_silent();
            self.tell();
        }
        self.tell_status(Instant::now());
        self.outlet.finish();
        result.map(|()| self.told_status)
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), Error> {
        let now = Instant::now();
        let timeout = if self.may_accept(now) {
            Some(Duration::ZERO)
        } else {
            let kept = (self.outlet.kept() > 0).then(|| now + PAUSE / 2);
            let status = self.has_news.then_some(self.status_at);
            let untaken = (self.workers.iter().any(|(_, worker)| worker.untaken > 0)).then(|| now + self.timeout);
            let due = self.workers.iter().filter_map(|(_, worker)| worker.due()).min();
            let until = [kept, status, untaken, due, self.pause_until, self.stop_by];
            let until = until.into_iter().flatten().min();
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

    /// Starts as many workers as there are to be.
    fn hire(&mut self) -> Result<(), Error> {
        let is_early = self.pause_until.is_some_and(|until| Instant::now() < until);
        if self.listener.is_none() || is_early {
            return Ok(());
        }
        self.pause_until = None;
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
                self.rest();
                return Ok(());
            };
            self.add(worker);
        }
        Ok(())
    }

    fn rest(&mut self) {
        self.pause_until = Some(Instant::now() + PAUSE);
        self.tally.exhausted();
    }

    fn add(&mut self, worker: Worker) {
        let entry = self.workers.vacant_entry();
        // Where it cannot be watched it goes again.
        if register(
            &self.poll,
            &worker,
            Token(entry.key()),
            Interest::READABLE | Interest::WRITABLE,
        )
        .is_ok()
        {
            entry.insert(worker);
        }
    }

    /// Lets those in who want to work here, too.
    fn let_in(&mut self) {
        while let Some(stream) = self.door.as_ref().and_then(Door::next) {
            if let Ok(worker) = Worker::introduce(stream, Instant::now()) {
                self.add(worker);
            }
        }
    }

    /// Hears a worker, and says what was left to say to it.
    fn attend(&mut self, key: usize) {
        self.has_news = true;
        loop {
            let Some(worker) = self.workers.get_mut(key) else {
                return;
            };
            let heard = worker.channel.flush().and_then(|()| {
                let shared = self.door.as_ref().map(Door::key);
                worker.hear(shared, &self.plan)
            });
            match heard {
                Ok(Some(Said::Ready)) => {
                    self.failed_starts = 0;
                    let worker = worker.pid;
                    self.outlet.hold(Told::Service(ServiceEvent::WorkerReady { worker }));
                }
                Ok(Some(Said::Told(told))) => match *told {
                    Told::Transfer(event) => self.pass_on(key, event),
                    Told::Service(ServiceEvent::Service(status)) => worker.status = status,
                    Told::Service(_) => {}
                },
                Ok(None) if !worker.channel.is_over() => return,
                Ok(None) => return self.lose(key, &Parting::Gone),
                Err(error) => return self.lose(key, &Parting::Unheard(error)),
            }
        }
    }

    /// Tells what happened to a transfer, and takes note of it.
    fn pass_on(&mut self, key: usize, event: Event) {
        let id = event.transfer;
        let Some(assigned) = self.assigned.get_mut(&id).filter(|assigned| assigned.worker == key) else {
            return;
        };
        if !std::mem::replace(&mut assigned.is_taken, true)
            && let Some(worker) = self.workers.get_mut(key)
        {
            worker.untaken -= 1;
        }
        let (mut bytes, mut is_over, mut is_sample) = (assigned.bytes, false, false);
        match &event.kind {
            EventKind::Started(_) => assigned.is_receiving = true,
            EventKind::Sample(sample) => (bytes, is_sample) = (sample.bytes, true),
            EventKind::Finished(finished) => (bytes, is_over) = (finished.bytes, true),
            EventKind::Failed(failure) => (bytes, is_over) = (failure.bytes, true),
            EventKind::Cancelled { bytes: moved } => (bytes, is_over) = (*moved, true),
            EventKind::Joined => is_over = true,
            _ => {}
        }
        self.tally.landed(bytes.saturating_sub(assigned.bytes));
        assigned.bytes = bytes.max(assigned.bytes);
        if is_over {
            self.assigned.remove(&id);
            if let Some(worker) = self.workers.get_mut(key) {
                worker.assigned -= 1;
            }
            self.tally.ended(&event.kind);
        }
        let told = Told::Transfer(event);
        if is_sample {
            self.outlet.offer(told);
        } else {
            self.outlet.hold(told);
        }
    }

    /// A worker has gone: what it had has failed, and nothing half received stays.
    fn lose(&mut self, key: usize, parting: &Parting) {
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
            self.tally.ended(&last);
            self.outlet.hold(Told::Transfer(Event {
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
        if is_own && !was_ready && self.listener.is_some() {
            self.failed_starts += 1;
            self.rest();
        }
        let transfers = its.len();
        self.outlet.hold(Told::Service(ServiceEvent::WorkerGone {
            worker: pid,
            how,
            transfers,
        }));
    }

    fn obey(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Drain | Command::Stop => self.close(command),
                Command::Pause { transfer }
                | Command::Resume { transfer }
                | Command::Cancel { transfer }
                | Command::Limit { transfer, .. } => {
                    let worker = self.assigned.get(&transfer).map(|assigned| assigned.worker);
                    if let Some(key) = worker {
                        self.say(key, &ToWorker::Command(command));
                    }
                }
            }
        }
    }

    /// Takes nobody any more, and tells the workers.
    fn close(&mut self, command: Command) {
        if let Some(listener) = self.listener.take() {
            listener.close();
        }
        self.door = None;
        if command == Command::Stop {
            self.stop_by.get_or_insert(Instant::now() + STOP_PATIENCE);
        }
        let keys: Vec<usize> = self.workers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.say(key, &ToWorker::Command(command));
        }
    }

    fn say(&mut self, key: usize, message: &ToWorker) {
        let said = self
            .workers
            .get_mut(key)
            .map(|worker| worker.channel.say(message, None));
        if let Some(Err(error)) = said {
            self.lose(key, &Parting::Unheard(error));
        }
    }

    fn may_accept(&self, now: Instant) -> bool {
        self.listener.is_some()
            && self.accepts_more
            && self.assigned.len() < self.connections_max
            && self.outlet.kept() < KEPT_EVENTS_MAX
            && self.pause_until.is_none_or(|until| now >= until)
            && least_loaded(&self.workers).is_some()
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            let now = Instant::now();
            let Some(listener) = self.listener.as_ref().filter(|_| self.may_accept(now)) else {
                return;
            };
            match listener.try_accept_socket() {
                Ok(Some((socket, peer))) => {
                    let Some(key) = least_loaded(&self.workers) else { return };
                    let (id, sent_ns) = (TransferId::next(), now_ns());
                    let assigned = Assigned {
                        worker: key,
                        peer: peer.clone(),
                        accepted_at: now,
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
                        self.lose(key, &Parting::Unheard(error));
                    }
                    self.has_news = true;
                }
                Ok(None) => self.accepts_more = false,
                // No descriptor or memory is left: whoever ends gives its own back.
                Err(_) => self.rest(),
            }
        }
    }

    /// Lets workers go that do not say that they have what they were given, or who they are, or do not stop.
    fn dismiss_the_silent(&mut self) {
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
            self.lose(key, &Parting::Silent);
        }
    }

    fn tell(&mut self) {
        self.outlet.retry();
        let now = Instant::now();
        if self.has_news && now >= self.status_at {
            self.tell_status(now);
            self.status_at = now + STATUS_INTERVAL;
        }
    }

    fn tell_status(&mut self, now: Instant) {
        let receiving = self.assigned.values().filter(|assigned| assigned.is_receiving).count();
        let waiting = self.workers.iter().map(|(_, worker)| worker.status.waiting).sum();
        let counts = [self.assigned.len(), receiving, waiting];
        self.told_status = self.tally.status(counts, &self.told_status, now);
        self.has_news = false;
        self.outlet
            .offer(Told::Service(ServiceEvent::Service(self.told_status)));
    }
}

fn register(poll: &Poll, socket: &impl AsFd, token: Token, interest: Interest) -> io::Result<()> {
    let descriptor = socket.as_fd().as_raw_fd();
    poll.registry().register(&mut SourceFd(&descriptor), token, interest)
}
