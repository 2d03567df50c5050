//! Who takes part in a comparison.

use serde::{Deserialize, Serialize};

/// One way to move the array, in words that a saved result keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contestant {
    /// The same in every result, so that two can be laid side by side: `sendfile`, `file-splice`.
    pub id: String,
    /// For people, a few words.
    pub name: String,
    /// What it is there to show, one line.
    pub shows: String,
    /// How bytes leave, as `--send-route` has it.
    pub send_route: String,
    /// How bytes land, as `--receive-route` has it.
    pub receive_route: String,
    /// `native` or `raw`.
    pub wire: String,
    /// Whether checksums are compared.
    pub verify: bool,
    /// Over how many connections.
    #[serde(default = "one")]
    pub streams: u16,
    /// Where the bytes land.
    pub sink: Sink,
    /// What they go over.
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

/// Who does not take part, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Who.
    pub contestant: Contestant,
    /// Why not, and what would help, one line.
    pub reason: String,
}
