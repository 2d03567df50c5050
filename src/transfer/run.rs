//! Runs one transfer: meets the peer, starts a thread a side, samples them, and says how it ended.

use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::array::ArrayMeta;
use crate::error::Error;
use crate::telemetry::Probe;

use super::controls::Controls;
use super::drive::{Ended, Machine, Teller, drive};
use super::endpoint::{Connection, loopback_pair};
use super::event::{EventKind, Failure, Finished, Outcome, Side, State};
use super::plan::{Incoming, Job, Options, SinkSpec};
use super::receiver::ReceiveMachine;
use super::sampler::{Emitter, INTERVAL, SideReader};
use super::sender::{Gear, SendMachine};
use super::source::Source;

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
    let side = match job {
        Job::Loopback { .. } | Job::Send { .. } => Side::Sender,
        Job::Receive { .. } => Side::Receiver,
    };
    let mut run = Run {
        options,
        controls,
        emitter,
        clock: Instant::now(),
        announced: None,
        peer: None,
        sides: Vec::new(),
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
    let _ = outcome.set(outcome_of(&ended, peer.as_deref()));
    for (side, ended) in ended {
        run.emitter.emit(side, elapsed, last_event(ended, peer.as_deref()));
    }
    run.emitter.finish();
}

/// How a transfer ended whose own thread did not say so.
pub(super) fn crashed() -> Outcome {
    Outcome::Failed(failure(panicked(), 0, None))
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
    sides: Vec<RunningSide>,
}

struct RunningSide {
    side: Side,
    reader: SideReader,
    thread: JoinHandle<Ended>,
    /// Closed when the thread ends, however it ends.
    ended: crossbeam_channel::Receiver<()>,
}

impl Run<'_> {
    /// Meets the peer and starts the data threads; false where it was cancelled before.
    fn start(&mut self, job: Job) -> Result<bool, Error> {
        match job {
            Job::Loopback { source, sink } => {
                sink.check()?;
                let source = Source::open(&source)?;
                let path = source.send_path(self.options.send_route, self.options.wire, self.options.chunk_bytes)?;
                if let SinkSpec::Within { path, .. } = &sink
                    && source.is_file_at(path)
                {
                    return Err(Error::Usage(format!(
                        "{} cannot be received into itself",
                        path.display()
                    )));
                }
                let (title, expect) = (source.title.clone(), source.meta.clone());
                self.begin_clock(Side::Sender, State::Connecting);
                let (sending, receiving) = loopback_pair()?;
                let options = self.options.clone();
                let into = sink.describe();
                self.spawn_receiver(receiving, sink, Some(expect), Some(title))?;
                self.spawn(Side::Sender, move |gear| {
                    SendMachine::new(sending, source, path, &options, Some(into), gear)
                })?;
            }
            Job::Send { source, to } => {
                self.peer = Some(to.to_string());
                let source = Source::open(&source)?;
                let path = source.send_path(self.options.send_route, self.options.wire, self.options.chunk_bytes)?;
                self.begin_clock(Side::Sender, State::Connecting);
                let wake = self.controls.wake_of(Side::Sender);
                let cancelled = || self.controls.is_cancelled();
                let Some(connection) = Connection::open(&to, self.options.timeout, wake, &cancelled)? else {
                    return Ok(false);
                };
                let options = self.options.clone();
                self.spawn(Side::Sender, move |gear| {
                    SendMachine::new(connection, source, path, &options, None, gear)
                })?;
            }
            Job::Receive { from, sink, expect } => {
                sink.check()?;
                let connection = match from {
                    Incoming::Connection(connection) => connection,
                    Incoming::Listener(listener) => {
                        self.begin_clock(Side::Receiver, State::Listening);
                        let cancelled = || self.controls.is_cancelled();
                        let Some(connection) = listener.accept(self.controls.wake_of(Side::Receiver), &cancelled)?
                        else {
                            return Ok(false);
                        };
                        connection
                    }
                };
                self.begin_clock(Side::Receiver, State::Connecting);
                self.peer = Some(connection.peer().into());
                self.spawn_receiver(connection, sink, expect, None)?;
            }
        }
        Ok(true)
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
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
        source: Option<String>,
    ) -> Result<(), Error> {
        let options = self.options.clone();
        self.spawn(Side::Receiver, move |gear| {
            ReceiveMachine::new(connection, sink, expect, source, &options, gear)
        })
    }

    /// Starts a side's thread. The machine is made on it, so that its memory is first touched there.
    fn spawn<M: Machine>(
        &mut self,
        side: Side,
        machine: impl FnOnce(Gear) -> Result<M, Error> + Send + 'static,
    ) -> Result<(), Error> {
        let (mut probe, stamps) = Probe::new(self.clock);
        let (notes, reader) = bounded(NOTES);
        let (alive, ended) = bounded::<()>(1);
        let announced = self.announced.filter(|(announced, _)| *announced == side);
        let teller = Teller::new(notes, self.clock, announced.map(|(_, state)| state));
        let (controls, timeout) = (Arc::clone(self.controls), self.options.timeout);
        let name = match side {
            Side::Sender => "arraylift-send",
            Side::Receiver => "arraylift-recv",
        };
        let body = move || {
            let _alive: Sender<()> = alive;
            probe.begin();
            let gear = Gear {
                controls: Arc::clone(&controls),
                probe,
                teller,
            };
            match machine(gear) {
                Ok(mut machine) => drive(&mut machine, side, &controls, timeout),
                Err(error) => Ended::Failed { error, bytes: 0 },
            }
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(body);
        let thread = thread.map_err(|error| Error::system("cannot start a thread", &error))?;
        self.sides.push(RunningSide {
            side,
            reader: SideReader::new(side, stamps, reader),
            thread,
            ended,
        });
        Ok(())
    }

    /// Samples until every side has ended.
    fn sample(&mut self) -> Vec<(Side, Ended)> {
        let mut next = Instant::now() + INTERVAL;
        for index in 0..self.sides.len() {
            // Nothing is ever sent: the channel closes, or the next sample is due.
            while let Err(RecvTimeoutError::Timeout) = self.sides[index].ended.recv_deadline(next) {
                self.drain();
                next += INTERVAL;
            }
        }
        self.drain();
        let ended = self.sides.drain(..).map(|side| {
            let ended = side.thread.join().unwrap_or_else(|_| Ended::Failed {
                error: panicked(),
                bytes: 0,
            });
            (side.side, ended)
        });
        ended.collect()
    }

    fn drain(&mut self) {
        for side in &mut self.sides {
            side.reader.drain(self.clock, &mut self.emitter);
        }
        self.emitter.wake();
    }
}

