//! One part of a file, over one connection after another, until every byte of it has landed.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::route::receive::Inflow as _;
use crate::sys::{Interest, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::Progress;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::sink::block_receiver::{BlockReceiver, Received, Wanted};
use crate::transfer::tell::event::{Side, State};

use super::answer::RangeRequest;
use super::claimed::{ClaimedPart, Next as Claimed};
use super::client::{Body, Client};
use super::connection::IoCost;
use super::file::FetchedFile;
use super::setback::Setback;

/// After so many connections in a row that brought next to nothing it is given up.
pub(super) const TRIES: u32 = 5;
/// A connection that brought so much before it broke was worth it.
const PROGRESS_BYTES: u64 = 1 << 20;
/// So long an answer that has more than its part is kept for parts that may yet be refused to other connections.
const KEPT_FOR: Duration = Duration::from_secs(1);
/// So often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// An answer that has so much and is whole was worth it, though more was asked for.
const PIECE_BYTES: u64 = 64 << 10;

/// A part of a file that is being fetched.
pub(super) struct PartFetch {
    client: Client,
    options: Options,
    /// Dropped before the file, whose memory it leads to.
    receiver: BlockReceiver,
    file: Arc<FetchedFile>,
    /// Its bytes.
    part: ClaimedPart,
    retries: Retries,
    /// Where nothing of it comes, another connection may fetch it.
    may_be_left: bool,
    /// It is one of a further connection, which has not been answered yet.
    is_unheard: bool,
    /// When the server was last heard of.
    heard_at: Instant,
    phase: Phase,
}

/// Where a part is between its first request and its last byte.
enum Phase {
    /// The server is asked for what is missing.
    Asking,
    /// A connection broke; another one is tried then.
    WaitingToRetry { until: Instant },
    /// The answer begins with so many bytes that have landed already.
    Skipping { body: Box<Body>, left_bytes: u64 },
    /// Bytes that are missing come.
    Receiving { body: Box<Body> },
}

/// The next phase, and what the step came to.
type Next = Result<(Phase, Progress), Setback>;

/// How often another connection may still be tried.
#[derive(Debug)]
struct Retries {
    left: u32,
    /// Where the part was when they were counted anew.
    from: u64,
}

impl PartFetch {
    /// Fetches what is claimed; `body` is the first answer, where one has come already.
    pub(super) fn new(
        client: Client,
        options: &Options,
        receiver: BlockReceiver,
        file: Arc<FetchedFile>,
        part: ClaimedPart,
        body: Option<Box<Body>>,
    ) -> Self {
        Self {
            client,
            options: options.clone(),
            receiver,
            retries: Retries {
                left: TRIES,
                from: part.at(),
            },
            may_be_left: false,
            is_unheard: false,
            heard_at: awake_now(),
            phase: body.map_or(Phase::Asking, |body| Phase::Receiving { body }),
            part,
            file,
        }
    }

    /// The same, which is left to another connection where the server does not serve this one.
    pub(super) fn may_be_left(self) -> Self {
        Self {
            may_be_left: true,
            is_unheard: true,
            ..self
        }
    }

    /// Whether another connection is to fetch it, after a step that has failed.
    pub(super) fn is_left(&self, setback: &Setback) -> bool {
        self.may_be_left && (setback.may_pass() || setback.refused) && self.part.at() == self.part.start()
    }

    /// Leaves it to another connection.
    pub(super) fn leave(mut self) {
        let was_unheard = std::mem::take(&mut self.is_unheard);
        self.file.give_back(self.part);
        // Whoever waits for that finds the part.
        if was_unheard {
            self.file.heard();
        }
    }

    /// The file that it is a part of.
    pub(super) fn file(&self) -> &Arc<FetchedFile> {
        &self.file
    }

    /// The connection that an answer comes over, while one does.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.phase {
            Phase::Skipping { body, .. } | Phase::Receiving { body } => Some(body.connection().as_fd()),
            Phase::Asking | Phase::WaitingToRetry { .. } => None,
        }
    }

    /// Does a bounded piece of work; `None` once every byte has landed.
    ///
    /// # Errors
    /// What is missing cannot be had any more, or cannot be kept.
    pub(super) fn step(&mut self, context: &mut MachineContext, now: Instant) -> Result<Option<Progress>, Setback> {
        if self.part.left_in_block() == 0 {
            match self.part.claim_next()? {
                Claimed::Block => {}
                // Whatever the answer has between is here.
                Claimed::Range => self.phase = Phase::Asking,
                Claimed::Nothing => return Ok(self.go_on(context, now)),
            }
        }
        let phase = std::mem::replace(&mut self.phase, Phase::Asking);
        let (phase, progress) = match phase {
            Phase::WaitingToRetry { until } if now < until => (phase, rest(Some(until))),
            Phase::Asking | Phase::WaitingToRetry { .. } => self.ask(context)?,
            Phase::Skipping { .. } | Phase::Receiving { .. } if context.controls.is_paused() => {
                context.events.state(State::Paused);
                context.probe.rests(Rest::Pause);
                // Whatever the server does meanwhile, it is not silence that is waited for.
                self.heard_at = now;
                (phase, rest(None))
            }
            Phase::Skipping { body, left_bytes } => {
                context.events.state(State::Transferring);
                self.skip(context, body, left_bytes, now)?
            }
            Phase::Receiving { body } => {
                context.events.state(State::Transferring);
                self.receive(context, body, now)?
            }
        };
        self.phase = phase;
        Ok(Some(progress))
    }

    /// Counts what is not counted yet of the part, every byte of which has landed, as verified.
    pub(super) fn finish(self) {
        self.part.finish();
    }

    /// Where the answer has more than this part, and another connection has left what comes next: takes that as well. A
    /// server that serves one connection after another, which is not told from one that is slow, is not kept for long.
    fn go_on(&mut self, context: &mut MachineContext, now: Instant) -> Option<Progress> {
        if !matches!(&self.phase, Phase::Receiving { body } if !body.is_over()) {
            return None;
        }
        // Asked first: one that is refused gives its part back before it is heard of.
        let has_unheard = self.file.has_unheard();
        if let Some(next) = self.file.take_given_back_at(self.part.range_end()) {
            std::mem::replace(&mut self.part, next).finish();
            return Some(Progress::Moved);
        }
        let is_kept = has_unheard && now < self.heard_at + KEPT_FOR;
        is_kept.then(|| {
            context.probe.rests(Rest::Others);
            rest(Some(now + LOOK_EVERY))
        })
    }

    /// Says, once, that the server serves this further connection.
    fn hear(&mut self) {
        if std::mem::take(&mut self.is_unheard) {
            self.file.heard();
        }
    }

    /// Asks for what is missing, and waits for the head of the answer.
    fn ask(&mut self, context: &mut MachineContext) -> Next {
        context.events.state(State::Connecting);
        let (at, end) = (self.part.at(), self.part.range_end());
        let request = RangeRequest {
            from: at,
            to: (self.file.info.len != Some(end)).then_some(end),
            known: Some(&self.file.info),
        };
        let (answer, body, _) = match answer_to(&mut context.probe, || self.client.ask(&request)) {
            Ok(answered) => answered,
            Err(setback) => return self.broke(context, setback),
        };
        self.hear();
        if answer.at < at && self.file.array.sink.is_resumed() {
            // It would come as far as it is there already.
            return Err(Setback {
                begin_again: Some("the server sent all of it where the rest was asked for"),
                ..Error::Protocol("a part was asked for, and the whole file came".into()).into()
            });
        }
        watch(&mut context.probe, &body);
        self.heard_at = awake_now();
        let body = Box::new(body);
        let phase = match at - answer.at {
            0 => Phase::Receiving { body },
            left_bytes => Phase::Skipping { body, left_bytes },
        };
        Ok((phase, Progress::Moved))
    }

    fn receive(&mut self, context: &mut MachineContext, mut body: Box<Body>, now: Instant) -> Next {
        let limit_bytes_per_s = context.controls.limit_bytes_per_s();
        context.events.limit(limit_bytes_per_s);
        let wanted = Wanted {
            at: self.part.at(),
            len: self.part.left_in_block(),
            span: self.part.take_span(),
            limit_bytes_per_s,
            pace_bytes_per_s: context.controls.pace_bytes_per_s(Side::Receiver),
            chunk_bytes: self.options.chunk_bytes.max(1),
        };
        let (array, digest) = (&self.file.array, self.part.digest());
        let (surveyor, idle, mut seen_at) = (&mut context.surveyor, context.probe.idle(), wanted.at);
        let received = self
            .receiver
            .receive(array, &mut *body, wanted, now, &mut context.probe, &mut |bytes| {
                digest.update(bytes);
                if let Some(surveyor) = surveyor {
                    surveyor.see(seen_at, bytes, now, idle);
                    seen_at += bytes.len() as u64;
                }
            });
        count(&mut context.probe, body.take_cost());
        match received? {
            Received::Bytes(bytes, preview) => {
                if let Some(preview) = preview {
                    context.events.tell(*preview);
                }
                self.part.landed(bytes);
                self.heard_at = now;
                body.took(bytes);
                if body.is_over() && self.part.at() < self.part.range_end() {
                    return self.ask_again();
                }
                Ok((Phase::Receiving { body }, Progress::Moved))
            }
            Received::NotBefore(then, why) => {
                context.probe.rests(why);
                self.heard_at = now;
                Ok((Phase::Receiving { body }, rest(Some(then))))
            }
            Received::WaitsForDisk => {
                context.probe.rests(Rest::Disk);
                self.heard_at = now;
                Ok((Phase::Receiving { body }, rest(None)))
            }
            // Woken by whoever changed something.
            Received::Nothing if !body.is_bare() => Ok((Phase::Receiving { body }, Progress::Moved)),
            Received::Nothing => self.wait(context, Phase::Receiving { body }, now),
            // The end tells the length; an answer that breaks off between two chunks is told from one that ends.
            Received::End if self.file.info.len.is_none() => {
                self.part.ends_here();
                Ok((Phase::Asking, Progress::Moved))
            }
            Received::End => self.broke(context, self.closed().into()),
            Received::Broke(error) => self.broke(context, self.broken(&error).into()),
        }
    }

    /// Takes bytes that have landed already.
    fn skip(&mut self, context: &mut MachineContext, mut body: Box<Body>, left_bytes: u64, now: Instant) -> Next {
        let mut buffer = vec![0; self.options.chunk_bytes.max(1)];
        let most = usize::try_from(left_bytes).unwrap_or(buffer.len()).min(buffer.len());
        let bytes = match body.take(&mut buffer[..most]) {
            Ok(0) => return self.broke(context, self.closed().into()),
            Ok(bytes) => bytes as u64,
            Err(error) if would_block(&error) => {
                return self.wait(context, Phase::Skipping { body, left_bytes }, now);
            }
            Err(error) => return self.broke(context, self.broken(&error).into()),
        };
        self.heard_at = now;
        body.took(bytes);
        if body.is_over() {
            return self.ask_again();
        }
        let phase = match left_bytes - bytes {
            0 => Phase::Receiving { body },
            left_bytes => Phase::Skipping { body, left_bytes },
        };
        Ok((phase, Progress::Moved))
    }

    /// A server may send less than was asked for: the rest is asked for next.
    fn ask_again(&mut self) -> Next {
        if self.retries.take(self.part.at(), PIECE_BYTES) {
            Ok((Phase::Asking, Progress::Moved))
        } else {
            Err(self.closed().into())
        }
    }

    /// Until the socket has something. A server that is silent for too long has broken the connection.
    fn wait(&mut self, context: &MachineContext, phase: Phase, now: Instant) -> Next {
        let silent_at = self.heard_at + self.options.timeout;
        if now >= silent_at {
            return self.broke(context, Error::Silent(self.options.timeout).into());
        }
        let progress = Progress::Wait {
            interest: Interest::READ,
            until: Some(silent_at),
            peer_owes: false,
        };
        Ok((phase, progress))
    }

    /// A connection is of no more use: another one goes on where it was, if that is sure to be the same file.
    fn broke(&mut self, context: &MachineContext, mut setback: Setback) -> Next {
        let may_pass = setback.may_pass() && !context.controls.is_cancelled();
        if may_pass && setback.begin_again.is_none() {
            setback.begin_again = self.file.info.doubt();
        }
        if self.is_left(&setback) || setback.begin_again.is_some() {
            return Err(setback);
        }
        if !may_pass {
            // One that asks to be left alone for long is not asked at all.
            let refused = setback.refused && setback.retry_after.is_none();
            setback.begin_again = refused.then_some("the server did not send the rest of it");
            return Err(setback);
        }
        if !self.retries.take(self.part.at(), PROGRESS_BYTES) {
            return Err(setback);
        }
        self.file.count_break();
        let until = awake_now() + setback.wait(self.retries.number());
        Ok((Phase::WaitingToRetry { until }, Progress::Moved))
    }

    fn closed(&self) -> Error {
        let received = self.file.landed_bytes();
        match self.file.info.len {
            Some(total) => Error::ClosedEarly {
                missing: total.saturating_sub(received),
                received,
                total,
            },
            None => Error::ClosedWhile("in the middle of the file"),
        }
    }

    /// The error for bytes that did not come.
    fn broken(&self, error: &io::Error) -> Error {
        let timed_out = error.get_ref().is_some_and(|inner| {
            inner
                .downcast_ref::<ureq::Error>()
                .is_some_and(|error| matches!(error, ureq::Error::Timeout(_)))
        });
        if timed_out {
            Error::Silent(self.options.timeout)
        } else if error.raw_os_error().is_some() && !is_broken(error) {
            Error::system("cannot take bytes from the connection", error)
        } else {
            self.closed()
        }
    }
}

