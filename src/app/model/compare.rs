//! The compare page as data: its choices, its progress, its result, and an older result to compare with.

use crate::compare::ceilings::Ceilings;
use crate::compare::{CompareEvent, Comparison, Contestant, Entry, Machine, Pair, Spread, Summary, overlay};

use super::{contestant_text, format};
use crate::app::words::{Key, key, say};

/// The page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Rounds that count.
    pub rounds: u32,
    /// Whether time is measured against size, too.
    pub with_sizes: bool,
    /// The file to save to, or to read an older result from.
    pub path: String,
    /// The contestant whose line stands out, by its id.
    pub picked: Option<String>,
    /// What was measured last; while it runs, what the rounds so far come to.
    pub result: Option<Comparison>,
    /// A result that was read back.
    pub older: Option<Comparison>,
    /// How far it is, while it runs.
    pub progress: Option<Progress>,
    /// The outcome of the last save, load or measurement.
    pub notice: Option<Notice>,
}

/// The outcome of something that a person asked for, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It was done.
    Success(String),
    /// It failed.
    Failure(String),
}

/// How far a comparison is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Runs that have begun.
    pub begun: usize,
    /// Runs in all, at most; 0 while that is not known.
    pub runs: usize,
    /// What runs now, in words.
    pub now: String,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            rounds: 5,
            with_sizes: true,
            path: String::new(),
            picked: None,
            result: None,
            older: None,
            progress: None,
            notice: None,
        }
    }
}

impl Page {
    /// It has begun: the last result and notice are gone, the older result stays.
    pub fn begin(&mut self) {
        (self.result, self.notice) = (None, None);
        self.progress = Some(Progress::default());
    }

    /// Takes in what happened.
    pub(crate) fn fold(&mut self, event: CompareEvent) {
        let Some(progress) = &mut self.progress else { return };
        match event {
            CompareEvent::Planned {
                subject,
                contestants,
                skipped,
                runs,
            } => {
                progress.runs = runs;
                let entries = contestants
                    .into_iter()
                    .map(|contestant| Entry::new(contestant, Vec::new(), Vec::new(), &subject));
                self.result = Some(Comparison {
                    version: Comparison::VERSION,
                    program: String::new(),
                    machine: Machine::default(),
                    began_unix_s: 0,
                    rounds: self.rounds,
                    entries: entries.collect(),
                    subject,
                    skipped,
                    sizes: Vec::new(),
                    ceilings: None,
                });
            }
            CompareEvent::Begun { id, round, bytes } => {
                progress.begun += 1;
                let name = self.result.as_ref().and_then(|result| result.entry(&id));
                let name = name.map_or(id, |entry| contestant_text::name(&entry.contestant).to_owned());
                let whole = self.result.as_ref().is_none_or(|result| result.subject.bytes == bytes);
                progress.now = match round {
                    _ if !whole => say!("compare-now-size", name = name, bytes = format::bytes(bytes)),
                    0 => say!("compare-now-warm-up", name = name),
                    _ => say!("compare-now-round", name = name, round = round),
                };
            }
            CompareEvent::Round { id, measured } if measured.round > 0 => {
                self.amend(&id, |entry| entry.rounds.push(measured));
            }
            CompareEvent::Lost { id, lost } => self.amend(&id, |entry| entry.lost.push(lost)),
            CompareEvent::Size(point) => {
                if let Some(result) = &mut self.result {
                    result.sizes.push(point);
                }
            }
            CompareEvent::Round { .. } => {}
        }
    }

    /// It has ended: with a result, with none because it was cancelled, or with an error in words.
    pub fn end(&mut self, outcome: Result<Option<Comparison>, String>) {
        self.progress = None;
        match outcome {
            Ok(Some(result)) => self.result = Some(result),
            Ok(None) => {
                // Half of the rounds are no result.
                self.result = None;
                self.notice = Some(Notice::Success(say!("compare-cancelled").to_owned()));
            }
            Err(message) => {
                self.result = None;
                self.notice = Some(Notice::Failure(message));
            }
        }
    }