fn panicked() -> Error {
    Error::System {
        doing: "a thread of the transfer stopped",
        reason: "it panicked; please report this".into(),
    }
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

fn last_event(ended: Ended, peer: Option<&str>) -> EventKind {
    match ended {
        Ended::Done(finished) => EventKind::Finished(finished),
        Ended::Failed { error, bytes } => EventKind::Failed(failure(error, bytes, peer)),
        Ended::Cancelled { bytes } => EventKind::Cancelled { bytes },
    }
}

/// The transfer's end from its sides' ends: a failure outweighs a cancel, and a cause a consequence.
fn outcome_of(ended: &[(Side, Ended)], peer: Option<&str>) -> Outcome {
    let failures = ended.iter().filter_map(|(_, ended)| match ended {
        Ended::Failed { error, bytes } => Some((error, *bytes)),
        _ => None,
    });
    // Where one side stops, the other sees its peer vanish or hears what it was told: a consequence.
    if let Some((error, bytes)) = failures.min_by_key(|(error, _)| match error {
        Error::ClosedEarly { .. } | Error::ClosedWhile(_) => 2,
        Error::Aborted(_) | Error::Refused(_) => 1,
        _ => 0,
    }) {
        return Outcome::Failed(failure(error.clone(), bytes, peer));
    }
    if ended.iter().any(|(_, ended)| matches!(ended, Ended::Cancelled { .. })) {
        return Outcome::Cancelled;
    }
    let done = |wanted: Side| -> Option<Finished> {
        ended.iter().find_map(|(side, ended)| match ended {
            Ended::Done(finished) if *side == wanted => Some((**finished).clone()),
            _ => None,
        })
    };
    done(Side::Receiver)
        .or_else(|| done(Side::Sender))
        .map_or_else(crashed, Outcome::Done)
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
}
