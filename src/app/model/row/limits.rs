//! What the limit is: for the moment, for the whole, and over time. Pauses are in no share.

use super::{Phase, Row};
use crate::telemetry::{Cause, Shares, Verdict};
use crate::transfer::State;

/// *Now* is about so many seconds.
const LATELY_S: f64 = 1.0;
/// The limit of so large a part of the last moments is named alone.
const ALONE: f64 = 0.8;

/// A span of time in which one cause was the limit for the largest part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LimitSpan {
    /// Its beginning, in seconds on the row's time axis.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// The cause.
    pub cause: Cause,
}

impl Row {
    /// Who was the limit: what the engine told, or else, so far and over several rounds, what is followed here.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        self.verdict.clone().or_else(|| self.bottleneck.verdict())
    }

    /// What the limit was over all of the time in which something could move.
    #[must_use]
    pub(crate) fn limit_shares(&self) -> Shares {
        self.bottleneck.band().shares().without(Cause::Paused)
    }

    /// The shares in each of `count` equal parts of the time between two instants.
    #[must_use]
    pub(crate) fn limits_between(&self, from_s: f64, to_s: f64, count: usize) -> Vec<Option<Shares>> {
        self.bottleneck.band().columns(from_s, to_s, count)
    }

    /// The largest limit of each of `count` equal parts of the time between two instants, where neighbours that have the
    /// same one are one span.
    #[must_use]
    pub(crate) fn limit_spans(&self, from_s: f64, to_s: f64, count: usize) -> Vec<LimitSpan> {
        let width_s = (to_s - from_s) / count.max(1) as f64;
        let mut spans: Vec<LimitSpan> = Vec::new();
        let end_s = self.elapsed_end_s();
        for (column, shares) in self.limits_between(from_s, to_s, count).iter().enumerate() {
            let Some(&(cause, _)) = shares
                .as_ref()
                .map(Shares::ranked)
                .as_ref()
                .and_then(|ranked| ranked.first())
            else {
                continue;
            };
            let begin_s = from_s + width_s * column as f64;
            // What is not known yet is not drawn.
            let until_s = (begin_s + width_s).min(end_s);
            match spans.last_mut() {
                Some(last) if last.cause == cause && begin_s - last.to_s < width_s * 0.5 => last.to_s = until_s,
                _ => spans.push(LimitSpan {
                    from_s: begin_s,
                    to_s: until_s,
                    cause,
                }),
            }
        }
        spans
    }

    /// One sentence on what holds it back in these moments, from the counters of the last second.
    #[must_use]
    pub(crate) fn limit_now_in_words(&self) -> String {
        match self.phase {
            Phase::Is(State::Paused) => return "Paused: nothing moves.".to_owned(),
            Phase::Is(State::Verifying) => return "All has moved; the receipt is awaited.".to_owned(),
            _ if !self.has_rate() => return String::new(),
            _ => {}
        }
        let end_s = self.elapsed_end_s();
        let lately = self.limits_between((end_s - LATELY_S).max(0.0), end_s, 1);
        let [Some(shares)] = lately[..] else {
            return "Too little has moved to tell.".to_owned();
        };
        let ranked = shares.ranked();
        let Some(&(cause, share)) = ranked.first() else {
            return String::new();
        };
        match ranked.get(1) {
            _ if cause == Cause::Paused && share >= ALONE => "It was paused until now.".to_owned(),
            Some(&(second, second_share)) if share < ALONE => format!(
                "{} held it back for {} of the last second, {} for {}.",
                capital(noun(cause)),
                percent(share),
                noun(second),
                percent(second_share)
            ),
            _ => format!("{} {}.", capital(noun(cause)), verb(cause)),
        }
    }

    /// One sentence on what held it back all in all, pauses left out.
    #[must_use]
    pub(crate) fn limit_in_words(&self) -> Option<String> {
        Some(self.verdict()?.sentence_without(Cause::Paused))
    }
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    first + letters.as_str()
}

fn verb(cause: Cause) -> &'static str {
    match cause {
        Cause::Sender | Cause::Receiver => "is the limit: it hardly waits for the other end",
        Cause::SenderDisk | Cause::ReceiverDisk => "is the limit",
        Cause::WriterPace | Cause::ReaderPace => "is the limit: the program is made slow",
        Cause::Limit => "holds it back",
        Cause::Buffers => "are the limit: both ends wait for each other",
        Cause::Network => "is the limit: neither end is busy",
        Cause::OtherEnd => "is the limit: this end waits for it",
        Cause::Paused => "has ended",
        Cause::Stopped => "of this process held it up",
    }
}

fn noun(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => "the sender's disk",
        Cause::WriterPace => "the writer's pace",
        Cause::Sender => "the sender",
        Cause::Limit => "the limit that was set",
        Cause::Paused => "the pause",
        Cause::Buffers => "the socket's buffers",
        Cause::Network => "the network",
        Cause::OtherEnd => "the other end",
        Cause::Receiver => "the receiver",
        Cause::ReaderPace => "the reader's pace",
        Cause::ReceiverDisk => "the receiver's disk",
        Cause::Stopped => "a stop",
    }
}

/// Shares in whole per cent that add up to 100, the largest first; those below half a per cent that get none are left
/// out.
#[must_use]
pub(crate) fn percents(shares: &Shares) -> Vec<(Cause, u32)> {
    let ranked = shares.ranked();
    if ranked.is_empty() {
        return Vec::new();
    }
    let mut whole: Vec<(Cause, u32, f64)> = ranked
        .iter()
        .map(|&(cause, share)| {
            let exact = share * 100.0;
            // From 0 to 100.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
            let floor = exact.floor() as u32;
            (cause, floor, exact - exact.floor())
        })
        .collect();
    let sum: u32 = whole.iter().map(|(_, percent, _)| percent).sum();
    // What rounding down has left over goes to those that lost most by it.
    let mut by_loss: Vec<usize> = (0..whole.len()).collect();
    by_loss.sort_by(|a, b| whole[*b].2.total_cmp(&whole[*a].2));
    for index in by_loss.into_iter().take(100_u32.saturating_sub(sum) as usize) {
        whole[index].1 += 1;
    }
    let kept = whole.into_iter().filter(|(_, percent, _)| *percent > 0);
    kept.map(|(cause, percent, _)| (cause, percent)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_add_up_to_a_hundred() {
        let shares = |text: &str| serde_json::from_str::<Shares>(text).expect("shares");
        let thirds = shares(r#"{"sender": 0.3333, "receiver": 0.3334, "network": 0.3333}"#);
        let sum: u32 = percents(&thirds).iter().map(|(_, percent)| percent).sum();
        assert_eq!(sum, 100);
        let tiny = shares(r#"{"sender": 0.998, "receiver": 0.002}"#);
        assert_eq!(percents(&tiny), [(Cause::Sender, 100)]);
        assert!(percents(&Shares::default()).is_empty());
    }
}
