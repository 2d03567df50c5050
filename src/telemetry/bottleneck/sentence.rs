//! One sentence that names the limit, with its evidence; and what it says, for other languages.

use super::evidence::Evidence;
use super::facts::{self, Awaited, Fact, Waited};
use super::{Cause, Shares, Side};
use crate::{text, units};

/// A second cause is named if its share is at least so many per cent.
const SECOND_MIN: u32 = 20;

/// What is to be said of the limit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// What the limit was for the largest part of the time.
    pub limit: Cause,
    /// For so many per cent of it.
    pub percent: u32,
    /// What else was, and for how many per cent, where that was much.
    pub second: Option<(Cause, u32)>,
    /// The evidence for the first.
    pub facts: Vec<Fact>,
}

impl Finding {
    /// `None` where the time was too short to tell.
    pub(super) fn of(shares: &Shares, evidence: &Evidence) -> Option<Self> {
        let percents = shares.percents();
        let &(limit, percent) = percents.first()?;
        let second = percents.get(1).copied();
        Some(Self {
            limit,
            percent,
            second: second.filter(|(_, percent)| *percent >= SECOND_MIN),
            facts: facts::of(limit, shares.of(limit), evidence),
        })
    }
}

/// `The receiver was the limit 71 % of the time: 97,659 page faults in 0.9 CPU seconds.`
pub(super) fn of(shares: &Shares, evidence: &Evidence) -> String {
    let Some(finding) = Finding::of(shares, evidence) else {
        return "It was too short to tell what held it back.".to_owned();
    };
    let limited = match finding.limit {
        Cause::Paused => "It was paused".to_owned(),
        Cause::Stopped => "This process was stopped".to_owned(),
        Cause::Buffers => "The socket's buffers were the limit".to_owned(),
        Cause::Limit => "The limit that was set held it back".to_owned(),
        limit => format!("{} was the limit", text::capitalised(limit.with_article())),
    };
    let second = match finding.second {
        Some((Cause::Paused, percent)) => format!(" (paused {percent} %)"),
        Some((Cause::Stopped, percent)) => format!(" (stopped {percent} %)"),
        Some((second, percent)) => format!(" ({} {percent} %)", second.with_article()),
        None => String::new(),
    };
    let words: Vec<String> = finding.facts.iter().map(|fact| in_words(*fact)).collect();
    let is_list = matches!(finding.limit, Cause::SenderDisk | Cause::ReceiverDisk);
    let evidence = match words.split_last() {
        Some((last, before)) if is_list && !before.is_empty() => format!("{}, and {last}", before.join(", ")),
        _ => words.join(", "),
    };
    format!("{limited} {} % of the time{second}: {evidence}.", finding.percent)
}

fn in_words(fact: Fact) -> String {
    match fact {
        Fact::Cpu { cpu_s, bytes } => format!("{} of CPU time for {}", units::duration(cpu_s), units::bytes(bytes)),
        Fact::Faults { faults, cpu_s } => {
            format!(
                "{} in {} of CPU time",
                counted(faults, "page fault"),
                units::duration(cpu_s)
            )
        }
        Fact::FromDisk(bytes) => format!("{} of them from the disk", units::bytes(bytes)),
        Fact::WaitedForCore(waited) => format!(
            "and it waited {} for a free core{}",
            units::duration(waited.seconds),
            on_average(waited)
        ),
        Fact::FreshMemory => "as the kernel had to find fresh memory".to_owned(),
        Fact::ToDisk(bytes) => format!("{} went to it", units::bytes(bytes)),
        Fact::ReadFromDisk(bytes) => format!("{} came from it", units::bytes(bytes)),
        Fact::FaultsWaited(faults) => format!("{} waited for it", counted(faults, "page fault")),
        Fact::AsleepForDisk(Side::Sender, seconds) => format!("reading waited {} for it", units::duration(seconds)),
        Fact::AsleepForDisk(Side::Receiver, seconds) => format!("writing waited {} for it", units::duration(seconds)),
        Fact::Synced(seconds) => format!("{} passed until all was on it", units::duration(seconds)),
        Fact::Rested(waited) => format!(
            "{} rested{}",
            units::time_of(waited.seconds, waited.of_s),
            on_average(waited)
        ),
        Fact::Paused(seconds) => units::duration(seconds),
        Fact::WaitedForEachOther { sender_s, receiver_s } => format!(
            "the ends waited {} and {} for each other",
            units::duration(sender_s),
            units::duration(receiver_s)
        ),
        Fact::WindowFull(seconds) => format!("the receive window was full for {}", units::duration(seconds)),
        Fact::BufferTooSmall(seconds) => format!("the send buffer was too small for {}", units::duration(seconds)),
        Fact::Average(connections) => format!("on average over {connections} connections"),
        Fact::Connection {
            rtt_s,
            cwnd_bytes,
            retransmits,
        } => format!(
            "round trip {}, congestion window {}, {} sent again",
            units::time(rtt_s),
            units::bytes(cwnd_bytes),
            counted(retransmits, "segment")
        ),
        Fact::WaitedForOtherEnd(awaited, waited) => format!(
            "this end waited {} {}{}; what the other end did is not known here",
            units::time_of(waited.seconds, waited.of_s),
            match awaited {
                Awaited::Room => "for room in the socket",
                Awaited::Answer => "for its answer",
                Awaited::Data => "for data",
            },
            on_average(waited)
        ),
        Fact::NothingRan(seconds) => format!("nothing ran for {}", units::duration(seconds)),
    }
}

/// How times of several connections became one.
fn on_average(waited: Waited) -> String {
    match waited.connections {
        0 | 1 => String::new(),
        several => format!(", {}", in_words(Fact::Average(several))),
    }
}

/// `1 page fault`, `97,659 page faults`.
fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", units::count(number))
}
