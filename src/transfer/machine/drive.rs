//! Drives a machine to its end: steps while there is work, else waits for the socket, the clock or a wake. Who waits
//! is a thread of the machine's own, or a loop over thousands of them.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now, wait_also_for};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::linger::Linger;
use crate::transfer::tell::event::{Finished, Side};
use crate::wire::native::Farewell;

/// What a peer is told whose transfer was cancelled here.
pub(crate) const CANCELLED: &str = "the transfer was cancelled";

/// A long wait is counted in parts, so that it shows while it lasts.
const COUNTED_EVERY: Duration = Duration::from_millis(100);

/// What a step came to.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Something was done and more can be.
    Moved,
    /// Nothing can be done before the socket is ready, or `until`.
    Wait {
        interest: Interest,
        until: Option<Instant>,
        /// It is the peer's turn: its silence is bounded.
        peer_owes: bool,
    },
    /// All is done.
    Done(Box<Finished>),
    /// This connection has done its part, and another one tells how the transfer ended.
    Part,
    /// The connection belongs to another transfer, which has it now.
    Joined,
}

/// A sender or a receiver on a non-blocking socket.
pub(crate) trait Machine {
    fn socket(&self) -> BorrowedFd<'_>;

    /// What a machine that waits for its source waits for, beside its socket.
    fn source(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Does a bounded piece of work. `ready` says that the socket was ready after the last wait.
    fn step(&mut self, now: Instant, ready: bool) -> Result<Progress, Error>;

    /// Tells the peer why nothing more comes, as far as that goes without waiting. Returns whether the connection has
    /// to stay for it a while.
    fn give_up(&mut self, farewell: &Farewell) -> bool;

    /// Whether the connection has to stay a while after its end, so that the peer can read what it was told last.
    fn lingers(&self) -> bool {
        false
    }

    /// The error for a peer that has said nothing for so long.
    fn silence(&self, timeout: Duration) -> Error {
        Error::Silent(timeout)
    }

    /// Takes the last stamp.
    fn end(&mut self) {
        self.probe().end();
    }

    /// What counts this side's work.
    fn probe(&mut self) -> &mut Probe;

    /// Bytes of the array moved so far, over all connections.
    fn bytes(&self) -> u64;

    /// Bytes by which it is seen that the peer gets on: those of the array, and what else it has to say of its content.
    fn progress_bytes(&self) -> u64 {
        self.bytes()
    }

    /// Gives the array up, for good. False where it is where it belongs, or about to be: to be told to stop comes too
    /// late then.
    fn recall(&self) -> bool {
        true
    }

    /// Nobody wants to go on with what has come so far.
    fn discard(&self) {}

    /// What stays of an array that does not become whole, where that is more than nothing.
    fn left_behind(&self) -> Option<String> {
        None
    }

    /// Whether whoever is at the other end is one of many and has not said yet that it sends anything.
    fn awaits_offer_of_many(&self) -> bool {
        false
    }

    /// Whether something is lost when this connection breaks. Where nothing is, others go on without it.
    fn is_needed(&self) -> bool {
        true
    }

    /// What may take its time to be given back, such as memory that was handed over; dropped once the end is told.
    fn remains(&mut self) -> Option<Remains> {
        None
    }
}

/// A value that the driver drops after it has told the end.
pub(crate) type Remains = Box<dyn Send + Sync>;

/// How a machine ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(Box<Finished>),
    /// Another connection of the same side tells how it ended.
    Part,
    /// Another transfer has the connection now.
    Joined,
    Failed {
        error: Error,
        bytes: u64,
    },
    /// The peer was none that sends anything, and how it left; others do.
    Stranger(Error),
    Cancelled {
        bytes: u64,
        /// What it has left behind.
        note: Option<String>,
    },
}

/// What a turn came to.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Something was done and more can be.
    Again,
    /// Nothing can be done before the socket is ready, or `until`.
    Wait { interest: Interest, until: Instant },
    /// The machine has ended. Its connection may have to linger.
    Ended(Ended, Option<Linger>),
}

/// A machine's way to its end.
#[derive(Debug)]
pub(crate) struct Course {
    /// When the peer was last heard of, or owed nothing.
    heard_at: Instant,
    /// A peer has to move so many bytes a second, over the timeout.
    slowest_bytes_per_s: Option<u64>,
    /// Since when that is looked at, and how many bytes there were.
    measured_from: (Instant, u64),
    /// The socket was ready after the last wait.
    pub(crate) ready: bool,
}

