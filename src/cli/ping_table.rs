//! Round trips as the terminal shows them: one line a size, below the heads of the columns.

use crate::ping::{PingEvent, RoundTrips};

use crate::units;

/// What the terminal shows of it: a line for the peer with the heads of the columns, and one line a size.
pub(super) fn lines(event: &PingEvent) -> Vec<String> {
    match event {
        PingEvent::Connected { peer } => vec![format!("round trips to {peer}"), heads()],
        PingEvent::RoundTrips(measured) => vec![row(measured)],
    }
}

fn heads() -> String {
    format!(
        "{:>9} {:>8} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11}",
        "size", "count", "min", "p50", "p90", "p99", "p99.9", "max", "echoed"
    )
}

fn row(measured: &RoundTrips) -> String {
    let times = [
        measured.min_s,
        measured.p50_s,
        measured.p90_s,
        measured.p99_s,
        measured.p999_s,
        measured.max_s,
    ];
    let times: Vec<String> = times.map(|time| format!("{:>9}", units::time(time))).into();
    format!(
        "{:>9} {:>8} {} {:>11}",
        units::exact_bytes(measured.size_bytes),
        units::count(measured.count),
        times.join(" "),
        units::rate(measured.echoed_bytes_per_s).to_string()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_stand_below_their_heads() {
        let measured = RoundTrips {
            size_bytes: 64 << 20,
            count: 10_000,
            min_s: 12.34e-6,
            p50_s: 1e-3,
            p90_s: 0.9995,
            p99_s: 999.9,
            p999_s: 1.0,
            max_s: 2e-9,
            mean_s: 0.1,
            echoed_bytes_per_s: 1.5e9,
            histogram: Vec::new(),
        };
        let (head, row) = (heads(), row(&measured));
        assert_eq!(head.chars().count(), row.chars().count(), "{head}\n{row}");
        assert!(row.starts_with("   64 MiB   10,000   12.3 µs   1.00 ms"), "{row}");
        assert!(row.ends_with("1.50 GB/s"), "{row}");
    }
}
