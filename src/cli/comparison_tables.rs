//! A comparison for people: tables that fit 100 columns.

use std::fmt::Write as _;

use crate::compare::ceilings::{Ceilings, share_of_one_copy};
use crate::compare::{Comparison, Entry, NO_FOLDER, Sink, Summary, differences, overlay};

use crate::units;

const NAME: usize = 22;
const BAR: usize = 10;

/// The contestants, the fastest first, and what should be known beside; `bars` for a terminal.
pub(super) fn result(comparison: &Comparison, bars: bool) -> String {
    let mut text = String::new();
    let subject = &comparison.subject;
    line(
        &mut text,
        &format!(
            "{}, {} {:?}, {}; medians of rounds that take turns: {}",
            subject.source,
            subject.dtype,
            subject.shape,
            units::bytes(subject.bytes),
            comparison.rounds
        ),
    );
    line(&mut text, "");
    row(
        &mut text,
        [
            "", "GB/s", "min..max", "", "CPU s", "copies", "syscalls", "faults", "beyond", "first",
        ],
    );
    row(&mut text, ["", "", "", "", "a GB", "a byte", "", "", "array", "byte"]);
    let ranked = comparison.ranked();
    let fastest = ranked.first().map_or(0.0, |(_, best)| best.rate_bytes_per_s.median);
    for (entry, summary) in &ranked {
        contestant(&mut text, entry, summary, fastest, bars);
    }
    line(&mut text, "");
    if !comparison.sizes.is_empty() {
        against_sizes(&mut text, comparison);
        line(&mut text, "");
    }
    remarks(&mut text, comparison);
    if let Some(ceilings) = &comparison.ceilings {
        at_most(&mut text, comparison, ceilings);
    }
    text
}

/// Two results side by side; a ratio above 1 means more here.
pub(super) fn overlaid(new: &Comparison, old: &Comparison) -> String {
    let mut text = String::new();
    let columns = |text: &mut String, cells: [&str; 7]| {
        let [name, cells @ ..] = cells;
        let mut row = format!("{:NAME$}", shortened(name, NAME));
        // Writing to a string cannot fail, here and below.
        for cell in cells {
            let _ = write!(row, " {cell:>11}");
        }
        line(text, row.trim_end());
    };
    columns(
        &mut text,
        [
            "",
            "GB/s here",
            "GB/s there",
            "ratio",
            "CPU s here",
            "CPU s there",
            "ratio",
        ],
    );
    for pair in overlay(new, old) {
        let cell = |summary: Option<&Summary>, value: fn(&Summary) -> f64| {
            summary.map_or_else(|| "-".into(), |summary| number(value(summary)))
        };
        let ratio = |value: fn(&Summary) -> f64| pair.ratio(value).map_or_else(|| "-".into(), number);
        let rate = |summary: &Summary| summary.rate_bytes_per_s.median / 1e9;
        let cpu = |summary: &Summary| summary.cpu_s_per_gb.median;
        columns(
            &mut text,
            [
                &pair.contestant.name,
                &cell(pair.new, rate),
                &cell(pair.old, rate),
                &ratio(rate),
                &cell(pair.new, cpu),
                &cell(pair.old, cpu),
                &ratio(cpu),
            ],
        );
    }
    for difference in differences(new, old) {
        line(&mut text, &format!("note: {difference}"));
    }
    text
}

fn contestant(text: &mut String, entry: &Entry, summary: &Summary, fastest: f64, bars: bool) {
    let rate = summary.rate_bytes_per_s;
    let gb = |bytes_per_s: f64| number(bytes_per_s / 1e9);
    let bar = if bars {
        bar(rate.median / fastest)
    } else {
        String::new()
    };
    row(
        text,
        [
            &entry.contestant.name,
            &gb(rate.median),
            &format!("{}..{}", gb(rate.min), gb(rate.max)),
            &bar,
            &number(summary.cpu_s_per_gb.median),
            &number(summary.copies_per_byte.median),
            &count(summary.syscalls.median),
            &count(summary.page_faults.median),
            &units::mean_bytes(summary.beyond_bytes.median).to_string(),
            &summary
                .first_byte_s
                .map_or_else(|| "-".into(), |first| units::time(first.median)),
        ],
    );
}

fn row(text: &mut String, cells: [&str; 10]) {
    let [name, rate, spread, bar, cpu, copies, syscalls, faults, beyond, first] = cells;
    let name = shortened(name, NAME);
    let row = format!(
        "{name:NAME$} {rate:>6} {spread:>11} {bar:BAR$} {cpu:>6} {copies:>6} {syscalls:>8} {faults:>7} {beyond:>8} {first:>7}"
    );
    line(text, row.trim_end());
}

