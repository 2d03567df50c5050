//! Round trips: bytes to a service that sends them back, how long that takes, and whether they are the same.
//!
//! Any echo service will do (RFC 862), such as `arraylift serve ENDPOINT --echo`.

mod latency;
mod pattern;
mod round_trip;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use serde::Serialize;

use crate::error::Error;
use crate::sys::Wake;
use crate::transfer::{Connection, Endpoint};
use pattern::Pattern;
use round_trip::Peer;

pub use latency::{Bin, Latency, RoundTrips};

/// However slow the peer is, so many round trips are measured of each size.
const ROUNDS_MIN: u64 = 3;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the echo service listens.
    pub to: Endpoint,
    /// Bytes there and back again, one after another.
    pub sizes_bytes: Vec<u64>,
    /// Round trips of each size.
    pub rounds: Rounds,
    /// The size of the socket's buffers, each, where it is not left to Arraylift.
    pub socket_buffer_bytes: Option<usize>,
    /// How long the other end may be silent.
    pub timeout: Duration,
}

impl Plan {
    /// The sizes that are measured where nobody says which: 1 B to 64 MiB.
    pub const SIZES_BYTES: [u64; 7] = [1, 64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20];
}

/// How many round trips of one size are measured, after one that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounds {
    /// Exactly so many.
    Count(u64),
    /// As many as there is time for, and no more than the count.
    Within(Duration, u64),
}

/// What a measurement tells.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PingEvent {
    /// The service was reached.
    Connected {
        /// Its address.
        peer: String,
    },
    /// One size is measured.
    RoundTrips(RoundTrips),
}

/// A measurement that runs. Dropping it gives it up and joins its thread.
#[derive(Debug)]
pub struct Ping {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<Result<bool, Error>>>,
}

#[derive(Debug)]
struct Stop {
    is_asked: AtomicBool,
    wake: Wake,
}

impl Ping {
    /// Measures on a thread of its own, and returns at once. What was measured is told over `events`, which is waited
    /// for; it closes at the end.
    ///
    /// # Errors
    /// Where the system gives no thread or descriptor.
    pub fn start(plan: Plan, events: Sender<PingEvent>) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::system("cannot start measuring", &error);
        let stop = Arc::new(Stop {
            is_asked: AtomicBool::new(false),
            wake: Wake::new().map_err(failed)?,
        });
        let body = {
            let stop = Arc::clone(&stop);
            move || measure(&plan, &stop, &events)
        };
        let thread = std::thread::Builder::new().name("arraylift-ping".into()).spawn(body);
        Ok(Self {
            stop,
            thread: Some(thread.map_err(failed)?),
        })
    }

    /// Gives up.
    pub fn cancel(&self) {
        self.stop.is_asked.store(true, Ordering::Relaxed);
        self.stop.wake.wake();
    }

    /// Waits for the end, and tells whether everything was measured: not where it was given up.
    ///
    /// # Errors
    /// The service cannot be reached, does not answer, or sends other bytes back.
    pub fn join(mut self) -> Result<bool, Error> {
        self.wait()
    }

    fn wait(&mut self) -> Result<bool, Error> {
        let ended = self.thread.take().map(JoinHandle::join);
        ended
            .and_then(Result::ok)
            .unwrap_or_else(|| Err(Error::panicked("the thread of round trips")))
    }
}

impl Drop for Ping {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.cancel();
            // Whoever wants to know how it ended joins it.
            let _ = self.wait();
        }
    }
}

impl Stop {
    fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }
}

/// Measures everything; false where it is given up.
fn measure(plan: &Plan, stop: &Stop, events: &Sender<PingEvent>) -> Result<bool, Error> {
    let buffer = plan.socket_buffer_bytes;
    let Some(connection) = Connection::open(&plan.to, buffer, plan.timeout, &stop.wake, &|| stop.is_asked())? else {
        return Ok(false);
    };
    let peer = connection.peer().to_owned();
    // Whoever does not listen any more misses it.
    let _ = events.send(PingEvent::Connected { peer });
    let pattern = Pattern::new();
    let mut peer = Peer::new(connection, &pattern, plan.timeout);
    for size_bytes in plan.sizes_bytes.iter().copied() {
        // The first one finds cold caches and small windows.
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
    /// Where nobody says how many: what a second gives.
    pub const DEFAULT: Self = Self::Within(Duration::from_secs(1), 10_000);

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
