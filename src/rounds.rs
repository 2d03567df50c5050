//! Transfers of one job, one after the other: each begins when the one before has ended, whoever looks on and however
//! rarely.

mod spread;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use crate::error::Error;
use crate::thread::Thread;

use crate::transfer::{
    Command, Controls, Event, EventQueue, Job, Options, Outcome, Side, StatsChoice, Transfer, TransferId, Upcoming,
    Waker, without_outcome,
};

pub(crate) use spread::RoundSpread;

/// Events of one round that may wait to be passed on.
const EVENTS: usize = 1024;

/// Of rounds without end that follow each other faster, one in so long tells what the values are: nobody could see more,
/// and what waits to be read of a thousand rounds would take a hundred megabytes.
const STATS_INTERVAL: Duration = Duration::from_millis(100);

/// How a job is repeated.
#[derive(Debug)]
pub(crate) struct RoundsPlan {
    /// How each round is done; limit and paces are those of the first one.
    pub options: Options,
    /// At most so many rounds; `None` goes on until it is cancelled.
    pub times: Option<u32>,
    /// Whether the first round begins paused.
    pub is_paused: bool,
}

/// Something that happened in one of the rounds.
#[derive(Debug)]
pub(crate) enum RoundEvent {
    /// The next round begins, as this transfer.
    Began(TransferId),
    /// The round told this.
    Told(Event),
    /// The round has ended.
    Ended(Outcome),
}

/// Rounds that run. Dropping it cancels the one that runs, and joins.
#[derive(Debug)]
pub(crate) struct Rounds {
    wishes: Arc<Wishes>,
    thread: Thread<Outcome>,
}

impl Rounds {
    /// Starts the first round of what `job` makes, and the next one whenever one has ended well.
    ///
    /// `wrap` makes of what happens what `events` takes. Samples that find no room are dropped; for everything else a
    /// round that is over waits before the next one, so that no reader has to keep up. `waker` is called after events
    /// were sent.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start<T: Send + 'static>(
        plan: RoundsPlan,
        job: impl FnMut() -> Result<Job, Error> + Send + 'static,
        events: Sender<T>,
        wrap: impl Fn(RoundEvent) -> T + Send + 'static,
        waker: Waker,
    ) -> Result<Self, Error> {
        let (wishes, first) = Wishes::new(plan.options, plan.is_paused);
        let wishes = Arc::new(wishes);
        let runner = Runner {
            wishes: Arc::clone(&wishes),
            events: EventQueue::new(events),
            wrap,
            waker,
            stats_told: None,
        };
        let times = plan.times;
        let body = move || Ok(runner.run(first, times, job));
        let thread =
            Thread::start("rounds", body).map_err(|error| Error::system("cannot start the transfer", &error))?;
        let thread = thread.cancelled_by({
            let wishes = Arc::clone(&wishes);
            move || wishes.cancel()
        });
        Ok(Self { wishes, thread })
    }

    /// The transfer of the round that runs, or of the last one.
    pub(crate) fn id(&self) -> TransferId {
        self.wishes.lock().current.0
    }

    /// Does what `command` asks, in the round that runs and in those that follow, whichever transfer it names.
    pub(crate) fn apply(&self, command: Command) {
        self.wishes.apply(command);
    }

    /// Lets no round begin any more, and gives up the one that runs.
    pub(crate) fn cancel(&self) {
        self.wishes.cancel();
    }

    /// Changes how fast the program on a side goes, in the round that runs and in those that follow.
    pub(crate) fn set_pace(&self, side: Side, bytes_per_s: Option<u64>) {
        self.wishes.set_pace(side, bytes_per_s);
    }

    /// How the last round ended; `None` while any runs or is to come.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let ended = self.thread.result()?.clone();
        Some(ended.unwrap_or_else(|error| without_outcome(Some(error))))
    }
}

/// What is wanted of the round that runs and of all that follow.
#[derive(Debug)]
struct Wishes(Mutex<Wish>);

#[derive(Debug)]
struct Wish {
    options: Options,
    is_paused: bool,
    is_cancelled: bool,
    current: (TransferId, Arc<Controls>),
}

impl Wishes {
    fn new(options: Options, is_paused: bool) -> (Self, Upcoming) {
        let first = upcoming(&options, is_paused);
        let wish = Wish {
            options,
            is_paused,
            is_cancelled: false,
            current: (first.id(), Arc::clone(first.controls())),
        };
        (Self(Mutex::new(wish)), first)
    }

