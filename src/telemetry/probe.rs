//! The probe in a data loop. It counts, and from time to time puts a stamp into a bounded ring. It never waits.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use socket2::{SockAddr, SockRef};

use crate::sys::{Interest, Usage, tcp_info, thread_usage};

use super::core_wait::CoreWait;
use super::sample::{Counters, TcpCounters};

/// The time between stamps at first, so that even a transfer of 80 ms draws a curve.
const STAMP_INTERVAL_MIN: Duration = Duration::from_millis(1);
/// The time between stamps later on.
const STAMP_INTERVAL_MAX: Duration = Duration::from_millis(50);
/// In between, the time between stamps is the time that has passed, divided by this.
const STAMPS_PER_ELAPSED: u32 = 512;
/// The shortest time between two readings of the kernel's counters, which cost a system call each.
const COUNTERS_INTERVAL: Duration = Duration::from_millis(20);
/// The densest stamps of one second. The sampler reads the ring 20 times a second.
const RING_STAMPS: usize = 1024;

/// What had moved by an instant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stamp {
    /// The time since the transfer's clock began.
    pub elapsed: Duration,
    /// Bytes of the array that had moved.
    pub bytes: u64,
    /// The counters, if they were read then.
    pub counters: Option<Box<Counters>>,
}

/// Why a side rests whether or not its peer is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// For the limit that was set.
    Limit,
    /// For the pace of the program that this side stands for.
    Pace,
    /// For a pause that someone asked for.
    Pause,
    /// Until what was received is on disk.
    Sync,
    /// Until a disk has done something else.
    Disk,
    /// Until the transfer's other connections have done their parts: this one has nothing to do.
    Others,
}

/// The data thread's end.
#[derive(Debug)]
pub(crate) struct Probe {
    clock: Instant,
    shared_bytes: Arc<AtomicU64>,
    /// `None` in a light probe.
    ring: Option<Sender<Stamp>>,
    bytes: u64,
    syscalls: u64,
    short_operations: u64,
    copied_bytes: u64,
    next_stamp: Duration,
    next_counters: Duration,
    began: Duration,
    /// When the transfer itself began: what was waited for before is in no rate.
    transfer_began: Duration,
    usage_at_start: Usage,
    core_wait: Option<(CoreWait, Duration)>,
    /// The connection, until the kernel says that it is not TCP. The probe reads its `TCP_INFO`.
    socket: Option<OwnedFd>,
    /// Both ends of it are on this machine.
    is_local: bool,
    /// The reason of the next wait, unless it is for the peer.
    rest: Option<Rest>,
    waits: Waits,
}

/// Time spent waiting so far, by reason.
#[derive(Debug, Clone, Copy, Default)]
struct Waits {
    send: Duration,
    receive: Duration,
    limit: Duration,
    pace: Duration,
    pause: Duration,
    sync: Duration,
    others: Duration,
}

/// The sampler's end.
#[derive(Debug, Clone)]
pub(crate) struct ProbeReader {
    shared_bytes: Arc<AtomicU64>,
    ring: Receiver<Stamp>,
}

impl Probe {
    /// A probe for one thread's work, and the reader of its stamps.
    #[must_use]
    pub(crate) fn new(clock: Instant) -> (Self, ProbeReader) {
        let (ring, stamps) = bounded(RING_STAMPS);
        let shared_bytes = Arc::new(AtomicU64::new(0));
        let reader = ProbeReader {
            shared_bytes: Arc::clone(&shared_bytes),
            ring: stamps,
        };
        let probe = Self {
            ring: Some(ring),
            ..Self::without_ring(clock, shared_bytes)
        };
        (probe, reader)
    }

    /// A probe that only counts, for one of thousands of connections on a thread. It makes neither stamps nor system
    /// calls.
    #[must_use]
    pub(crate) fn light(clock: Instant) -> Self {
        Self::without_ring(clock, Arc::default())
    }

    fn without_ring(clock: Instant, shared_bytes: Arc<AtomicU64>) -> Self {
        Self {
            clock,
            shared_bytes,
            ring: None,
            bytes: 0,
            syscalls: 0,
            short_operations: 0,
            copied_bytes: 0,
            next_stamp: Duration::ZERO,
            next_counters: COUNTERS_INTERVAL,
            began: Duration::ZERO,
            transfer_began: Duration::ZERO,
            usage_at_start: Usage::default(),
            core_wait: None,
            socket: None,
            is_local: false,
            rest: None,
            waits: Waits::default(),
        }
    }

    /// Begins to count. The thread whose work is counted must call this first, because the kernel counts by thread.
    pub(crate) fn begin(&mut self) {
        self.usage_at_start = thread_usage();
        let core_wait = CoreWait::of_this_thread();
        self.core_wait = core_wait.read().map(|before| (core_wait, before));
        self.began = self.clock.elapsed();
        // Nothing has been counted yet.
        self.stamp_with(self.began, Some(Box::default()));
    }

    /// Reads the kernel's `TCP_INFO` of this connection from now on.
    pub(crate) fn watch(&mut self, socket: BorrowedFd<'_>) {
        if self.ring.is_some() {
            // Without a descriptor its samples have no TCP counters.
            self.socket = socket.try_clone_to_owned().ok();
            self.is_local = ends_here(socket);
        }
    }