    /// What the title of the window says while the page is open.
    #[must_use]
    pub fn title(&self) -> String {
        let state = match (&self.progress, &self.result) {
            (Some(_), _) => say!("compare-title-running").to_owned(),
            (None, Some(result)) => {
                let (bytes, count) = (format::bytes(result.subject.bytes), result.ranked().len());
                say!("compare-title-done", bytes = bytes, count = count)
            }
            (None, None) => say!("compare-title").to_owned(),
        };
        format!("Arraylift — {state}")
    }

    /// What is shown, and what is shown beside it.
    #[must_use]
    pub fn shown(&self) -> Option<(&Comparison, Option<&Comparison>)> {
        match (&self.result, &self.older) {
            (Some(result), older) => Some((result, older.as_ref())),
            (None, Some(older)) => Some((older, None)),
            (None, None) => None,
        }
    }

    fn amend(&mut self, id: &str, change: impl FnOnce(&mut Entry)) {
        let Some(result) = &mut self.result else { return };
        if let Some(entry) = result.entries.iter_mut().find(|entry| entry.contestant.id == id) {
            change(entry);
            *entry = Entry::new(
                entry.contestant.clone(),
                std::mem::take(&mut entry.rounds),
                std::mem::take(&mut entry.lost),
                &result.subject,
            );
        }
    }
}

impl Progress {
    /// How much is done, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.begun.saturating_sub(1) as f64 / self.runs.max(1) as f64
    }

    /// `run 12 of 77: sendfile, round 3`.
    #[must_use]
    pub fn in_words(&self) -> String {
        if self.begun == 0 {
            return say!("compare-looks").to_owned();
        }
        let runs = self.runs.max(self.begun);
        say!("compare-run", run = self.begun, runs = runs, now = &self.now)
    }
}

/// The contestants of a result and of the one beside it: the fastest first, or in the list's order while rounds are
/// still to come, so that no row moves meanwhile.
#[must_use]
pub(crate) fn rows<'a>(shown: &'a Comparison, beside: Option<&'a Comparison>, is_running: bool) -> Vec<Pair<'a>> {
    let mut rows = match beside {
        Some(older) => overlay(shown, older),
        None => shown
            .entries
            .iter()
            .map(|entry| Pair {
                contestant: &entry.contestant,
                new: entry.summary.as_ref(),
                old: None,
            })
            .collect(),
    };
    if !is_running {
        let rate = |pair: &Pair<'_>| {
            pair.new
                .or(pair.old)
                .map_or(-1.0, |summary| summary.rate_bytes_per_s.median)
        };
        rows.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    }
    rows
}