fn against_sizes(text: &mut String, comparison: &Comparison) {
    let mut sizes: Vec<u64> = comparison.sizes.iter().map(|point| point.bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let mut header = format!("{:NAME$}", "time, by size");
    for size in &sizes {
        let _ = write!(header, " {:>8}", units::bytes(*size).to_string().replace(' ', ""));
    }
    line(text, &header);
    for entry in &comparison.entries {
        let id = &entry.contestant.id;
        let at = |size: u64| {
            comparison
                .sizes
                .iter()
                .find(|point| point.id == *id && point.bytes == size)
        };
        let mut row = format!("{:NAME$}", shortened(&entry.contestant.name, NAME));
        for size in &sizes {
            let cell = at(*size).map_or_else(|| "-".into(), |point| units::time(point.seconds.median));
            let _ = write!(row, " {cell:>8}");
        }
        line(text, &row);
    }
}

/// What should be known beside the numbers.
fn remarks(text: &mut String, comparison: &Comparison) {
    for entry in &comparison.entries {
        let name = &entry.contestant.name;
        let cold: Vec<String> = entry
            .rounds
            .iter()
            .filter(|round| round.cold)
            .map(|round| round.round.to_string())
            .collect();
        if !cold.is_empty() {
            let rounds = cold.join(", ");
            wrapped(
                text,
                &format!(
                    "{name}: round {rounds} took over twice the CPU time of the cheapest, most likely to fetch memory pages \
                 from the machine's host"
                ),
            );
        }
        if let Some(note) = &entry.note {
            wrapped(text, &format!("{name}: {note}"));
        }
        if let Some(lost) = entry.lost.first() {
            let (runs, reason) = (entry.lost.len(), &lost.reason);
            wrapped(text, &format!("{name}: gave no numbers {runs} times: {reason}"));
        }
    }
    for skipped in &comparison.skipped {
        let option = if skipped.reason == NO_FOLDER {
            " (--into FOLDER)"
        } else {
            ""
        };
        wrapped(
            text,
            &format!("not run: {}: {}{option}", skipped.contestant.name, skipped.reason),
        );
    }
}

fn at_most(text: &mut String, comparison: &Comparison, ceilings: &Ceilings) {
    let gb = |bytes_per_s: f64| format!("{} GB/s", number(bytes_per_s / 1e9));
    wrapped(
        text,
        &format!(
            "this machine at most: one copy {}; sendfile to a receiver that keeps nothing {}",
            gb(ceilings.memcpy_bytes_per_s),
            gb(ceilings.sendfile_bytes_per_s)
        ),
    );
    for (folder, disk) in &ceilings.disks {
        let how = if disk.direct {
            "past the page cache"
        } else {
            "through the page cache"
        };
        wrapped(
            text,
            &format!(
                "its disk at {folder}: writes {}, reads {}, {how}",
                gb(disk.write_bytes_per_s),
                gb(disk.read_bytes_per_s)
            ),
        );
    }
    let verified = comparison
        .ranked()
        .into_iter()
        .find(|(entry, _)| entry.contestant.verify && entry.contestant.sink == Sink::Memory);
    if let Some((entry, summary)) = verified
        && let Some(share) = share_of_one_copy(summary.rate_bytes_per_s.median, ceilings.memcpy_bytes_per_s)
    {
        wrapped(
            text,
            &format!("the fastest verified into memory, {}: {share}", entry.contestant.name),
        );
    }
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A line of at most 100 columns, continued on the next ones.
fn wrapped(text: &mut String, sentence: &str) {
    const COLUMNS: usize = 100;
    let mut current = String::new();
    for word in sentence.split(' ') {
        if !current.is_empty() && current.chars().count() + 1 + word.chars().count() > COLUMNS {
            line(text, &current);
            current = "   ".into();
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(text, &current);
}

fn shortened(name: &str, chars: usize) -> String {
    if name.chars().count() <= chars {
        return name.into();
    }
    name.chars().take(chars - 1).chain(['…']).collect()
}

/// A share from 0 to 1 in eighths of a character.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * BAR as f64 * 8.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 80, and a NaN becomes 0"
    )]
    let eighths = eighths as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// Three digits; a power of ten where that is too long.
fn number(value: f64) -> String {
    if value < 1e5 {
        units::three_digits(value)
    } else {
        format!("{value:.0e}")
    }
}

/// `97,659`; `12.3M` where that is too long.
fn count(value: f64) -> String {
    if value >= 1e6 {
        return format!("{:.1}M", value / 1e6);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below a million, and a count is not negative"
    )]
    units::count(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_are_told_to_be() {
        for (value, shown) in [
            (0.0, "0.00"),
            (5.214, "5.21"),
            (9.996, "10.0"),
            (42.0, "42.0"),
            (4123.4, "4,123"),
        ] {
            assert_eq!(number(value), shown);
        }
        for (value, shown) in [
            (0.0, "0"),
            (999.0, "999"),
            (97_659.0, "97,659"),
            (18_500_000.0, "18.5M"),
        ] {
            assert_eq!(count(value), shown);
        }
    }

    #[test]
    fn a_bar_fills_its_place_by_eighths_and_never_more() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0), "██████████");
        assert_eq!(bar(0.5), "█████");
        assert_eq!(bar(0.05), "▌");
        assert_eq!((bar(2.0), bar(f64::NAN)), (bar(1.0), String::new()));
    }

    #[test]
    fn long_sentences_continue_on_the_next_line() {
        let mut text = String::new();
        wrapped(&mut text, &["word"; 50].join(" "));
        assert!(
            text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
        assert_eq!(text.split_whitespace().count(), 50);
        assert_eq!(shortened("sendfile, Unix socket, far", NAME), "sendfile, Unix socket…");
    }
}
