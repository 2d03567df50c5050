//! A sample: the counters of one side of a transfer at one instant.

use serde::{Deserialize, Serialize};

/// What one side had done by an instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sample {
    /// Bytes of the array that this side has moved so far.
    pub bytes: u64,
    /// The rate since the sample before, in bytes a second.
    pub rate_bytes_per_s: f64,
    /// The bytes of each connection, in the order in which they were opened, where there are several; empty in between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stream_bytes: Vec<u64>,
    /// The counters, if they were read at this instant.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
}

/// What moving the bytes has cost one side so far: its data threads alone, not the whole process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counters {
    /// Over how many connections the counters are summed.
    #[serde(default)]
    pub connections: u64,
    /// The time of the data threads so far, summed over all connections, in seconds, without what one of them had
    /// nothing to do while others had. The times below are parts of it.
    pub thread_s: f64,
    /// System calls that moved bytes.
    pub syscalls: u64,
    /// Of these, the ones that moved less than was asked for.
    pub short_operations: u64,
    /// Bytes that the CPU copied from one place in memory to another, as the route counts them call by call.
    pub copied_bytes: u64,
    /// CPU time in user space, in seconds.
    pub cpu_user_s: f64,
    /// CPU time in the kernel, in seconds.
    pub cpu_system_s: f64,
    /// Time ready to run without a core, in seconds; 0 if the kernel does not count it. Part of it passes at the end of
    /// a wait, which lasts until the thread runs again.
    pub core_wait_s: f64,
    /// Page faults.
    pub page_faults: u64,
    /// Of these, the ones that waited for the disk.
    pub major_faults: u64,
    /// Times that the thread gave its core up to wait for something.
    pub voluntary_switches: u64,
    /// Times that the kernel took its core away.
    pub involuntary_switches: u64,
    /// Bytes read from a disk. Bytes that were in the page cache do not count.
    pub storage_read_bytes: u64,
    /// Bytes that were left for a disk to write.
    pub storage_write_bytes: u64,
    /// Time blocked until the socket had room, in seconds.
    pub blocked_send_s: f64,
    /// Time blocked until the socket had something to read, in seconds.
    pub blocked_receive_s: f64,
    /// Time rested for the limit, in seconds.
    pub rested_limit_s: f64,
    /// Time rested for the pace of the program that this side stands for, in seconds.
    pub rested_pace_s: f64,
    /// Time paused, in seconds.
    pub paused_s: f64,
    /// Time waited until what had been received was on disk, in seconds.
    pub sync_s: f64,
    /// The kernel's counters of the connection; `None` on a Unix socket.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpCounters>,
}

/// The kernel's counters of a TCP connection, from its sending end. Source: `TCP_INFO` of `tcp(7)`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TcpCounters {
    /// Whether both ends are on this machine, so that no network is between them.
    #[serde(default)]
    pub tcp_local: bool,
    /// The smoothed round trip, in seconds.
    pub tcp_rtt_s: f64,
    /// The congestion window, in bytes.
    pub tcp_cwnd_bytes: u64,
    /// Segments that were retransmitted so far.
    pub tcp_retransmits: u64,
    /// The latest rate at which bytes were delivered, in bytes a second.
    pub tcp_delivery_rate_bytes_per_s: u64,
    /// Whether that rate is low because there was no more to send.
    pub tcp_app_limited: bool,
    /// Time with something to send or unacknowledged so far, in seconds.
    pub tcp_busy_s: f64,
    /// The part of it in which the peer's receive window was full, in seconds.
    pub tcp_rwnd_limited_s: f64,
    /// The part of it in which the send buffer was too small, in seconds.
    pub tcp_sndbuf_limited_s: f64,
}

