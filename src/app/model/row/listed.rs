//! A transfer as the list shows it: its rate over time in a few points, and what stands beside its name.

use super::super::format::{self, RateUnit};
use super::{Phase, Row};
use crate::app::words::{findings, say, spoken};
use crate::array::ArrayMeta;
use crate::language::Language;
use crate::transfer::{Side, State};

/// A sparkline has at most so many points.
const SPARKLINE_POINTS: f64 = 46.0;

/// What the list shows in front of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It sends.
    Sends,
    /// It receives.
    Receives,
    /// It does both.
    Both,
    /// It is paused.
    Paused,
    /// It waits.
    Waits,
    /// It broke, and may go on.
    Interrupted,
    /// It failed.
    Failed,
    /// It is done and verified.
    Verified,
    /// It is done, and nothing was verified.
    Done,
    /// It was cancelled or stopped.
    Stopped,
}

/// What stands at the right of a row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its rate now, in the unit of the list or with its own.
    Rate(String),
    /// Its mean rate, in the unit of the list or with its own.
    Mean(String),
    /// Why there is no rate, or how much waits; may be empty.
    Word(String),
}

impl Row {
    /// What the list and the strip say at its right, where rates have that unit.
    #[must_use]
    pub(crate) fn told_in_list(&self, unit: RateUnit, now_s: f64) -> Told {
        match self.phase {
            _ if self.is_stopped() => Told::Word(say!("row-stopped").to_owned()),
            Phase::Is(State::Queued) => Told::Word(self.size_in_words().unwrap_or_default()),
            Phase::Is(State::Listening) => Told::Word(say!("row-listening").to_owned()),
            Phase::Cancelled => Told::Word(say!("row-cancelled").to_owned()),
            _ if self.has_rate() => Told::Rate(in_unit(unit, self.rate_now(now_s))),
            Phase::Done { .. } => Told::Mean(in_unit(unit, self.mean_bytes_per_s())),
            // Its second line says why, or that it begins.
            Phase::Failed { .. } | Phase::Interrupted { .. } | Phase::Starting | Phase::Is(_) => {
                Told::Word(String::new())
            }
        }
    }

    /// What the list shows in front of its name.
    #[must_use]
    pub(crate) fn sign(&self) -> Sign {
        match self.phase {
            _ if self.is_stopped() => Sign::Stopped,
            Phase::Failed { .. } | Phase::Done { verified: Some(false) } => Sign::Failed,
            Phase::Done { .. } if self.is_over() && self.failed_items() > 0 => Sign::Failed,
            Phase::Done { verified: Some(true) } if self.is_over() => Sign::Verified,
            Phase::Done { verified: None } if self.is_over() => Sign::Done,
            Phase::Interrupted { .. } => Sign::Interrupted,
            Phase::Cancelled => Sign::Stopped,
            Phase::Is(State::Queued | State::Listening) => Sign::Waits,
            Phase::Is(State::Paused) => Sign::Paused,
            _ => match self.sides() {
                [Side::Sender] => Sign::Sends,
                [Side::Receiver] => Sign::Receives,
                _ => Sign::Both,
            },
        }
    }

    /// The mean rate so far, or of the whole where it is done, in bytes a second; where it repeats, the median of the
    /// rounds that are done.
    #[must_use]
    pub(crate) fn mean_bytes_per_s(&self) -> f64 {
        let end = self.main_end();
        let of_whole = || {
            let finished = end.finished.as_ref().filter(|_| self.tries.broken == 0);
            finished.map(|finished| finished.rate_bytes_per_s)
        };
        let mean = self.median_of_rounds().or_else(of_whole);
        mean.unwrap_or_else(|| end.series.mean())
    }

