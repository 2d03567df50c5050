//! Moves large arrays and files between threads, processes and machines with as few copies as possible, and shows
//! live how fast they move and what holds them back.
//!
//! The house, an arrow going only downward: `app` and `cli` on top, then [`compare`], [`transfer`] and [`telemetry`], [`route`],
//! [`wire`] and [`mod@array`], then `sys`, the only module with `unsafe` code, and at the bottom `ledger`, which says what
//! of an array is here.

#[cfg(feature = "app")]
pub mod app;
pub mod array;
mod checksum;
mod cli;
pub mod compare;
pub mod control;
mod error;
mod ledger;
mod line_queue;
pub mod ping;
pub mod queue;
pub mod route;
pub mod service;
mod start;
mod sys;
pub mod telemetry;
mod thread;
pub mod transfer;
pub(crate) mod units;
pub mod wire;

pub use array::{ArrayMeta, Dtype, Order, Range, Shape, Value};
pub use checksum::ChecksumKind;
pub use error::{Error, Fault, Reason};
pub use route::{ReceiveRouteChoice, SendRouteChoice};
#[doc(hidden)]
pub use start::main;
pub use telemetry::{Counters, Sample};
pub use transfer::{
    Command, Element, Endpoint, Event, EventKind, Failure, Finished, Incoming, Job, Listener, Options, Origin, Outcome,
    ReceivedArray, ShmName, Side, SinkSpec, Slice, SourceSpec, Started, State, Transfer, TransferId, Trust, Url, Waker,
};
pub use wire::WireChoice;
