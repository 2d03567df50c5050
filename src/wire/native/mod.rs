//! The `native` wire: an offer, an answer, blocks with checksums, a receipt.
//!
//! The page to write a peer from is in the README, "The native wire".

mod blocks;
mod message;
mod receive;
mod send;

pub use blocks::Blocks;
pub use message::{BLOCK_BYTES_MAX, GREETING_BYTES, VERSION};
pub use receive::NativeReceiver;
pub use send::NativeSender;

pub(super) use message::MAGIC;

/// What a connection shows that joins a transfer: 16 bytes that the receiver drew.
pub type Token = [u8; 16];
