//! One span of time: what each end spent it on, and what was the limit. The parent module has the reasoning.

use super::{Cause, Shares};
use crate::telemetry::{Counters, Side};

/// If neither end waited for the other, each gets this weight, so that they share the time.
const EVEN: f64 = 0.01;

/// If an end slept for the disk for this part of its own time, the disk held it back.
const DISK_MIN: f64 = 0.05;

/// If the buffers were full for this part of the busy time, the time that both ends waited is theirs.
const FULL_MIN: f64 = 0.1;

/// What one end spent a span on, in seconds unless a field says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Spent {
    /// The length of the span.
    pub(super) span_s: f64,
    /// The same, summed over all threads of the end.
    pub(super) thread_s: f64,
    pub(super) cpu_s: f64,
    /// Ready, without a core.
    pub(super) core_wait_s: f64,
    pub(super) blocked_send_s: f64,
    pub(super) blocked_receive_s: f64,
    pub(super) limit_s: f64,
    pub(super) pace_s: f64,
    pub(super) paused_s: f64,
    /// Waiting until what was received is on disk.
    pub(super) sync_s: f64,
    /// Times that it gave its core up.
    pub(super) voluntary_switches: f64,
    /// Times that its core was taken.
    pub(super) involuntary_switches: f64,
    /// Bytes that the disk read or wrote for the end.
    pub(super) storage_bytes: f64,
    /// Page faults that waited for the disk.
    pub(super) major_faults: f64,
    pub(super) tcp: Option<TcpSpent>,
}

/// How the kernel divides the connection's time, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct TcpSpent {
    /// Both ends are on this machine.
    pub(super) is_local: bool,
    pub(super) busy: f64,
    pub(super) receive_window: f64,
    pub(super) send_buffer: f64,
}

impl Spent {
    /// What was spent between two readings of an end's counters.
    pub(super) fn from_to(a: &Counters, b: &Counters) -> Self {
        let count = |a: u64, b: u64| b.saturating_sub(a) as f64;
        Self {
            span_s: 0.0,
            thread_s: b.thread_s - a.thread_s,
            cpu_s: b.cpu_s() - a.cpu_s(),
            core_wait_s: b.core_wait_s - a.core_wait_s,
            blocked_send_s: b.blocked_send_s - a.blocked_send_s,
            blocked_receive_s: b.blocked_receive_s - a.blocked_receive_s,
            limit_s: b.rested_limit_s - a.rested_limit_s,
            pace_s: b.rested_pace_s - a.rested_pace_s,
            paused_s: b.paused_s - a.paused_s,
            sync_s: b.sync_s - a.sync_s,
            voluntary_switches: count(a.voluntary_switches, b.voluntary_switches),
            involuntary_switches: count(a.involuntary_switches, b.involuntary_switches),
            storage_bytes: count(a.storage_read_bytes, b.storage_read_bytes)
                + count(a.storage_write_bytes, b.storage_write_bytes),
            major_faults: count(a.major_faults, b.major_faults),
            tcp: b.tcp.map(|now| {
                let before = a.tcp.unwrap_or_default();
                TcpSpent {
                    is_local: now.tcp_local,
                    busy: now.tcp_busy_s - before.tcp_busy_s,
                    receive_window: now.tcp_rwnd_limited_s - before.tcp_rwnd_limited_s,
                    send_buffer: now.tcp_sndbuf_limited_s - before.tcp_sndbuf_limited_s,
                }
            }),
        }
    }

