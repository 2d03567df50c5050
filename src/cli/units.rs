//! Bytes, rates and times for people. GB is 10^9 bytes.

use crate::service::Status;

/// `400.0 MB`, `512 B`.
pub fn bytes(bytes: u64) -> String {
    decimal(bytes as f64, "B")
}

/// Bytes that are a mean or a median.
pub fn bytes_of(bytes: f64) -> String {
    decimal(bytes, "B")
}

/// `5.0 GB/s`.
pub fn rate(bytes_per_s: f64) -> String {
    decimal(bytes_per_s, "B/s")
}

/// Seconds that have passed: `0.080 s`, `12.3 s`.
pub fn elapsed(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.3} s")
    } else {
        format!("{seconds:.1} s")
    }
}

/// A short time with its unit: `12.3 µs`, `1.0 ms`, `2.0 s`.
pub fn short(seconds: f64) -> String {
    let units = ["ns", "µs", "ms"];
    let mut scaled = seconds * 1e9;
    for unit in units {
        // One that would be shown as 1000.0 is 1.0 of the next.
        if scaled < 999.95 {
            return format!("{scaled:.1} {unit}");
        }
        scaled /= 1000.0;
    }
    format!("{scaled:.1} s")
}

/// Bytes that someone has named: `64 MiB` where that is exact, `1500 B`.
pub fn exact(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let (mut count, mut unit) = (bytes, 0);
    while count > 0 && count % 1024 == 0 && unit + 1 < units.len() {
        count /= 1024;
        unit += 1;
    }
    format!("{count} {}", units[unit])
}

/// Seconds to come, rounded up: `8 s`, `2 min 05 s`, `3 h 04 min`.
pub fn left(seconds: f64) -> String {
    let seconds = seconds.ceil();
    let (minutes, hours) = ((seconds / 60.0).floor(), (seconds / 3600.0).floor());
    if minutes < 1.0 {
        format!("{seconds} s")
    } else if hours < 1.0 {
        format!("{minutes} min {:02} s", seconds % 60.0)
    } else {
        format!("{hours} h {:02} min", minutes % 60.0)
    }
}

/// What a service does, in one line.
pub fn counts(status: &Status) -> String {
    status.in_words(|count| count.to_string(), rate)
}

fn decimal(value: f64, unit: &str) -> String {
    let prefixes = ["k", "M", "G", "T", "P", "E"];
    if value < 1000.0 {
        return format!("{value:.0} {unit}");
    }
    let mut scaled = value / 1000.0;
    let mut prefix = 0;
    // One that would be shown as 1000.0 is 1.0 of the next.
    while scaled >= 999.95 && prefix + 1 < prefixes.len() {
        scaled /= 1000.0;
        prefix += 1;
    }
    format!("{scaled:.1} {}{unit}", prefixes[prefix])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_and_named_sizes_have_the_unit_that_suits_them() {
        for (seconds, shown) in [
            (0.0, "0.0 ns"),
            (12.34e-6, "12.3 µs"),
            (0.99999e-3, "1.0 ms"),
            (0.5, "500.0 ms"),
            (61.0, "61.0 s"),
        ] {
            assert_eq!(short(seconds), shown);
        }
        for (bytes, shown) in [
            (0, "0 B"),
            (1, "1 B"),
            (1500, "1500 B"),
            (4096, "4 KiB"),
            (64 << 20, "64 MiB"),
            (1 << 40, "1024 GiB"),
        ] {
            assert_eq!(exact(bytes), shown);
        }
    }

    #[test]
    fn numbers_have_one_digit_after_the_point_and_a_decimal_unit() {
        for (number, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_940, "999.9 kB"),
            (999_960, "1.0 MB"),
            (400_000_000, "400.0 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(number), shown);
        }
        assert_eq!(rate(5.04e9), "5.0 GB/s");
    }

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        assert_eq!(elapsed(0.0801), "0.080 s");
        assert_eq!(elapsed(73.21), "73.2 s");
        for (seconds, shown) in [
            (0.2, "1 s"),
            (7.4, "8 s"),
            (59.7, "1 min 00 s"),
            (125.0, "2 min 05 s"),
            (11_050.0, "3 h 04 min"),
        ] {
            assert_eq!(left(seconds), shown, "{seconds}");
        }
    }
}
