//! How the bytes of one connection get into an array: throttled, and seen on their way.

use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::error::Error;
use crate::ledger::Span;
use crate::route::receive::{Inflow, ReceiveError, ReceiveRoute};
use crate::telemetry::{Probe, Rest};
use crate::transfer::net::socket::would_block;
use crate::transfer::sink::PreparedSink;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::sink::publisher::PublishContext;
use crate::transfer::sink::task::Pending;
use crate::transfer::sink::write_away::{LastWrite, WriteAway};
use crate::transfer::tell::event::EventKind;

/// One connection's way into an array.
pub(crate) struct BlockReceiver {
    pub(crate) route: Box<dyn ReceiveRoute>,
    /// Bytes of the array that there is room for.
    room: Range<u64>,
    /// Who makes room meanwhile.
    disk: PublishContext,
    /// Room that is being made.
    coming: Option<Pending<Range<u64>>>,
    /// From which byte on it was last asked for before it was needed.
    asked_ahead_at: u64,
    /// Who writes, where that may last too long for this thread.
    away: Option<WriteAway>,
    /// What is verified is being written down.
    recording: Option<Pending<()>>,
}

/// So much room is asked for at most, beside what the file system is asked for at once.
const NEEDED_BYTES_MAX: u64 = 4 << 20;
/// The next room is asked for when so much is left.
const LEFT_BYTES_MIN: u64 = 32 << 20;

/// What may come next over a connection: bytes that it has claimed, and how fast.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) at: u64,
    pub(crate) len: u64,
    /// The proof of a claim, when its first bytes may come.
    pub(crate) span: Option<Span>,
    pub(crate) limit_bytes_per_s: Option<u64>,
    pub(crate) pace_bytes_per_s: Option<u64>,
    pub(crate) chunk_bytes: usize,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Received {
    /// So many bytes, which are to be counted in the ledger. The preview, where they were the last of it.
    Bytes(u64, Option<Box<EventKind>>),
    /// Nothing yet.
    Nothing,
    /// Nothing before the disk has room for it, or has taken what came before, which is told by a wake.
    WaitsForDisk,
    /// Nothing may before then.
    NotBefore(Instant, Rest),
    /// No more comes.
    End,
    /// The connection broke.
    Broke(io::Error),
}

impl BlockReceiver {
    /// By that route into that sink; `disk` makes room, and wakes whoever receives when it is there.
    pub(crate) fn new(sink: &PreparedSink, route: Box<dyn ReceiveRoute>, disk: PublishContext) -> Self {
        Self {
            away: sink.write_away(&disk),
            route,
            room: 0..0,
            disk,
            coming: None,
            asked_ahead_at: 0,
            recording: None,
        }
    }

