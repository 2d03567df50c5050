//! NumPy's datetimes and timedeltas as people read them.
//!
//! Source: <https://numpy.org/doc/stable/reference/arrays.datetime.html>: steps since 1970 in a calendar that is
//! Gregorian throughout and knows no leap seconds.

use super::dtype::scalar::Step;

/// As ISO 8601 writes it, as finely as the unit: `2026`, `2026-11`, `2026-11-21`, `2026-11-21T10:35:29.500`.
pub(super) fn show_datetime(count: i64, step: Step) -> String {
    if count == NAT {
        return "NaT".to_owned();
    }
    let count = i128::from(count) * i128::from(step.multiple);
    match step.unit {
        None => count.to_string(),
        Some("Y") => (1970 + count).to_string(),
        Some("M") => {
            let (year, month) = (1970 + count.div_euclid(12), 1 + count.rem_euclid(12));
            format!("{year}-{month:02}")
        }
        Some("W") => show_date(count * 7),
        Some("D") => show_date(count),
        Some("h") => show_time(count * 3600, 0),
        Some("m") => show_time(count * 60, 0),
        Some("s") => show_time(count, 0),
        Some("ms") => show_time(count, 3),
        Some("us") => show_time(count, 6),
        Some("ns") => show_time(count, 9),
        Some("ps") => show_time(count, 12),
        Some("fs") => show_time(count, 15),
        Some(_) => show_time(count, 18),
    }
}

/// A count and its unit: `5 ns`.
pub(super) fn show_timedelta(count: i64, step: Step) -> String {
    if count == NAT {
        return "NaT".to_owned();
    }
    let count = i128::from(count) * i128::from(step.multiple);
    match step.unit {
        None => count.to_string(),
        Some(unit) => format!("{count} {unit}"),
    }
}

/// An instant of UTC, from milliseconds since 1970: `2026-11-29T16:46:32.123Z`.
pub(crate) fn utc(unix_ms: i64) -> String {
    show_time(unix_ms.into(), 3) + "Z"
}

/// NumPy's "not a time".
const NAT: i64 = i64::MIN;

const SECONDS_PER_DAY: i128 = 86_400;
const DAYS_PER_400_YEARS: i128 = 146_097;
/// From the first of March of the year 0 to the first of January 1970.
const DAYS_BEFORE_1970: i128 = 719_468;

/// The instant that is `count` units after 1970; a second has ten to the `fraction_digits` units.
fn show_time(count: i128, fraction_digits: u32) -> String {
    let per_second = 10_i128.pow(fraction_digits);
    let (seconds, fraction) = (count.div_euclid(per_second), count.rem_euclid(per_second));
    let date = show_date(seconds.div_euclid(SECONDS_PER_DAY));
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let time = format!("{date}T{hour:02}:{minute:02}:{second:02}");
    if fraction_digits == 0 {
        time
    } else {
        let width = fraction_digits as usize;
        format!("{time}.{fraction:0width$}")
    }
}

/// The date that is `days_since_1970` days after 1 January 1970.
///
/// Years are counted from March. A leap day is then the last day of its year, and the lengths of the months repeat
/// every five months, which have 153 days.
fn show_date(days_since_1970: i128) -> String {
    let days = days_since_1970 + DAYS_BEFORE_1970;
    let (cycle, day) = (days.div_euclid(DAYS_PER_400_YEARS), days.rem_euclid(DAYS_PER_400_YEARS));
    // Without the leap days up to that day, every year has 365.
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (year * 365 + year / 4 - year / 100);
    let month_from_march = (day_of_year * 5 + 2) / 153;
    let day_of_month = day_of_year - (month_from_march * 153 + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = cycle * 400 + year + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_are_as_fine_as_their_unit() {
        for (count, multiple, unit, shown) in [
            (56, 1, "Y", "2026"),
            (682, 1, "M", "2026-11"),
            (-1, 1, "M", "1969-12"),
            (1, 2, "W", "1970-01-15"),
            (20_778, 1, "D", "2026-11-21"),
            (11_016, 1, "D", "2000-02-29"),
            (-719_528, 1, "D", "0000-01-01"),
            (-1, 1, "h", "1969-12-31T23:00:00"),
            (1, 90, "m", "1970-01-01T01:30:00"),
            (951_868_799, 1, "s", "2000-02-29T23:59:59"),
            (-1, 1, "ms", "1969-12-31T23:59:59.999"),
            (1_500_000_000, 1, "ns", "1970-01-01T00:00:01.500000000"),
            (1, 25, "as", "1970-01-01T00:00:00.000000000000000025"),
            (i64::MIN, 1, "ns", "NaT"),
        ] {
            let unit = Some(unit);
            assert_eq!(show_datetime(count, Step { multiple, unit }), shown);
        }
    }

    #[test]
    fn the_ends_of_64_bits_are_dates_too() {
        for unit in ["Y", "W", "D", "h", "s", "as"] {
            for count in [i64::MIN + 1, i64::MAX] {
                let step = Step {
                    multiple: i32::MAX.unsigned_abs(),
                    unit: Some(unit),
                };
                assert!(!show_datetime(count, step).is_empty());
            }
        }
    }

    #[test]
    fn timedeltas_have_their_unit() {
        let unit = Some("ms");
        assert_eq!(show_timedelta(3, Step { multiple: 25, unit }), "75 ms");
        assert_eq!(
            show_timedelta(
                3,
                Step {
                    multiple: 1,
                    unit: None
                }
            ),
            "3"
        );
        assert_eq!(show_timedelta(NAT, Step { multiple: 1, unit }), "NaT");
    }
}
