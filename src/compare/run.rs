//! Runs a comparison on a thread of its own: round by round, each contestant in turn, in child processes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{SendTimeoutError, Sender};
use serde::Serialize;

use crate::error::Error;
use crate::thread::Thread;
use crate::transfer::{Origin, SourceInfo, SourceSpec, Waker, describe};

use super::bench::{Bench, Outcome};
use super::ceilings;
use super::contestant::{Contestant, Skipped};
use super::machine::{Machine, unix_now_s};
use super::measured::{Lost, Measured, Subject};
use super::plan::Plan;
use super::result::{Comparison, Entry, SizePoint};
use super::sizes::{SIZE_ROUNDS, sizes_up_to};
use super::spread::Spread;
use super::ways::{Terms, Way, who};

/// A contestant whose warm-up takes longer is not run again.
const SLOW_S: f64 = 5.0;
/// How often a cancellation is looked for while the reader of the events does not read.
const LOOK: Duration = Duration::from_millis(50);

/// An event of a running comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum CompareEvent {
    /// The comparison begins. This is the first event.
    Planned {
        /// What is moved.
        subject: Subject,
        /// The contestants that take part.
        contestants: Vec<Contestant>,
        /// The contestants that do not, and why.
        skipped: Vec<Skipped>,
        /// Runs in all, at most.
        runs: usize,
    },
    /// A run begins. It is not written as JSON.
    #[serde(skip)]
    Begun {
        /// The contestant's id.
        id: String,
        /// The round, from 1; 0 is the warm-up.
        round: u32,
        /// Bytes that are moved: fewer than those of the subject if time is measured against size.
        bytes: u64,
    },
    /// A run of a round is done.
    Round {
        /// The contestant's id.
        id: String,
        /// Its numbers. Those of round 0 do not count.
        #[serde(flatten)]
        measured: Measured,
    },
    /// A run gave no numbers.
    Lost {
        /// The contestant's id.
        id: String,
        /// The round, and why.
        #[serde(flatten)]
        lost: Lost,
    },
    /// All runs of a contestant at one size are done.
    Size(SizePoint),
}

/// A running comparison. Dropping it cancels it, ends the child processes and joins the thread.
#[derive(Debug)]
pub(crate) struct Comparing {
    thread: Thread<Option<Comparison>>,
}

impl Comparing {
    /// Starts a comparison on a thread of its own and returns at once. The thread sends `events` and waits for room.
    /// `waker` is called after each event, and once more when the result is available.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(plan: Plan, events: Sender<CompareEvent>, waker: Waker) -> Result<Self, Error> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let body = {
            let (cancelled, waker) = (Arc::clone(&cancelled), Arc::clone(&waker));
            move || {
                let teller = Teller {
                    events,
                    waker,
                    cancelled: &cancelled,
                };
                compare(&plan, &teller, &cancelled)
            }
        };
        let thread = Thread::start_with_waker("arraylift-compare", body, move || waker());
        let thread = thread.map_err(|error| Error::system("cannot start a thread", &error))?;
        Ok(Self {
            thread: thread.cancelled_by(move || cancelled.store(true, Ordering::Relaxed)),
        })
    }

    /// Cancels the comparison, and ends the child processes.
    pub(crate) fn cancel(&self) {
        self.thread.cancel();
    }

    /// How it ended: the result, `Ok(None)` if it was cancelled, or the error. `None` while it runs.
    #[must_use]
    pub(crate) fn result(&self) -> Option<&Result<Option<Comparison>, Error>> {
        self.thread.result()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The source cannot be used, or the system refuses what every run needs.
    pub(crate) fn join(self) -> Result<Option<Comparison>, Error> {
        self.thread.join()
    }
}

/// Sends events, and waits for a slow reader only until the comparison is cancelled.
struct Teller<'a> {
    events: Sender<CompareEvent>,
    waker: Waker,
    cancelled: &'a AtomicBool,
}