    /// Takes one chunk at most; `seen` gets its bytes while they are in cache.
    ///
    /// # Errors
    /// The array cannot be kept.
    pub(crate) fn receive(
        &mut self,
        incoming: &Arc<IncomingArray>,
        from: &mut dyn Inflow,
        wanted: Wanted,
        now: Instant,
        probe: &mut Probe,
        seen: &mut dyn FnMut(&[u8]),
    ) -> Result<Received, Error> {
        let Wanted { at, len, .. } = wanted;
        self.keep_record(incoming, now)?;
        match self.away.as_mut().map_or(Ok(LastWrite::None), WriteAway::last)? {
            LastWrite::None => {}
            LastWrite::Lasts => return Ok(Received::WaitsForDisk),
            LastWrite::Done(bytes, preview) => {
                probe.moved(bytes);
                incoming.sink.landed(bytes);
                return Ok(Received::Bytes(bytes, preview));
            }
        }
        if let Some(span) = wanted.span {
            self.route.begin(span);
        }
        let (limit, pace) = (wanted.limit_bytes_per_s, wanted.pace_bytes_per_s);
        let throttle = || incoming.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let most = len.min(wanted.chunk_bytes as u64);
        let allowed = match throttle().allow(limit, pace, most, now) {
            Ok(bytes) => bytes,
            Err((then, rest)) => return Ok(Received::NotBefore(then, rest)),
        };
        // At most a chunk, which is a usize.
        let most = usize::try_from(allowed).unwrap_or(wanted.chunk_bytes);
        if !self.has_room_at(incoming, at, len)? {
            return Ok(Received::WaitsForDisk);
        }
        let room = usize::try_from(self.room.end - at).unwrap_or(most);
        let most = most.min(room);
        if let Some(away) = &mut self.away {
            let bytes = match away.take(from, most) {
                Ok([]) => return Ok(Received::End),
                Ok(bytes) => bytes,
                Err(error) if would_block(&error) => return Ok(Received::Nothing),
                Err(error) => return Ok(Received::Broke(error)),
            };
            seen(bytes);
            let (count, preview) = (bytes.len(), incoming.preview(at, bytes).map(Box::new));
            probe.syscall(most, count);
            // The look at the file, and the write.
            probe.cost(2, 2 * count as u64);
            if limit.is_some() || pace.is_some() {
                throttle().spend(count as u64);
            }
            away.begin(incoming, (at, count), preview, &self.disk);
            return Ok(Received::WaitsForDisk);
        }
        let checks = incoming.sink.check()?;
        let (mut preview, mut seen_at) = (None, at);
        let received = self.route.receive(from, at, most, &mut |bytes| {
            seen(bytes);
            preview = incoming.preview(seen_at, bytes).or(preview.take());
            seen_at += bytes.len() as u64;
        });
        let moved = *received.as_ref().unwrap_or(&0);
        probe.syscall(most, moved);
        let cost = self.route.cost(moved);
        probe.cost(checks + cost.syscalls, cost.copied_bytes);
        match received {
            Ok(0) => Ok(Received::End),
            Ok(received) => {
                let received = received as u64;
                if limit.is_some() || pace.is_some() {
                    throttle().spend(received);
                }
                probe.moved(received);
                incoming.sink.landed(received);
                Ok(Received::Bytes(received, preview.map(Box::new)))
            }
            Err(ReceiveError::Socket(error)) if would_block(&error) => Ok(Received::Nothing),
            Err(ReceiveError::Socket(error)) => Ok(Received::Broke(error)),
            Err(ReceiveError::Sink(error)) => Err(incoming.sink.write_error(&error)),
            Err(ReceiveError::Bug(text)) => Err(Error::Bug(text.into())),
        }
    }

    /// Whether there is room at `at`, where `len` bytes come. What is not there is asked for, and what comes next as well,
    /// before it is needed.
    fn has_room_at(&mut self, incoming: &Arc<IncomingArray>, at: u64, len: u64) -> Result<bool, Error> {
        if !self.room.contains(&at) {
            if let Some(room) = incoming.sink.room_at(at) {
                self.room = room;
            } else {
                let coming = self.coming.take().unwrap_or_else(|| {
                    let needed = at..at.saturating_add(len.min(NEEDED_BYTES_MAX));
                    self.begin(incoming, move |sink| sink.make_room(needed))
                });
                let Some(room) = coming.take() else {
                    self.coming = Some(coming);
                    return Ok(false);
                };
                self.room = room?;
                return self.has_room_at(incoming, at, len);
            }
        }
        self.ask_ahead(incoming, at);
        Ok(true)
    }

    fn ask_ahead(&mut self, incoming: &Arc<IncomingArray>, at: u64) {
        let end = self.room.end;
        let is_due = end - at < LEFT_BYTES_MIN && end != self.asked_ahead_at && self.coming.is_none();
        let more_comes = || incoming.sink.ledger.total_bytes().is_some_and(|total| end < total);
        if is_due && more_comes() {
            self.asked_ahead_at = end;
            self.coming = Some(self.begin(incoming, move |sink| sink.make_room_ahead(end)));
        }
    }

    /// Has it written down what is verified, where that is due.
    fn keep_record(&mut self, incoming: &Arc<IncomingArray>, now: Instant) -> Result<(), Error> {
        if let Some(recording) = self.recording.take() {
            match recording.take() {
                None => {
                    self.recording = Some(recording);
                    return Ok(());
                }
                Some(written) => written?,
            }
        }
        if incoming.sink.record_is_due(now) {
            let array = Arc::clone(incoming);
            let write = move || array.sink.write_record();
            self.recording = Some(self.disk.begin(incoming.sink.effort(), write));
        }
        Ok(())
    }

    /// Begins to make room.
    fn begin(
        &self,
        incoming: &Arc<IncomingArray>,
        makes: impl FnOnce(&PreparedSink) -> Result<Range<u64>, Error> + Send + 'static,
    ) -> Pending<Range<u64>> {
        let (effort, incoming) = (incoming.sink.effort(), Arc::clone(incoming));
        self.disk.begin(effort, move || makes(&incoming.sink))
    }
}
