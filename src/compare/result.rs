//! The result of a comparison: plain data with units in its names, saved as JSON and drawn by the window.

use serde::{Deserialize, Serialize};

use super::ceilings::Ceilings;
use super::contestant::{Contestant, Skipped};
use super::machine::Machine;
use super::measured::{Lost, Measured, Subject};
use super::spread::{Spread, Summary};

/// The costs of moving the same array by several routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// [`Comparison::VERSION`] of the program that wrote it; a reader skips fields that it does not know.
    pub version: u32,
    /// The program and its version, such as `arraylift 0.1.0`.
    pub program: String,
    /// Where it was measured.
    pub machine: Machine,
    /// When it began, in seconds since 1970 (UTC).
    pub began_unix_s: u64,
    /// What was moved.
    pub subject: Subject,
    /// Rounds that count, as asked for; a contestant may have fewer.
    pub rounds: u32,
    /// The contestants that took part, in the order of the list.
    pub entries: Vec<Entry>,
    /// The contestants that did not, and why.
    pub skipped: Vec<Skipped>,
    /// Time against size if it was asked for, by contestant, then by size.
    #[serde(default)]
    pub sizes: Vec<SizePoint>,
    /// What the machine can do at most, if known.
    #[serde(default)]
    pub ceilings: Option<Ceilings>,
}

/// One contestant and its rounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The contestant.
    pub contestant: Contestant,
    /// The rounds that count and went well, in the order in which they ran.
    pub rounds: Vec<Measured>,
    /// The rounds that did not go well.
    #[serde(default)]
    pub lost: Vec<Lost>,
    /// The summary of the rounds; `None` if none went well.
    pub summary: Option<Summary>,
    /// A remark to show beside the numbers, one line.
    #[serde(default)]
    pub note: Option<String>,
}

/// One contestant at one size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SizePoint {
    /// The contestant's id.
    pub id: String,
    /// The bytes that were moved.
    pub bytes: u64,
    /// Connect began to verified, in seconds.
    pub seconds: Spread,
}

impl Comparison {
    /// The version that this program writes. In another version the same names may mean something else.
    pub const VERSION: u32 = 1;

    /// The entries that have numbers, the fastest median first.
    #[must_use]
    pub fn ranked(&self) -> Vec<(&Entry, &Summary)> {
        let mut ranked: Vec<_> = self
            .entries
            .iter()
            .filter_map(|entry| Some((entry, entry.summary.as_ref()?)))
            .collect();
        ranked.sort_by(|(_, a), (_, b)| b.rate_bytes_per_s.median.total_cmp(&a.rate_bytes_per_s.median));
        ranked
    }

    /// The contestant with that id.
    #[must_use]
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.contestant.id == id)
    }
}

impl Entry {
    /// Adds the summary of its rounds, and marks the cold ones among them.
    #[must_use]
    pub fn new(contestant: Contestant, mut rounds: Vec<Measured>, lost: Vec<Lost>, subject: &Subject) -> Self {
        mark_cold(&mut rounds);
        Self {
            contestant,
            summary: Summary::of(&rounds, subject),
            rounds,
            lost,
            note: None,
        }
    }
}

/// The kernel charges the first touch of a page, and the work of the host for it, to the thread that touches it. The
/// work of a contestant is the same in each round, so the cost beyond twice the cheapest round is not its own. If all
/// rounds are cold, none is found.
fn mark_cold(rounds: &mut [Measured]) {
    let cheapest = rounds.iter().map(|round| round.process_cpu_s).min_by(f64::total_cmp);
    for round in rounds {
        round.cold = cheapest.is_some_and(|cheapest| round.process_cpu_s > 2.0 * cheapest && cheapest > 0.0);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::contestant::{Over, Sink};
    use super::*;

    pub(in super::super) fn contestant(id: &str) -> Contestant {
        Contestant {
            id: id.into(),
            name: id.to_uppercase(),
            shows: "something".into(),
            send_route: "sendfile".into(),
            receive_route: "recv".into(),
            wire: "native".into(),
            verify: true,
            streams: 1,
            sink: Sink::Memory,
            over: Over::Tcp,
        }
    }

    pub(in super::super) fn measured(round: u32, seconds: f64) -> Measured {
        Measured {
            round,
            seconds,
            rate_bytes_per_s: 8e6 / seconds,
            first_byte_s: Some(seconds / 10.0),
            cpu_s: seconds,
            process_cpu_s: seconds,
            syscalls: 20,
            page_faults: 3,
            copied_bytes: 8_000_000,
            peak_bytes: 16_000_000,
            beyond_bytes: 8_000_000,
            verified: Some(true),
            cold: false,
        }
    }

    /// Contestants with the seconds of their rounds.
    pub(in super::super) fn comparison(contestants: &[(&str, &[f64])]) -> Comparison {
        let subject = Subject {
            source: "range 0 … 1000000".into(),
            dtype: "f64".into(),
            shape: vec![1_000_000],
            bytes: 8_000_000,
        };
        let entries = contestants.iter().map(|(id, seconds)| {
            let rounds = (1..).zip(*seconds).map(|(round, seconds)| measured(round, *seconds));
            Entry::new(contestant(id), rounds.collect(), Vec::new(), &subject)
        });
        Comparison {
            version: Comparison::VERSION,
            program: "arraylift 0.1.0".into(),
            machine: Machine::default(),
            began_unix_s: 1_790_000_000,
            rounds: 3,
            entries: entries.collect(),
            subject,
            skipped: Vec::new(),
            sizes: Vec::new(),
            ceilings: None,
        }
    }

    #[test]
    fn the_fastest_median_comes_first_and_who_has_no_numbers_is_left_out() {
        let comparison = comparison(&[("slow", &[2.0, 2.0, 0.1]), ("none", &[]), ("fast", &[1.0, 9.0, 1.0])]);
        let order: Vec<&str> = comparison
            .ranked()
            .iter()
            .map(|(entry, _)| entry.contestant.id.as_str())
            .collect();
        assert_eq!(order, ["fast", "slow"]);
        assert_eq!(comparison.entry("none").and_then(|entry| entry.summary), None);
    }

    #[test]
    fn a_round_that_costs_over_twice_the_cheapest_is_marked_cold() {
        let comparison = comparison(&[("a", &[0.5, 0.2, 0.3])]);
        let cold: Vec<bool> = comparison.entries[0].rounds.iter().map(|round| round.cold).collect();
        assert_eq!(cold, [true, false, false]);
    }
}