impl Teller<'_> {
    fn tell(&self, mut event: CompareEvent) {
        while !self.cancelled.load(Ordering::Relaxed) {
            match self.events.send_timeout(event, LOOK) {
                Err(SendTimeoutError::Timeout(unsent)) => event = unsent,
                // Nobody reads the events any more. The result stays in its cell.
                Ok(()) | Err(SendTimeoutError::Disconnected(_)) => break,
            }
        }
        (self.waker)();
    }
}

/// A contestant and its rounds so far.
struct Standing {
    way: Way,
    rounds: Vec<Measured>,
    lost: Vec<Lost>,
    slow: bool,
}

/// Describes a source; an error if it can be sent only once.
pub(crate) fn check(source: &SourceSpec) -> Result<SourceInfo, Error> {
    match describe(source) {
        // Not for want of its length: that would be asked for in vain.
        Err(Error::LengthNeeded(path)) => Err(only_once(&path.display().to_string())),
        Ok(info) if info.is_stream => Err(only_once("a stream")),
        described => described,
    }
}

fn only_once(what: &str) -> Error {
    Error::Usage(format!(
        "{what} can be read only once, and is moved many times: compare a file or a range"
    ))
}

fn compare(plan: &Plan, teller: &Teller<'_>, cancelled: &AtomicBool) -> Result<Option<Comparison>, Error> {
    let began_unix_s = unix_now_s();
    let info = check(&plan.source)?;
    let subject = Subject {
        source: info.name,
        dtype: info.meta.dtype().name(),
        shape: info.meta.shape().dimensions().to_vec(),
        bytes: info.meta.byte_len(),
    };
    let of_range = matches!(plan.source.origin, Origin::Range(_));
    let folder = folder_of(plan);
    let (ways, skipped) = who(&Terms {
        bytes: subject.bytes,
        of_range,
        folder: folder.as_deref(),
    });
    let sizes = if plan.sizes {
        sizes_up_to(subject.bytes, info.meta.dtype().item_size())
    } else {
        Vec::new()
    };
    let rounds = plan.rounds.max(1);
    teller.tell(CompareEvent::Planned {
        subject: subject.clone(),
        contestants: ways.iter().map(Way::contestant).collect(),
        skipped: skipped.clone(),
        runs: ways.len() * (rounds as usize + 1 + sizes.len() * (SIZE_ROUNDS as usize + 1)),
    });
    let bench = Bench::new(plan, subject.bytes, folder.as_deref(), &ways, cancelled)?;
    let mut standings: Vec<Standing> = ways.into_iter().map(Standing::new).collect();
    for round in 0..=rounds {
        for index in turns(standings.len(), round) {
            let standing = &mut standings[index];
            if standing.slow {
                continue;
            }
            match run(&bench, teller, &standing.way, subject.bytes, round) {
                Outcome::Cancelled => return Ok(None),
                Outcome::Measured(measured) => standing.take(measured),
                Outcome::Lost(lost) => standing.lost.push(lost),
            }
        }
    }
    let ways: Vec<Way> = standings.iter().map(|standing| standing.way).collect();
    let Some(sizes) = against_sizes(&bench, teller, &ways, &sizes) else {
        return Ok(None);
    };
    let entries = standings.into_iter().map(|standing| standing.entry(&subject));
    Ok(Some(Comparison {
        version: Comparison::VERSION,
        program: concat!("arraylift ", env!("CARGO_PKG_VERSION")).into(),
        machine: Machine::this(),
        began_unix_s,
        rounds,
        entries: entries.collect(),
        skipped,
        sizes,
        ceilings: ceilings::read_cached(),
        subject,
    }))
}

