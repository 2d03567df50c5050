//! What can be asked of a process that moves arrays: of one of its transfers, or of all of it.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::transfer::tell::event::TransferId;

/// A request to change what runs. On a control socket it is one line of JSON: `{"do":"pause","transfer":3}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", from = "TypedCommand")]
pub(crate) enum Command {
    /// Moves no bytes of the transfer until it is resumed.
    Pause {
        /// Which transfer.
        transfer: TransferId,
    },
    /// Goes on with the transfer.
    Resume {
        /// Which transfer.
        transfer: TransferId,
    },
    /// Gives the transfer up; what was half received is removed.
    Cancel {
        /// Which transfer.
        transfer: TransferId,
    },
    /// Moves at most so many bytes a second.
    Limit {
        /// Which transfer.
        transfer: TransferId,
        /// `None` lifts the limit.
        bytes_per_s: Option<u64>,
    },
    /// Begins nothing new, and ends when what is under way has ended; the same as a first Ctrl-C.
    Drain,
    /// Cancels all transfers and ends.
    Stop,
}

/// A command as it is read. Serde denies unknown fields only where a variant could have some: `{}` makes it refuse
/// `{"do":"stop","transfer":99}`, which asks for less than it would do.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum TypedCommand {
    Pause {
        transfer: TransferId,
    },
    Resume {
        transfer: TransferId,
    },
    Cancel {
        transfer: TransferId,
    },
    Limit {
        transfer: TransferId,
        // At 0 nothing would move, as while it is paused. Read so, one that is left out lifts no limit: null does.
        #[serde(deserialize_with = "Option::deserialize")]
        bytes_per_s: Option<NonZeroU64>,
    },
    Drain {},
    Stop {},
}

impl From<TypedCommand> for Command {
    fn from(typed: TypedCommand) -> Self {
        match typed {
            TypedCommand::Pause { transfer } => Self::Pause { transfer },
            TypedCommand::Resume { transfer } => Self::Resume { transfer },
            TypedCommand::Cancel { transfer } => Self::Cancel { transfer },
            TypedCommand::Limit { transfer, bytes_per_s } => Self::Limit {
                transfer,
                bytes_per_s: bytes_per_s.map(NonZeroU64::get),
            },
            TypedCommand::Drain {} => Self::Drain,
            TypedCommand::Stop {} => Self::Stop,
        }
    }
}

impl Command {
    /// The one transfer that is to change; `None` where the command is for all of the process.
    #[must_use]
    pub(crate) fn transfer(self) -> Option<TransferId> {
        match self {
            Self::Pause { transfer }
            | Self::Resume { transfer }
            | Self::Cancel { transfer }
            | Self::Limit { transfer, .. } => Some(transfer),
            Self::Drain | Self::Stop => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_a_person_would_write_them() {
        let read = |text: &str| serde_json::from_str::<Command>(text);
        let transfer: TransferId = serde_json::from_str("3").expect("an id");
        assert_eq!(
            read(r#"{"do":"pause","transfer":3}"#).expect("one"),
            Command::Pause { transfer }
        );
        let limit = |bytes_per_s| Command::Limit { transfer, bytes_per_s };
        let limited = read(r#"{"do":"limit","transfer":3,"bytes_per_s":1000}"#).expect("one");
        assert_eq!((limited, limited.transfer()), (limit(Some(1000)), Some(transfer)));
        let lifted = read(r#"{"do":"limit","transfer":3,"bytes_per_s":null}"#).expect("one");
        assert_eq!((lifted, lifted.transfer()), (limit(None), Some(transfer)));
        assert_eq!(read(r#"{"do":"drain"}"#).expect("one").transfer(), None);
        for wrong in [
            "",
            "{}",
            r#"{"do":"explode"}"#,
            r#"{"do":"pause"}"#,
            r#"{"do":"limit","transfer":3}"#,
            r#"{"do":"limit","transfer":3,"bytes_per_s":0}"#,
            r#"{"do":"pause","transfer":-1}"#,
            // Of one transfer, it asks for less than it would do.
            r#"{"do":"stop","transfer":99}"#,
            r#"{"do":"drain","transfer":99}"#,
            // As at the prompt, nothing moves at 0, and null is no limit.
            r#"{"do":"limit","transfer":3,"bytes_per_s":0}"#,
            "[1]",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
