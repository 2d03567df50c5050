//! Entries of the history for people: tables that fit 100 columns, and all of one.

use std::fmt::Write as _;

use crate::history::{Again, Compared, Entry, differences};
use crate::units;

/// What moved, in the table.
const WHAT: usize = 42;

/// The entries, one a line.
pub(super) fn list(entries: &[Entry]) -> String {
    let id = entries
        .iter()
        .map(|entry| entry.id.to_string().len())
        .max()
        .unwrap_or(0);
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
    let mut text = String::new();
    let _ = writeln!(text, "{}  {}", entry.id, entry.what());
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = writeln!(text, "  {name:<14}  {value}");
        }
    };
    line("began", Some(format!("{} ({})", entry.when(), entry.began_utc())));
    line("ended", Some(entry.how_it_ended()));
    line("message", entry.message.clone());
    line("moved", Some(moved(entry)));
    line(
        "array",
        entry.dtype.as_ref().map(|dtype| format!("{dtype} {:?}", entry.shape)),
    );
    line("until on disk", entry.sync_s.map(units::duration));
    line("checksum", entry.checksum.clone());
    line("written to", entry.path.clone());
    line("peer", entry.peer.clone());
    line("how", Some(how(entry)));
    line("CPU", cpu(entry));
    line("limit", entry.sentence.clone());
    let shares = entry
        .shares
        .iter()
        .map(|(cause, share)| format!("{} {:.0} %", cause.name(), share * 100.0));
    line("shares", Some(shares.collect::<Vec<_>>().join(", ")));
    line("done by", Some(done_by(entry)));
    text
}

/// Two entries side by side.
pub(super) fn two(first: &Entry, second: &Entry) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "A  {}  {}  {}", first.id, first.when(), first.what());
    let _ = writeln!(text, "B  {}  {}  {}", second.id, second.when(), second.what());
    let _ = writeln!(text, "\n{:<20}  {:>12}  {:>12}  {:>12}", "", "A", "B", "B has more");
    for number in differences(first, second) {
        let cell = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| shown(&number, value));
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

fn shown(number: &Compared, value: f64) -> String {
    match number.name {
        "rate_bytes_per_s" => units::rate(value).to_string(),
        "bytes" => units::mean_bytes(value).to_string(),
        _ => units::duration(value),
    }
}

fn moved(entry: &Entry) -> String {
    let bytes = match entry.total_bytes {
        Some(total) if total != entry.bytes && entry.transfers <= 1 => units::done_of(entry.bytes, total),
        _ => units::bytes(entry.bytes).to_string(),
    };
    let (time, rate) = (units::duration(entry.seconds), units::rate(entry.rate_bytes_per_s));
    format!("{bytes} in {time}: {rate}")
}

fn how(entry: &Entry) -> String {
    let wire = entry.wire.as_ref().map(|wire| format!("{wire} wire"));
    let leaves = entry.send_route.as_ref().map(|route| format!("leaves by {route}"));
    let lands = entry.receive_route.as_ref().map(|route| format!("lands by {route}"));
    let streams = (entry.streams > 1).then(|| format!("{} connections", entry.streams));
    let parts: Vec<String> = [wire, leaves, lands, streams].into_iter().flatten().collect();
    parts.join(", ")
}

fn cpu(entry: &Entry) -> Option<String> {
    let of = |name: &str, cpu_s: Option<f64>| cpu_s.map(|cpu_s| format!("{name} {}", units::duration(cpu_s)));
    let ends = [of("sender", entry.sender_cpu_s), of("receiver", entry.receiver_cpu_s)];
    let ends: Vec<String> = ends.into_iter().flatten().collect();
    (!ends.is_empty()).then(|| ends.join(", "))
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