/// Runs each contestant at each size, in turn; `None` if it was cancelled. A size at which a run fails is left out.
fn against_sizes(bench: &Bench<'_>, teller: &Teller<'_>, ways: &[Way], sizes: &[u64]) -> Option<Vec<SizePoint>> {
    let mut points = Vec::new();
    for &bytes in sizes {
        let mut seconds = vec![Vec::new(); ways.len()];
        for round in 0..=SIZE_ROUNDS {
            for index in turns(ways.len(), round) {
                match run_quietly(bench, teller, &ways[index], bytes, round) {
                    Outcome::Cancelled => return None,
                    Outcome::Measured(measured) if round > 0 => seconds[index].push(measured.seconds),
                    Outcome::Measured(_) | Outcome::Lost(_) => {}
                }
            }
        }
        for (way, seconds) in ways.iter().zip(seconds) {
            if let Some(seconds) = Spread::of(seconds) {
                let point = SizePoint {
                    id: way.id.into(),
                    bytes,
                    seconds,
                };
                teller.tell(CompareEvent::Size(point.clone()));
                points.push(point);
            }
        }
    }
    // Sorted by contestant, then by size.
    let place = |id: &str| ways.iter().position(|way| way.id == id);
    points.sort_by_key(|point| (place(&point.id), point.bytes));
    Some(points)
}

/// The order of a round. The first contestant differs from round to round, so that no one always follows the same one.
fn turns(contestants: usize, round: u32) -> impl Iterator<Item = usize> {
    (0..contestants).map(move |turn| (turn + round as usize) % contestants)
}

fn run(bench: &Bench<'_>, teller: &Teller<'_>, way: &Way, bytes: u64, round: u32) -> Outcome {
    let outcome = run_quietly(bench, teller, way, bytes, round);
    let id = way.id.to_owned();
    match &outcome {
        Outcome::Measured(measured) => teller.tell(CompareEvent::Round {
            id,
            measured: measured.clone(),
        }),
        Outcome::Lost(lost) => teller.tell(CompareEvent::Lost { id, lost: lost.clone() }),
        Outcome::Cancelled => {}
    }
    outcome
}

fn run_quietly(bench: &Bench<'_>, teller: &Teller<'_>, way: &Way, bytes: u64, round: u32) -> Outcome {
    teller.tell(CompareEvent::Begun {
        id: way.id.into(),
        round,
        bytes,
    });
    bench.run(way, bytes, round)
}

/// The folder for files: the one that was named, or that of a source that is a file.
fn folder_of(plan: &Plan) -> Option<PathBuf> {
    let beside = || {
        let folder = plan.source.origin.path()?.parent()?;
        let here = folder.as_os_str().is_empty();
        Some(if here { ".".into() } else { folder.to_owned() })
    };
    plan.into.clone().or_else(beside)
}

impl Standing {
    fn new(way: Way) -> Self {
        Self {
            way,
            rounds: Vec::new(),
            lost: Vec::new(),
            slow: false,
        }
    }

    fn take(&mut self, measured: Measured) {
        self.slow = measured.round == 0 && measured.seconds > SLOW_S;
        if measured.round > 0 || self.slow {
            self.rounds.push(measured);
        }
    }

    fn entry(self, subject: &Subject) -> Entry {
        let mut entry = Entry::new(self.way.contestant(), self.rounds, self.lost, subject);
        entry.note = self
            .slow
            .then(|| format!("measured once, to warm up, which took over {SLOW_S:.0} s"));
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_begins_with_another_contestant_and_lets_all_have_their_turn() {
        let order = |round| turns(3, round).collect::<Vec<_>>();
        assert_eq!(
            [order(0), order(1), order(2), order(3)],
            [vec![0, 1, 2], vec![1, 2, 0], vec![2, 0, 1], vec![0, 1, 2]]
        );
        assert_eq!(turns(0, 5).count(), 0);
    }

    #[test]
    fn a_slow_contestant_runs_once_and_says_so() {
        let way = Terms {
            bytes: 1,
            of_range: true,
            folder: None,
        };
        let mut standing = Standing::new(who(&way).0[0]);
        standing.take(Measured {
            seconds: SLOW_S + 1.0,
            ..Measured::default()
        });
        assert!(standing.slow && standing.rounds.len() == 1);
        let entry = standing.entry(&Subject::default());
        assert!(entry.note.is_some_and(|note| note.contains("once")));
    }
}