    /// Announces that the next wait is a rest, even if it also waits for the socket.
    pub(crate) fn rests(&mut self, rest: Rest) {
        self.rest = Some(rest);
    }

    /// Counts a wait for the socket to be ready as `interest` says, or an announced rest, that has lasted `lasted`.
    /// `over` says that it has ended; otherwise more of it follows.
    pub(crate) fn waited(&mut self, interest: Interest, lasted: Duration, over: bool) {
        let waits = &mut self.waits;
        let counted = match self.rest {
            Some(Rest::Limit) => Some(&mut waits.limit),
            Some(Rest::Pace) => Some(&mut waits.pace),
            Some(Rest::Pause) => Some(&mut waits.pause),
            Some(Rest::Sync) => Some(&mut waits.sync),
            // As if the thread itself had asked the disk.
            Some(Rest::Disk) => None,
            Some(Rest::Others) => Some(&mut waits.others),
            None if interest.write => Some(&mut waits.send),
            None => Some(&mut waits.receive),
        };
        if let Some(counted) = counted {
            *counted += lasted;
        }
        if over {
            self.rest = None;
        }
        let elapsed = self.clock.elapsed();
        if elapsed >= self.next_counters {
            self.stamp(elapsed, true);
        }
    }

    /// How long it has had nothing to do in all: it rested for a limit, a pace or a pause, or waited for a peer on another
    /// machine. One on this machine wants the same cores meanwhile.
    pub(crate) fn idle(&self) -> Duration {
        let waits = &self.waits;
        let is_far = self.socket.is_some() && !self.is_local;
        let for_peer = if is_far {
            waits.send + waits.receive
        } else {
            Duration::ZERO
        };
        for_peer + waits.limit + waits.pace + waits.pause
    }

    /// Counts a system call that was asked to move `asked` bytes and moved `moved`.
    pub(crate) fn syscall(&mut self, asked: usize, moved: usize) {
        self.syscalls += 1;
        self.short_operations += u64::from(moved < asked);
    }

    /// Counts what a route did beside: further system calls, and bytes that the CPU copied.
    pub(crate) fn cost(&mut self, syscalls: u64, copied_bytes: u64) {
        self.syscalls += syscalls;
        self.copied_bytes += copied_bytes;
    }

    /// Counts further bytes of the array that have moved.
    pub(crate) fn moved(&mut self, bytes: u64) {
        let first = self.bytes == 0;
        self.bytes += bytes;
        self.shared_bytes.store(self.bytes, Ordering::Relaxed);
        let elapsed = self.clock.elapsed();
        if first || elapsed >= self.next_stamp {
            self.stamp(elapsed, elapsed >= self.next_counters);
        }
    }

    /// What has moved is of no use: the array comes from its first byte again.
    pub(crate) fn begin_again(&mut self) {
        self.bytes = 0;
        self.shared_bytes.store(0, Ordering::Relaxed);
        self.stamp(self.clock.elapsed(), true);
    }

    /// Makes the last stamp, with all counters.
    pub(crate) fn end(&mut self) {
        self.stamp(self.clock.elapsed(), true);
    }

    /// Both ends are there, and what is to be moved is offered.
    pub(crate) fn begin_transfer(&mut self) {
        self.transfer_began = self.clock.elapsed();
    }

    /// The mean rate, in bytes a second, of so many bytes since [`Probe::begin_transfer`]. It was paused for so long.
    #[must_use]
    pub(crate) fn mean_rate(&self, bytes: u64, paused_for: Duration) -> f64 {
        let took = self.clock.elapsed().saturating_sub(self.transfer_began + paused_for);
        bytes as f64 / took.as_secs_f64().max(1e-9)
    }

    fn stamp(&mut self, elapsed: Duration, with_counters: bool) {
        let is_read = with_counters && self.ring.is_some();
        let counters = is_read.then(|| Box::new(self.counters(elapsed)));
        self.stamp_with(elapsed, counters);
    }

    fn stamp_with(&mut self, elapsed: Duration, counters: Option<Box<Counters>>) {
        self.next_stamp = elapsed + stamp_interval(elapsed);
        if counters.is_some() {
            self.next_counters = elapsed + COUNTERS_INTERVAL;
        }
        // If the ring is full, the sampler had no core for a second. The next stamp that fits has all of the bytes.
        let bytes = self.bytes;
        if let Some(ring) = &self.ring {
            let _ = ring.try_send(Stamp {
                elapsed,
                bytes,
                counters,
            });
        }
    }

