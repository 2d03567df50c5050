//! The sentence on what held a transfer back, with its evidence. In English it is what the library says, with no line
//! that ends between a number and its `%`.

use super::{causes, say};
use crate::app::model::format::{bytes, duration, time};
use crate::telemetry::{Awaited, Cause, Fact, Finding, Waited};
use crate::text::capitalised;
use crate::transfer::Side;
use crate::units::time_of;

/// `None`: the time was too short to tell.
#[must_use]
pub(crate) fn in_words(finding: Option<&Finding>) -> String {
    let Some(finding) = finding else {
        return say!("finding-too-short").to_owned();
    };
    let second = match finding.second {
        Some((cause @ (Cause::Paused | Cause::Stopped), percent)) => {
            say!("finding-second", cause = causes::name(cause), percent = percent)
        }
        Some((cause, percent)) => say!(
            "finding-second",
            cause = causes::in_a_sentence(cause),
            percent = percent
        ),
        None => String::new(),
    };
    let facts: Vec<String> = finding.facts.iter().map(|fact| fact_in_words(*fact)).collect();
    let is_list = matches!(finding.limit, Cause::SenderDisk | Cause::ReceiverDisk);
    let evidence = match facts.split_last() {
        Some((last, before)) if is_list && !before.is_empty() => {
            say!("finding-list", facts = before.join(say!("comma")), last = last)
        }
        _ => facts.join(say!("comma")),
    };
    let percent = finding.percent;
    match finding.limit {
        Cause::Paused => say!(
            "finding-paused",
            percent = percent,
            second = second,
            evidence = evidence
        ),
        Cause::Stopped => say!(
            "finding-stopped",
            percent = percent,
            second = second,
            evidence = evidence
        ),
        Cause::Buffers => say!(
            "finding-buffers",
            percent = percent,
            second = second,
            evidence = evidence
        ),
        Cause::Limit => say!("finding-limit", percent = percent, second = second, evidence = evidence),
        cause => {
            let cause = capitalised(causes::in_a_sentence(cause));
            say!(
                "finding",
                cause = cause,
                percent = percent,
                second = second,
                evidence = evidence
            )
        }
    }
}

fn fact_in_words(fact: Fact) -> String {
    match fact {
        Fact::Cpu { cpu_s, bytes: moved } => say!("fact-cpu", time = duration(cpu_s), bytes = bytes(moved)),
        Fact::Faults { faults, cpu_s } => say!("fact-faults", count = faults, time = duration(cpu_s)),
        Fact::FromDisk(read) => say!("fact-from-disk", bytes = bytes(read)),
        Fact::WaitedForCore(waited) => {
            let time = duration(waited.seconds);
            say!("fact-waited-for-core", time = time, average = on_average(waited))
        }
        Fact::FreshMemory => say!("fact-fresh-memory").to_owned(),
        Fact::ToDisk(written) => say!("fact-to-disk", bytes = bytes(written)),
        Fact::ReadFromDisk(read) => say!("fact-read-from-disk", bytes = bytes(read)),
        Fact::FaultsWaited(faults) => say!("fact-faults-waited", count = faults),
        Fact::AsleepForDisk(Side::Sender, seconds) => say!("fact-reading-waited", time = duration(seconds)),
        Fact::AsleepForDisk(Side::Receiver, seconds) => say!("fact-writing-waited", time = duration(seconds)),
        Fact::Synced(seconds) => say!("fact-synced", time = duration(seconds)),
        Fact::Rested(waited) => say!("fact-rested", time = part(waited), average = on_average(waited)),
        Fact::Paused(seconds) => duration(seconds),
        Fact::WaitedForEachOther { sender_s, receiver_s } => {
            let (sender, receiver) = (duration(sender_s), duration(receiver_s));
            say!("fact-waited-for-each-other", sender = sender, receiver = receiver)
        }
        Fact::WindowFull(seconds) => say!("fact-window-full", time = duration(seconds)),
        Fact::BufferTooSmall(seconds) => say!("fact-buffer-too-small", time = duration(seconds)),
        Fact::Average(connections) => say!("fact-average", count = connections),
        Fact::Connection {
            rtt_s,
            cwnd_bytes,
            retransmits,
        } => {
            let (rtt, window) = (time(rtt_s), bytes(cwnd_bytes));
            say!("fact-connection", rtt = rtt, window = window, count = retransmits)
        }
        Fact::WaitedForOtherEnd(awaited, waited) => {
            let (time, average) = (part(waited), on_average(waited));
            match awaited {
                Awaited::Room => say!("fact-waited-for-room", time = time, average = average),
                Awaited::Answer => say!("fact-waited-for-answer", time = time, average = average),
                Awaited::Data => say!("fact-waited-for-data", time = time, average = average),
            }
        }
        Fact::NothingRan(seconds) => say!("fact-nothing-ran", time = duration(seconds)),
    }
}

fn part(waited: Waited) -> String {
    let time = time_of(waited.seconds, waited.of_s);
    match time.split_once(" of ") {
        Some((part, whole)) => say!("done-of", done = part, total = whole),
        None => time,
    }
}

/// How times of several connections became one.
fn on_average(waited: Waited) -> String {
    match waited.connections {
        0 | 1 => String::new(),
        several => [String::new(), say!("fact-average", count = several)].join(say!("comma")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::model::format::unbroken;
    use crate::app::words::speak;
    use crate::language::Language;
    use crate::telemetry::{Evidence, Shares, SideEvidence, Verdict};

    /// A sum of seconds, often none.
    fn seconds() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 0.0..20.0_f64]
    }

    prop_compose! {
        fn side()(
            (bytes, connections) in (0..1_u64 << 40, 0..4_u64),
            times in prop::array::uniform12(seconds()),
            counts in prop::array::uniform5(prop_oneof![Just(0_u64), Just(1), 0..1_u64 << 30]),
        ) -> SideEvidence {
            SideEvidence {
                bytes,
                connections,
                thread_s: times[0],
                cpu_s: times[1],
                core_wait_s: times[2],
                asleep_for_disk_s: times[3],
                sync_s: times[4],
                blocked_send_s: times[5],
                blocked_receive_s: times[6],
                rested_limit_s: times[7],
                rested_pace_s: times[8],
                paused_s: times[9],
                tcp_rwnd_limited_s: times[10],
                tcp_sndbuf_limited_s: times[11],
                page_faults: counts[0],
                major_faults: counts[1],
                storage_read_bytes: counts[2],
                storage_write_bytes: counts[3],
                tcp_retransmits: counts[4],
                ..SideEvidence::default()
            }
        }
    }

    proptest! {
        #[test]
        fn in_english_it_is_what_the_library_says_and_in_chinese_all_of_it_is_chinese(
            limit in 0..Cause::COUNT, second in 0..Cause::COUNT, part in 0.0..0.5_f64,
            sender in prop::option::of(side()), receiver in prop::option::of(side()),
        ) {
            let mut shares = Shares::default();
            shares.add(Cause::ALL[limit], 1.0 - part);
            shares.add(Cause::ALL[second], part);
            let evidence = Evidence { seconds: 10.0, sender, receiver };
            let verdict = Verdict::new(shares, &evidence);
            speak(Language::English);
            prop_assert_eq!(in_words(verdict.finding().as_ref()), unbroken(&verdict.sentence));
            speak(Language::Chinese);
            let chinese = in_words(verdict.finding().as_ref());
            prop_assert!(![" the ", " of "].iter().any(|word| chinese.contains(word)) && chinese.ends_with('。'), "{}", chinese);
        }
    }
}
