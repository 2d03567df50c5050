//! The sending machines, one for each role that a connection can have, whatever the wire and the send route: the first
//! one of a transfer offers the array and speaks for it, a further one sends blocks.

mod first;
mod further;
mod handoff;
mod link;
mod sending;
mod tree;

pub(crate) use first::{ArrayStreams, FirstSender, StreamRequest, TreeStreams};
pub(crate) use further::FurtherSender;
pub(crate) use tree::{FurtherTreeSender, TreeSender};