impl Retries {
    /// Takes one, for a part of which everything before `at` has landed; false where none is left. A connection counts
    /// as one that brings next to nothing until it has brought so many bytes.
    fn take(&mut self, at: u64, worth_bytes: u64) -> bool {
        if at - self.from >= worth_bytes {
            (self.left, self.from) = (TRIES, at);
        }
        let is_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_left
    }

    /// The number of the one that was taken, from 0.
    fn number(&self) -> u32 {
        (TRIES - 1).saturating_sub(self.left)
    }
}

/// What the server answers to `ask`. All the time until then, connecting included, is a wait for it.
pub(super) fn answer_to<T>(probe: &mut Probe, ask: impl FnOnce() -> T) -> T {
    let from = awake_now();
    let answer = ask();
    probe.waited(Interest::READ, awake_now().saturating_duration_since(from), true);
    answer
}

/// Counts on the connection of an answer that has just begun. How long that was waited for is counted already.
pub(super) fn watch(probe: &mut Probe, body: &Body) {
    probe.watch(body.connection().as_fd());
    probe.cost(body.take_cost().syscalls, 0);
}

fn count(probe: &mut Probe, cost: IoCost) {
    probe.cost(cost.syscalls, 0);
    if !cost.waited.is_zero() {
        let read = Interest::READ;
        probe.waited(read, cost.waited, true);
    }
}

/// Until then, or a wake.
pub(super) fn rest(until: Option<Instant>) -> Progress {
    Progress::Wait {
        interest: Interest::NOTHING,
        until,
        peer_owes: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_end_after_five_that_brought_next_to_nothing_and_begin_anew_after_one_that_did() {
        let mut retries = Retries { left: TRIES, from: 0 };
        let setback = Setback::from(Error::ClosedWhile("early"));
        for wait_ms in [200, 400, 800, 1600, 3200] {
            assert!(retries.take(PROGRESS_BYTES - 1, PROGRESS_BYTES));
            assert_eq!(setback.wait(retries.number()), Duration::from_millis(wait_ms));
        }
        assert!(!retries.take(PROGRESS_BYTES - 1, PROGRESS_BYTES));
        assert!(retries.take(PROGRESS_BYTES, PROGRESS_BYTES));
        assert_eq!(retries.number(), 0);
        assert_eq!(retries.from, PROGRESS_BYTES);
    }
}
