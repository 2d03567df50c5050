//! What engines and viewers say to each other.

use serde::{Deserialize, Serialize};

use crate::service::Told;
use crate::transfer::{Side, Steer, TransferId};

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
    /// A wish was understood, and is passed on.
    Passed,
    /// A wish makes no sense, or the engine has no ear for it now.
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

/// What a viewer may want of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wish {
    /// No bytes until it is resumed.
    Pause {
        /// Of which transfer.
        transfer: TransferId,
    },
    /// Goes on.
    Resume {
        /// Which transfer.
        transfer: TransferId,
    },
    /// Gives up; what was half received is removed.
    Cancel {
        /// Which transfer.
        transfer: TransferId,
    },
    /// At most so many bytes a second, or as many as it can.
    Limit {
        /// Which transfer.
        transfer: TransferId,
        /// None: no limit.
        bytes_per_s: Option<u64>,
    },
    /// Takes nothing new, and ends with what is on its way; the same as a first Ctrl-C.
    Drain,
    /// Ends at once.
    Stop,
}

impl Wish {
    /// The change to one transfer, where it is one.
    #[must_use]
    pub fn steer(self) -> Option<(TransferId, Steer)> {
        match self {
            Self::Pause { transfer } => Some((transfer, Steer::Pause)),
            Self::Resume { transfer } => Some((transfer, Steer::Resume)),
            Self::Cancel { transfer } => Some((transfer, Steer::Cancel)),
            Self::Limit { transfer, bytes_per_s } => Some((transfer, Steer::Limit(bytes_per_s))),
            Self::Drain | Self::Stop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_as_a_person_would_write_them() {
        let wish = |text: &str| serde_json::from_str::<Wish>(text);
        let transfer: TransferId = serde_json::from_str("3").expect("an id");
        assert_eq!(
            wish(r#"{"do":"pause","transfer":3}"#).expect("one"),
            Wish::Pause { transfer }
        );
        let limit = wish(r#"{"do":"limit","transfer":3,"bytes_per_s":1000}"#).expect("one");
        assert_eq!(limit.steer(), Some((transfer, Steer::Limit(Some(1000)))));
        let lifted = wish(r#"{"do":"limit","transfer":3,"bytes_per_s":null}"#).expect("one");
        assert_eq!(lifted.steer(), Some((transfer, Steer::Limit(None))));
        assert_eq!(wish(r#"{"do":"drain"}"#).expect("one").steer(), None);
        for wrong in [
            "",
            "{}",
            r#"{"do":"explode"}"#,
            r#"{"do":"pause"}"#,
            r#"{"do":"pause","transfer":-1}"#,
            "[1]",
        ] {
            assert!(wish(wrong).is_err(), "{wrong}");
        }
    }

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
