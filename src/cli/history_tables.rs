//! Entries of the history for people: tables that fit 100 columns, and all of one.

use std::fmt::Write as _;

use crate::history::{Again, Entry, differences, facts};
use crate::units::{self, RateScale};

/// What moved, in the table.
const WHAT: usize = 42;

/// The entries, one a line, with their numbers in so many columns.
pub(super) fn list(entries: &[Entry], id: usize) -> String {
    let mut text = String::new();
    for entry in entries {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            text,
            "{:>id$}  {}  {}  {:>8}  {:>9}  {}",
            entry.id,
            entry.when(),
            in_columns(&entry.what(), WHAT),
            units::bytes(entry.bytes).to_string(),
            units::rate(entry.rate_bytes_per_s).to_string(),
            entry.how_it_ended(),
        );
    }
    text
}

/// Everything that is known of an entry.
pub(super) fn one(entry: &Entry) -> String {
    let mut text = format!("{}  {}\n", entry.id, entry.what());
    for (name, value) in facts(entry) {
        let _ = writeln!(text, "  {name:<14}  {value}");
    }
    let _ = writeln!(text, "  {:<14}  {}", "done by", done_by(entry));
    text
}

/// Two entries side by side.
pub(super) fn two(first: &Entry, second: &Entry) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "A  {}  {}  {}", first.id, first.when(), first.what());
    let _ = writeln!(text, "B  {}  {}  {}", second.id, second.when(), second.what());
    let _ = writeln!(text, "\n{:<20}  {:>12}  {:>12}  {:>12}", "", "A", "B", "B has more");
    for number in differences(first, second) {
        let cell =
            |value: Option<f64>| value.map_or_else(|| "-".into(), |value| number.in_words(value, RateScale::Bytes));
        let more = number
            .more_percent()
            .map_or_else(|| "-".into(), |percent| format!("{percent:+.1} %"));
        let _ = writeln!(
            text,
            "{:<20}  {:>12}  {:>12}  {:>12}",
            number.label,
            cell(number.first),
            cell(number.second),
            more
        );
    }
    for (name, entry) in [("A", first), ("B", second)] {
        if let Some(sentence) = &entry.sentence {
            let _ = writeln!(text, "{name}: {sentence}");
        }
    }
    text
}

fn done_by(entry: &Entry) -> String {
    match &entry.again {
        Some(Again::CommandLine { arguments, folder, .. }) => {
            format!("arraylift {} (in {folder})", arguments.join(" "))
        }
        _ => entry.command.clone(),
    }
}

/// A text in so many columns. It is one character a column, which a terminal may see otherwise.
fn in_columns(text: &str, columns: usize) -> String {
    let text = super::printable(text);
    if text.chars().count() <= columns {
        return format!("{text:<columns$}");
    }
    text.chars().take(columns - 1).chain(['…']).collect()
}
