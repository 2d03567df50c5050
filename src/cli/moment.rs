//! A time in the past, as people type it.

use std::time::{Duration, SystemTime};

use crate::sys::{LocalTime, unix_s_of};
use crate::units::parse_time;

/// A time in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long ago.
    Ago(Duration),
    /// Seconds since 1970 in UTC.
    At(i64),
}

impl Moment {
    /// Milliseconds since 1970 in UTC, where it is `now`.
    pub(crate) fn unix_ms(self, now: SystemTime) -> i64 {
        match self {
            Self::At(unix_s) => unix_s.saturating_mul(1000),
            Self::Ago(ago) => {
                let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.saturating_sub(ago).as_millis()).unwrap_or(i64::MAX)
            }
        }
    }
}

/// Reads `2d`, `2026-11-01` or `2026-11-01T12:30`, by the clock here.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    let wrong =
        || "a time is how long ago, such as 2d or 3h, or a date, such as 2026-11-01 or 2026-11-01T12:30".to_owned();
    let trimmed = text.trim();
    // A date has two dashes, and no time has any.
    if !trimmed.contains('-') {
        // A bare number could be seconds, hours or days.
        if trimmed.ends_with(|c: char| c.is_ascii_digit()) {
            return Err(wrong());
        }
        return parse_time(trimmed).map(Moment::Ago).map_err(|_| wrong());
    }
    let (date, time) = match trimmed.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (trimmed, None),
    };
    let [year, month, day] = numbers(date, '-')
        .filter(|parts| parts.len() == 3)
        .and_then(first_three)
        .ok_or_else(wrong)?;
    let at = |[hour, minute, second]: [i32; 3]| {
        unix_s_of(LocalTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    };
    let unix_s = match time {
        // Where summer time begins at midnight, the day begins at 1:00.
        None => at([0; 3]).or_else(|| at([1, 0, 0])),
        Some(time) => at(time_of_day(time).ok_or_else(wrong)?),
    };
    unix_s
        .map(Moment::At)
        .ok_or_else(|| format!("there was no {trimmed} here: look at the calendar, or at when summer time began"))
}

/// Hours, minutes and seconds of a day.
fn time_of_day(text: &str) -> Option<[i32; 3]> {
    let parts = numbers(text, ':').filter(|parts| (2..=3).contains(&parts.len()))?;
    first_three(parts).filter(|[hour, minute, second]| *hour <= 23 && *minute <= 59 && *second <= 59)
}

fn numbers(text: &str, between: char) -> Option<Vec<i32>> {
    let number = |part: &str| part.parse::<u16>().ok().map(i32::from);
    text.split(between).map(number).collect()
}

fn first_three(mut parts: Vec<i32>) -> Option<[i32; 3]> {
    parts.resize(3, 0);
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_and_dates_are_read() {
        let hour = Duration::from_hours(1);
        assert_eq!(parse_moment("3h"), Ok(Moment::Ago(3 * hour)));
        assert_eq!(parse_moment("2 d"), Ok(Moment::Ago(48 * hour)));
        let date = |text| match parse_moment(text) {
            Ok(Moment::At(unix_s)) => unix_s,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(date("2026-11-02T12:30") - date("2026-11-01"), 36 * 3600 + 1800);
        assert_eq!(date("2026-11-01 00:00:05") - date("2026-11-01"), 5);
        for wrong in [
            "",
            "2",
            "soon",
            "-1d",
            "2026-11",
            "2026-11-31",
            "2026-11-01T",
            "2026-11-01T25:00",
            "26-1-1-1",
            "2026-11-01T1:2:3:4",
        ] {
            assert!(parse_moment(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn so_long_ago_is_counted_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        assert_eq!(Moment::Ago(Duration::from_secs(10)).unix_ms(now), 990_000);
        assert_eq!(Moment::Ago(Duration::from_secs(10_000)).unix_ms(now), 0);
    }
}
