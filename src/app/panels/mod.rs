//! The panels: each draws what the model holds and returns what a person asked for.

pub(crate) mod bottleneck;
pub(crate) mod close;
pub(crate) mod compare;
pub(crate) mod detail;
pub(crate) mod empty;
pub(crate) mod message;
pub(crate) mod new_transfer;
pub(crate) mod numbers;
pub(crate) mod other_processes;
pub(crate) mod preview;
pub(crate) mod progress;
pub(crate) mod queue;
pub(crate) mod round_trips;
pub(crate) mod services;
pub(crate) mod speed;
pub(crate) mod status;
mod still_plot;
pub(crate) mod throughput;
pub(crate) mod time_plot;
pub(crate) mod transfers;
pub(crate) mod undo;
