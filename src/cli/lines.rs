//! Lines for people: what a transfer is called, how far it is, what came of it.

use crate::array::Value;
use crate::service::Status;
use crate::transfer::{Finished, Items, Started, Stats};
use crate::units;

use super::printable;

/// What the bar is called: the source, or else the peer.
pub(super) fn name(started: &Started) -> String {
    cut(started.source.as_ref().unwrap_or(&started.peer), 32)
}

/// A name within a sentence: a peer chooses its names, and can choose long ones.
pub(super) fn shortened(name: &str) -> String {
    cut(name, 120)
}

fn cut(name: &str, chars_max: usize) -> String {
    let name = printable(name);
    if name.chars().count() <= chars_max {
        return name;
    }
    name.chars().take(chars_max - 1).chain(['…']).collect()
}

/// `1.2 of 40.0 GB  5.10 GB/s  8 s left`; a whole and a time only where they can be told.
pub(super) fn numbers(bytes: u64, total_bytes: Option<u64>, rate: f64) -> String {
    let Some(total_bytes) = total_bytes else {
        return format!("{}  {}", units::bytes(bytes), units::rate(rate));
    };
    let mut parts = vec![units::done_of(bytes, total_bytes), units::rate(rate).to_string()];
    if rate > 0.0 {
        let left_bytes = total_bytes.saturating_sub(bytes) as f64;
        parts.push(format!("{} left", units::left(left_bytes / rate)));
    }
    parts.join("  ")
}

/// How an array moved, as far as its result depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Over a wire of this name.
    Wire(String),
    /// Handed over: no byte moved.
    Handoff,
    /// From this URL.
    Web(String),
}

impl Way {
    pub(super) fn of(started: &Started) -> Self {
        let is_handoff = |route: &Option<_>| route.as_deref() == Some("handoff");
        if is_handoff(&started.send_route) || is_handoff(&started.receive_route) {
            return Self::Handoff;
        }
        match &started.source {
            Some(url) if started.wire.starts_with("http") => Self::Web(url.clone()),
            _ => Self::Wire(started.wire.to_string()),
        }
    }

    /// Why nothing was verified.
    fn not_verified(&self) -> String {
        match self {
            Self::Wire(wire) if wire != "native" => format!("not verified: the {wire} wire has no checksums"),
            Self::Wire(_) => "not verified: checksums were left out".into(),
            Self::Handoff | Self::Web(_) => "not verified".into(),
        }
    }
}

/// `400 MB in 80.0 ms: 5.00 GB/s, verified (crc64nvme:0123456789abcdef), written to PATH, on disk (the last 9.00 ms)`.
/// `400 MB received from URL in 80.0 ms: 5.00 GB/s, crc64nvme:0123456789abcdef, written to PATH, on disk (the last 9.00
/// ms)`. `400 MB handed over in 59.6 µs, no byte moved`. `2,105 files, folders and links (5 there already) in 603 ms: 32.0
/// MB, 53.1 MB/s, what arrived is verified, written to PATH, on disk; 2 did not arrive, first of all PATH: its disk is
/// full`.
pub(super) fn result(finished: &Finished, way: &Way, elapsed_s: f64) -> String {
    let bytes = units::bytes(finished.bytes);
    let seconds = seconds_of(finished).unwrap_or(elapsed_s);
    if *way == Way::Handoff {
        return format!("{bytes} handed over in {}, no byte moved", units::duration(seconds));
    }
    let verified = match (finished.verified, &finished.checksum) {
        (Some(true), Some(checksum)) => format!("verified ({checksum})"),
        (Some(true), None) => "verified".into(),
        (None, Some(checksum)) => checksum.clone(),
        (Some(false), _) => "not verified".into(),
        (None, None) => way.not_verified(),
    };
    let on_disk = finished.on_disk_in_words().map(|words| format!(", {words}"));
    let written = finished.path.as_ref().map(|path| {
        let on_disk = on_disk.unwrap_or_default();
        format!(", written to {}{on_disk}", path.display())
    });
    let there = match finished.resumed_bytes {
        0 => String::new(),
        there => format!(" ({} there already)", units::bytes(there)),
    };
    let what = match way {
        Way::Web(url) => format!("{bytes} received from {url}{there}"),
        Way::Wire(_) | Way::Handoff => format!("{bytes}{there}"),
    };
    if let Some(items) = &finished.items {
        let written = written.unwrap_or_default();
        return of_items(
            items,
            finished,
            seconds,
            &format!("{bytes}{there}"),
            &format!("{verified}{written}"),
        );
    }
    format!(
        "{what} in {}: {}, {verified}{}",
        units::duration(seconds),
        units::rate(finished.rate_bytes_per_s),
        written.unwrap_or_default()
    )
}

