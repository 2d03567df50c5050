//! Measures a running transfer: counters become samples, samples become series, and both tell what the limit was.

mod bottleneck;
mod core_wait;
mod probe;
mod process;
mod processor;
mod sample;
mod series;
mod side;

pub use bottleneck::{Band, Bottleneck, Cause, Cell, Evidence, Shares, SideEvidence, Verdict};
pub use probe::{Probe, ProbeReader, Rest, Stamp};
pub use process::{ProcessUsage, available_memory_bytes, process_usage};
pub use processor::core_cache_bytes;
pub use sample::{Counters, Sample, TcpCounters};
pub use series::{Point, Series};
pub use side::Side;
