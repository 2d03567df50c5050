//! Describes this machine, from procfs.

use super::Machine;

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
