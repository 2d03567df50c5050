//! One sentence that names the limit, with its evidence.

use super::evidence::{Evidence, words};
use super::{Cause, Shares};

/// A second cause is named if its share is at least this.
const SECOND_MIN: f64 = 0.2;

/// `The receiver was the limit 71 % of the time: 97,659 page faults in 0.9 CPU seconds.`
pub(super) fn of(shares: &Shares, evidence: &Evidence) -> String {
    let ranked = shares.ranked();
    let Some(&(limit, share)) = ranked.first() else {
        return "It was too short to tell what held it back.".to_owned();
    };
    let evidence = words::of(limit, share, evidence);
    let percent = percent(share);
    let mut sentence = match limit {
        Cause::Paused => format!("It was paused {percent} of the time: {evidence}"),
        Cause::Stopped => format!("This process was stopped {percent} of the time: {evidence}"),
        Cause::Buffers => format!("The socket's buffers were the limit {percent} of the time: {evidence}"),
        Cause::Limit => format!("The limit that was set held it back {percent} of the time: {evidence}"),
        _ => format!("{} was the limit {percent} of the time: {evidence}", subject(limit)),
    };
    match ranked.get(1) {
        Some(&(second, share)) if share >= SECOND_MIN => {
            let text = format!(" ({} {})", object(second), self::percent(share));
            let at = sentence.find(": ").unwrap_or(sentence.len());
            sentence.insert_str(at, &text);
        }
        _ => {}
    }
    sentence + "."
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The beginning of the sentence.
fn subject(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => "The sender's disk",
        Cause::WriterPace => "The writer's pace",
        Cause::Sender => "The sender",
        Cause::Limit => "The limit that was set",
        Cause::Paused => "A pause",
        Cause::Buffers => "The socket's buffers",
        Cause::Network => "The network",
        Cause::OtherEnd => "The other end",
        Cause::Receiver => "The receiver",
        Cause::ReaderPace => "The reader's pace",
        Cause::ReceiverDisk => "The receiver's disk",
        Cause::Stopped => "A stop of this process",
    }
}

/// The name of a second cause within the sentence.
fn object(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => "the sender's disk",
        Cause::WriterPace => "the writer's pace",
        Cause::Sender => "the sender",
        Cause::Limit => "the limit that was set",
        Cause::Paused => "paused",
        Cause::Buffers => "the socket's buffers",
        Cause::Network => "the network",
        Cause::OtherEnd => "the other end",
        Cause::Receiver => "the receiver",
        Cause::ReaderPace => "the reader's pace",
        Cause::ReceiverDisk => "the receiver's disk",
        Cause::Stopped => "stopped",
    }
}
