//! Runs one transfer: meets the peer, starts a thread a connection and side, samples them, and says how it ended.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, Sender, bounded, never};

use crate::error::Error;
use crate::route::SendRouteChoice;
use crate::sys::Wake;
use crate::telemetry::{Bottleneck, Probe, process_usage};
use crate::thread::Thread;
use crate::transfer::fetch::{FetchMachine, FetchPlan, PartRequest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Ended, Machine, Remains, drive};
use crate::transfer::net::connection::{Connection, unix_pair};
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::net::expected::Expected;
use crate::transfer::net::listener::{Listener, loopback};
use crate::transfer::plan::{Incoming, Job, Options, SinkSpec};
use crate::transfer::receive::door::Door;
use crate::transfer::receive::{FirstReceiver, FurtherReceiver, JoinRequest, ReceivePlan};
use crate::transfer::send::{FirstSender, FurtherSender, StreamRequest};
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::source::Source;
use crate::transfer::source::send_path::{SendPath, SendPathRequest};
use crate::transfer::tell::event::{EventKind, Failure, Finished, Outcome, Side, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::sampler::{Emitter, INTERVAL, SideReader};
use crate::wire::SendWire;

/// A side tells a handful of things between two readings; a peer cannot make it tell more.
const NOTES: usize = 256;

/// Runs `job` to its end and leaves how it ended in `outcome`, before the last event is sent.
pub(super) fn run(
    job: Job,
    options: &Options,
    controls: &Arc<Controls>,
    emitter: Emitter,
    outcome: &OnceLock<Outcome>,
) {
    let sides = job.sides();
    let side = sides[0];
    let mut run = Run {
        options,
        controls,
        emitter,
        clock: Instant::now(),
        announced: None,
        peer: None,
        to: None,
        both_here: matches!(job, Job::Loopback { .. }),
        requests: Requests::new(),
        threads: Vec::new(),
        readers: Vec::new(),
        joining: None,
        bottleneck: Bottleneck::new(sides),
        remains: Vec::new(),
    };
    let ended = match run.start(job) {
        Ok(true) => run.sample(),
        Ok(false) => vec![(side, Ended::Cancelled { bytes: 0 })],
        Err(error) => {
            // A side that had begun meanwhile has nobody to talk to.
            controls.cancel();
            let mut ended = run.sample();
            ended.retain(|(other, _)| *other != side);
            ended.insert(0, (side, Ended::Failed { error, bytes: 0 }));
            ended
        }
    };
    let elapsed = run.clock.elapsed();
    let peer = run.peer.take();
    let ended = by_side(ended);
    let _ = outcome.set(outcome_of(&ended, peer.as_deref()));
    run.bottleneck.finish();
    if let (Some(verdict), Some(side)) = (run.bottleneck.verdict(), sides.last()) {
        run.emitter
            .emit(*side, elapsed, EventKind::Bottleneck(Box::new(verdict)));
    }
    if ended.iter().any(|(_, ended)| matches!(ended, Ended::Done(_))) {
        run.emitter.emit(side, elapsed, EventKind::Process(process_usage()));
    }
    for (side, ended) in ended {
        run.emitter.emit(side, elapsed, last_event(ended, peer.as_deref()));
    }
    run.emitter.finish();
}

/// How a transfer ended whose own thread did not say so, but ended with this error.
pub(super) fn without_outcome(error: Option<Error>) -> Outcome {
    let error = error.unwrap_or_else(|| Error::Bug("a transfer ended without an outcome".into()));
    Outcome::Failed(failure(error, 0, None))
}

struct Run<'a> {
    options: &'a Options,
    controls: &'a Arc<Controls>,
    emitter: Emitter,
    clock: Instant,
    /// The side whose state has been told before its thread ran.
    announced: Option<(Side, State)>,
    /// The other end's address, once it is known.
    peer: Option<String>,
    /// Where further connections of a sender lead to.
    to: Option<Endpoint>,
    both_here: bool,
    requests: Requests,
    threads: Vec<RunningThread>,
    readers: Vec<SideReader>,
    /// Where further connections of a receiver come in.
    joining: Option<Joining>,
    bottleneck: Bottleneck,
    /// Of sides that have ended.
    remains: Vec<Remains>,
}

