//! The evidence for a verdict: what the ends in this process moved and spent.

use serde::{Deserialize, Serialize};

use super::Cause;
use super::interval::Spent;
use crate::telemetry::Counters;

/// The counters of the time that a verdict is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The length of that time, in seconds.
    pub seconds: f64,
    /// The sender's counters; `None` if it is another process.
    pub sender: Option<SideEvidence>,
    /// The receiver's counters; `None` if it is another process.
    pub receiver: Option<SideEvidence>,
}

impl Evidence {
    /// The same without the time of a cause, which was the limit for this share of it.
    pub(super) fn without(&self, cause: Cause, share: f64) -> Self {
        let of_side = |side: SideEvidence| match cause {
            Cause::Paused => SideEvidence {
                thread_s: (side.thread_s - side.paused_s).max(0.0),
                paused_s: 0.0,
                ..side
            },
            _ => side,
        };
        Self {
            seconds: self.seconds * (1.0 - share),
            sender: self.sender.map(of_side),
            receiver: self.receiver.map(of_side),
        }
    }
}

/// What an end moved and spent, over all rounds if it repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SideEvidence {
    /// Bytes of the array.
    pub bytes: u64,
    /// Over how many connections the times below are summed, at most.
    #[serde(default)]
    pub connections: u64,
    /// The time of its data threads, summed over all connections, in seconds, without what one of them had nothing to
    /// do while others had. The times below are parts of it.
    pub thread_s: f64,
    /// CPU time, in seconds.
    pub cpu_s: f64,
    /// Of it, time in the kernel.
    pub cpu_system_s: f64,
    /// Time ready to run without a core.
    pub core_wait_s: f64,
    /// Page faults.
    pub page_faults: u64,
    /// Of these, the ones that waited for the disk.
    pub major_faults: u64,
    /// Bytes that the disk was asked for.
    pub storage_read_bytes: u64,
    /// Bytes that were left for the disk to write.
    pub storage_write_bytes: u64,
    /// Time asleep elsewhere than at the socket while the disk read or wrote, in seconds; without what the threads of
    /// one file may have slept for each other.
    pub asleep_for_disk_s: f64,
    /// Time waited until what had been received was on disk, in seconds.
    pub sync_s: f64,
    /// Time blocked until the socket had room, in seconds.
    pub blocked_send_s: f64,
    /// Time blocked until there was something to read, in seconds.
    pub blocked_receive_s: f64,
    /// Time rested because of the limit, in seconds.
    pub rested_limit_s: f64,
    /// Time rested for the pace of the program that this side stands for, in seconds.
    pub rested_pace_s: f64,
    /// Time paused, in seconds.
    pub paused_s: f64,
    /// The latest round trip, in seconds; 0 if unknown.
    pub tcp_rtt_s: f64,
    /// The latest congestion window, in bytes; 0 if unknown.
    pub tcp_cwnd_bytes: u64,
    /// Segments that were sent again.
    pub tcp_retransmits: u64,
    /// Time in which the peer's receive window was full, in seconds.
    pub tcp_rwnd_limited_s: f64,
    /// Time in which the send buffer was too small, in seconds.
    pub tcp_sndbuf_limited_s: f64,
}

impl SideEvidence {
    /// The sum of this and what was moved and counted since; the times are those of [`Self::with_times`].
    pub(super) fn and(&self, bytes: u64, counters: &Counters) -> Self {
        let tcp = counters.tcp.unwrap_or_default();
        Self {
            bytes: self.bytes + bytes,
            connections: self.connections.max(counters.connections),
            cpu_s: self.cpu_s + counters.cpu_s(),
            cpu_system_s: self.cpu_system_s + counters.cpu_system_s,
            page_faults: self.page_faults + counters.page_faults,
            major_faults: self.major_faults + counters.major_faults,
            storage_read_bytes: self.storage_read_bytes + counters.storage_read_bytes,
            storage_write_bytes: self.storage_write_bytes + counters.storage_write_bytes,
            tcp_rtt_s: tcp.tcp_rtt_s,
            tcp_cwnd_bytes: tcp.tcp_cwnd_bytes,
            tcp_retransmits: self.tcp_retransmits + tcp.tcp_retransmits,
            ..*self
        }
    }

    /// The same with what was spent in the time that is told of, of which `asleep_for_disk_s` was for the disk.
    pub(super) fn with_times(&self, spent: &Spent, asleep_for_disk_s: f64) -> Self {
        let tcp = spent.tcp.unwrap_or_default();
        Self {
            thread_s: spent.thread_s,
            core_wait_s: spent.core_wait_s,
            asleep_for_disk_s,
            sync_s: spent.sync_s,
            blocked_send_s: spent.blocked_send_s,
            blocked_receive_s: spent.blocked_receive_s,
            rested_limit_s: spent.limit_s,
            rested_pace_s: spent.pace_s,
            paused_s: spent.paused_s,
            tcp_rwnd_limited_s: tcp.receive_window,
            tcp_sndbuf_limited_s: tcp.send_buffer,
            ..*self
        }
    }
}
