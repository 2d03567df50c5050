//! The `native` wire: an offer, an answer, blocks with checksums, a result.
//!
//! `docs/wire.md` is the page from which to write a peer.

mod claims;
mod entry;
mod fields;
mod message;
mod offer;
mod outgoing;
mod receive;
mod send;
mod tree_inbox;

pub(crate) use claims::{BlockClaims, Claimed};
pub(crate) use entry::{Entry, EntryKind, Timestamp};
pub(crate) use message::{Credit, ItemResult, Message, Parsed, Status, TreeRequest, greeting, version_of};
pub use message::{Farewell, Replace};
pub(crate) use outgoing::{OutgoingBlock, OutgoingBlocks, Task as OutgoingTask};
pub(crate) use receive::NativeReceiver;
pub(crate) use send::NativeSender;
pub(crate) use tree_inbox::{BLOCK_OVERHEAD_BYTES, TreeBlock, TreeInbox, TreeWord};

pub(super) use message::MAGIC;

/// What a connection shows that joins a transfer: 16 bytes that the receiver drew.
pub(crate) type Token = [u8; 16];

/// The most blocks of a grid that one array can have.
pub(super) const BLOCKS_MAX: u64 = 1 << 24;

/// The number of the one item of a session.
const ITEM: u32 = 1;
