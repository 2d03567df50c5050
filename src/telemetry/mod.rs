//! What is measured while a transfer runs: counters become samples, samples become series.

mod probe;
mod process;
mod sample;
mod series;

pub use probe::{Probe, ProbeReader, Stamp};
pub use process::{ProcessUsage, available_memory_bytes, process_usage};
pub use sample::{Counters, Sample};
pub use series::{Point, Series};