    /// Adds a fraction of another one, within the same span.
    pub(super) fn add(&mut self, other: &Self, part: f64) {
        for (own, other) in [
            (&mut self.thread_s, other.thread_s),
            (&mut self.cpu_s, other.cpu_s),
            (&mut self.core_wait_s, other.core_wait_s),
            (&mut self.blocked_send_s, other.blocked_send_s),
            (&mut self.blocked_receive_s, other.blocked_receive_s),
            (&mut self.limit_s, other.limit_s),
            (&mut self.pace_s, other.pace_s),
            (&mut self.paused_s, other.paused_s),
            (&mut self.sync_s, other.sync_s),
            (&mut self.voluntary_switches, other.voluntary_switches),
            (&mut self.involuntary_switches, other.involuntary_switches),
            (&mut self.storage_bytes, other.storage_bytes),
            (&mut self.major_faults, other.major_faults),
        ] {
            *own += other * part;
        }
        if let Some(other) = other.tcp {
            let own = self.tcp.get_or_insert_default();
            own.is_local = other.is_local;
            own.busy += other.busy * part;
            own.receive_window += other.receive_window * part;
            own.send_buffer += other.send_buffer * part;
        }
    }

    /// What it waited for otherwise than at the socket.
    fn rested_s(&self) -> f64 {
        self.limit_s + self.pace_s + self.paused_s + self.sync_s
    }

    fn on_core_s(&self) -> f64 {
        self.cpu_s + self.core_wait_s
    }

    /// How long it slept elsewhere than in a wait or a rest.
    fn elsewhere_s(&self) -> f64 {
        (self.thread_s - self.blocked_s() - self.rested_s() - self.on_core_s()).max(0.0)
    }

    /// How much of that was for the disk. Where its threads `write_one_file`, the others may have slept for the one
    /// that was at work there.
    fn asleep_for_disk_s(&self, write_one_file: bool) -> f64 {
        if self.storage_bytes <= 0.0 && self.major_faults <= 0.0 {
            return 0.0;
        }
        let others = if write_one_file && self.span_s > 0.0 {
            (self.thread_s / self.span_s - 1.0).max(0.0)
        } else {
            0.0
        };
        (self.elsewhere_s() - others * self.on_core_s().max(0.0)).max(0.0)
    }

    fn blocked_s(&self) -> f64 {
        self.blocked_send_s + self.blocked_receive_s
    }

    /// The part of the time without a core that passed at the end of waits and rests.
    fn woken_late_s(&self) -> f64 {
        let switches = self.voluntary_switches + self.involuntary_switches;
        if switches > 0.0 {
            self.core_wait_s * self.voluntary_switches / switches
        } else {
            0.0
        }
    }

    /// The part of its time in which it waited for the other end, without what it then waited for a core.
    fn waiting(&self) -> f64 {
        let asleep_s = self.blocked_s() + self.rested_s();
        let late_s = if asleep_s > 0.0 {
            self.woken_late_s() * self.blocked_s() / asleep_s
        } else {
            0.0
        };
        self.part(self.blocked_s() - late_s)
    }

    /// The part of its time in which it waited for the other end, until it was at work again.
    fn waiting_until_at_work(&self) -> f64 {
        self.part(self.blocked_s())
    }

