//! What peers say to each other, as pure state machines over bytes: no socket, no clock, no thread.
//!
//! [`SendWire`] and [`ReceiveWire`] tell their owner what to do next: write these bytes, read so many, move these
//! bytes of the array. The three wires differ in nothing else.

mod choice;
pub(crate) mod native;
mod offer;
mod receive;
mod send;

pub(crate) use crate::checksum::{Checksum, ChecksumKind, Digest};
pub use choice::WireChoice;
pub use native::{Farewell, Replace};
pub use offer::{Grain, Handoff, Offer};
pub use receive::{Heard, ReceiveWire, Want};
pub use send::{SendStep, SendWire};