/// The result of a folder. `bytes` are those that moved, `how` tells what is known of them.
fn of_items(items: &Items, finished: &Finished, seconds: f64, bytes: &str, how: &str) -> String {
    let (what, failed) = (what_arrived(items), did_not_arrive(items));
    let took = if seconds > 0.0 {
        format!(" in {}", units::duration(seconds))
    } else {
        String::new()
    };
    if items.stored == 0 && finished.bytes == 0 {
        // Nothing was compared, which `verified` would say.
        return format!("{what}{took}: nothing moved{failed}");
    }
    let rate = if seconds > 0.0 {
        format!(", {}", units::rate(finished.moved_bytes() as f64 / seconds))
    } else {
        String::new()
    };
    // Of what moved some may not have been kept.
    let how = match how.strip_prefix("verified") {
        Some(rest) if items.failed > 0 => format!("what arrived is verified{rest}"),
        _ => how.to_owned(),
    };
    format!("{what}{took}: {bytes}{rate}, {how}{failed}")
}

/// `2,105 files, folders and links (5 there already)`.
fn what_arrived(items: &Items) -> String {
    let what = match items.stored + items.had {
        1 => "1 file, folder or link".into(),
        all => format!("{} files, folders and links", units::count(all)),
    };
    match items.had {
        0 => what,
        had => format!("{what} ({} there already)", units::count(had)),
    }
}

/// `; 2 did not arrive, first of all PATH: its disk is full`; nothing where all did.
fn did_not_arrive(items: &Items) -> String {
    match (items.failed, items.failures.first()) {
        (0, _) => String::new(),
        (failed, None) => format!("; {} did not arrive", units::count(failed)),
        (failed, Some(first)) => format!(
            "; {} did not arrive, first of all {}: {}",
            units::count(failed),
            first.path,
            first.reason
        ),
    }
}

/// How long it took, where it had bytes.
pub(super) fn seconds_of(finished: &Finished) -> Option<f64> {
    (finished.rate_bytes_per_s > 0.0).then(|| finished.moved_bytes() as f64 / finished.rate_bytes_per_s)
}

/// `120 transfers, 1.20 GB; 4 failed, 1 cancelled`.
pub(super) fn summary(status: &Status) -> String {
    let transfers = if status.done == 1 { "transfer" } else { "transfers" };
    format!(
        "{} {transfers}, {}; {} failed, {} cancelled",
        units::count(status.done),
        units::bytes(status.done_bytes),
        units::count(status.failed),
        units::count(status.cancelled)
    )
}

/// `first elements: 0.0 1.0 …`.
pub(super) fn first_elements(values: &[Value], element_count: u64) -> Option<String> {
    let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
    let more = if element_count > values.len() as u64 {
        " …"
    } else {
        ""
    };
    (!shown.is_empty()).then(|| format!("first elements: {}{more}", shown.join(" ")))
}

