//! The receiving machines, one for each role that a connection can have, whatever the wire and the receive route: the
//! first one of a transfer decides and speaks for it, a further one brings blocks, and of a newcomer nobody knows yet what
//! it wants.

mod first;
mod further;
mod handoff;
pub(crate) mod join_acceptor;
mod link;
pub(crate) mod loop_receiver;
mod newcomer;
mod newcomers;
mod plan;
mod reception;
mod tree;

use crate::transfer::machine::drive::Machine;
use crate::transfer::net::connection::Connection;
use crate::transfer::sink::file_system::Effort;

pub(crate) use first::{FirstReceiver, JoinRequest, Joinable};
pub(crate) use further::FurtherReceiver;
pub(crate) use newcomer::{Offered, Wanted};
pub(crate) use newcomers::{Met, Newcomers};
pub(crate) use plan::ReceivePlan;
pub(crate) use reception::Reception;
pub(crate) use tree::FurtherTreeReceiver;

/// What a host of many has to know of a receiver, beside what drives it.
pub(crate) trait ReceiveMachine: Machine {
    /// The connection that it receives over.
    fn connection(&self) -> &Connection;

    /// Whether an array is on its way, for which there is room.
    fn is_receiving(&self) -> bool;

    /// The connection, and what else there is where that is in a file.
    fn into_parts(self: Box<Self>) -> (Connection, Option<Remainder>);
}

/// What is dropped of a receiver after its end: a sink that was not published is removed with it.
pub(crate) struct Remainder {
    pub(crate) effort: Effort,
    pub(crate) all: Box<dyn Send>,
}