impl Course {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heard_at: now,
            slowest_bytes_per_s: None,
            measured_from: (now, 0),
            ready: false,
        }
    }

    /// With a peer that has to move so many bytes a second, whatever else it says.
    pub(crate) fn with_slowest(self, bytes_per_s: Option<u64>) -> Self {
        Self {
            slowest_bytes_per_s: bytes_per_s,
            ..self
        }
    }

    /// Ends a machine whose peer has done nothing wrong; `None` where that comes too late, and it ends by itself soon.
    pub(crate) fn dismiss(machine: &mut dyn Machine, farewell: &Farewell) -> Option<Turn> {
        if !machine.recall() {
            return None;
        }
        let cancelled = cancelled(machine);
        Some(ended(machine, cancelled, Some(farewell)))
    }

    /// Steps once.
    pub(crate) fn turn(
        &mut self,
        machine: &mut dyn Machine,
        side: Side,
        controls: &Controls,
        now: Instant,
        timeout: Duration,
    ) -> Turn {
        if controls.discards() {
            machine.discard();
        }
        let stopped = if controls.is_cancelled() {
            Some(Farewell {
                reason: CANCELLED.into(),
                returns: !controls.discards(),
            })
        } else {
            controls.failure(side).cloned()
        };
        if let Some(turn) = stopped.and_then(|farewell| Self::dismiss(machine, &farewell)) {
            return turn;
        }
        if let Some(during) = controls.gives_way_after().filter(|_| machine.recall()) {
            return failed(machine, controls, Error::TooSlow { bytes: 0, during });
        }
        let progress = match machine.step(now, std::mem::take(&mut self.ready)) {
            Ok(progress) => progress,
            Err(error) => return failed(machine, controls, error),
        };
        match progress {
            Progress::Done(finished) => ended(machine, Ended::Done(finished), None),
            Progress::Part => ended(machine, Ended::Part, None),
            Progress::Joined => ended(machine, Ended::Joined, None),
            Progress::Moved => {
                self.heard_at = now;
                Turn::Again
            }
            Progress::Wait {
                interest,
                until,
                peer_owes,
            } => {
                if !peer_owes {
                    self.heard_at = now;
                }
                let patience = self.heard_at + timeout;
                if now >= patience {
                    let silence = machine.silence(timeout);
                    return failed(machine, controls, silence);
                }
                let progress_bytes = machine.progress_bytes();
                controls.reached(progress_bytes);
                let measured = match self.measure(progress_bytes, peer_owes, now, timeout) {
                    Ok(until) => until,
                    Err(slow) => return failed(machine, controls, slow),
                };
                let until = [until, measured].into_iter().flatten().fold(patience, Instant::min);
                Turn::Wait { interest, until }
            }
        }
    }
}

impl Course {
    /// Looks whether the peer moves as many bytes as it has to. Until when to look again.
    fn measure(
        &mut self,
        bytes: u64,
        peer_owes: bool,
        now: Instant,
        timeout: Duration,
    ) -> Result<Option<Instant>, Error> {
        let Some(slowest) = self.slowest_bytes_per_s else {
            return Ok(None);
        };
        let (from, before) = self.measured_from;
        if peer_owes && now < from + timeout {
            return Ok(Some(from + timeout));
        }
        let (moved, during) = (bytes.saturating_sub(before), now.saturating_duration_since(from));
        if peer_owes && (moved as f64) < slowest as f64 * during.as_secs_f64() {
            return Err(Error::TooSlow { bytes: moved, during });
        }
        self.measured_from = (now, bytes);
        Ok(Some(now + timeout))
    }
}

/// How a machine ends that met this error.
pub(crate) fn failed(machine: &mut dyn Machine, controls: &Controls, error: Error) -> Turn {
    let bytes = machine.bytes();
    // Both ends were told to stop, and this one heard it from the other.
    if controls.is_cancelled() && machine.recall() {
        let cancelled = cancelled(machine);
        return ended(machine, cancelled, None);
    }
    let words = Farewell::from(&error);
    if !machine.is_needed() {
        return ended(machine, Ended::Part, Some(&words));
    }
    if machine.awaits_offer_of_many() && error.is_of_stranger() {
        return ended(machine, Ended::Stranger(error), Some(&words));
    }
    // A peer that has given up itself needs no answer.
    let has_left = matches!(error, Error::Aborted(_) | Error::GoesAway(_) | Error::Refused(_));
    ended(machine, Ended::Failed { error, bytes }, (!has_left).then_some(&words))
}

fn cancelled(machine: &dyn Machine) -> Ended {
    Ended::Cancelled {
        bytes: machine.bytes(),
        note: machine.left_behind(),
    }
}