    fn part(&self, seconds: f64) -> f64 {
        if self.thread_s > 0.0 {
            (seconds / self.thread_s).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Divides `share` among what the end did while it did not wait.
    fn divide(&self, share: f64, ends: OwnCauses, shares: &mut Shares) {
        let all_s = self.on_core_s() + self.elsewhere_s();
        let asleep_s = self.asleep_for_disk_s(ends.write_one_file);
        // The disk reads ahead and writes behind while the end works: it sleeps only where the disk is slower.
        let disk_s = if asleep_s > 0.0 && asleep_s >= DISK_MIN * all_s {
            all_s
        } else {
            asleep_s
        };
        let parts = [
            (Cause::Limit, self.limit_s),
            (Cause::Paused, self.paused_s),
            (ends.pace, self.pace_s),
            (ends.disk, disk_s),
            (ends.disk, self.sync_s),
            (ends.own, all_s - disk_s),
        ];
        let sum: f64 = parts.iter().map(|(_, seconds)| seconds.max(0.0)).sum();
        if sum <= 0.0 {
            shares.add(ends.own, share);
            return;
        }
        for (cause, seconds) in parts {
            shares.add(cause, share * seconds.max(0.0) / sum);
        }
    }

    /// Whether the buffers were full for a noticeable part of the busy time.
    fn was_full(&self) -> bool {
        self.full().is_some_and(|(window, buffer)| window + buffer >= FULL_MIN)
    }

    /// The parts of the busy time in which the receive window was full, and in which the send buffer was too small.
    fn full(&self) -> Option<(f64, f64)> {
        let tcp = self.tcp.filter(|tcp| tcp.busy > 0.0)?;
        let window = (tcp.receive_window / tcp.busy).clamp(0.0, 1.0);
        Some((window, (tcp.send_buffer / tcp.busy).clamp(0.0, 1.0 - window)))
    }

    /// Whether a network is between the ends, as far as the kernel says.
    fn has_network(&self) -> bool {
        self.tcp.is_some_and(|tcp| !tcp.is_local && tcp.busy > 0.0)
    }

    /// Divides a sender's wait for room among the other end, the buffers and the network.
    fn divide_wait(&self, share: f64, shares: &mut Shares) {
        let (window, buffer) = self.full().unwrap_or((1.0, 0.0));
        let rest = if self.has_network() {
            Cause::Network
        } else {
            Cause::OtherEnd
        };
        shares.add(Cause::OtherEnd, share * window);
        shares.add(Cause::Buffers, share * buffer);
        shares.add(rest, share * (1.0 - window - buffer));
    }
}

/// The causes that an end's own time counts for.
#[derive(Debug, Clone, Copy)]
struct OwnCauses {
    own: Cause,
    pace: Cause,
    disk: Cause,
    write_one_file: bool,
}

const SENDER: OwnCauses = OwnCauses {
    own: Cause::Sender,
    pace: Cause::WriterPace,
    disk: Cause::SenderDisk,
    write_one_file: false,
};

const RECEIVER: OwnCauses = OwnCauses {
    own: Cause::Receiver,
    pace: Cause::ReaderPace,
    disk: Cause::ReceiverDisk,
    write_one_file: true,
};

/// How long an end slept for its disk, in seconds, summed over its threads.
pub(super) fn asleep_for_disk_s(side: Side, spent: &Spent) -> f64 {
    let ends = match side {
        Side::Sender => SENDER,
        Side::Receiver => RECEIVER,
    };
    spent.asleep_for_disk_s(ends.write_one_file)
}

/// What was the limit in a span, as parts of it that add up to 1; `None` if no end is in this process.
pub(super) fn shares(sender: Option<Spent>, receiver: Option<Spent>) -> Shares {
    let mut shares = Shares::default();
    match (sender, receiver) {
        (Some(sender), Some(receiver)) => {
            // Buffers that are full again and again let the ends wait again and again: then waking is part of the wait.
            let full = sender.was_full();
            let [s, r] = [&sender, &receiver].map(|end| {
                if full {
                    end.waiting_until_at_work()
                } else {
                    end.waiting()
                }
            });
            let both = (2.0 * s.min(r)).min(1.0 - (s - r).abs());
            let (kept_receiver, kept_sender) = ((r - s).max(0.0) + EVEN, (s - r).max(0.0) + EVEN);
            let of_sender = (1.0 - both) * kept_receiver / (kept_receiver + kept_sender);
            sender.divide(of_sender, SENDER, &mut shares);
            receiver.divide(1.0 - both - of_sender, RECEIVER, &mut shares);
            let is_network = !full && sender.has_network();
            shares.add(if is_network { Cause::Network } else { Cause::Buffers }, both);
        }
        (Some(sender), None) => {
            let waiting = sender.waiting();
            sender.divide(1.0 - waiting, SENDER, &mut shares);
            let blocked_s = sender.blocked_s();
            let for_room = if blocked_s > 0.0 {
                waiting * sender.blocked_send_s / blocked_s
            } else {
                0.0
            };
            sender.divide_wait(for_room, &mut shares);
            shares.add(Cause::OtherEnd, waiting - for_room);
        }
        (None, Some(receiver)) => {
            let waiting = receiver.waiting();
            receiver.divide(1.0 - waiting, RECEIVER, &mut shares);
            shares.add(Cause::OtherEnd, waiting);
        }
        (None, None) => {}
    }
    shares
}

#[cfg(test)]
mod tests;