/// Where the bars end: the highest rate of any round among rows, in bytes a second. A handoff moves no byte, and its
/// rate would leave nothing of the other bars; it counts only where there is nothing else.
#[must_use]
pub(crate) fn highest_rate(rows: &[Pair<'_>]) -> f64 {
    let highest = |hands_off: bool| {
        rows.iter()
            .filter(|row| (row.contestant.send_route == "handoff") == hands_off)
            .flat_map(|row| [row.new, row.old])
            .flatten()
            .map(|summary| summary.rate_bytes_per_s.max)
            .fold(0.0, f64::max)
    };
    let of_movers = highest(false);
    if of_movers > 0.0 { of_movers } else { highest(true) }
}

/// The figures beside the rate, each with its title: short enough for a column, and said in full.
pub(crate) const COLUMNS: [(Key, Key); 6] = [
    (key!("compare-cpu"), key!("compare-cpu-hover")),
    (key!("compare-copies"), key!("compare-copies-hover")),
    (key!("compare-syscalls"), key!("compare-syscalls-hover")),
    (key!("compare-faults"), key!("compare-faults-hover")),
    (key!("compare-memory"), key!("compare-memory-hover")),
    (key!("compare-first-byte"), key!("compare-first-byte-hover")),
];

/// The figures of [`COLUMNS`]: medians.
#[must_use]
pub(crate) fn cells(summary: &Summary) -> [String; 6] {
    [
        format!("{:.2}", summary.cpu_s_per_gb.median),
        format!("{:.2}", summary.copies_per_byte.median),
        format::count(rounded(summary.syscalls.median)),
        format::count(rounded(summary.page_faults.median)),
        format::mean_bytes(summary.beyond_bytes.median).to_string(),
        summary
            .first_byte_s
            .map_or_else(String::new, |first| format::time(first.median)),
    ]
}

/// `4.99 to 5.49 GB/s`.
#[must_use]
pub(crate) fn spread_in_words(spread: &Spread) -> String {
    let (least, most) = (format::rate(spread.min), format::rate(spread.max));
    if least.unit == most.unit {
        say!("compare-spread", least = least.number, most = most)
    } else {
        say!("compare-spread", least = least, most = most)
    }
}

/// How a contestant goes about it: `native · sendfile → recv · TCP loopback · into memory`.
#[must_use]
pub(crate) fn way_in_words(contestant: &Contestant) -> String {
    let over = match contestant.over {
        crate::compare::Over::Tcp => say!("compare-tcp"),
        crate::compare::Over::Unix => say!("compare-unix"),
    };
    let into = match contestant.sink {
        crate::compare::Sink::Memory => say!("compare-into-memory"),
        crate::compare::Sink::File => say!("compare-into-file"),
    };
    let mut words = vec![
        contestant.wire.clone(),
        format!("{} → {}", contestant.send_route, contestant.receive_route),
        over.to_owned(),
        into.to_owned(),
    ];
    if contestant.streams > 1 {
        words.push(say!("entry-connections", count = contestant.streams));
    }
    let verified = if contestant.verify {
        say!("form-verified")
    } else {
        say!("form-not-verified")
    };
    words.push(verified.to_owned());
    words.join(" · ")
}

/// What the machine can do at most: `one copy 13.9 GB/s · loopback sendfile 8.40 GB/s`.
#[must_use]
pub(crate) fn ceilings_in_words(ceilings: &Ceilings) -> String {
    say!(
        "compare-ceilings",
        copy = format::rate(ceilings.memcpy_bytes_per_s),
        sendfile = format::rate(ceilings.sendfile_bytes_per_s),
    )
}

/// Time against size of one contestant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve<'a> {
    /// The contestant's id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Bytes and the median of the seconds they took, the smallest first.
    pub points: Vec<(u64, f64)>,
}

impl Curve<'_> {
    /// How much longer the largest takes than the smallest.
    #[must_use]
    pub(crate) fn growth(&self) -> f64 {
        match self.points.as_slice() {
            [(_, least), .., (_, most)] => most / least,
            _ => 1.0,
        }
    }

    /// `handoff: 112 µs for 4.10 kB, 120 µs for 400 MB`.
    #[must_use]
    pub(crate) fn in_words(&self) -> String {
        let at = |(bytes, seconds): &(u64, f64)| {
            say!(
                "compare-time-for",
                time = format::time(*seconds),
                bytes = format::bytes(*bytes)
            )
        };
        let ends: Vec<String> = match self.points.as_slice() {
            [first, .., last] => vec![at(first), at(last)],
            few => few.iter().map(at).collect(),
        };
        say!("compare-curve", name = self.name, ends = ends.join(say!("comma")))
    }
}

/// Time against size, one curve a contestant; what has no logarithm is left out.
#[must_use]
pub(crate) fn curves(comparison: &Comparison) -> Vec<Curve<'_>> {
    let mut curves = Vec::new();
    for entry in &comparison.entries {
        let of_entry = comparison.sizes.iter().filter(|point| point.id == entry.contestant.id);
        let mut points: Vec<(u64, f64)> = of_entry
            .map(|point| (point.bytes, point.seconds.median))
            .filter(|(bytes, seconds)| *bytes > 0 && *seconds > 0.0)
            .collect();
        points.sort_by_key(|(bytes, _)| *bytes);
        if !points.is_empty() {
            curves.push(Curve {
                id: &entry.contestant.id,
                name: contestant_text::name(&entry.contestant),
                points,
            });
        }
    }
    curves
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and bytes: not negative, and saturating"
)]
fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests;
