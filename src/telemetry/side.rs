//! The two ends of a transfer.

use serde::{Deserialize, Serialize};

/// An end of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The end that has the array.
    Sender,
    /// The end that receives it.
    Receiver,
}