impl Counters {
    /// The sum, as for two threads of one side.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            thread_s: self.thread_s + other.thread_s,
            syscalls: self.syscalls + other.syscalls,
            short_operations: self.short_operations + other.short_operations,
            copied_bytes: self.copied_bytes + other.copied_bytes,
            cpu_user_s: self.cpu_user_s + other.cpu_user_s,
            cpu_system_s: self.cpu_system_s + other.cpu_system_s,
            core_wait_s: self.core_wait_s + other.core_wait_s,
            page_faults: self.page_faults + other.page_faults,
            major_faults: self.major_faults + other.major_faults,
            voluntary_switches: self.voluntary_switches + other.voluntary_switches,
            involuntary_switches: self.involuntary_switches + other.involuntary_switches,
            storage_read_bytes: self.storage_read_bytes + other.storage_read_bytes,
            storage_write_bytes: self.storage_write_bytes + other.storage_write_bytes,
            blocked_send_s: self.blocked_send_s + other.blocked_send_s,
            blocked_receive_s: self.blocked_receive_s + other.blocked_receive_s,
            rested_limit_s: self.rested_limit_s + other.rested_limit_s,
            rested_pace_s: self.rested_pace_s + other.rested_pace_s,
            paused_s: self.paused_s + other.paused_s,
            sync_s: self.sync_s + other.sync_s,
            tcp: match (self.tcp, other.tcp) {
                (Some(one), Some(two)) => Some(one.plus(two)),
                (one, two) => one.or(two),
            },
        }
    }

    /// What was so at a part of the time between two readings of one thread: times and counts have grown evenly, and
    /// what the kernel says of the moment is still as it was.
    #[must_use]
    pub(crate) fn between(self, then: Self, part: f64) -> Self {
        let time = |a: f64, b: f64| a + (b - a) * part;
        let count = |a: u64, b: u64| a + whole(b.saturating_sub(a) as f64 * part);
        Self {
            connections: self.connections,
            thread_s: time(self.thread_s, then.thread_s),
            syscalls: count(self.syscalls, then.syscalls),
            short_operations: count(self.short_operations, then.short_operations),
            copied_bytes: count(self.copied_bytes, then.copied_bytes),
            cpu_user_s: time(self.cpu_user_s, then.cpu_user_s),
            cpu_system_s: time(self.cpu_system_s, then.cpu_system_s),
            core_wait_s: time(self.core_wait_s, then.core_wait_s),
            page_faults: count(self.page_faults, then.page_faults),
            major_faults: count(self.major_faults, then.major_faults),
            voluntary_switches: count(self.voluntary_switches, then.voluntary_switches),
            involuntary_switches: count(self.involuntary_switches, then.involuntary_switches),
            storage_read_bytes: count(self.storage_read_bytes, then.storage_read_bytes),
            storage_write_bytes: count(self.storage_write_bytes, then.storage_write_bytes),
            blocked_send_s: time(self.blocked_send_s, then.blocked_send_s),
            blocked_receive_s: time(self.blocked_receive_s, then.blocked_receive_s),
            rested_limit_s: time(self.rested_limit_s, then.rested_limit_s),
            rested_pace_s: time(self.rested_pace_s, then.rested_pace_s),
            paused_s: time(self.paused_s, then.paused_s),
            sync_s: time(self.sync_s, then.sync_s),
            tcp: then.tcp.map(|then| {
                let before = self.tcp.unwrap_or_default();
                TcpCounters {
                    tcp_retransmits: count(before.tcp_retransmits, then.tcp_retransmits),
                    tcp_busy_s: time(before.tcp_busy_s, then.tcp_busy_s),
                    tcp_rwnd_limited_s: time(before.tcp_rwnd_limited_s, then.tcp_rwnd_limited_s),
                    tcp_sndbuf_limited_s: time(before.tcp_sndbuf_limited_s, then.tcp_sndbuf_limited_s),
                    ..self.tcp.unwrap_or(then)
                }
            }),
        }
    }

    /// CPU time in all, in seconds.
    #[must_use]
    pub fn cpu_s(&self) -> f64 {
        self.cpu_user_s + self.cpu_system_s
    }
}

impl TcpCounters {
    /// The sum for two connections of one side, with the longer round trip of the two.
    fn plus(self, other: Self) -> Self {
        Self {
            tcp_local: self.tcp_local && other.tcp_local,
            tcp_rtt_s: self.tcp_rtt_s.max(other.tcp_rtt_s),
            tcp_cwnd_bytes: self.tcp_cwnd_bytes + other.tcp_cwnd_bytes,
            tcp_retransmits: self.tcp_retransmits + other.tcp_retransmits,
            tcp_delivery_rate_bytes_per_s: self.tcp_delivery_rate_bytes_per_s + other.tcp_delivery_rate_bytes_per_s,
            tcp_app_limited: self.tcp_app_limited && other.tcp_app_limited,
            tcp_busy_s: self.tcp_busy_s + other.tcp_busy_s,
            tcp_rwnd_limited_s: self.tcp_rwnd_limited_s + other.tcp_rwnd_limited_s,
            tcp_sndbuf_limited_s: self.tcp_sndbuf_limited_s + other.tcp_sndbuf_limited_s,
        }
    }
}

/// A count from a number that grows evenly between two counts.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "neither negative nor beyond any count"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}