    fn counters(&mut self, elapsed: Duration) -> Counters {
        let (now, start) = (thread_usage(), self.usage_at_start);
        let since = |count: fn(&Usage) -> u64| count(&now).saturating_sub(count(&start));
        let core_wait = self.core_wait.as_ref().and_then(|(wait, before)| {
            let now = wait.read()?;
            Some(now.saturating_sub(*before).as_secs_f64())
        });
        Counters {
            connections: 1,
            // What one does that has nothing to do says nothing of what the others are held back by.
            thread_s: elapsed.saturating_sub(self.began + self.waits.others).as_secs_f64(),
            syscalls: self.syscalls,
            short_operations: self.short_operations,
            copied_bytes: self.copied_bytes,
            cpu_user_s: now.user.saturating_sub(start.user).as_secs_f64(),
            cpu_system_s: now.system.saturating_sub(start.system).as_secs_f64(),
            core_wait_s: core_wait.unwrap_or(0.0),
            page_faults: since(|usage| usage.page_faults),
            major_faults: since(|usage| usage.major_faults),
            voluntary_switches: since(|usage| usage.voluntary_switches),
            involuntary_switches: since(|usage| usage.involuntary_switches),
            storage_read_bytes: since(|usage| usage.storage_read_bytes),
            storage_write_bytes: since(|usage| usage.storage_write_bytes),
            blocked_send_s: self.waits.send.as_secs_f64(),
            blocked_receive_s: self.waits.receive.as_secs_f64(),
            rested_limit_s: self.waits.limit.as_secs_f64(),
            rested_pace_s: self.waits.pace.as_secs_f64(),
            paused_s: self.waits.pause.as_secs_f64(),
            sync_s: self.waits.sync.as_secs_f64(),
            tcp: self.tcp(),
        }
    }

    fn tcp(&mut self) -> Option<TcpCounters> {
        let Ok(info) = tcp_info(self.socket.as_ref()?.as_fd()) else {
            self.socket = None;
            return None;
        };
        Some(TcpCounters {
            tcp_local: self.is_local,
            tcp_rtt_s: info.rtt.as_secs_f64(),
            tcp_cwnd_bytes: info.congestion_window_bytes,
            tcp_retransmits: info.retransmits,
            tcp_delivery_rate_bytes_per_s: info.delivery_rate_bytes_per_s,
            tcp_app_limited: info.is_app_limited,
            tcp_busy_s: info.busy.as_secs_f64(),
            tcp_rwnd_limited_s: info.receive_window_limited.as_secs_f64(),
            tcp_sndbuf_limited_s: info.send_buffer_limited.as_secs_f64(),
        })
    }
}

impl ProbeReader {
    /// The stamps that have come since the last call, oldest first, and whether more can come.
    pub(crate) fn stamps(&self) -> (Vec<Stamp>, bool) {
        let mut stamps = Vec::new();
        loop {
            match self.ring.try_recv() {
                Ok(stamp) => stamps.push(stamp),
                Err(end) => return (stamps, end == TryRecvError::Empty),
            }
        }
    }

    /// Bytes of the array so far.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        self.shared_bytes.load(Ordering::Relaxed)
    }
}

/// Whether the other end has an address of this machine.
fn ends_here(socket: BorrowedFd<'_>) -> bool {
    let socket = SockRef::from(&socket);
    let address = |address: io::Result<SockAddr>| address.ok()?.as_socket().map(|address| address.ip());
    match (address(socket.local_addr()), address(socket.peer_addr())) {
        (Some(own), Some(peer)) => own == peer || peer.is_loopback(),
        _ => false,
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
        let (stamps, _) = reader.stamps();
        assert_eq!(stamps.first().map(|stamp| stamp.bytes), Some(0));
        let last = stamps.last().expect("a last stamp");
        assert_eq!((last.bytes, reader.bytes()), (10, 10));
        let counters = last.counters.as_ref().expect("counters at the end");
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
        assert_eq!(reader.stamps().0.len(), RING_STAMPS);
    }

    #[test]
    fn each_wait_is_counted_by_what_it_was_for() {
        let (mut probe, reader) = Probe::new(Instant::now());
        let (read, write) = (
            Interest::READ,
            Interest {
                read: true,
                write: true,
            },
        );
        let second = Duration::from_secs(1);
        probe.begin();
        probe.waited(write, second, true);
        probe.waited(read, 2 * second, true);
        for (rest, seconds) in [(Rest::Limit, 4), (Rest::Pace, 8), (Rest::Pause, 16), (Rest::Sync, 64)] {
            probe.rests(rest);
            probe.waited(read, (seconds / 2) * second, false);
            probe.waited(read, (seconds / 2) * second, true);
        }
        probe.waited(write, 32 * second, true);
        let before = Instant::now();
        probe.rests(Rest::Others);
        probe.waited(read, before - probe.clock + second, true);
        probe.end();
        let counters = reader
            .stamps()
            .0
            .pop()
            .and_then(|stamp| stamp.counters)
            .expect("counters");
        assert!(counters.thread_s < 1.0, "others had something to do, and not this one");
        let counted = [
            counters.blocked_send_s,
            counters.blocked_receive_s,
            counters.rested_limit_s,
            counters.rested_pace_s,
            counters.paused_s,
            counters.sync_s,
        ];
        assert!(
            counted
                .iter()
                .zip([33.0, 2.0, 4.0, 8.0, 16.0, 64.0])
                .all(|(a, b)| (a - b).abs() < 1e-9),
            "{counted:?}"
        );
        assert_eq!(counters.tcp, None, "there is no connection");
    }
}
