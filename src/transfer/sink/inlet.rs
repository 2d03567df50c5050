//! How the bytes of one connection get into an array: throttled, counted, claimed once, and seen on their way.

use std::io;
use std::ops::Range;
use std::sync::PoisonError;
use std::time::Instant;

use crate::error::Error;
use crate::route::receive::{Inflow, ReceiveError, ReceiveRoute};
use crate::telemetry::{Probe, Rest};
use crate::transfer::net::connection::would_block;
use crate::transfer::sink::reception::Reception;
use crate::transfer::tell::event::EventKind;

/// One connection's way into an array.
pub(crate) struct Inlet {
    pub(crate) route: Box<dyn ReceiveRoute>,
    /// What of the array belongs to this connection now.
    claimed: Range<u64>,
}

/// Of an array, what may come next over a connection, and how fast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) at: u64,
    pub(crate) len: u64,
    pub(crate) limit_bytes_per_s: Option<u64>,
    pub(crate) pace_bytes_per_s: Option<u64>,
    pub(crate) chunk_bytes: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Came {
    /// So many bytes. The preview, where they were the last of it.
    Bytes(u64, Option<Box<EventKind>>),
    /// Nothing yet.
    Nothing,
    /// Nothing may before then.
    NotBefore(Instant, Rest),
    /// No more comes.
    End,
    /// The connection broke.
    Broke(io::Error),
}

impl Inlet {
    pub(crate) fn new(route: Box<dyn ReceiveRoute>) -> Self {
        Self { route, claimed: 0..0 }
    }

    /// Takes one chunk at most; `seen` gets its bytes while they are in cache.
    ///
    /// # Errors
    /// The array cannot be kept, or a byte of it comes a second time.
    pub(crate) fn receive(
        &mut self,
        reception: &Reception,
        from: &mut dyn Inflow,
        wanted: Wanted,
        now: Instant,
        probe: &mut Probe,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<Came, Error> {
        let Wanted { at, len, .. } = wanted;
        let (limit, pace) = (wanted.limit_bytes_per_s, wanted.pace_bytes_per_s);
        let throttle = || reception.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let most = len.min(wanted.chunk_bytes as u64);
        let allowed = match throttle().allow(limit, pace, most, now) {
            Ok(bytes) => bytes,
            Err((then, rest)) => return Ok(Came::NotBefore(then, rest)),
        };
        // What is left of a block was claimed when it began; anything else begins another one.
        if self.claimed != (at..at + len) {
            let again = || Error::Protocol(format!("bytes {at} and {len} more came twice"));
            self.route.begin(reception.landing.claim(at, len).ok_or_else(again)?);
            self.claimed = at..at + len;
        }
        // At most a chunk, which is a usize.
        let most = usize::try_from(allowed).unwrap_or(wanted.chunk_bytes);
        let checks = reception.landing.check()?;
        let (mut preview, mut seen_at) = (None, at);
        let received = self.route.receive(from, at, most, &mut |bytes| {
            seen(bytes);
            preview = reception.preview(seen_at, bytes).or(preview.take());
            seen_at += bytes.len() as u64;
        });
        let moved = *received.as_ref().unwrap_or(&0);
        probe.syscall(most, moved);
        let cost = self.route.cost(moved);
        probe.cost(checks + cost.syscalls, cost.copied_bytes);
        match received {
            Ok(0) => Ok(Came::End),
            Ok(received) => {
                let received = received as u64;
                self.claimed.start += received;
                if limit.is_some() || pace.is_some() {
                    throttle().spend(received);
                }
                probe.moved(received);
                reception.landed(received);
                Ok(Came::Bytes(received, preview.map(Box::new)))
            }
            Err(ReceiveError::Socket(error)) if would_block(&error) => Ok(Came::Nothing),
            Err(ReceiveError::Socket(error)) => Ok(Came::Broke(error)),
            Err(ReceiveError::Sink(error)) => Err(reception.landing.write_error(&error, reception.total_bytes)),
        }
    }
}
