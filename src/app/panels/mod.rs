//! The panels: each draws what the model holds and returns what a person asked for.

pub mod bottleneck;
pub mod close;
pub mod compare;
pub mod detail;
pub mod empty;
pub mod message;
pub mod new_transfer;
pub mod numbers;
pub mod preview;
pub mod progress;
pub mod queue;
pub mod round_trips;
pub mod services;
pub mod speed;
pub mod status;
mod still_plot;
pub mod throughput;
pub mod time_plot;
pub mod transfers;
