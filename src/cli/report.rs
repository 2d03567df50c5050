//! Tells what happens: to people, or as JSON Lines.

use arraylift::transfer::{Event, Finished, Outcome, Side, TransferId};

use super::Failure;
use super::complain;
use super::json::JsonLines;
use super::terminal::Terminal;

/// Who is told.
#[derive(Debug)]
pub enum Report {
    /// A program.
    Json(JsonLines),
    /// A person.
    Terminal(Terminal),
}

impl Report {
    /// `side` is the one that a person follows where both ends are here.
    pub fn new(json: bool, side: Side) -> Self {
        if json {
            Self::Json(JsonLines::default())
        } else {
            Self::Terminal(Terminal::new(side))
        }
    }

    /// Senders can connect now.
    pub fn listening(&mut self, address: &str) {
        match self {
            Self::Json(lines) => lines.listening(address),
            Self::Terminal(terminal) => terminal.listening(address),
        }
    }

    /// A transfer told something.
    pub fn event(&mut self, event: &Event) {
        match self {
            Self::Json(lines) => lines.event(event),
            Self::Terminal(terminal) => terminal.event(event),
        }
    }

    /// A transfer has told everything. Its failure is left to the caller.
    pub fn ended(&mut self, transfer: TransferId, outcome: &Outcome) {
        if let Self::Terminal(terminal) = self {
            terminal.ended(transfer, outcome);
        }
    }

    /// The same was transferred so many times; a program has every rate already.
    pub fn repeated(&self, finished: &[Finished]) {
        if let Self::Terminal(terminal) = self {
            terminal.repeated(finished);
        }
    }

    /// A failure that does not end the command.
    pub fn failure(&self, failure: &Failure) {
        match self {
            Self::Json(_) => complain(failure),
            Self::Terminal(terminal) => terminal.suspend(|| complain(failure)),
        }
    }
}
