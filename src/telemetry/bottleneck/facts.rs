//! The evidence for one cause as facts, which each language puts in words of its own.

use super::evidence::{Evidence, SideEvidence};
use super::{Cause, Side};

/// With small pages an end has at least one page fault for so many bytes.
const BYTES_A_FAULT_MAX: u64 = 16 << 10;
/// A shorter wait for the disk is not mentioned.
const WAITED_MIN_S: f64 = 0.001;
/// Time without a core is mentioned from this part of the whole on.
const CORE_WAIT_MIN: f64 = 0.1;

/// A piece of evidence. Times are in seconds, and means over the connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fact {
    /// The CPU time that moving bytes took.
    Cpu {
        /// How much.
        cpu_s: f64,
        /// For so many bytes.
        bytes: u64,
    },
    /// Page faults wherever an end wrote.
    Faults {
        /// How many.
        faults: u64,
        /// In this CPU time.
        cpu_s: f64,
    },
    /// So many of the bytes came from the disk.
    FromDisk(u64),
    /// Ready to run, and no core was free.
    WaitedForCore(Waited),
    /// The page faults are those of fresh memory, which the next transfer of a process may not have.
    FreshMemory,
    /// So many bytes were left for the disk to write.
    ToDisk(u64),
    /// The disk was asked for so many bytes.
    ReadFromDisk(u64),
    /// So many page faults waited for the disk.
    FaultsWaited(u64),
    /// An end slept for so long while its disk read or wrote.
    AsleepForDisk(Side, f64),
    /// It took so long until all was on disk.
    Synced(f64),
    /// Rested for the limit or the pace.
    Rested(Waited),
    /// Paused for so long.
    Paused(f64),
    /// Both ends waited for each other.
    WaitedForEachOther {
        /// The sender.
        sender_s: f64,
        /// The receiver.
        receiver_s: f64,
    },
    /// The receive window was full for so long.
    WindowFull(f64),
    /// The send buffer was too small for so long.
    BufferTooSmall(f64),
    /// The times before this are means over so many connections.
    Average(u64),
    /// What the connection was.
    Connection {
        /// Its round trip.
        rtt_s: f64,
        /// Its congestion window.
        cwnd_bytes: u64,
        /// Segments that were sent again.
        retransmits: u64,
    },
    /// This end waited for the other one, of which nothing is known.
    WaitedForOtherEnd(Awaited, Waited),
    /// Nothing ran for so long.
    NothingRan(f64),
}

/// A time that was waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Waited {
    /// The time.
    pub seconds: f64,
    /// Of so much in all.
    pub of_s: f64,
    /// It is the mean over so many connections.
    pub connections: u64,
}

/// What an end waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaited {
    /// Room in the socket.
    Room,
    /// The peer's answer.
    Answer,
    /// Data.
    Data,
}

/// The evidence for `cause`, which was the limit for this share of the time.
pub(super) fn of(cause: Cause, share: f64, evidence: &Evidence) -> Vec<Fact> {
    let sender = evidence.sender.unwrap_or_default();
    let receiver = evidence.receiver.unwrap_or_default();
    let all_s = evidence.seconds;
    let rested = |side: &SideEvidence, rested_s: f64| vec![Fact::Rested(side.waited(rested_s, all_s))];
    match cause {
        Cause::Sender => work(&sender, all_s),
        Cause::Receiver => {
            let fresh = faults_throughout(&receiver) && receiver.major_faults == 0;
            let mut facts = work(&receiver, all_s);
            facts.extend(fresh.then_some(Fact::FreshMemory));
            facts
        }
        Cause::SenderDisk => disk(Side::Sender, &sender, all_s),
        Cause::ReceiverDisk => disk(Side::Receiver, &receiver, all_s),
        Cause::WriterPace => rested(&sender, sender.rested_pace_s),
        Cause::ReaderPace => rested(&receiver, receiver.rested_pace_s),
        Cause::Limit if sender.rested_limit_s >= receiver.rested_limit_s => rested(&sender, sender.rested_limit_s),
        Cause::Limit => rested(&receiver, receiver.rested_limit_s),
        Cause::Paused => {
            let paused = |side: &SideEvidence| side.mean_s(side.paused_s, all_s);
            vec![Fact::Paused(paused(&sender).max(paused(&receiver)))]
        }
        Cause::Buffers => buffers(evidence, &sender, &receiver),
        Cause::Network => vec![Fact::Connection {
            rtt_s: sender.tcp_rtt_s,
            cwnd_bytes: sender.tcp_cwnd_bytes,
            retransmits: sender.tcp_retransmits,
        }],
        Cause::OtherEnd => vec![other_end(evidence)],
        Cause::Stopped => vec![Fact::NothingRan(share * all_s)],
    }
}

