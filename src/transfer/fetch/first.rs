//! The first connection of a file: it finds the file, makes room for it, shares it out, fetches the first part, waits
//! for the others, and publishes what has come.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::checksum::Checksum;
use crate::error::Error;
use crate::sys::{Wake, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::plan::Options;
use crate::transfer::sink::{Publication, Published};
use crate::transfer::tell::event::{Finished, State};

use super::client::Client;
use super::connection::ConnectionContext;
use super::file::{FetchedFile, times};
use super::part::{self, PartFetch, answer_to, rest};
use super::request::{Asked, FileRequest};
use super::setback::Setback;
use super::{FetchPlan, PartRequest};

/// So often it is looked whether other connections still hold a file that is given up.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// So often a server that is busy is asked for the file again, and so often a file may come from its first byte again.
const TRIES: u32 = 3;

/// Fetches the first part of a file, which is all of it where there are no others, and tells how the file ends.
pub(in crate::transfer) struct FirstFetcher {
    wake: Arc<Wake>,
    context: MachineContext,
    request: FileRequest,
    again: Again,
    phase: Phase,
}

/// What is known of tries that came to nothing.
#[derive(Debug, Default)]
struct Again {
    /// How often it was asked for in vain since it came last.
    asked: u32,
    /// How often the file came from its first byte again, and why at last.
    begun: u32,
    why: Option<&'static str>,
    /// Of a file that came whole, and was called another one afterwards.
    checksum: Option<Checksum>,
}

/// Where it is. What belongs to a phase is in it.
enum Phase {
    /// The server is asked for the file, not before then.
    Asking(Option<Instant>),
    /// The first part comes.
    Fetching(Box<PartFetch>),
    /// The file has to come again, not before then, once the other connections have left what came of it.
    GivingUp(Arc<FetchedFile>, Instant),
    /// The first part is whole, and others are not.
    WaitingForOtherParts(Arc<FetchedFile>),
    /// Every byte has landed, and the server is asked whether they are still the file's.
    Checking(Arc<FetchedFile>),
    /// They are; what has to be is put on disk.
    Publishing(Arc<FetchedFile>, Option<Publication>),
    /// The file is where it belongs.
    TellingTheEnd(Arc<FetchedFile>, Box<Finished>),
}

impl FirstFetcher {
    pub(in crate::transfer) fn new(
        plan: FetchPlan,
        options: &Options,
        wake: &Arc<Wake>,
        requests: Sender<PartRequest>,
        context: MachineContext,
    ) -> Self {
        Self {
            wake: Arc::clone(wake),
            request: FileRequest {
                plan,
                options: options.clone(),
                connecting: ConnectionContext::new(options, &context.controls, wake),
                requests,
            },
            context,
            again: Again::default(),
            phase: Phase::Asking(None),
        }
    }

    /// The file, once the server has told of it.
    fn file(&self) -> Option<&Arc<FetchedFile>> {
        match &self.phase {
            Phase::Asking(_) => None,
            Phase::Fetching(part) => Some(part.file()),
            Phase::GivingUp(file, _)
            | Phase::WaitingForOtherParts(file)
            | Phase::Checking(file)
            | Phase::Publishing(file, _)
            | Phase::TellingTheEnd(file, _) => Some(file),
        }
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if let Some(setback) = self.file().and_then(|file| file.take_setback()) {
            self.phase = self.begin_again(setback)?;
        }
        let next = match &mut self.phase {
            Phase::Asking(Some(then)) if now < *then => return Ok(rest(Some(*then))),
            Phase::Asking(_) => match self.request.ask(&mut self.context) {
                Ok(asked) => {
                    self.again.asked = 0;
                    match asked {
                        Asked::Part(part) => Phase::Fetching(part),
                        Asked::Whole(file) => Phase::WaitingForOtherParts(file),
                    }
                }
                Err(setback) => self.ask_later(setback)?,
            },
            Phase::Fetching(part) => match part.step(&mut self.context, now) {
                Ok(Some(progress)) => return Ok(progress),
                Ok(None) => Phase::WaitingForOtherParts(Arc::clone(part.file())),
                Err(setback) => self.begin_again(setback)?,
            },
            // There is room for the next one only after that.
            Phase::GivingUp(file, _) if Arc::strong_count(file) > 1 => return Ok(rest(Some(now + LOOK_EVERY))),
            Phase::GivingUp(_, until) => Phase::Asking(Some(*until)),
            Phase::WaitingForOtherParts(file) => {
                if let Some(part) = file.take_given_back() {
                    Phase::Fetching(Box::new(self.request.further_part(file, part, &self.context)?))
                } else if file.array.sink.ledger.is_whole() {
                    if let Some(preview) = file.array.last_preview() {
                        self.context.events.tell(preview);
                    }
                    self.context.events.state(State::Verifying);
                    Phase::Checking(Arc::clone(file))
                } else {
                    self.context.probe.rests(Rest::Others);
                    return Ok(rest(None));
                }
            }
            Phase::Checking(file) => {
                let file = Arc::clone(file);
                self.check(file)?
            }
            Phase::Publishing(file, publication) => {
                let published = match publication.as_ref().map(Publication::result) {
                    None => file.array.sink.publish()?,
                    Some(Some(result)) => result?,
                    Some(None) => {
                        self.context.probe.rests(Rest::Sync);
                        return Ok(rest(None));
                    }
                };
                let finished = finished(file, published, &self.context, &self.again);
                Phase::TellingTheEnd(Arc::clone(file), Box::new(finished))
            }
            Phase::TellingTheEnd(_, finished) => return Ok(Progress::Done(finished.clone())),
        };
        let before = std::mem::replace(&mut self.phase, next);
        if let (Phase::Fetching(part), Phase::WaitingForOtherParts(_)) = (before, &self.phase) {
            part.finish();
        }
        Ok(Progress::Moved)
    }

    /// After the file could not be asked for: where the server says that it is busy, it is asked again when it wants;
    /// where the file has come before, with the patience that its rest would be asked for with.
    fn ask_later(&mut self, setback: Setback) -> Result<Phase, Error> {
        let tries = match (self.again.begun, setback.retry_after) {
            (0, None) => 0,
            (0, Some(_)) => TRIES,
            _ => part::TRIES,
        };
        if !setback.may_pass() || self.again.asked >= tries {
            return Err(setback.error);
        }
        let until = awake_now() + setback.wait(self.again.asked);
        self.again.asked += 1;
        Ok(Phase::Asking(Some(until)))
    }

    /// After the rest of the file was not sure to fit to its beginning: all of it comes again, over all connections.
    fn begin_again(&mut self, mut setback: Setback) -> Result<Phase, Error> {
        let was_left_alone = self.file().is_some_and(|file| file.has_unserved()) && setback.may_pass();
        if was_left_alone && setback.begin_again.is_none() {
            setback.begin_again = Some("the server did not serve more than one connection");
        }
        if setback.refused || was_left_alone {
            // What is refused to several may be granted to one.
            self.request.options.streams = 1;
        }
        if let Some(file) = self.file().filter(|_| setback.begin_again.is_some()) {
            // Nobody goes on with it, nor does another process.
            file.array.sink.discard();
        }
        let may_begin = self.again.begun < TRIES && !self.context.controls.is_cancelled();
        let file = self.file().filter(|_| setback.begin_again.is_some() && may_begin);
        let Some(file) = file.map(Arc::clone) else {
            return Err(setback.error);
        };
        file.give_up(None);
        let until = awake_now() + setback.wait(self.again.begun);
        self.again.begun += 1;
        self.again.why = setback.begin_again;
        self.context.probe.begin_again();
        self.context.events.state(State::Connecting);
        self.context.controls.wake();
        Ok(Phase::GivingUp(file, until))
    }

    /// Puts the file where it belongs. Where that takes the disk, someone else does it.
    fn publish(&self, file: Arc<FetchedFile>) -> Phase {
        let has_to_be_synced = file.array.sink.has_to_be_synced();
        let publication = has_to_be_synced.then(|| self.context.publishing.publish(&file.array));
        Phase::Publishing(file, publication)
    }

    /// Asks whether what has come was one file from its first byte to its last: it may have been written anew meanwhile.
    fn check(&mut self, file: Arc<FetchedFile>) -> Result<Phase, Error> {
        let checksum = file.array.sink.ledger.checksum();
        if file.landed_bytes() == 0 {
            return Ok(self.publish(file));
        }
        // Some servers call the same bytes another file each time. Twice the same ones are no mixture.
        if checksum.is_some() && self.again.checksum == checksum {
            return Ok(self.publish(file));
        }
        let client = Client::new(&file.url, &file.trust, self.request.connecting.clone());
        let is_still = answer_to(&mut self.context.probe, || client.is_still(&file.info));
        // Whoever cancels meanwhile gets no answer, and no file.
        if self.context.controls.is_cancelled() {
            return Ok(Phase::Checking(file));
        }
        if is_still == Some(false) {
            self.again.checksum = checksum;
            return self.begin_again(Setback {
                begin_again: Some("the file was changed on its server while it came"),
                ..Error::ChangedThere(self.request.plan.url.to_string()).into()
            });
        }
        if is_still.is_none() {
            file.note("the server did not say afterwards whether the file had changed meanwhile".into());
        }
        Ok(self.publish(file))
    }
}

impl Machine for FirstFetcher {
    fn recall(&self) -> bool {
        match &self.phase {
            Phase::Publishing(_, Some(publication)) => publication.recall(),
            phase => !matches!(phase, Phase::TellingTheEnd(..)),
        }
    }

    fn socket(&self) -> BorrowedFd<'_> {
        let socket = match &self.phase {
            Phase::Fetching(part) => part.socket(),
            _ => None,
        };
        // Where nothing comes, nothing but a wake is waited for.
        socket.unwrap_or_else(|| self.wake.as_fd())
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        let step = self.advance(now);
        step.map_err(|cause| match self.file() {
            Some(file) => file.array.sink.failure(cause),
            None => cause,
        })
    }

    fn give_up(&mut self, _reason: &str) -> bool {
        // A server has no ear for it: it sees the connection close.
        false
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.context.probe
    }

    fn discard(&self) {
        if let Some(file) = self.file() {
            file.array.sink.discard();
        }
    }

    fn left_behind(&self) -> Option<String> {
        self.file()?.array.sink.left_behind()
    }

    fn bytes(&self) -> u64 {
        self.file().map_or(0, |file| file.received_bytes())
    }
}

/// What is told of a file that is where it belongs.
fn finished(file: &FetchedFile, published: Published, context: &MachineContext, again: &Again) -> Finished {
    let Published {
        path,
        note,
        durable,
        sync,
    } = published;
    if let Some(why) = again.why {
        let times = times(again.begun);
        file.note(format!("it came from its first byte again {times}: {why}"));
    }
    let (bytes, resumed_bytes) = (file.landed_bytes(), file.array.sink.ledger.recorded_bytes());
    Finished {
        bytes,
        resumed_bytes,
        rate_bytes_per_s: context
            .probe
            .mean_rate(bytes - resumed_bytes, context.events.paused_for()),
        verified: None,
        items: None,
        durable,
        sync_s: sync.map(|sync| sync.as_secs_f64()),
        checksum: file.array.sink.ledger.checksum().map(|checksum| checksum.to_string()),
        path,
        note: file.notes(note),
    }
}
