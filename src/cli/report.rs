//! Tells what happens: to people, or as JSON Lines.

use std::path::Path;
use std::time::Duration;

use crate::control::{Engine, EngineEvent, EngineLine};
use crate::history::Recording;
use crate::ping::PingEvent;
use crate::queue::Counts;
use crate::service::{AnyEvent, Leftover, ServiceEvent, Status};
use crate::transfer::{Command, Event, EventKind, FullFolder, Outcome, Side, TransferId};
use crate::units;
use crossbeam_channel::{Receiver, never};
use serde::Serialize;

use super::Failure;
use super::arguments::KeepArguments;
use super::history;
use super::how_far::HowFar;
use super::json::CommandEvent;
use super::output;
use super::repeated::Repeated;
use super::terminal::Terminal;

/// Who is told: whoever reads the output, and whoever is attached.
#[derive(Debug)]
pub(crate) struct Report {
    output: Output,
    engine: Option<Engine>,
    side: Side,
    how_far: HowFar,
    recording: Option<Recording>,
}

#[derive(Debug)]
enum Output {
    /// A program.
    Json,
    /// A person.
    Terminal(Terminal),
}

impl Report {
    /// `side` is the one that a person follows where both ends are here.
    pub(crate) fn new(json: bool, side: Side) -> Self {
        let output = if json {
            Output::Json
        } else {
            Output::Terminal(Terminal::new(side))
        };
        Self {
            output,
            engine: None,
            side,
            how_far: HowFar::new(side),
            recording: None,
        }
    }

    /// Lets others on this machine attach to what this process does, in these words. Where that cannot be, nobody can,
    /// which is told.
    pub(crate) fn open_control(&mut self, command: &str) {
        match Engine::open(command, self.side) {
            Ok(engine) => self.engine = Some(engine),
            Err(error) => output::complain(&format_args!("{error}; arraylift status does not see this process")),
        }
    }

    /// Keeps the transfers of `command` in the history, unless they are not to be kept.
    pub(crate) fn keep(&mut self, command: &str, typed: KeepArguments) {
        self.recording = history::recording(command, typed);
    }

    /// All transfers are of this source.
    pub(crate) fn all_of(&mut self, title: String) {
        if let Some(recording) = &mut self.recording {
            recording.all_of(title);
        }
    }

    /// What those who are attached ask for.
    pub(crate) fn commands(&self) -> Receiver<Command> {
        self.engine
            .as_ref()
            .map_or_else(never, |engine| engine.commands().clone())
    }

    /// Senders can connect now.
    pub(crate) fn listening(&mut self, address: &str) {
        match &mut self.output {
            Output::Json => output::line(&CommandEvent::Listening { address }),
            Output::Terminal(terminal) => terminal.listening(address),
        }
    }

    /// A transfer told something.
    pub(crate) fn event(&mut self, event: &Event) {
        if let Some(engine) = &self.engine {
            engine.tell(&AnyEvent::Transfer(event.clone()));
        }
        self.how_far.hear(event);
        self.record(event);
        self.show(event);
    }

    /// A service told something.
    pub(crate) fn told(&mut self, told: &AnyEvent) {
        if let Some(engine) = &self.engine {
            engine.tell(told);
        }
        match told {
            AnyEvent::Transfer(event) => self.served(event),
            AnyEvent::Service(event) => self.service(event),
        }
    }

    /// Any object, where it is a program that reads.
    pub(crate) fn line(&self, object: &impl Serialize) {
        if matches!(self.output, Output::Json) {
            output::line(object);
        }
    }

    /// What was heard of an engine, where it is a program that reads.
    pub(crate) fn heard(&self, heard: &EngineLine) {
        if matches!(self.output, Output::Json) {
            output::event(heard, heard.is_sample());
        }
    }

    /// Any line, where it is a person that reads.
    pub(crate) fn say(&self, line: &str) {
        if let Output::Terminal(terminal) = &self.output {
            terminal.say(line);
        }
    }

    /// They move without checksums, so that nothing is kept of one that breaks.
    pub(crate) fn without_checksums(&mut self) {
        self.how_far.without_checksums();
    }

    /// How far a transfer came that was cancelled, or broke and can be gone on with.
    pub(crate) fn how_far(&mut self, transfer: TransferId) -> Option<String> {
        self.how_far.take(transfer)
    }

    /// An engine has taken a command: what it does now.
    pub(crate) fn passed(&mut self, note: &EngineEvent, does: &str) {
        self.say(does);
        self.line(note);
    }

    fn record(&mut self, event: &Event) {
        if let Some(recording) = &mut self.recording {
            recording.hear(event);
        }
    }

    fn show(&mut self, event: &Event) {
        match &mut self.output {
            Output::Json => output::event(event, event.is_sample()),
            Output::Terminal(terminal) => terminal.event(event),
        }
    }

