//! What an engine says to its viewers. What they may ask of it is a [`Command`](crate::transfer::Command).

use serde::{Deserialize, Serialize};

use crate::service::Told;
use crate::transfer::{Side, TransferId};

/// What an engine says of itself and to one viewer, beside what happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Note {
    /// Who it is: the first line.
    Engine {
        /// Of Arraylift.
        version: String,
        /// Its process id.
        pid: u32,
        /// What it does, as it was typed.
        command: String,
        /// Which end of its transfers it is, or shows.
        side: Side,
        /// When it began, in seconds since 1970.
        started_unix_s: u64,
    },
    /// What there was already has been said; what follows happens now.
    Now,
    /// A transfer has this source: one of several.
    Job {
        /// Which one.
        transfer: TransferId,
        /// As it was typed.
        source: String,
    },
    /// A command was understood, and is passed on.
    Passed,
    /// A command makes no sense, or the engine cannot take it now.
    Refused {
        /// In words.
        why: String,
    },
}

/// A line from an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Heard {
    /// Of the engine.
    Note(Note),
    /// Of what happens in it; the same as it tells with `--json`.
    Told(Told),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_engine_is_told_from_what_happens_in_it() {
        let heard = |text: &str| serde_json::from_str::<Heard>(text).expect("a line");
        assert!(matches!(heard(r#"{"event":"now"}"#), Heard::Note(Note::Now)));
        let ready = heard(r#"{"event":"worker_ready","worker":5}"#);
        assert!(matches!(ready, Heard::Told(Told::Service(_))), "{ready:?}");
        let state = heard(r#"{"event":"state","state":"paused","transfer":1,"side":"sender","elapsed_s":0.5}"#);
        assert!(matches!(state, Heard::Told(Told::Transfer(_))), "{state:?}");
    }
}
