//! What an engine says to its viewers. What they may ask of it is a [`Command`](crate::transfer::Command).

use serde::{Deserialize, Serialize};

use crate::service::AnyEvent;
use crate::transfer::{Side, TransferId};

/// What an engine says beside the events: about itself, and in answer to a viewer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum EngineEvent {
    /// The first line, which describes the engine.
    Engine {
        /// The version of Arraylift.
        version: String,
        /// Its process id.
        pid: u32,
        /// The command that it runs, as it was typed.
        command: String,
        /// The end of its transfers that it is, or that it shows if it is both.
        side: Side,
        /// When it began, in seconds since 1970 (UTC).
        started_unix_s: u64,
    },
    /// The lines before this one were the present state; those after it are events as they happen.
    Now,
    /// The source of a transfer, of a command with several.
    Job {
        /// The transfer.
        transfer: TransferId,
        /// As it was typed.
        source: String,
    },
    /// A command was understood, and is passed on.
    Passed,
    /// A command cannot be read or done, or the engine cannot take it now.
    Refused {
        /// The reason, for people.
        why: String,
    },
}

/// A line from an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum EngineLine {
    /// About the engine.
    Engine(EngineEvent),
    /// An event of a transfer or a service in it, the same as in `--json`.
    Event(AnyEvent),
}

impl EngineLine {
    /// Whether the next one of its kind tells as much.
    pub(crate) fn is_sample(&self) -> bool {
        matches!(self, Self::Event(told) if told.is_sample())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_engine_is_told_from_what_happens_in_it() {
        let read = |text: &str| serde_json::from_str::<EngineLine>(text).expect("a line");
        assert!(matches!(
            read(r#"{"event":"now"}"#),
            EngineLine::Engine(EngineEvent::Now)
        ));
        let ready = read(r#"{"event":"worker_ready","worker":5}"#);
        assert!(matches!(ready, EngineLine::Event(AnyEvent::Service(_))), "{ready:?}");
        let state = read(r#"{"event":"state","state":"paused","transfer":1,"side":"sender","elapsed_s":0.5}"#);
        assert!(matches!(state, EngineLine::Event(AnyEvent::Transfer(_))), "{state:?}");
    }
}