    /// The next round; none where all was cancelled.
    fn next(&self) -> Option<Upcoming> {
        let mut wish = self.lock();
        if wish.is_cancelled {
            return None;
        }
        let next = upcoming(&wish.options, wish.is_paused);
        wish.current = (next.id(), Arc::clone(next.controls()));
        Some(next)
    }

    fn apply(&self, command: Command) {
        let mut wish = self.lock();
        match command {
            Command::Pause { .. } => wish.is_paused = true,
            Command::Resume { .. } => wish.is_paused = false,
            Command::Limit { bytes_per_s, .. } => wish.options.limit_bytes_per_s = bytes_per_s,
            Command::Cancel { .. } | Command::Stop | Command::Drain => wish.is_cancelled = true,
        }
        let (_, controls) = wish.current.clone();
        drop(wish);
        controls.apply(command);
    }

    fn cancel(&self) {
        self.apply(Command::Stop);
    }

    fn set_pace(&self, side: Side, bytes_per_s: Option<u64>) {
        let mut wish = self.lock();
        match side {
            Side::Sender => wish.options.writer_pace_bytes_per_s = bytes_per_s,
            Side::Receiver => wish.options.reader_pace_bytes_per_s = bytes_per_s,
        }
        let (_, controls) = wish.current.clone();
        drop(wish);
        controls.set_pace(side, bytes_per_s);
    }

    fn lock(&self) -> MutexGuard<'_, Wish> {
        // Nothing that panics is done under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn upcoming(options: &Options, is_paused: bool) -> Upcoming {
    let upcoming = Upcoming::new(options);
    upcoming.controls().pause(is_paused);
    upcoming
}

/// What the thread of the rounds owns.
struct Runner<T, W> {
    wishes: Arc<Wishes>,
    events: EventQueue<T>,
    wrap: W,
    waker: Waker,
    /// When the last round began that tells what its values are.
    stats_told: Option<Instant>,
}

impl<T, W: Fn(RoundEvent) -> T> Runner<T, W> {
    fn run(mut self, first: Upcoming, times: Option<u32>, mut job: impl FnMut() -> Result<Job, Error>) -> Outcome {
        let mut next = Some(first);
        let mut left = times;
        let mut outcome = Outcome::Cancelled;
        while let Some(upcoming) = next.take() {
            left = left.map(|left| left.saturating_sub(1));
            self.tell(RoundEvent::Began(upcoming.id()));
            outcome = self
                .round(upcoming, &mut job, times.is_none())
                .unwrap_or_else(|error| without_outcome(Some(error)));
            self.tell(RoundEvent::Ended(outcome.clone()));
            if matches!(outcome, Outcome::Done(_)) && left != Some(0) {
                let wishes = Arc::clone(&self.wishes);
                self.events.make_room(|| !wishes.lock().is_cancelled);
                next = self.wishes.next();
            }
        }
        self.events.finish();
        (self.waker)();
        outcome
    }

    fn round(
        &mut self,
        upcoming: Upcoming,
        job: &mut impl FnMut() -> Result<Job, Error>,
        is_endless: bool,
    ) -> Result<Outcome, Error> {
        let mut options = self.wishes.lock().options.clone();
        if is_endless && self.stats_told.is_some_and(|told| told.elapsed() < STATS_INTERVAL) {
            options.stats = StatsChoice::Off;
        } else {
            self.stats_told = Some(Instant::now());
        }
        let (tell, told) = bounded(EVENTS);
        // The channel itself wakes this thread.
        let transfer = Transfer::begin(upcoming, job()?, options, tell, Arc::new(|| {}))?;
        for event in told {
            self.tell(RoundEvent::Told(event));
        }
        Ok(transfer.join())
    }

