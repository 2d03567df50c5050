//! Caches of the processor, from sysfs.

/// The size of a core's second-level cache, in bytes; `None` if the system does not say.
/// Source: `Documentation/ABI/testing/sysfs-devices-system-cpu` of the kernel.
#[must_use]
pub(crate) fn core_cache_bytes() -> Option<usize> {
    // Indices 0 and 1 are the two first-level caches.
    let size = std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cache/index2/size").ok()?;
    parse_kib(&size)
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
}