    /// What [`Self::mean_bytes_per_s`] is.
    #[must_use]
    pub(crate) fn mean_name(&self) -> &'static str {
        if self.median_of_rounds().is_some() {
            say!("row-median")
        } else {
            say!("row-mean")
        }
    }

    fn median_of_rounds(&self) -> Option<f64> {
        self.rates
            .spread()
            .map(|spread| spread.median)
            .filter(|_| self.repeats())
    }

    /// Its rate over all of its time, from 0 to 1 of the highest; never finer than a rate is drawn anywhere.
    #[must_use]
    pub(crate) fn sparkline(&self) -> Vec<f32> {
        let series = &self.main_end().series;
        let begin_s = series.points().first().map_or(0.0, |point| point.t_s);
        let length_s = series.end_s() - begin_s;
        if length_s <= 0.0 {
            return Vec::new();
        }
        let count = (length_s / self.bin_s()).clamp(1.0, SPARKLINE_POINTS).floor();
        let bin_s = length_s / count;
        let mut rates = Vec::new();
        let mut from_s = begin_s;
        while from_s < begin_s + length_s - bin_s / 2.0 {
            let moved = series.bytes_at(from_s + bin_s) - series.bytes_at(from_s);
            rates.push(moved / bin_s);
            from_s += bin_s;
        }
        shares(&rates)
    }

    /// What stands below the rate of one that runs: the time left, or why there is none.
    #[must_use]
    pub(crate) fn short_note(&self, now_s: f64) -> String {
        match &self.phase {
            Phase::Is(State::Paused) => say!("row-paused").to_owned(),
            _ if self.repeats() && self.has_rate() => say!("row-round", round = self.rounds + 1),
            Phase::Is(State::Transferring) if self.is_tree() => {
                let items = self.numbers(now_s).items;
                items.map_or_else(String::new, |items| items.in_words())
            }
            Phase::Is(State::Transferring) => self.numbers(now_s).left_s.map_or_else(String::new, format::left),
            Phase::Done { .. } => self.note_in_words(now_s),
            phase => phase.name().to_lowercase(),
        }
    }

    /// How much it is to move: `14.2 GB`; nothing where that is not known.
    #[must_use]
    pub(crate) fn size_in_words(&self) -> Option<String> {
        let meta = self.recipe().and_then(|recipe| recipe.meta.as_ref());
        let told = self.started().and_then(|started| started.total_bytes);
        let bytes = told.or(meta.map(ArrayMeta::byte_len))?;
        Some(format::bytes(bytes).to_string())
    }

    /// The checksum of the whole array with its kind, once it is done.
    #[must_use]
    pub(crate) fn checksum(&self) -> Option<String> {
        let finished = [&self.receiver, &self.sender].map(|end| end.finished.as_ref());
        finished
            .into_iter()
            .flatten()
            .find_map(|finished| finished.checksum.clone())
    }

    /// What held it back, in a sentence.
    #[must_use]
    pub(crate) fn sentence(&self) -> Option<String> {
        let verdict = self.verdict()?;
        let sentence = match spoken() {
            Language::English => verdict.sentence,
            Language::Chinese => findings::in_words(verdict.finding().as_ref()),
        };
        (!sentence.is_empty()).then_some(sentence)
    }

    /// Wire, routes, congestion control and chunk: `native · sendfile → recv · loopback cubic · 1 MiB chunks`.
    #[must_use]
    pub(crate) fn how_in_words(&self) -> String {
        let Some(started) = self.started() else {
            return String::new();
        };
        let told = |side: Side| self.end(side).started.as_ref();
        let send = told(Side::Sender).and_then(|started| started.send_route.as_deref());
        let receive = told(Side::Receiver).and_then(|started| started.receive_route.as_deref());
        let routes = [
            send.or(started.send_route.as_deref()),
            receive.or(started.receive_route.as_deref()),
        ];
        let routes: Vec<&str> = routes.into_iter().flatten().collect();
        let mut words = vec![started.wire.to_string()];
        if !routes.is_empty() {
            words.push(routes.join(" → "));
        }
        match &started.congestion_control {
            Some(congestion) if self.is_loopback() => words.push(say!("row-loopback", congestion = congestion)),
            Some(congestion) => words.push(congestion.clone()),
            None => {}
        }
        let chunk_bytes = self
            .recipe()
            .map_or(started.chunk_bytes, |recipe| recipe.options.chunk_bytes);
        words.push(say!("row-chunks", size = format::exact_bytes(chunk_bytes as u64)));
        words.join(" · ")
    }
}

/// A rate as a number in that unit, or with its own unit where nothing would be left of it.
fn in_unit(unit: RateUnit, bytes_per_s: f64) -> String {
    if bytes_per_s > 0.0 && bytes_per_s < 0.005 * unit.divisor {
        unit.scale.rate(bytes_per_s).to_string()
    } else {
        unit.quantity(bytes_per_s).number
    }
}

/// Each rate as a share of the highest.
#[must_use]
pub(crate) fn shares(rates: &[f64]) -> Vec<f32> {
    let highest = rates.iter().copied().fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 1")]
    let share = |rate: &f64| if highest > 0.0 { (rate / highest) as f32 } else { 0.0 };
    rates.iter().map(share).collect()
}
