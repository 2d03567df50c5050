//! One sentence that names the limit, with its evidence.

use super::evidence::{Evidence, words};
use super::{Cause, Shares};
use crate::text;

/// A second cause is named if its share is at least so many per cent.
const SECOND_MIN: u32 = 20;

/// `The receiver was the limit 71 % of the time: 97,659 page faults in 0.9 CPU seconds.`
pub(super) fn of(shares: &Shares, evidence: &Evidence) -> String {
    let percents = shares.percents();
    let Some(&(limit, percent)) = percents.first() else {
        return "It was too short to tell what held it back.".to_owned();
    };
    let limited = match limit {
        Cause::Paused => "It was paused".to_owned(),
        Cause::Stopped => "This process was stopped".to_owned(),
        Cause::Buffers => "The socket's buffers were the limit".to_owned(),
        Cause::Limit => "The limit that was set held it back".to_owned(),
        _ => format!("{} was the limit", text::capitalised(limit.with_article())),
    };
    let second = match percents.get(1) {
        Some(&(Cause::Paused, percent)) if percent >= SECOND_MIN => format!(" (paused {percent} %)"),
        Some(&(Cause::Stopped, percent)) if percent >= SECOND_MIN => format!(" (stopped {percent} %)"),
        Some(&(second, percent)) if percent >= SECOND_MIN => format!(" ({} {percent} %)", second.with_article()),
        _ => String::new(),
    };
    let evidence = words::of(limit, shares.of(limit), evidence);
    format!("{limited} {percent} % of the time{second}: {evidence}.")
}