/// `values: min 0.0, max 999.0, mean 499.5, no NaN, no infinities; all 1,000 were looked at`. Where not all were, it says of
/// how many the numbers are, and that the mean is an estimate. Why some were not is in a line of its own.
pub(super) fn statistics(stats: &Stats) -> Vec<String> {
    let array = &stats.array;
    let left_out = stats.left_out.as_ref();
    if array.seen == 0 {
        let nothing = if stats.values == 0 && left_out.is_none() {
            "the array is empty"
        } else {
            left_out.map_or("the transfer had no time to spare", String::as_str)
        };
        return vec![format!("values: none was looked at: {nothing}")];
    }
    let value = |name: &str, value: &Option<Value>| value.as_ref().map(|value| format!("{name} {value}"));
    let count = |count: u64, name: &str, none: &str| match count {
        0 => none.to_owned(),
        count => format!("{} {name}", units::count(count)),
    };
    let (min, max) = (value("min", &array.min), value("max", &array.max));
    let mean = array.mean.map(|mean| Value::Float(mean).to_string());
    let not_finite = [
        Some(count(array.nan, "NaN", "no NaN")),
        Some(count(array.infinite, "infinite", "no infinities")),
    ];
    let listed = |parts: Vec<Option<String>>| parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let all = units::count(stats.values);
    let line = if array.exact {
        let mean = mean.map(|mean| format!("mean {mean}"));
        let parts = [vec![min, max, mean], not_finite.to_vec()].concat();
        format!("values: {}; all {all} were looked at", listed(parts))
    } else {
        let parts = [vec![min, max], not_finite.to_vec()].concat();
        let seen = units::count(array.seen);
        let mean = mean.map_or_else(String::new, |mean| format!("; mean of all about {mean}"));
        format!(
            "values: {} among {seen} of {all} that were looked at{mean}",
            listed(parts)
        )
    };
    let mut lines = vec![line];
    lines.extend(left_out.cloned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::ArrayStats;

    #[test]
    fn a_result_is_one_line_with_everything_in_it() {
        let wire = |name: &str| Way::Wire(name.into());
        let mut finished = Finished {
            bytes: 400_000_000,
            resumed_bytes: 0,
            rate_bytes_per_s: 5e9,
            verified: Some(true),
            durable: Some(true),
            sync_s: Some(0.009),
            items: None,
            checksum: Some("crc32:cbf43926".into()),
            path: Some("a.npy".into()),
            note: None,
        };
        assert_eq!(
            result(&finished, &wire("native"), 1.0),
            "400 MB in 80.0 ms: 5.00 GB/s, verified (crc32:cbf43926), written to a.npy, on disk \
             (the last 9.00 ms)"
        );
        (finished.durable, finished.sync_s) = (Some(false), None);
        assert!(result(&finished, &wire("native"), 1.0).ends_with(", written to a.npy, not synced to disk"));
        (finished.verified, finished.path) = (None, None);
        assert_eq!(
            result(&finished, &Way::Web("http://a/b".into()), 1.0),
            "400 MB received from http://a/b in 80.0 ms: 5.00 GB/s, crc32:cbf43926"
        );
        finished.checksum = None;
        assert_eq!(
            result(&finished, &wire("native"), 1.0),
            "400 MB in 80.0 ms: 5.00 GB/s, not verified: checksums were left out"
        );
        (finished.bytes, finished.rate_bytes_per_s) = (0, 0.0);
        assert_eq!(
            result(&finished, &wire("npy"), 0.001),
            "0 B in 1.00 ms: 0 MB/s, not verified: the npy wire has no checksums"
        );
    }

    #[test]
    fn of_a_folder_that_did_not_arrive_whole_no_more_is_called_verified_than_arrived() {
        let mut items = Items {
            stored: 7,
            had: 1,
            ..Items::default()
        };
        let of = |items: &Items, seconds: f64| {
            let finished = Finished {
                bytes: 4_000_000,
                rate_bytes_per_s: if seconds > 0.0 { 4e6 / seconds } else { 0.0 },
                verified: Some(true),
                path: Some("in".into()),
                durable: Some(true),
                items: Some(Box::new(items.clone())),
                ..Finished::default()
            };
            result(&finished, &Way::Wire("native".into()), seconds)
        };
        assert_eq!(
            of(&items, 2.0),
            "8 files, folders and links (1 there already) in 2.00 s: 4.00 MB, 2.00 MB/s, verified, written to in, on disk"
        );
        items.fail("a".into(), "its disk is full".into());
        assert_eq!(
            of(&items, 0.0),
            "8 files, folders and links (1 there already): 4.00 MB, what arrived is verified, written to in, on disk; \
             1 did not arrive, first of all a: its disk is full"
        );
    }

    #[test]
    fn what_is_handed_over_has_a_time_and_no_rate() {
        let finished = Finished {
            bytes: 400_000_000,
            rate_bytes_per_s: 4e8 / 59.6e-6,
            ..Finished::default()
        };
        assert_eq!(
            result(&finished, &Way::Handoff, 1.0),
            "400 MB handed over in 59.6 µs, no byte moved"
        );
    }

    #[test]
    fn what_a_service_does_is_one_line() {
        let mut status = Status {
            connections: 3,
            receiving: 2,
            rate_bytes_per_s: 1.2e9,
            done: 120,
            failed: 4,
            bytes: 1_500_000_000,
            done_bytes: 1_200_000_000,
            ..Status::default()
        };
        assert_eq!(
            status.in_words(),
            "3 connections, 2 receiving at 1.20 GB/s; 120 done, 4 failed"
        );
        status.waiting = 1;
        assert_eq!(
            status.in_words(),
            "3 connections, 2 receiving at 1.20 GB/s, 1 waiting; 120 done, 4 failed"
        );
        assert_eq!(summary(&status), "120 transfers, 1.20 GB; 4 failed, 0 cancelled");
    }

    #[test]
    fn time_left_is_never_invented() {
        assert_eq!(numbers(1_000, Some(40_000), 0.0), "1.0 of 40.0 kB  0 MB/s");
        assert_eq!(
            numbers(1_200_000_000, Some(40_000_000_000), 5.1e9),
            "1.2 of 40.0 GB  5.10 GB/s  8 s left"
        );
        assert_eq!(numbers(1_000, None, 2e9), "1.00 kB  2.00 GB/s");
    }

    #[test]
    fn statistics_say_how_much_of_the_array_they_are_of() {
        let array = ArrayStats {
            seen: 1000,
            exact: true,
            min: Some(Value::Float(0.0)),
            max: Some(Value::Float(999.0)),
            mean: Some(499.5),
            ..ArrayStats::default()
        };
        let mut stats = Stats::default();
        (stats.values, stats.array) = (1000, array);
        let line = "values: min 0.0, max 999.0, mean 499.5, no NaN, no infinities; all 1,000 were looked at";
        assert_eq!(statistics(&stats), [line]);
        (stats.values, stats.array.nan, stats.array.exact) = (24_000, 7, false);
        stats.left_out = Some("why".into());
        let line = "values: min 0.0, max 999.0, 7 NaN, no infinities among 1,000 of 24,000 that were looked at; \
                    mean of all about 499.5";
        assert_eq!(statistics(&stats), [line, "why"]);
        stats.array = ArrayStats::default();
        assert_eq!(statistics(&stats), ["values: none was looked at: why"]);
        assert_eq!(
            statistics(&Stats::default()),
            ["values: none was looked at: the array is empty"]
        );
    }

    #[test]
    fn first_elements_say_when_there_are_more() {
        let values = [Value::Float(0.0), Value::Float(1.0)];
        assert_eq!(first_elements(&values, 2).as_deref(), Some("first elements: 0.0 1.0"));
        assert_eq!(first_elements(&values, 3).as_deref(), Some("first elements: 0.0 1.0 …"));
        assert_eq!(first_elements(&[], 3), None);
    }
}
