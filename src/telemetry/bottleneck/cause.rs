//! What can be the limit, and what it is called.

use serde::{Deserialize, Serialize};

/// What can be the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// The disk that the sender reads from.
    SenderDisk,
    /// The program that yields the bytes.
    WriterPace,
    /// The sender's own work: checksums, copies, system calls.
    Sender,
    /// The limit that was set.
    Limit,
    /// Someone paused it.
    Paused,
    /// The socket's buffers: neither end was busy, and both waited.
    Buffers,
    /// The network: neither end was busy, nor were buffers full.
    Network,
    /// The end that is another process, or something between the ends.
    OtherEnd,
    /// The receiver's own work: copies, page faults, checksums.
    Receiver,
    /// The program that takes the bytes.
    ReaderPace,
    /// The disk that the receiver writes to, until all is on it.
    ReceiverDisk,
    /// This process did not run: it was stopped, or the machine slept.
    Stopped,
}

impl Cause {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, from the sender's disk to the receiver's.
    pub const ALL: [Self; 12] = [
        Self::SenderDisk,
        Self::WriterPace,
        Self::Sender,
        Self::Limit,
        Self::Paused,
        Self::Buffers,
        Self::Network,
        Self::OtherEnd,
        Self::Receiver,
        Self::ReaderPace,
        Self::ReceiverDisk,
        Self::Stopped,
    ];

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SenderDisk => "sender's disk",
            Self::WriterPace => "writer's pace",
            Self::Sender => "sender",
            Self::Limit => "limit",
            Self::Paused => "paused",
            Self::Buffers => "buffers",
            Self::Network => "network",
            Self::OtherEnd => "other end",
            Self::Receiver => "receiver",
            Self::ReaderPace => "reader's pace",
            Self::ReceiverDisk => "receiver's disk",
            Self::Stopped => "stopped",
        }
    }
}

impl Cause {
    /// What it is called within a sentence.
    #[must_use]
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::SenderDisk => "the sender's disk",
            Self::WriterPace => "the writer's pace",
            Self::Sender => "the sender",
            Self::Limit => "the limit that was set",
            Self::Paused => "the pause",
            Self::Buffers => "the socket's buffers",
            Self::Network => "the network",
            Self::OtherEnd => "the other end",
            Self::Receiver => "the receiver",
            Self::ReaderPace => "the reader's pace",
            Self::ReceiverDisk => "the receiver's disk",
            Self::Stopped => "a stop",
        }
    }
}
