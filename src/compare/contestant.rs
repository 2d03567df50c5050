//! A contestant of a comparison.

use serde::{Deserialize, Serialize};

/// One way to move the array, as a saved result has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contestant {
    /// Its id, such as `sendfile` or `file-splice`, the same in every result, so that two results can be compared.
    pub id: String,
    /// Its name for people, a few words.
    pub name: String,
    /// What it shows, in one line.
    pub shows: String,
    /// How bytes leave, as in `--send-route`.
    pub send_route: String,
    /// How bytes land, as in `--receive-route`.
    pub receive_route: String,
    /// `native` or `raw`.
    pub wire: String,
    /// Whether checksums are compared.
    pub verify: bool,
    /// The number of connections.
    #[serde(default = "one")]
    pub streams: u16,
    /// Where the bytes land.
    pub sink: Sink,
    /// What the bytes go over.
    pub over: Over,
}

const fn one() -> u16 {
    1
}

/// Where a contestant's bytes land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sink {
    /// Fresh memory.
    Memory,
    /// A new file.
    File,
}

/// What a contestant's bytes go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// TCP loopback, both ends in one process.
    Tcp,
    /// A Unix socket between two processes.
    Unix,
}

/// A contestant that does not take part, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The contestant.
    pub contestant: Contestant,
    /// Why not, and what would help, in one line.
    pub reason: String,
}
