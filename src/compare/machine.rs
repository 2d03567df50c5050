//! This machine and its clock: what identifies it, from procfs, and the time.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// What identifies the machine of a result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Threads that can run at once.
    pub cores: u32,
    /// RAM, in bytes.
    pub memory_bytes: u64,
    /// The kernel's release.
    pub kernel: String,
}

impl Machine {
    /// This machine. What the system does not tell stays empty.
    #[must_use]
    pub fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
        let memory_kib = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|kib| kib.trim_end_matches("kB").trim().parse::<u64>().ok());
        Self {
            cpu,
            cores: std::thread::available_parallelism().map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(0)),
            memory_bytes: memory_kib.unwrap_or(0).saturating_mul(1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
        }
    }
}

/// Now, in seconds since 1970 (UTC).
pub(super) fn unix_now_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The first `name : value` of a text.
fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_cores_memory_and_a_kernel() {
        let machine = Machine::this();
        assert!(!machine.cpu.is_empty() && !machine.kernel.is_empty());
        assert!(machine.cores >= 1 && machine.memory_bytes > 1 << 20, "{machine:?}");
        assert_eq!(Machine::this(), machine);
        assert_eq!(field("a\t: 1\nb : x y \n", "b").as_deref(), Some("x y"));
    }
}
