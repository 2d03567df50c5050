//! Round trips: sends bytes to a service that sends them back, measures the time, and compares the bytes.
//!
//! Any echo service works (RFC 862), such as `arraylift serve ENDPOINT --echo`.

mod latency;
mod pattern;
mod round_trip;
mod stop;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use serde::Serialize;

use crate::error::Error;
use crate::thread::Thread;
use crate::transfer::{Connection, Endpoint, Options, PeerUser};
use pattern::Pattern;
use round_trip::Peer;
use stop::Stop;

pub(crate) use latency::Latency;
pub use latency::{Bin, RoundTrips};

/// The fewest round trips that are measured of each size, however slow the peer is.
const ROUNDS_MIN: u64 = 3;

/// What to measure.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Where the echo service listens.
    pub to: Endpoint,
    /// The bytes of a round trip, one size after another.
    pub sizes_bytes: Vec<u64>,
    /// The number of round trips of each size.
    pub rounds: Rounds,
    /// The size of each of the socket's buffers, in bytes; `None` leaves it to Arraylift.
    pub socket_buffer_bytes: Option<usize>,
    /// How long the other end may be silent.
    pub timeout: Duration,
    /// Whose process may be at the other end of a Unix socket.
    pub peer_user: PeerUser,
}

impl Plan {
    /// The sizes that are measured by default: 1 B to 64 MiB.
    pub(crate) const SIZES_BYTES: [u64; 7] = [1, 64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20];
    /// What one size may be.
    pub(crate) const SIZE_BYTES: RangeInclusive<u64> = 1..=1 << 30;

    /// Finds what is out of its bounds; buffers and timeout have those of [`Options::check`].
    ///
    /// # Errors
    /// [`Error::Usage`], which says what is right.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !self.sizes_bytes.iter().all(|size| Self::SIZE_BYTES.contains(size)) {
            return Err(Error::Usage("a round trip has from 1 byte to 1GiB".into()));
        }
        let options = Options {
            socket_buffer_bytes: self.socket_buffer_bytes,
            timeout: self.timeout,
            ..Options::default()
        };
        options.check()
    }
}

/// How many round trips of one size are measured. One before them is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounds {
    /// Exactly this number.
    Count(u64),
    /// As many as the time allows, and at most the count.
    Within(Duration, u64),
}

/// An event of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize))]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum PingEvent {
    /// The service was reached.
    Connected {
        /// Its address.
        peer: String,
    },
    /// One size is measured.
    RoundTrips(RoundTrips),
}

/// A running measurement. Dropping it cancels it and joins its thread.
#[derive(Debug)]
pub(crate) struct Ping {
    thread: Thread<bool>,
}

impl Ping {
    /// Starts a measurement on a thread of its own and returns at once. The thread sends its results over `events`,
    /// waits for room there, and closes the channel at the end.
    ///
    /// # Errors
    /// Where the plan is out of its bounds, or the system gives no thread or descriptor.
    pub(crate) fn start(plan: Plan, events: Sender<PingEvent>) -> Result<Self, Error> {
        plan.check()?;
        let failed = |error: std::io::Error| Error::system("cannot start measuring", &error);
        let stop = Arc::new(Stop::new().map_err(failed)?);
        let body = {
            let stop = Arc::clone(&stop);
            move || measure(&plan, &stop, &events)
        };
        let thread = Thread::start("arraylift-ping", body).map_err(failed)?;
        Ok(Self {
            thread: thread.cancelled_by(move || stop.ask()),
        })
    }

    /// Cancels the measurement.
    pub(crate) fn cancel(&self) {
        self.thread.cancel();
    }

    /// Waits for the end. Returns false if it was cancelled before everything was measured.
    ///
    /// # Errors
    /// The service cannot be reached, does not answer, or sends other bytes back.
    pub(crate) fn join(self) -> Result<bool, Error> {
        self.thread.join()
    }
}

/// Measures every size; false if it is cancelled.
fn measure(plan: &Plan, stop: &Stop, events: &Sender<PingEvent>) -> Result<bool, Error> {
    let buffer = plan.socket_buffer_bytes;
    let Some(connection) = Connection::open(&plan.to, buffer, plan.timeout, stop.wake(), &|| stop.is_asked())? else {
        return Ok(false);
    };
    connection.check_user(plan.peer_user)?;
    let peer = connection.peer().to_owned();
    // Nobody may read the events any more.
    let _ = events.send(PingEvent::Connected { peer });
    let pattern = Pattern::new();
    let mut peer = Peer::new(connection, &pattern, plan.timeout);
    for size_bytes in plan.sizes_bytes.iter().copied() {
        // The first round trip meets cold caches and small windows, and does not count.
        if peer.round_trip(size_bytes, stop)?.is_none() {
            return Ok(false);
        }
        let mut latency = Latency::new();
        let began = Instant::now();
        while plan.rounds.has_another(latency.count(), began.elapsed()) {
            let Some(took) = peer.round_trip(size_bytes, stop)? else {
                return Ok(false);
            };
            latency.add(took);
        }
        let _ = events.send(PingEvent::RoundTrips(latency.round_trips(size_bytes)));
    }
    peer.has_nothing_more()?;
    Ok(true)
}

impl Rounds {
    /// The default: as many round trips as a second allows.
    pub(crate) const DEFAULT: Self = Self::Within(Duration::from_secs(1), 10_000);

    fn has_another(self, done: u64, elapsed: Duration) -> bool {
        match self {
            Self::Count(count) => done < count,
            Self::Within(time, count) => done < count && (elapsed < time || done < ROUNDS_MIN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_exact_and_a_time_leaves_some_whatever_they_take() {
        let second = Duration::from_secs(1);
        assert!(Rounds::Count(2).has_another(1, 100 * second) && !Rounds::Count(2).has_another(2, Duration::ZERO));
        let within = Rounds::Within(second, 100);
        assert!(within.has_another(99, second / 2) && !within.has_another(100, second / 2));
        assert!(within.has_another(2, 10 * second) && !within.has_another(3, second));
    }
}
