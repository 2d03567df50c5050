//! What the whole process uses, and how much memory is left, from procfs.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::sys;
use crate::telemetry::control_groups;

/// More than `/proc/self/status` has before the fields that are read here.
const STATUS_BYTES_MAX: usize = 4096;

/// What the process uses at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProcessUsage {
    /// CPU time of all its threads so far, in seconds.
    pub cpu_s: f64,
    /// Its memory that is in RAM, in bytes; without the pages of mapped files, which are the page cache's.
    pub resident_bytes: u64,
    /// The most memory that it ever had in RAM, in bytes, with the pages of files that it had mapped (`VmHWM`).
    pub peak_resident_bytes: u64,
}

/// Reads what this process uses. Sources: `getrusage(2)`, `proc_pid_status(5)`.
#[must_use]
pub(crate) fn process_usage() -> ProcessUsage {
    let usage = sys::process_usage();
    let status = own_status().unwrap_or_default();
    ProcessUsage {
        cpu_s: (usage.user + usage.system).as_secs_f64(),
        resident_bytes: ["RssAnon:", "RssShmem:"]
            .iter()
            .filter_map(|name| kib_field(&status, name))
            .sum(),
        peak_resident_bytes: kib_field(&status, "VmHWM:").unwrap_or(0),
    }
}

/// In one piece, because the kernel makes the whole of it anew for each call that reads.
fn own_status() -> Option<String> {
    let mut text = [0; STATUS_BYTES_MAX];
    let len = File::open("/proc/self/status").ok()?.read(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text[..len]).into_owned())
}

/// Bytes of memory that are available without swapping, to the machine or, if less, to the process's control groups.
/// `None` if the system does not say. Sources: `proc_meminfo(5)`, `cgroups(7)`.
#[must_use]
pub(crate) fn available_memory_bytes() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let machine = kib_field(&meminfo, "MemAvailable:")?;
    Some(control_groups::available_bytes(Path::new("/")).map_or(machine, |group| group.min(machine)))
}

/// A field of procfs such as `MemAvailable:   1000 kB`, in bytes.
fn kib_field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let meminfo = "MemTotal:       24576000 kB\nMemFree: 1 kB\nMemAvailable:   1000 kB\n";
        assert_eq!(kib_field(meminfo, "MemAvailable:"), Some(1_024_000));
        assert_eq!(kib_field("MemTotal: 5 kB", "MemAvailable:"), None);
        assert!(available_memory_bytes().is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let usage = process_usage();
        assert!(usage.resident_bytes > 100_000);
        assert!(usage.cpu_s >= 0.0);
        assert!(usage.peak_resident_bytes >= usage.resident_bytes);
    }
}