    /// A transfer of a service told something; its end is told with it.
    fn served(&mut self, event: &Event) {
        self.how_far.hear(event);
        self.record(event);
        self.show(event);
        let outcome = match &event.kind {
            EventKind::Finished(finished) => Outcome::Done((**finished).clone()),
            EventKind::Failed(failure) => Outcome::Failed(failure.clone()),
            EventKind::Cancelled { .. } => Outcome::Cancelled,
            EventKind::Joined => Outcome::Joined,
            _ => return,
        };
        self.ended(event.transfer, &outcome);
        let how_far = self.how_far(event.transfer);
        if let (Outcome::Cancelled, Some(how_far)) = (&outcome, &how_far) {
            self.say(&format!("cancelled: {how_far}"));
        }
        if let Outcome::Failed(failure) = outcome {
            // Of many, whoever is at fault: whose transfer it was.
            let said = match failure.peer {
                Some(peer) => Failure::Peer {
                    peer,
                    error: failure.error,
                },
                None => Failure::from(failure.error),
            };
            output::complain(&said.with(how_far));
        }
    }

    /// A service told something of itself.
    fn service(&mut self, event: &ServiceEvent) {
        match (&mut self.output, event) {
            (Output::Json, event) => output::line(event),
            (Output::Terminal(terminal), event) => terminal.service(event),
        }
    }

    /// A service has found a file that an earlier one left behind.
    pub(crate) fn leftover(&mut self, leftover: &Leftover) {
        match &mut self.output {
            Output::Json => output::line(&CommandEvent::Leftover(leftover)),
            Output::Terminal(terminal) => terminal.leftover(leftover),
        }
    }

    /// Every array will be refused, as too little of a disk is free.
    pub(crate) fn no_room(&self, full: &FullFolder) {
        if matches!(self.output, Output::Json) {
            output::line(&CommandEvent::NoRoom(full));
        }
        output::complain(full);
    }

    /// This process works for the service there.
    pub(crate) fn working(&mut self, at: &Path) {
        match &mut self.output {
            Output::Json => output::line(&CommandEvent::Working {
                worker: std::process::id(),
                at,
            }),
            Output::Terminal(terminal) => terminal.working(at),
        }
    }

    /// A service takes nobody any more.
    pub(crate) fn draining(&self) {
        if let Output::Terminal(terminal) = &self.output {
            terminal.draining();
        }
    }

    /// A service has ended.
    pub(crate) fn ended_service(&mut self, status: &Status) {
        if let Output::Terminal(terminal) = &mut self.output {
            terminal.ended_service(status);
        }
    }

    /// One of several jobs has begun, as this transfer.
    pub(crate) fn job(&mut self, transfer: TransferId, name: &str) {
        if let Some(engine) = &self.engine {
            engine.job(transfer, name);
        }
        if let Some(recording) = &mut self.recording {
            recording.name(transfer, name);
        }
        match &mut self.output {
            Output::Json => output::line(&EngineEvent::Job {
                transfer,
                source: name.into(),
            }),
            Output::Terminal(terminal) => terminal.job(transfer, name),
        }
    }

    /// A transfer has failed, and is tried again after so long.
    pub(crate) fn retry(&mut self, failure: &Failure, after: Duration) {
        let (after_s, why) = (after.as_secs_f64(), failure.to_string());
        match &mut self.output {
            Output::Json => output::line(&CommandEvent::Retry { after_s, why }),
            Output::Terminal(terminal) => {
                terminal.say(&format!("{why}; trying again in {}", units::duration(after_s)));
            }
        }
    }

    /// All of several jobs have ended; `done` is what those are that ended well.
    pub(crate) fn jobs(&mut self, counts: &Counts, done: &str) {
        match &mut self.output {
            Output::Json => output::line(&CommandEvent::Jobs {
                done: counts.done,
                failed: counts.failed,
                cancelled: counts.cancelled,
                not_begun: counts.withdrawn,
            }),
            Output::Terminal(terminal) => terminal.jobs(counts, done),
        }
    }

    /// An echo service has ended.
    pub(crate) fn ended_echo(&mut self, status: &Status) {
        if let Output::Terminal(terminal) = &mut self.output {
            terminal.ended_echo(status);
        }
    }

    /// A service whose connections others have has ended.
    pub(crate) fn ended_recipe(&mut self, status: &Status) {
        if let Output::Terminal(terminal) = &mut self.output {
            terminal.ended_recipe(status);
        }
    }

    /// A measurement of round trips told something.
    pub(crate) fn ping(&mut self, event: &PingEvent) {
        match &mut self.output {
            Output::Json => output::line(event),
            Output::Terminal(terminal) => terminal.ping(event),
        }
    }

    /// A transfer has told everything. Its failure is left to the caller.
    pub(crate) fn ended(&mut self, transfer: TransferId, outcome: &Outcome) {
        if let Some(recording) = &mut self.recording {
            recording.ended(transfer, outcome, None);
        }
        if let Output::Terminal(terminal) = &mut self.output {
            terminal.ended(transfer, outcome);
        }
    }

    /// The same was transferred so many times; a program has every rate already.
    pub(crate) fn repeated(&self, repeated: &Repeated) {
        if let Output::Terminal(terminal) = &self.output {
            terminal.repeated(repeated);
        }
    }
}