/// Where the first connections ask for further ones; each asks once.
struct Requests {
    streams: (Sender<StreamRequest>, Receiver<StreamRequest>),
    joins: (Sender<JoinRequest>, Receiver<JoinRequest>),
    parts: (Sender<PartRequest>, Receiver<PartRequest>),
}

impl Requests {
    fn new() -> Self {
        Self {
            streams: bounded(1),
            joins: bounded(1),
            parts: bounded(1),
        }
    }
}

struct RunningThread {
    side: Side,
    thread: Thread<(Ended, Option<Remains>)>,
    /// Closed when the thread ends, however it ends.
    ended: Receiver<()>,
}

struct Joining {
    array: Arc<IncomingArray>,
    connections: Receiver<Connection>,
    /// Dropped in this order: nobody is let in for a transfer that nobody waits for.
    _door: Option<Door>,
    _expected: Expected,
}

impl Run<'_> {
    /// Meets the peer and starts the data threads; false where it was cancelled before.
    fn start(&mut self, job: Job) -> Result<bool, Error> {
        self.options.check()?;
        let wake = new_wake(self.controls)?;
        match job {
            Job::Loopback { source, sink } => {
                sink.check()?;
                let source = Source::open(&source)?;
                // Both ends are here, so that a handoff that was asked for can have its Unix socket.
                let unix = self.options.send_route == SendRouteChoice::Handoff;
                let Some(path) = self.send_path(&source, unix)? else {
                    return Ok(false);
                };
                if let SinkSpec::Within { path, .. } = &sink
                    && source.is_file_at(path)
                {
                    return Err(Error::Usage(format!(
                        "{} cannot be received into itself",
                        path.display()
                    )));
                }
                let plan = ReceivePlan {
                    expect: Some(source.meta.clone()),
                    source: Some(source.title.clone()),
                    sink,
                };
                self.begin_clock(Side::Sender, State::Connecting);
                let (sending, receiving, listener) = if unix {
                    let (sending, receiving) = unix_pair(self.options.socket_buffer_bytes)?;
                    (sending, receiving, None)
                } else {
                    let at = Endpoint::Tcp("127.0.0.1:0".into());
                    let listener = Listener::bind_with_buffers(&at, self.options.socket_buffer_bytes)?;
                    let (sending, receiving) = loopback(&listener)?;
                    self.to = Some(Endpoint::Tcp(listener.address().into()));
                    (sending, receiving, Some(listener))
                };
                let options = self.options.clone();
                let into = plan.sink.describe();
                self.spawn_receiver(receiving, plan, listener)?;
                let requests = self.requests.streams.0.clone();
                self.spawn(Side::Sender, move |context, _| {
                    FirstSender::new(sending, source, path, &options, Some(into), requests, context).map(Some)
                })?;
            }
            Job::Send { source, to } => {
                self.peer = Some(to.to_string());
                let source = Source::open(&source)?;
                let Some(path) = self.send_path(&source, matches!(to, Endpoint::Unix(_)))? else {
                    return Ok(false);
                };
                self.begin_clock(Side::Sender, State::Connecting);
                let cancelled = || self.controls.is_cancelled();
                let buffer_bytes = self.options.socket_buffer_bytes;
                let connection = Connection::open(&to, buffer_bytes, self.options.timeout, &wake, &cancelled)?;
                let Some(connection) = connection else {
                    return Ok(false);
                };
                self.to = Some(to);
                let options = self.options.clone();
                let requests = self.requests.streams.0.clone();
                self.spawn(Side::Sender, move |context, _| {
                    FirstSender::new(connection, source, path, &options, None, requests, context).map(Some)
                })?;
            }
            Job::Receive { from, sink, expect } => {
                sink.check()?;
                let (connection, listener) = match from {
                    Incoming::Connection(connection) => (connection, None),
                    Incoming::Listener(listener) => {
                        self.begin_clock(Side::Receiver, State::Listening);
                        let cancelled = || self.controls.is_cancelled();
                        let Some(connection) = listener.accept(&wake, &cancelled)? else {
                            return Ok(false);
                        };
                        (connection, Some(listener))
                    }
                };
                self.begin_clock(Side::Receiver, State::Connecting);
                self.peer = Some(connection.peer().into());
                let source = None;
                self.spawn_receiver(connection, ReceivePlan { sink, expect, source }, listener)?;
            }
            Job::Fetch { url, trust, sink } => {
                sink.check()?;
                self.peer = Some(url.server());
                self.begin_clock(Side::Receiver, State::Connecting);
                let plan = FetchPlan { url, trust, sink };
                let options = self.options.clone();
                let requests = self.requests.parts.0.clone();
                self.spawn(Side::Receiver, move |context, wake| {
                    Ok(Some(FetchMachine::new(plan, &options, wake, requests, context)))
                })?;
            }
        }
        Ok(true)
    }

    /// The route by which a source leaves; `None` where it was cancelled while that was prepared.
    fn send_path(&self, source: &Source, unix: bool) -> Result<Option<SendPath>, Error> {
        source.send_path(&SendPathRequest {
            route: self.options.send_route,
            wire: self.options.wire,
            chunk_bytes: self.options.chunk_bytes,
            unix,
            cancelled: &|| self.controls.is_cancelled(),
        })
    }

    fn begin_clock(&mut self, side: Side, state: State) {
        self.clock = Instant::now();
        self.announced = Some((side, state));
        self.emitter.emit(side, Duration::ZERO, EventKind::State { state });
        self.emitter.wake();
    }

    fn spawn_receiver(
        &mut self,
        connection: Connection,
        plan: ReceivePlan,
        listener: Option<Listener>,
    ) -> Result<(), Error> {
        let options = self.options.clone();
        let requests = self.requests.joins.0.clone();
        self.spawn(Side::Receiver, move |context, _| {
            FirstReceiver::new(connection, plan, listener, &options, requests, context).map(Some)
        })
    }

    /// Starts a thread for a connection. The machine is made on it, so that its memory is first touched there; where
    /// it turns out not to be wanted any more, there is none.
    fn spawn<M: Machine>(
        &mut self,
        side: Side,
        machine: impl FnOnce(MachineContext, &Arc<Wake>) -> Result<Option<M>, Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (probe, stamps) = Probe::new(self.clock);
        let (alive, ended) = bounded::<()>(1);
        let announced = self.announced.filter(|(announced, _)| *announced == side);
        let events = if let Some(reader) = self.readers.iter_mut().find(|reader| reader.side() == side) {
            EventSender::for_further_connection(reader.add(stamps), self.clock)
        } else {
            let (notes, heard) = bounded(NOTES);
            self.readers.push(SideReader::new(side, stamps, (notes.clone(), heard)));
            EventSender::new(notes, self.clock, announced.map(|(_, state)| state))
        };
        let (controls, timeout) = (Arc::clone(self.controls), self.options.timeout);
        let wake = new_wake(&controls)?;
        let mut context = MachineContext {
            controls: Arc::clone(&controls),
            probe,
            events,
        };
        let number = self.threads.iter().filter(|thread| thread.side == side).count();
        // The kernel keeps 15 bytes of a name.
        let name = match (side, number) {
            (Side::Sender, 0) => "arraylift-send".into(),
            (Side::Receiver, 0) => "arraylift-recv".into(),
            (Side::Sender, _) => format!("arraylift-snd{number}"),
            (Side::Receiver, _) => format!("arraylift-rcv{number}"),
        };
        let body = move || {
            let _alive: Sender<()> = alive;
            context.probe.begin();
            let (ended, remains) = match machine(context, &wake) {
                Ok(Some(mut machine)) => {
                    let ended = drive(&mut machine, side, &controls, &wake, timeout);
                    (ended, machine.remains())
                }
                Ok(None) => (Ended::Part, None),
                Err(error) => {
                    controls.fail(side);
                    (Ended::Failed { error, bytes: 0 }, None)
                }
            };
            Ok((ended, remains))
        };
        let thread = Thread::start(&name, body).map_err(|error| Error::system("cannot start a thread", &error))?;
        self.threads.push(RunningThread { side, thread, ended });
        Ok(())
    }

    /// Samples until every thread has ended.
    fn sample(&mut self) -> Vec<(Side, Ended)> {
        let mut next = Instant::now() + INTERVAL;
        let mut ended = Vec::new();
        while !self.threads.is_empty() {
            match self.wait(next) {
                Happening::Late => {
                    self.drain();
                    next += INTERVAL;
                }
                Happening::WantsStreams(request) => self.open_streams(request),
                Happening::WantsJoins(request) => self.let_join(request),
                Happening::WantsParts(request) => {
                    if let Err(error) = self.fetch_parts(request) {
                        self.controls.fail(Side::Receiver);
                        ended.push((Side::Receiver, Ended::Failed { error, bytes: 0 }));
                    }
                }
                Happening::Joined(connection) => self.take_joined(connection),
                Happening::Ended(index) => {
                    let RunningThread { side, thread, .. } = self.threads.swap_remove(index);
                    let (end, remains) = thread.join().unwrap_or_else(|error| {
                        self.controls.fail(side);
                        (Ended::Failed { error, bytes: 0 }, None)
                    });
                    self.remains.extend(remains);
                    if side == Side::Receiver && !matches!(end, Ended::Part) {
                        // The first connection has ended: nobody else joins.
                        self.joining = None;
                    }
                    ended.push((side, end));
                }
            }
        }
        self.drain();
        ended
    }

    fn wait(&self, until: Instant) -> Happening {
        let nobody = never();
        let joined = self.joining.as_ref().map_or(&nobody, |joining| &joining.connections);
        let mut select = Select::new();
        for thread in &self.threads {
            select.recv(&thread.ended);
        }
        let streams_index = select.recv(&self.requests.streams.1);
        let joins_index = select.recv(&self.requests.joins.1);
        let parts_index = select.recv(&self.requests.parts.1);
        select.recv(joined);
        let Ok(ready) = select.select_deadline(until) else {
            return Happening::Late;
        };
        match ready.index() {
            index if index < streams_index => {
                // Nothing is ever sent: the channel closes.
                let _ = ready.recv(&self.threads[index].ended);
                Happening::Ended(index)
            }
            index if index == streams_index => ready
                .recv(&self.requests.streams.1)
                .map_or(Happening::Late, Happening::WantsStreams),
            index if index == joins_index => ready
                .recv(&self.requests.joins.1)
                .map_or(Happening::Late, Happening::WantsJoins),
            index if index == parts_index => ready
                .recv(&self.requests.parts.1)
                .map_or(Happening::Late, Happening::WantsParts),
            _ => ready.recv(joined).map_or(Happening::Late, Happening::Joined),
        }
    }

    /// Opens further connections to a receiver. Without one the others go on.
    fn open_streams(&mut self, request: StreamRequest) {
        let StreamRequest {
            sending,
            blocks,
            token,
            routes,
        } = request;
        let Some(to) = self.to.clone() else { return };
        for route in routes {
            let (to, options, sending) = (to.clone(), self.options.clone(), Arc::clone(&sending));
            let wire = SendWire::joining(token, Arc::clone(&blocks));
            let started = self.spawn(Side::Sender, move |context, wake| {
                let unwanted = || {
                    context.controls.is_cancelled()
                        || context.controls.has_failed(Side::Sender)
                        || sending.is_done.load(Ordering::SeqCst)
                };
                let opened = Connection::open(&to, options.socket_buffer_bytes, options.timeout, wake, &unwanted);
                Ok(opened.unwrap_or(None).map(|connection| {
                    FurtherSender::new(connection, Arc::clone(&sending), route, wire, &options, context)
                }))
            });
            if started.is_err() {
                return;
            }
        }
    }

    /// Fetches further parts of a file. Fails where the system gives no thread: nobody else fetches that part.
    fn fetch_parts(&mut self, request: PartRequest) -> Result<(), Error> {
        for part in request.parts {
            let (fetched, options) = (Arc::clone(&request.fetched), self.options.clone());
            self.spawn(Side::Receiver, move |context, wake| {
                FetchMachine::further(&fetched, part, &options, wake, context).map(Some)
            })?;
        }
        Ok(())
    }

    /// Lets further connections of a receiver in. Where that fails nobody joins, and the first connection brings all.
    fn let_join(&mut self, request: JoinRequest) {
        let JoinRequest {
            array,
            expected,
            is_sole,
        } = request;
        let door = is_sole.then(|| Door::open(expected.listener(), self.options).ok());
        self.joining = Some(Joining {
            array,
            connections: expected.connections.clone(),
            _door: door.flatten(),
            _expected: expected,
        });
    }

    fn take_joined(&mut self, connection: Connection) {
        let Some(joining) = &self.joining else { return };
        let (array, options) = (Arc::clone(&joining.array), self.options.clone());
        let both_here = self.both_here;
        // Where there is no thread for it, or no descriptor, the connection closes and the others go on.
        let _ = self.spawn(Side::Receiver, move |context, _| {
            Ok(FurtherReceiver::new(connection, array, both_here, &options, context).ok())
        });
    }

    fn drain(&mut self) {
        for reader in &mut self.readers {
            let is_running = self.threads.iter().any(|thread| thread.side == reader.side());
            reader.drain(self.clock, is_running, &mut self.emitter, &mut self.bottleneck);
        }
        self.emitter.wake();
    }
}

