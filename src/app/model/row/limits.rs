//! What the limit is: for the moment, for the whole, and over time. Pauses are in no share.

use super::{Phase, Row};
use crate::app::model::format::unbroken;
use crate::app::words::{causes, findings, say, spoken};
use crate::language::Language;
use crate::telemetry::{Cause, Shares, Verdict};
use crate::text;
use crate::transfer::State;

/// *Now* is about so many seconds.
const LATELY_S: f64 = 1.0;
/// The limit of so many per cent of the last moments is named alone.
const ALONE: u32 = 80;

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
        self.verdict()
            .map(|verdict| verdict.shares.without(Cause::Paused))
            .unwrap_or_default()
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

    /// One sentence on what holds it back in these moments, from the counters of the last second, or
    /// of all of the time before one has passed.
    #[must_use]
    pub(crate) fn limit_now_in_words(&self) -> String {
        match self.phase {
            Phase::Is(State::Paused) => return say!("limit-paused").to_owned(),
            Phase::Is(State::Verifying) => return say!("limit-verifying").to_owned(),
            _ if !self.has_rate() => return String::new(),
            _ => {}
        }
        let end_s = self.elapsed_end_s();
        let lately = self.limits_between((end_s - LATELY_S).max(0.0), end_s, 1);
        let [Some(shares)] = lately[..] else {
            return say!("limit-too-little").to_owned();
        };
        let percents = shares.percents();
        let Some(&(cause, percent)) = percents.first() else {
            return String::new();
        };
        match percents.get(1) {
            _ if cause == Cause::Paused && percent >= ALONE => say!("limit-was-paused").to_owned(),
            Some(&(second, second_percent)) if percent < ALONE => {
                let first = text::capitalised(causes::in_a_sentence(cause));
                let second = causes::in_a_sentence(second);
                let (percent, second_percent) = (percent.to_string(), second_percent.to_string());
                if end_s < LATELY_S {
                    say!(
                        "limit-two-so-far",
                        first = first,
                        percent = percent,
                        second = second,
                        second_percent = second_percent
                    )
                } else {
                    say!(
                        "limit-two-lately",
                        first = first,
                        percent = percent,
                        second = second,
                        second_percent = second_percent
                    )
                }
            }
            _ => causes::now(cause).to_owned(),
        }
    }

    /// One sentence on what held it back all in all, pauses left out.
    #[must_use]
    pub(crate) fn limit_in_words(&self) -> Option<String> {
        let verdict = self.verdict()?;
        Some(match spoken() {
            Language::English => unbroken(&verdict.sentence_without(Cause::Paused)),
            Language::Chinese => findings::in_words(verdict.finding_without(Cause::Paused).as_ref()),
        })
    }
}