fn work(side: &SideEvidence, all_s: f64) -> Vec<Fact> {
    let (cpu_s, bytes) = (side.cpu_s, side.bytes);
    let mut facts = vec![if faults_throughout(side) {
        let faults = side.page_faults;
        Fact::Faults { faults, cpu_s }
    } else {
        Fact::Cpu { cpu_s, bytes }
    }];
    let core_wait = side.waited(side.core_wait_s, all_s);
    if side.storage_read_bytes > bytes / 2 {
        facts.push(Fact::FromDisk(side.storage_read_bytes));
    } else if core_wait.seconds >= CORE_WAIT_MIN * all_s {
        facts.push(Fact::WaitedForCore(core_wait));
    }
    facts
}

/// Whether it had a page fault wherever it wrote.
fn faults_throughout(side: &SideEvidence) -> bool {
    side.page_faults > 0 && side.page_faults.saturating_mul(BYTES_A_FAULT_MAX) >= side.bytes
}

/// What an end waited for its disk.
fn disk(end: Side, side: &SideEvidence, all_s: f64) -> Vec<Fact> {
    let [asleep_s, sync_s] = [side.asleep_for_disk_s, side.sync_s].map(|waited_s| side.mean_s(waited_s, all_s));
    // Of less than a hundredth of the array it is the pages of the program itself.
    let is_much = |bytes: u64| bytes > 0 && bytes.saturating_mul(100) >= side.bytes;
    let facts = [
        is_much(side.storage_write_bytes).then_some(Fact::ToDisk(side.storage_write_bytes)),
        is_much(side.storage_read_bytes).then_some(Fact::ReadFromDisk(side.storage_read_bytes)),
        (side.major_faults > 0).then_some(Fact::FaultsWaited(side.major_faults)),
        (asleep_s >= WAITED_MIN_S).then_some(Fact::AsleepForDisk(end, asleep_s)),
        (sync_s >= WAITED_MIN_S).then_some(Fact::Synced(sync_s)),
    ];
    facts.into_iter().flatten().collect()
}

fn buffers(evidence: &Evidence, sender: &SideEvidence, receiver: &SideEvidence) -> Vec<Fact> {
    let all_s = evidence.seconds;
    let of_sender = |summed_s: f64| sender.mean_s(summed_s, all_s);
    let limited = |summed_s: f64| (summed_s > 0.0).then(|| of_sender(summed_s));
    let facts = [
        evidence.receiver.map(|_| Fact::WaitedForEachOther {
            sender_s: of_sender(sender.blocked_s()),
            receiver_s: receiver.mean_s(receiver.blocked_s(), all_s),
        }),
        limited(sender.tcp_rwnd_limited_s).map(Fact::WindowFull),
        limited(sender.tcp_sndbuf_limited_s).map(Fact::BufferTooSmall),
        (sender.connections > 1).then_some(Fact::Average(sender.connections)),
    ];
    facts.into_iter().flatten().collect()
}

fn other_end(evidence: &Evidence) -> Fact {
    let side = evidence.sender.or(evidence.receiver).unwrap_or_default();
    let (waited_s, awaited) = match evidence.sender {
        Some(sender) if sender.blocked_send_s >= sender.blocked_receive_s => (sender.blocked_send_s, Awaited::Room),
        Some(sender) => (sender.blocked_receive_s, Awaited::Answer),
        None => (side.blocked_s(), Awaited::Data),
    };
    Fact::WaitedForOtherEnd(awaited, side.waited(waited_s, evidence.seconds))
}

impl SideEvidence {
    fn waited(&self, summed_s: f64, all_s: f64) -> Waited {
        Waited {
            seconds: self.mean_s(summed_s, all_s),
            of_s: all_s,
            connections: self.connections,
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
