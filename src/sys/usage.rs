//! CPU time and page faults of a thread or of the process: `getrusage(2)`.

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
}

/// Of the calling thread.
pub(crate) fn thread_usage() -> Usage {
    usage(libc::RUSAGE_THREAD)
}

/// Of all threads of the process, also those that ended.
pub(crate) fn process_usage() -> Usage {
    usage(libc::RUSAGE_SELF)
}

fn usage(who: libc::c_int) -> Usage {
    // SAFETY: rusage is plain data for which all zeroes is valid, and the pointer is to a live value. The call fails
    // only for a bad `who` or pointer, neither of which it gets.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &raw mut usage);
        usage
    };
    Usage {
        user: duration(usage.ru_utime),
        system: duration(usage.ru_stime),
        page_faults: u64::try_from(usage.ru_minflt + usage.ru_majflt).unwrap_or(0),
    }
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
        let pages = vec![1_u8; 16 << 20];
        assert!(pages.iter().map(|byte| u64::from(*byte)).sum::<u64>() > 0);
        let after = thread_usage();
        assert!(after.page_faults > before.page_faults);
        assert!(process_usage().page_faults >= after.page_faults);
    }
}
