//! Moves large arrays and files between threads, processes and machines with as few copies as possible, and tells live
//! how fast they move and what holds them back.
//!
//! [`Transfer::start`] runs a [`Job`] with [`Options`] on threads of its own. It tells [`Event`]s while it runs, and leaves
//! an [`Outcome`]. Sizes are bytes and rates are bytes a second, both whole numbers unless a name says otherwise; times
//! are seconds as `f64` or [`std::time::Duration`]. What goes wrong is an [`Error`], whose [`Error::fault`] says who has to
//! act.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arraylift::{Job, Options, Origin, Outcome, Range, SinkSpec, SourceSpec, Transfer};
//!
//! let job = Job::Loopback {
//!     source: SourceSpec::new(Origin::Range(Range::parse("0:1000", None)?)),
//!     sink: SinkSpec::Memory,
//! };
//! let mut options = Options::default();
//! options.keep_received = true;
//! let (events, _) = crossbeam_channel::bounded(1);
//! let (outcome, array) = Transfer::start(job, options, events, Arc::new(|| {}))?.join_received();
//! assert!(matches!(outcome, Outcome::Done(_)));
//! assert_eq!(array.unwrap().as_slice::<f64>().unwrap()[999], 999.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The programs in `examples/` show more, `docs/architecture.md` how it is built.

#![cfg_attr(
    not(feature = "app"),
    expect(dead_code, unused_imports, reason = "the window alone uses some of what is here")
)]

#[cfg(feature = "app")]
mod app;
mod array;
mod checksum;
mod cli;
mod compare;
mod control;
mod documents;
mod error;
mod history;
#[doc(hidden)]
pub mod internals;
mod language;
mod ledger;
mod line_queue;
mod own_file;
mod ping;
mod queue;
mod retry;
mod rounds;
mod route;
mod service;
mod signals;
mod start;
mod sys;
mod telemetry;
mod text;
mod thread;
mod transfer;
mod units;
mod wire;

pub use array::{
    ArrayMeta, ArrayStats, Dtype, DtypeError, HistogramCounts, MetaError, Number, Order, Range, RangeError, Shape,
    ShapeError, Value, npy, values,
};
pub use checksum::ChecksumKind;
pub use error::{DiskRoom, Error, Fault, Reason, ServiceLimit};
pub use route::{ReceiveRouteChoice, SendRouteChoice};
#[doc(hidden)]
pub use start::main;
pub use telemetry::{Cause, Counters, Evidence, ProcessUsage, Sample, Shares, SideEvidence, TcpCounters, Verdict};
pub use transfer::{
    Connection, Element, Endpoint, Event, EventKind, Failure, Finished, Incoming, ItemFailure, Items, Job, Listener,
    OfferingSender, OptionName, Options, Origin, Outcome, PeerUser, ReceivedArray, Replace, ShmName, Side, SinkSpec,
    Slice, SourceSpec, Started, State, Stats, StatsChoice, Transfer, TransferId, TreeSpec, Trust, Url, Waker,
};
pub use wire::WireChoice;
