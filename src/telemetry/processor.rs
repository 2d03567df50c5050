//! What the processor has: sysfs.

/// The second level cache of a core, in bytes; `None` where the system does not say.
/// `Documentation/ABI/testing/sysfs-devices-system-cpu` of the kernel.
#[must_use]
pub fn core_cache_bytes() -> Option<usize> {
    // The levels before it are the two of the first one.
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
