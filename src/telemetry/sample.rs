//! A sample: the counters of one side of a transfer at one instant.

use serde::Serialize;

/// What one side has done up to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Bytes of the array that this side has moved so far.
    pub bytes: u64,
    /// The rate since the sample before, in bytes a second.
    pub rate_bytes_per_s: f64,
    /// The counters, where they were read at this instant.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
}

/// What moving the bytes has cost one side so far: its data thread alone, not the whole process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Counters {
    /// System calls that moved bytes.
    pub syscalls: u64,
    /// Of these, the ones that moved less than was asked for.
    pub short_operations: u64,
    /// Bytes that the CPU copied from one place in memory to another, counted by the route from what its calls do.
    pub copied_bytes: u64,
    /// CPU time in user space, in seconds.
    pub cpu_user_s: f64,
    /// CPU time in the kernel, in seconds.
    pub cpu_system_s: f64,
    /// Page faults.
    pub page_faults: u64,
}

impl Counters {
    /// Both together, as of two threads of one side.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            syscalls: self.syscalls + other.syscalls,
            short_operations: self.short_operations + other.short_operations,
            copied_bytes: self.copied_bytes + other.copied_bytes,
            cpu_user_s: self.cpu_user_s + other.cpu_user_s,
            cpu_system_s: self.cpu_system_s + other.cpu_system_s,
            page_faults: self.page_faults + other.page_faults,
        }
    }

    /// CPU time in all, in seconds.
    #[must_use]
    pub fn cpu_s(&self) -> f64 {
        self.cpu_user_s + self.cpu_system_s
    }
}
