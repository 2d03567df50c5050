//! The processor: its caches, from sysfs, and how long its cores were idle, from proc.

/// The size of a core's second-level cache, in bytes; `None` if the system does not say.
/// Source: `Documentation/ABI/testing/sysfs-devices-system-cpu` of the kernel.
#[must_use]
pub(crate) fn core_cache_bytes() -> Option<usize> {
    // Indices 0 and 1 are the two first-level caches.
    let size = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").ok()?;
    parse_kib(&size)
}

/// The kernel counts times for programs in hundredths of a second on all architectures that this runs on (`USER_HZ`).
const TICKS_PER_S: f64 = 100.0;

/// The time that the cores of this machine have been idle since it started, summed over all of them, in seconds; `None`
/// if the system does not say. Source: `proc_stat(5)`.
#[must_use]
pub(crate) fn idle_cores_s() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks = parse_idle(&stat)?;
    Some(ticks as f64 / TICKS_PER_S)
}

/// Idle, and idle with something that waits for a disk.
fn parse_idle(stat: &str) -> Option<u64> {
    let mut times = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().skip(3);
    let mut next = || times.next()?.parse::<u64>().ok();
    next()?.checked_add(next()?)
}

fn parse_kib(size: &str) -> Option<usize> {
    size.trim().strip_suffix('K')?.parse::<usize>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_has_a_size_in_kib() {
        assert_eq!(parse_kib("2048K\n"), Some(2 << 20));
        assert_eq!(parse_kib("2M"), None);
    }

    #[test]
    fn idle_time_is_that_of_all_cores_with_and_without_a_disk() {
        let stat = "cpu  10 20 30 4000 500 6 7 0 0 0\ncpu0 1 2 3 4 5 6 7 0 0 0\n";
        assert_eq!(parse_idle(stat), Some(4500));
        assert_eq!(parse_idle("intr 1"), None);
        assert!(idle_cores_s().is_some_and(|idle_s| idle_s > 0.0));
    }
}