/// What there is to do for whoever watches the threads.
enum Happening {
    /// A sample is due.
    Late,
    /// A sender can do with further connections.
    WantsStreams(StreamRequest),
    /// A receiver can do with further connections.
    WantsJoins(JoinRequest),
    /// A file can be fetched in several parts.
    WantsParts(PartRequest),
    /// One has joined.
    Joined(Connection),
    /// The thread of that index has ended.
    Ended(usize),
}

fn new_wake(controls: &Controls) -> Result<Arc<Wake>, Error> {
    controls
        .new_wake()
        .map_err(|error| Error::system("cannot start the transfer", &error))
}

fn failure(error: Error, bytes: u64, peer: Option<&str>) -> Failure {
    Failure {
        peer: peer.map(Into::into),
        fault: error.fault(),
        message: error.to_string(),
        bytes,
        error,
    }
}

pub(crate) fn last_event(ended: Ended, peer: Option<&str>) -> EventKind {
    match ended {
        Ended::Done(finished) => EventKind::Finished(finished),
        Ended::Failed { error, bytes } => EventKind::Failed(failure(error, bytes, peer)),
        Ended::Cancelled { bytes } => EventKind::Cancelled { bytes },
        Ended::Joined => EventKind::Joined,
        // A side has a first connection, whose end counts for more.
        Ended::Part => EventKind::Failed(failure(
            Error::Bug("a side ended without its first connection".into()),
            0,
            peer,
        )),
    }
}