/// Takes the last stamp, and leaves the peer with these words.
fn ended(machine: &mut dyn Machine, ended: Ended, words: Option<&Farewell>) -> Turn {
    machine.end();
    let lingers = words.is_some_and(|words| machine.give_up(words)) || machine.lingers();
    let linger = lingers.then(|| Linger::begin(machine.socket(), awake_now()));
    Turn::Ended(ended, linger.flatten())
}

/// Steps the machine to its end, on a thread of its own.
pub(crate) fn drive(
    machine: &mut dyn Machine,
    side: Side,
    controls: &Controls,
    wake: &Wake,
    timeout: Duration,
) -> Ended {
    let mut course = Course::new(awake_now());
    loop {
        let turn = course.turn(machine, side, controls, awake_now(), timeout);
        let turn = match turn {
            Turn::Wait { interest, until } => match timed_wait(machine, interest, wake, until, COUNTED_EVERY) {
                Ok(ready) => {
                    course.ready = ready;
                    Turn::Again
                }
                Err(error) => failed(machine, controls, error),
            },
            turn => turn,
        };
        if let Turn::Ended(ended, linger) = turn {
            // First of all: what the others still bring is not to be taken for a whole array meanwhile.
            if let Ended::Failed { error, .. } = &ended {
                controls.fail(side, error.into());
            }
            if let Some(linger) = linger {
                linger.wait(machine.socket(), wake);
            }
            return ended;
        }
    }
}

/// Waits for the socket, a wake or the clock, and counts for how long, part by part. Returns whether the socket is ready.
fn timed_wait(
    machine: &mut dyn Machine,
    interest: Interest,
    wake: &Wake,
    until: Instant,
    counted_every: Duration,
) -> Result<bool, Error> {
    let mut from = awake_now();
    loop {
        let slice = until.saturating_duration_since(from).min(counted_every);
        let source = machine.source();
        let is_for_source = source.is_some();
        let waited = wait_also_for(source, machine.socket(), interest, wake, Some(slice))
            .map_err(|error| Error::system("cannot wait for the connection", &error))?;
        let now = awake_now();
        let over = !waited.is_timeout || now >= until;
        if is_for_source {
            machine.probe().rests(Rest::Pace);
        }
        machine.probe().waited(interest, now - from, over);
        if over {
            return Ok(waited.is_ready);
        }
        from = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    /// A machine whose array is where it belongs, or is not, and that is done with its next step.
    struct Ready {
        socket: UnixStream,
        probe: Probe,
        settled: bool,
    }

    impl Machine for Ready {
        fn socket(&self) -> BorrowedFd<'_> {
            self.socket.as_fd()
        }

        fn step(&mut self, _now: Instant, _ready: bool) -> Result<Progress, Error> {
            Ok(Progress::Part)
        }

        fn give_up(&mut self, _farewell: &Farewell) -> bool {
            false
        }

        fn probe(&mut self) -> &mut Probe {
            &mut self.probe
        }

        fn bytes(&self) -> u64 {
            7
        }

        fn recall(&self) -> bool {
            !self.settled
        }
    }

    #[test]
    fn a_wake_ends_a_wait_however_late_the_thread_runs_after_it() {
        let now = Instant::now();
        let mut machine = Ready {
            socket: UnixStream::pair().expect("pair").0,
            probe: Probe::light(now),
            settled: false,
        };
        let wake = Wake::new().expect("eventfd");
        wake.wake();
        let nothing = Interest::NOTHING;
        // Such a part of the wait is over whenever anybody looks.
        let counted_every = Duration::from_nanos(1);
        let until = now + Duration::from_secs(20);
        timed_wait(&mut machine, nothing, &wake, until, counted_every).expect("woken");
        assert!(now.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn to_be_told_to_stop_comes_too_late_once_the_array_is_where_it_belongs() {
        for (settled, cancelled) in [(false, true), (true, true), (false, false), (true, false)] {
            let controls = Controls::new(None);
            if cancelled {
                controls.cancel();
            } else {
                controls.fail(Side::Receiver, "a file changed".into());
            }
            let now = Instant::now();
            let mut machine = Ready {
                socket: UnixStream::pair().expect("pair").0,
                probe: Probe::light(now),
                settled,
            };
            let mut course = Course::new(now);
            let turn = course.turn(&mut machine, Side::Receiver, &controls, now, Duration::from_secs(1));
            match turn {
                Turn::Ended(Ended::Part, _) => assert!(settled),
                Turn::Ended(Ended::Cancelled { bytes: 7, .. }, _) => assert!(!settled),
                other => panic!("{other:?}"),
            }
        }
    }
}
