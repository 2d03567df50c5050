//! The probe in a data loop: it counts, and drops a stamp now and then into a bounded ring. It never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::sys::{Usage, thread_usage};

use super::Counters;

/// Stamps are this far apart at first, so that a transfer of 80 ms still draws a curve,
const STAMP_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// and this far later on.
const STAMP_INTERVAL_MAX: Duration = Duration::from_millis(50);
/// In between they are this fraction of the time that has passed.
const STAMPS_PER_ELAPSED: u32 = 512;
/// Reading the kernel's counters costs a system call, so not every stamp has them.
const COUNTERS_INTERVAL: Duration = Duration::from_millis(20);
/// A second's worth of the densest stamps: the reader comes 20 times as often.
const RING_STAMPS: usize = 1024;

/// What had moved at an instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    /// Since the transfer's clock began.
    pub elapsed: Duration,
    /// Bytes of the array so far.
    pub bytes: u64,
    /// The counters, where they were read.
    pub counters: Option<Counters>,
}

/// The data thread's end.
#[derive(Debug)]
pub struct Probe {
    clock: Instant,
    shared_bytes: Arc<AtomicU64>,
    ring: Sender<Stamp>,
    bytes: u64,
    syscalls: u64,
    short_operations: u64,
    copied_bytes: u64,
    next_stamp: Duration,
    next_counters: Duration,
    usage_at_start: Usage,
}

/// The sampler's end.
#[derive(Debug, Clone)]
pub struct ProbeReader {
    shared_bytes: Arc<AtomicU64>,
    ring: Receiver<Stamp>,
}

impl Probe {
    /// A probe for the calling thread's work, and what reads it.
    #[must_use]
    pub fn new(clock: Instant) -> (Self, ProbeReader) {
        let (ring, stamps) = bounded(RING_STAMPS);
        let shared_bytes = Arc::new(AtomicU64::new(0));
        let reader = ProbeReader {
            shared_bytes: Arc::clone(&shared_bytes),
            ring: stamps,
        };
        let probe = Self {
            clock,
            shared_bytes,
            ring,
            bytes: 0,
            syscalls: 0,
            short_operations: 0,
            copied_bytes: 0,
            next_stamp: Duration::ZERO,
            next_counters: COUNTERS_INTERVAL,
            usage_at_start: Usage::default(),
        };
        (probe, reader)
    }

    /// To be called first on the thread whose work is counted: the kernel counts by thread.
    pub fn begin(&mut self) {
        self.usage_at_start = thread_usage();
        self.stamp(self.clock.elapsed(), false);
    }

    /// A system call was asked to move `asked` bytes and moved `moved`.
    pub fn syscall(&mut self, asked: usize, moved: usize) {
        self.syscalls += 1;
        self.short_operations += u64::from(moved < asked);
    }

    /// What a route did beside: so many further system calls, and so many bytes copied by the CPU.
    pub fn cost(&mut self, syscalls: u64, copied_bytes: u64) {
        self.syscalls += syscalls;
        self.copied_bytes += copied_bytes;
    }

    /// So many more bytes of the array have moved.
    pub fn moved(&mut self, bytes: u64) {
        let first = self.bytes == 0;
        self.bytes += bytes;
        self.shared_bytes.store(self.bytes, Ordering::Relaxed);
        let elapsed = self.clock.elapsed();
        if first || elapsed >= self.next_stamp {
            self.stamp(elapsed, elapsed >= self.next_counters);
        }
    }

    /// The last stamp, with all counters.
    pub fn end(&mut self) {
        self.stamp(self.clock.elapsed(), true);
    }

    /// Bytes of the array so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Since the transfer's clock began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn stamp(&mut self, elapsed: Duration, with_counters: bool) {
        self.next_stamp = elapsed + stamp_interval(elapsed);
        let counters = with_counters.then(|| self.counters());
        if with_counters {
            self.next_counters = elapsed + COUNTERS_INTERVAL;
        }
        // A full ring means that the sampler was not let run for a second: the next stamp that fits tells as much.
        let _ = self.ring.try_send(Stamp {
            elapsed,
            bytes: self.bytes,
            counters,
        });
    }

    fn counters(&self) -> Counters {
        let usage = thread_usage();
        Counters {
            syscalls: self.syscalls,
            short_operations: self.short_operations,
            copied_bytes: self.copied_bytes,
            cpu_user_s: usage.user.saturating_sub(self.usage_at_start.user).as_secs_f64(),
            cpu_system_s: usage.system.saturating_sub(self.usage_at_start.system).as_secs_f64(),
            page_faults: usage.page_faults.saturating_sub(self.usage_at_start.page_faults),
        }
    }
}

impl ProbeReader {
    /// The stamps that have come since the last call, oldest first.
    pub fn stamps(&self) -> impl Iterator<Item = Stamp> + '_ {
        self.ring.try_iter()
    }

    /// Bytes of the array so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared_bytes.load(Ordering::Relaxed)
    }
}

fn stamp_interval(elapsed: Duration) -> Duration {
    (elapsed / STAMPS_PER_ELAPSED).clamp(STAMP_INTERVAL_MIN, STAMP_INTERVAL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_grow_apart_but_never_beyond_twenty_a_second() {
        assert_eq!(stamp_interval(Duration::ZERO), STAMP_INTERVAL_MIN);
        assert_eq!(stamp_interval(Duration::from_secs(5)), Duration::from_secs(5) / 512);
        assert_eq!(stamp_interval(Duration::from_hours(10)), STAMP_INTERVAL_MAX);
    }

    #[test]
    fn the_first_and_the_last_stamp_are_always_there() {
        let (mut probe, reader) = Probe::new(Instant::now());
        probe.begin();
        probe.syscall(10, 4);
        probe.moved(4);
        probe.syscall(6, 6);
        probe.cost(1, 20);
        probe.moved(6);
        probe.end();
        let stamps: Vec<Stamp> = reader.stamps().collect();
        assert_eq!(stamps.first().map(|stamp| stamp.bytes), Some(0));
        let last = stamps.last().expect("a last stamp");
        assert_eq!((last.bytes, reader.bytes()), (10, 10));
        let counters = last.counters.expect("counters at the end");
        assert_eq!((counters.syscalls, counters.short_operations), (3, 1));
        assert_eq!(counters.copied_bytes, 20);
        assert!(
            stamps.iter().any(|stamp| stamp.bytes == 4),
            "the first bytes have a stamp of their own"
        );
    }

    #[test]
    fn a_ring_that_nobody_reads_does_not_stop_the_loop() {
        let (mut probe, reader) = Probe::new(Instant::now());
        for _ in 0..3 * RING_STAMPS {
            probe.end();
        }
        probe.moved(5);
        assert_eq!(reader.bytes(), 5);
        assert_eq!(reader.stamps().count(), RING_STAMPS);
    }
}