/// One end for each side, from the ends of its connections: that the array is where it belongs, which nothing undoes,
/// else the cause of a failure, else the end of the first one.
fn by_side(mut ended: Vec<(Side, Ended)>) -> Vec<(Side, Ended)> {
    ended.sort_by_key(|(side, ended)| {
        let rank = match ended {
            Ended::Done(_) => (0, 0),
            Ended::Failed { error, .. } => (1, is_consequence(error)),
            Ended::Cancelled { .. } => (2, 0),
            Ended::Joined => (3, 0),
            Ended::Part => (4, 0),
        };
        (rank, *side == Side::Sender)
    });
    let mut seen = Vec::new();
    ended.retain(|(side, _)| {
        let is_first = !seen.contains(side);
        seen.push(*side);
        is_first
    });
    ended
}

/// Where one side stops, the other sees its peer vanish or hears what it was told: the higher, the less it explains.
fn is_consequence(error: &Error) -> u8 {
    match error {
        Error::ClosedEarly { .. } | Error::ClosedWhile(_) => 2,
        Error::Aborted(_) | Error::Refused(_) => 1,
        _ => 0,
    }
}

/// The transfer's end from its sides' ends: a failure outweighs a cancel, and a cause a consequence. A cancel that the
/// receiver's end came before was too late.
fn outcome_of(ended: &[(Side, Ended)], peer: Option<&str>) -> Outcome {
    let failures = ended.iter().filter_map(|(_, ended)| match ended {
        Ended::Failed { error, bytes } => Some((error, *bytes)),
        _ => None,
    });
    if let Some((error, bytes)) = failures.min_by_key(|(error, _)| is_consequence(error)) {
        return Outcome::Failed(failure(error.clone(), bytes, peer));
    }
    let is_received = |(side, ended): &(Side, Ended)| *side == Side::Receiver && matches!(ended, Ended::Done(_));
    let is_cancelled = |(_, ended): &(Side, Ended)| matches!(ended, Ended::Cancelled { .. });
    if ended.iter().any(is_cancelled) && !ended.iter().any(is_received) {
        return Outcome::Cancelled;
    }
    if ended.iter().any(|(_, ended)| matches!(ended, Ended::Joined)) {
        return Outcome::Joined;
    }
    let done = |wanted: Side| -> Option<Finished> {
        ended.iter().find_map(|(side, ended)| match ended {
            Ended::Done(finished) if *side == wanted => Some((**finished).clone()),
            _ => None,
        })
    };
    done(Side::Receiver)
        .or_else(|| done(Side::Sender))
        .map_or_else(|| without_outcome(None), Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    fn failed(error: Error) -> Ended {
        Ended::Failed { error, bytes: 7 }
    }

    #[test]
    fn the_outcome_names_the_cause_and_not_its_consequence() {
        let full = Error::DiskFull {
            path: "x".into(),
            needed: 1,
        };
        let sides = [
            (Side::Sender, failed(Error::Aborted("its disk is full".into()))),
            (Side::Receiver, failed(full.clone())),
        ];
        let Outcome::Failed(failure) = outcome_of(&sides, None) else {
            panic!("a failure")
        };
        assert_eq!((failure.error, failure.fault, failure.bytes), (full, Fault::System, 7));
    }

    #[test]
    fn a_cancelled_side_makes_a_cancelled_transfer_unless_one_failed() {
        let cancelled = || Ended::Cancelled { bytes: 1 };
        assert_eq!(
            outcome_of(&[(Side::Sender, cancelled()), (Side::Receiver, cancelled())], None),
            Outcome::Cancelled
        );
        let sides = [
            (Side::Sender, cancelled()),
            (Side::Receiver, failed(Error::ReceiptMismatch)),
        ];
        assert!(matches!(outcome_of(&sides, None), Outcome::Failed(_)));
    }

    #[test]
    fn an_array_that_is_where_it_belongs_is_not_lost_to_a_late_cancel_or_another_connection() {
        let done = || {
            Ended::Done(Box::new(Finished {
                bytes: 8,
                rate_bytes_per_s: 1.0,
                verified: Some(true),
                checksum: None,
                path: None,
                note: None,
            }))
        };
        let receiver = by_side(vec![
            (Side::Receiver, failed(Error::ReceiptMismatch)),
            (Side::Receiver, Ended::Cancelled { bytes: 1 }),
            (Side::Receiver, done()),
            (Side::Sender, Ended::Cancelled { bytes: 1 }),
        ]);
        assert!(matches!(
            *receiver,
            [
                (Side::Receiver, Ended::Done(_)),
                (Side::Sender, Ended::Cancelled { .. })
            ]
        ));
        assert!(matches!(outcome_of(&receiver, None), Outcome::Done(_)));
    }
}
