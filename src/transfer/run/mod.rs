//! Runs one transfer: meets the peer, starts a thread a connection and side, samples them, and says how it ended.

mod further;
mod outcome;
mod start;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crossbeam_channel::{Receiver, Select, Sender, bounded, never};

use crate::error::Error;
use crate::sys::Wake;
use crate::telemetry::{Bottleneck, Probe, process_usage};
use crate::thread::Thread;
use crate::transfer::fetch::PartRequest;
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Ended, Machine, Remains, drive};
use crate::transfer::net::connection::Connection;
use crate::transfer::net::endpoint::Endpoint;
use crate::transfer::plan::{Job, Options, StatsChoice};
use crate::transfer::receive::JoinRequest;
use crate::transfer::send::StreamRequest;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::sink::received::ReceivedCell;
use crate::transfer::survey::{Detail, SurveyReader};
use crate::transfer::tell::event::{EventKind, Outcome, Side, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tell::sampler::{Emitter, INTERVAL, SideReader};

use further::{Joining, Requests};
use outcome::{by_side, outcome_of};
pub(crate) use outcome::{last_event, without_outcome};

/// A side tells a handful of things between two readings; a peer cannot make it tell more.
const NOTES: usize = 256;
/// What was looked at is told four times a second.
const INTERVALS_BETWEEN_STATS: u32 = 5;

/// Runs `job` to its end and leaves how it ended in `outcome`, before the last event is sent.
pub(super) fn run(
    job: Job,
    options: &Options,
    controls: &Arc<Controls>,
    emitter: Emitter,
    received: &Arc<ReceivedCell>,
    outcome: &OnceLock<Outcome>,
) {
    let sides = job.sides();
    let side = sides[0];
    let mut run = Run {
        options,
        controls,
        received,
        emitter,
        clock: Instant::now(),
        announced: None,
        peer: None,
        to: None,
        both_here: matches!(job, Job::Loopback { .. }),
        requests: Requests::new(),
        threads: Vec::new(),
        readers: Vec::new(),
        surveys: Vec::new(),
        stats_due: INTERVALS_BETWEEN_STATS,
        joining: None,
        bottleneck: Bottleneck::new(sides),
        remains: Vec::new(),
    };
    let started = run.start(job);
    let ended = run.end_of(started, side);
    let elapsed = run.clock.elapsed();
    let peer = run.peer.take();
    let ended = by_side(ended);
    // A transfer runs once.
    let _ = outcome.set(outcome_of(&ended, peer.as_deref()));
    run.tell_stats(true);
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

struct Run<'a> {
    options: &'a Options,
    controls: &'a Arc<Controls>,
    received: &'a Arc<ReceivedCell>,
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
    /// What each side has looked at, where that was asked for.
    surveys: Vec<(Side, SurveyReader)>,
    /// After so many readings what was looked at is told again.
    stats_due: u32,
    /// Where further connections of a receiver come in.
    joining: Option<Joining>,
    bottleneck: Bottleneck,
    /// Of sides that have ended.
    remains: Vec<Remains>,
}

/// What a thread leaves.
struct Left {
    ended: Ended,
    remains: Option<Remains>,
}

impl Left {
    fn only(ended: Ended) -> Self {
        Self { ended, remains: None }
    }
}

struct RunningThread {
    side: Side,
    thread: Thread<Left>,
    /// Closed when the thread has ended, however it ended.
    ended: Receiver<()>,
}

impl Run<'_> {
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
        let surveyor = self.survey_of(side).map(|survey| survey.survey().surveyor());
        let (controls, timeout) = (Arc::clone(self.controls), self.options.timeout);
        let wake = new_wake(&controls)?;
        let mut context = MachineContext {
            controls: Arc::clone(&controls),
            probe,
            events,
            surveyor,
            publishing: PublishContext::of_thread(&wake),
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
            context.probe.begin();
            Ok(match machine(context, &wake) {
                Ok(Some(mut machine)) => Left {
                    ended: drive(&mut machine, side, &controls, &wake, timeout),
                    remains: machine.remains(),
                },
                Ok(None) => Left::only(Ended::Part),
                Err(error) => {
                    controls.fail(side, (&error).into());
                    Left::only(Ended::Failed { error, bytes: 0 })
                }
            })
        };
        let close = move || drop::<Sender<()>>(alive);
        let thread = Thread::start_with_waker(&name, body, close);
        let thread = thread.map_err(|error| Error::system("cannot start a thread", &error))?;
        self.threads.push(RunningThread { side, thread, ended });
        Ok(())
    }

    /// The survey of a side, where it is asked for.
    fn survey_of(&mut self, side: Side) -> Option<&SurveyReader> {
        if self.options.stats == StatsChoice::Off {
            return None;
        }
        if !self.surveys.iter().any(|(other, _)| *other == side) {
            let detail = match self.options.stats {
                StatsChoice::Live => Detail::Picture,
                _ => Detail::Numbers,
            };
            self.surveys.push((side, SurveyReader::new(detail)));
        }
        self.surveys
            .iter()
            .find_map(|(other, survey)| (*other == side).then_some(survey))
    }

    /// Tells what was looked at.
    fn tell_stats(&mut self, is_last: bool) {
        let elapsed = self.clock.elapsed();
        for (side, survey) in &mut self.surveys {
            if let Some(stats) = survey.stats(Instant::now(), is_last) {
                self.emitter.emit(*side, elapsed, EventKind::Stats(Box::new(stats)));
            }
        }
    }

    /// How each side ended, once all have.
    fn end_of(&mut self, started: Result<bool, Error>, side: Side) -> Vec<(Side, Ended)> {
        match started {
            Ok(true) => self.sample(),
            Ok(false) => vec![(side, Ended::Cancelled { bytes: 0, note: None })],
            Err(error) => {
                // A side that had begun meanwhile has nobody to talk to.
                self.controls.stop();
                let mut ended = self.sample();
                ended.retain(|(other, _)| *other != side);
                ended.insert(0, (side, Ended::Failed { error, bytes: 0 }));
                ended
            }
        }
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
                        self.controls.fail(Side::Receiver, (&error).into());
                        ended.push((Side::Receiver, Ended::Failed { error, bytes: 0 }));
                    }
                }
                Happening::Joined(connection) => self.take_joined(connection),
                Happening::Ended(index) => {
                    let RunningThread { side, thread, .. } = self.threads.swap_remove(index);
                    let left = thread.join().unwrap_or_else(|error| {
                        self.controls.fail(side, (&error).into());
                        Left::only(Ended::Failed { error, bytes: 0 })
                    });
                    let end = left.ended;
                    self.remains.extend(left.remains);
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

    fn drain(&mut self) {
        self.bottleneck.note_awake(self.clock.elapsed().as_secs_f64());
        for reader in &mut self.readers {
            let is_running = self.threads.iter().any(|thread| thread.side == reader.side());
            reader.drain(self.clock, is_running, &mut self.emitter, &mut self.bottleneck);
            let survey = self.surveys.iter_mut().find(|(side, _)| *side == reader.side());
            if let (Some((_, survey)), Some(counters)) = (survey, reader.last_counters()) {
                survey.hear(counters, Instant::now());
            }
        }
        self.stats_due -= 1;
        if self.stats_due == 0 {
            self.stats_due = INTERVALS_BETWEEN_STATS;
            if self.options.stats == StatsChoice::Live {
                self.tell_stats(false);
            }
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
