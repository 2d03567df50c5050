//! What was moved, and the measured cost of moving it once.

use serde::{Deserialize, Serialize};

/// What was moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The source in words.
    pub source: String,
    /// The element type for people, such as `f64`.
    pub dtype: String,
    /// The shape, one length an axis.
    pub shape: Vec<u64>,
    /// Bytes in all.
    pub bytes: u64,
}

/// The measured cost of one run of one contestant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The round's number, from 1; 0 is the warm-up, which does not count.
    pub round: u32,
    /// The time from when connecting began to verified, in seconds.
    pub seconds: f64,
    /// Bytes of the array / `seconds`, in bytes a second.
    pub rate_bytes_per_s: f64,
    /// The time from when connecting began to when the first data landed, in seconds; `None` for an array of no bytes.
    /// If the ends are two processes, it begins when the connection was accepted.
    pub first_byte_s: Option<f64>,
    /// CPU time of both sides' data threads, in seconds: what the kernel charged these threads (`getrusage(2)`).
    pub cpu_s: f64,
    /// CPU time of the whole processes, in seconds: their start, and helpers such as the thread that faults memory in.
    pub process_cpu_s: f64,
    /// System calls that moved bytes, of both sides.
    pub syscalls: u64,
    /// Page faults of both sides' data threads.
    pub page_faults: u64,
    /// Bytes that the CPU copied from one place in memory to another: counted by the routes, call by call, from what
    /// each call does. `docs/manual.md` has the count of each call.
    pub copied_bytes: u64,
    /// The most memory that the processes had in RAM (`VmHWM` of `proc_pid_status(5)`), in bytes, together.
    pub peak_bytes: u64,
    /// The part of it that is beyond the array where it lies and where it lands.
    pub beyond_bytes: u64,
    /// True if checksums were compared and agreed; `None` if the contestant has none.
    pub verified: Option<bool>,
    /// Whether the round took over twice the CPU time of this contestant's cheapest one. Most likely it met memory
    /// pages that the machine first had to fetch from its host.
    #[serde(default)]
    pub cold: bool,
}

/// A round that gave no numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The number of the round, from 1; 0 is the warm-up.
    pub round: u32,
    /// Why, one line.
    pub reason: String,
}
