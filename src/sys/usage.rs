//! CPU time, page faults, context switches and storage of a thread or of the process: `getrusage(2)`.

use std::time::Duration;

/// What the kernel has charged so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// CPU time in user space.
    pub(crate) user: Duration,
    /// CPU time in the kernel.
    pub(crate) system: Duration,
    /// Page faults, with and without I/O.
    pub(crate) page_faults: u64,
    /// Of these, the ones that had to wait for storage.
    pub(crate) major_faults: u64,
    /// Times that it gave its core up to wait for something.
    pub(crate) voluntary_switches: u64,
    /// Times that its core was taken from it.
    pub(crate) involuntary_switches: u64,
    /// Bytes that storage was asked for on its behalf, read-ahead included; what was in the page cache does not count.
    pub(crate) storage_read_bytes: u64,
    /// Bytes that it left for storage to write.
    pub(crate) storage_write_bytes: u64,
}

/// What `ru_inblock` and `ru_oublock` count in, whatever the device's own blocks are.
const BLOCK_BYTES: u64 = 512;

/// Of the calling thread.
pub(crate) fn thread_usage() -> Usage {
    usage(libc::RUSAGE_THREAD)
}

/// Of all threads of the process, also those that ended.
pub(crate) fn process_usage() -> Usage {
    usage(libc::RUSAGE_SELF)
}

fn usage(who: libc::c_int) -> Usage {
    // SAFETY: rusage is plain data for which all zeroes is valid.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live value. The call fails only for a bad `who` or pointer, neither of which it gets.
    unsafe { libc::getrusage(who, &raw mut usage) };
    Usage {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        page_faults: count(usage.ru_minflt) + count(usage.ru_majflt),
        major_faults: count(usage.ru_majflt),
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
        storage_read_bytes: count(usage.ru_inblock) * BLOCK_BYTES,
        storage_write_bytes: count(usage.ru_oublock) * BLOCK_BYTES,
    }
}

fn count(count: libc::c_long) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

fn duration(time: libc::timeval) -> Duration {
    let micros = time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_usec);
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_touches_fresh_pages_is_charged_faults() {
        let before = thread_usage();
        // More than any allocator keeps to use again: glibc maps what is larger than 32 MiB anew (`mallopt(3)`).
        let pages = vec![1_u8; 40 << 20];
        assert!(pages.iter().map(|byte| u64::from(*byte)).sum::<u64>() > 0);
        let after = thread_usage();
        assert!(after.page_faults > before.page_faults);
        assert!(process_usage().page_faults >= after.page_faults);
    }

    #[test]
    fn a_thread_that_sleeps_gives_its_core_up() {
        let before = thread_usage();
        std::thread::sleep(Duration::from_millis(1));
        assert!(thread_usage().voluntary_switches > before.voluntary_switches);
    }
}
