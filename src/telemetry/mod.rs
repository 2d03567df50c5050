//! Measures a running transfer: counters become samples, samples become series, and both tell what the limit was.

mod bottleneck;
mod connections;
mod control_groups;
mod core_wait;
mod probe;
mod process;
mod processor;
mod recent_rate;
mod sample;
mod series;
mod side;
mod thinned;

pub(crate) use bottleneck::{Awaited, Bottleneck, Fact, Finding, Waited};
pub use bottleneck::{Cause, Evidence, Shares, SideEvidence, Verdict};
pub(crate) use connections::{Connections, Sum};
pub(crate) use probe::{Probe, ProbeReader, Rest};
pub use process::ProcessUsage;
pub(crate) use process::{available_memory_bytes, process_usage};
pub(crate) use processor::{core_cache_bytes, idle_cores_s};
pub(crate) use recent_rate::RecentRate;
pub(crate) use sample::whole;
pub use sample::{Counters, Sample, TcpCounters};
pub use series::Series;
pub use side::Side;
pub(crate) use thinned::thinned;