    fn tell(&mut self, event: RoundEvent) {
        let is_sample = matches!(&event, RoundEvent::Told(event) if event.is_sample());
        let event = (self.wrap)(event);
        if is_sample {
            self.events.offer(event);
        } else {
            self.events.keep(event);
        }
        (self.waker)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Range;
    use crate::transfer::{EventKind, Origin, SinkSpec, SourceSpec, State};
    use crossbeam_channel::Receiver;
    use std::time::Duration;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn job() -> Job {
        Job::Loopback {
            source: SourceSpec::new(Origin::Range(Range::parse("0:1000", None).expect("a range"))),
            sink: SinkSpec::Discard,
        }
    }

    fn start(times: Option<u32>, room: usize) -> (Rounds, Receiver<RoundEvent>) {
        let (tell, events) = bounded(room);
        let plan = RoundsPlan {
            options: Options::default(),
            times,
            is_paused: false,
        };
        let rounds = Rounds::start(plan, || Ok(job()), tell, |event| event, Arc::new(|| {})).expect("a thread");
        (rounds, events)
    }

    fn until(events: &Receiver<RoundEvent>, mut is_it: impl FnMut(&RoundEvent) -> bool) -> RoundEvent {
        loop {
            let event = events.recv_timeout(PATIENCE).expect("an event");
            if is_it(&event) {
                return event;
            }
        }
    }

    #[test]
    fn each_round_begins_tells_and_ends_in_order_and_there_are_so_many() {
        let (rounds, events) = start(Some(3), 4096);
        let mut began = Vec::new();
        let mut ended = 0;
        for event in events {
            match event {
                RoundEvent::Began(id) => {
                    assert_eq!(began.len(), ended);
                    began.push(id);
                }
                RoundEvent::Told(event) => assert_eq!(Some(&event.transfer), began.last()),
                RoundEvent::Ended(outcome) => {
                    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
                    ended += 1;
                }
            }
        }
        assert_eq!((began.len(), ended), (3, 3));
        assert!(
            rounds
                .outcome()
                .is_none_or(|outcome| matches!(outcome, Outcome::Done(_)))
        );
    }

    #[test]
    fn rounds_go_on_while_nobody_draws_as_far_as_there_is_room_to_tell_of_them() {
        let (rounds, events) = start(None, 400);
        while events.len() < 400 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let began = |events: &Receiver<RoundEvent>| {
            events
                .try_iter()
                .filter(|event| matches!(event, RoundEvent::Began(_)))
                .count()
        };
        assert!(began(&events) > 5, "by themselves");
        until(&events, |event| matches!(event, RoundEvent::Began(_)));
        rounds.cancel();
        until(&events, |event| matches!(event, RoundEvent::Ended(_)));
    }

    #[test]
    fn a_pause_between_two_rounds_holds_for_the_next_one_and_a_limit_for_all() {
        let (rounds, events) = start(None, 4096);
        let transfer = rounds.id();
        for _ in 0..5 {
            until(&events, |event| matches!(event, RoundEvent::Ended(_)));
            rounds.apply(Command::Pause { transfer });
            let paused = EventKind::State { state: State::Paused };
            until(
                &events,
                |event| matches!(event, RoundEvent::Told(event) if event.kind == paused),
            );
            rounds.apply(Command::Resume { transfer });
        }
        let bytes_per_s = Some(1_000_000);
        rounds.apply(Command::Limit { transfer, bytes_per_s });
        let limited = EventKind::Limit { bytes_per_s };
        for _ in 0..2 {
            until(
                &events,
                |event| matches!(event, RoundEvent::Told(event) if event.kind == limited),
            );
            until(&events, |event| matches!(event, RoundEvent::Ended(_)));
        }
        drop(rounds);
    }

    #[test]
    fn of_fast_rounds_without_end_few_tell_what_the_values_are_and_the_first_one_does() {
        let (tell, events) = bounded(1 << 16);
        let plan = RoundsPlan {
            options: Options {
                stats: StatsChoice::Live,
                ..Options::default()
            },
            times: None,
            is_paused: false,
        };
        let begun = Instant::now();
        let rounds = Rounds::start(plan, || Ok(job()), tell, |event| event, Arc::new(|| {})).expect("a thread");
        std::thread::sleep(Duration::from_secs(1));
        rounds.cancel();
        let (mut began, mut told) = (0, Vec::new());
        for event in events {
            match event {
                RoundEvent::Began(_) => began += 1,
                RoundEvent::Told(Event {
                    transfer,
                    kind: EventKind::Stats(_),
                    ..
                }) => told.push((began, transfer)),
                RoundEvent::Told(_) | RoundEvent::Ended(_) => {}
            }
        }
        assert_eq!(told.first().map(|(round, _)| *round), Some(1));
        told.dedup();
        let most = begun.elapsed().as_millis() / STATS_INTERVAL.as_millis() + 1;
        assert!(
            told.len() as u128 <= most && told.len() < began,
            "{} of {began}",
            told.len()
        );
    }

    #[test]
    fn a_round_that_cannot_begin_is_the_last_one() {
        let (tell, events) = bounded(64);
        let plan = RoundsPlan {
            options: Options::default(),
            times: None,
            is_paused: false,
        };
        let mut first = Some(());
        let job = move || first.take().map_or_else(|| Err(Error::ResultMismatch), |()| Ok(job()));
        let rounds = Rounds::start(plan, job, tell, |event| event, Arc::new(|| {})).expect("a thread");
        let last = events.iter().last();
        assert!(matches!(last, Some(RoundEvent::Ended(Outcome::Failed(_)))), "{last:?}");
        drop(rounds);
    }
}
