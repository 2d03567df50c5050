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

    fn blocked_s(&self) -> f64 {
        self.blocked_send_s + self.blocked_receive_s
    }

    /// Of `all_s` seconds those that its connections spent in this way on average, of which `summed_s` is the sum.
    fn mean_s(&self, summed_s: f64, all_s: f64) -> f64 {
        (summed_s * all_s / self.thread_s.max(all_s)).clamp(0.0, all_s)
    }
}

/// The evidence for one cause, in words.
pub(super) mod words {
    use super::super::Cause;
    use super::{Evidence, SideEvidence};
    use crate::units;

    /// With small pages an end has at least one page fault for so many bytes.
    const BYTES_A_FAULT_MAX: u64 = 16 << 10;
    /// A shorter wait for the disk is not mentioned.
    const WAITED_MIN_S: f64 = 0.001;
    /// Time without a core is mentioned from this part of the whole on.
    const CORE_WAIT_MIN: f64 = 0.1;

    /// The evidence for `cause`, which was the limit for this share of the time.
    pub(in super::super) fn of(cause: Cause, share: f64, evidence: &Evidence) -> String {
        let sender = evidence.sender.unwrap_or_default();
        let receiver = evidence.receiver.unwrap_or_default();
        let all_s = evidence.seconds;
        match cause {
            Cause::Sender => work(&sender, all_s),
            Cause::Receiver => work(&receiver, all_s) + fresh_memory(&receiver),
            Cause::SenderDisk => disk("reading", &sender, all_s),
            Cause::ReceiverDisk => disk("writing", &receiver, all_s),
            Cause::WriterPace => rest(&sender, sender.rested_pace_s, all_s),
            Cause::ReaderPace => rest(&receiver, receiver.rested_pace_s, all_s),
            Cause::Limit if sender.rested_limit_s >= receiver.rested_limit_s => {
                rest(&sender, sender.rested_limit_s, all_s)
            }
            Cause::Limit => rest(&receiver, receiver.rested_limit_s, all_s),
            Cause::Paused => {
                let paused = |side: &SideEvidence| side.mean_s(side.paused_s, all_s);
                units::duration(paused(&sender).max(paused(&receiver)))
            }
            Cause::Buffers => buffers(evidence, &sender, &receiver),
            Cause::Network => format!(
                "round trip {}, congestion window {}, {} sent again",
                units::time(sender.tcp_rtt_s),
                units::bytes(sender.tcp_cwnd_bytes),
                counted(sender.tcp_retransmits, "segment")
            ),
            Cause::OtherEnd => other_end(evidence),
            Cause::Stopped => format!("nothing ran for {}", units::duration(share * all_s)),
        }
    }

    fn work(side: &SideEvidence, all_s: f64) -> String {
        let cpu = units::duration(side.cpu_s);
        let words = if faults_throughout(side) {
            format!("{} in {cpu} of CPU time", counted(side.page_faults, "page fault"))
        } else {
            format!("{cpu} of CPU time for {}", units::bytes(side.bytes))
        };
        if side.storage_read_bytes > side.bytes / 2 {
            return format!(
                "{words}, {} of them from the disk",
                units::bytes(side.storage_read_bytes)
            );
        }
        let core_wait_s = side.mean_s(side.core_wait_s, all_s);
        if core_wait_s >= CORE_WAIT_MIN * all_s {
            let waited = units::duration(core_wait_s);
            return format!("{words}, and it waited {waited} for a free core{}", on_average(side));
        }
        words
    }

    /// Whether it had a page fault wherever it wrote.
    fn faults_throughout(side: &SideEvidence) -> bool {
        side.page_faults > 0 && side.page_faults.saturating_mul(BYTES_A_FAULT_MAX) >= side.bytes
    }

    /// What the page faults of a receiver are, which the next transfer of a process may not have.
    fn fresh_memory(receiver: &SideEvidence) -> &'static str {
        if faults_throughout(receiver) && receiver.major_faults == 0 {
            ", as the kernel had to find fresh memory"
        } else {
            ""
        }
    }

    /// What an end waited for its disk.
    fn disk(doing: &str, side: &SideEvidence, all_s: f64) -> String {
        let [asleep_s, sync_s] = [side.asleep_for_disk_s, side.sync_s].map(|waited_s| side.mean_s(waited_s, all_s));
        let mut words = Vec::new();
        for (bytes, how) in [
            (side.storage_write_bytes, "went to it"),
            (side.storage_read_bytes, "came from it"),
        ] {
            // Of less than a hundredth of the array it is the pages of the program itself.
            if bytes > 0 && bytes.saturating_mul(100) >= side.bytes {
                words.push(format!("{} {how}", units::bytes(bytes)));
            }
        }
        if side.major_faults > 0 {
            words.push(format!("{} waited for it", counted(side.major_faults, "page fault")));
        }
        if asleep_s >= WAITED_MIN_S {
            words.push(format!("{doing} waited {} for it", units::duration(asleep_s)));
        }
        if sync_s >= WAITED_MIN_S {
            words.push(format!("{} passed until all was on it", units::duration(sync_s)));
        }
        match words.split_last() {
            Some((last, before)) if !before.is_empty() => format!("{}, and {last}", before.join(", ")),
            _ => words.concat(),
        }
    }

    fn rest(side: &SideEvidence, rested_s: f64, all_s: f64) -> String {
        let rested = units::time_of(side.mean_s(rested_s, all_s), all_s);
        format!("{rested} rested{}", on_average(side))
    }

    fn buffers(evidence: &Evidence, sender: &SideEvidence, receiver: &SideEvidence) -> String {
        let of_sender = |summed_s: f64| units::duration(sender.mean_s(summed_s, evidence.seconds));
        let mut words = Vec::new();
        if evidence.receiver.is_some() {
            let s = of_sender(sender.blocked_s());
            let r = units::duration(receiver.mean_s(receiver.blocked_s(), evidence.seconds));
            words.push(format!("the ends waited {s} and {r} for each other"));
        }
        if sender.tcp_rwnd_limited_s > 0.0 {
            words.push(format!(
                "the receive window was full for {}",
                of_sender(sender.tcp_rwnd_limited_s)
            ));
        }
        if sender.tcp_sndbuf_limited_s > 0.0 {
            words.push(format!(
                "the send buffer was too small for {}",
                of_sender(sender.tcp_sndbuf_limited_s)
            ));
        }
        words.join(", ") + &on_average(sender)
    }

    fn other_end(evidence: &Evidence) -> String {
        let side = evidence.sender.or(evidence.receiver).unwrap_or_default();
        let (waited_s, what) = match evidence.sender {
            Some(sender) if sender.blocked_send_s >= sender.blocked_receive_s => {
                (sender.blocked_send_s, "for room in the socket")
            }
            Some(sender) => (sender.blocked_receive_s, "for its answer"),
            None => (side.blocked_s(), "for data"),
        };
        format!(
            "this end waited {} {what}{}; what the other end did is not known here",
            units::time_of(side.mean_s(waited_s, evidence.seconds), evidence.seconds),
            on_average(&side)
        )
    }

    /// How times of several connections became one.
    fn on_average(side: &SideEvidence) -> String {
        match side.connections {
            0 | 1 => String::new(),
            several => format!(", on average over {several} connections"),
        }
    }

    /// `1 page fault`, `97,659 page faults`.
    fn counted(number: u64, what: &str) -> String {
        let plural = if number == 1 { "" } else { "s" };
        format!("{} {what}{plural}", units::count(number))
    }
}
