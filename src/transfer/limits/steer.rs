//! What can be wanted of a transfer that runs.

use serde::{Deserialize, Serialize};

use crate::transfer::limits::controls::Controls;

/// A change to a running transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Steer {
    /// Moves no bytes until it is resumed.
    Pause,
    /// Goes on.
    Resume,
    /// Gives up; what was half received is removed.
    Cancel,
    /// At most so many bytes a second, or as many as it can.
    Limit(Option<u64>),
}

impl Steer {
    pub(crate) fn apply(self, controls: &Controls) {
        match self {
            Self::Pause => controls.pause(true),
            Self::Resume => controls.pause(false),
            Self::Cancel => controls.cancel(),
            Self::Limit(bytes_per_s) => controls.set_limit(bytes_per_s),
        }
    }
}
