//! The calendar and clock of this user's time zone: `localtime_r(3)`, `mktime(3)`.

/// A time as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LocalTime {
    /// Of the Gregorian calendar.
    pub year: i32,
    /// From 1.
    pub month: i32,
    /// From 1.
    pub day: i32,
    /// From 0.
    pub hour: i32,
    /// From 0.
    pub minute: i32,
    /// From 0; 60 in a leap second.
    pub second: i32,
}

/// The time here, so many seconds after 1970 began in UTC; `None` where the calendar has none.
pub(crate) fn local_time(unix_s: i64) -> Option<LocalTime> {
    let time: libc::time_t = unix_s;
    // SAFETY: tm is plain data for which all zeroes is valid.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values, and nothing else has them.
    let found = unsafe { libc::localtime_r(&raw const time, &raw mut parts) };
    (!found.is_null()).then(|| LocalTime {
        year: parts.tm_year.saturating_add(1900),
        month: parts.tm_mon + 1,
        day: parts.tm_mday,
        hour: parts.tm_hour,
        minute: parts.tm_min,
        second: parts.tm_sec,
    })
}

/// Seconds from 1970 in UTC to that time here; `None` where there is no such time, as on the 30th of
/// February, or in the hour that is left out when summer time begins.
pub(crate) fn unix_s_of(local: LocalTime) -> Option<i64> {
    // SAFETY: tm is plain data for which all zeroes is valid.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    parts.tm_year = local.year.checked_sub(1900)?;
    parts.tm_mon = local.month.checked_sub(1)?;
    parts.tm_mday = local.day;
    parts.tm_hour = local.hour;
    parts.tm_min = local.minute;
    parts.tm_sec = local.second;
    // Whether it is summer time then is looked up.
    parts.tm_isdst = -1;
    // SAFETY: the pointer is to a live value, and nothing else has it.
    let unix_s = unsafe { libc::mktime(&raw mut parts) };
    // It makes the 2nd of March of the 30th of February, and 3:30 of 2:30 where there was no 2:30. -1 is a time, too.
    let made = (parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min);
    let is_it = made == (local.month, local.day, local.hour, local.minute);
    (is_it && (unix_s != -1 || local.year == 1969 || local.year == 1970)).then_some(unix_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_read_back_is_the_same() {
        for unix_s in [0, 951_868_799, 1_795_970_000, 4_102_444_800] {
            let local = local_time(unix_s).expect("a time");
            assert_eq!(unix_s_of(local), Some(unix_s), "{local:?}");
        }
    }

    #[test]
    fn a_day_that_no_calendar_has_is_none() {
        let day = |year, month, day| LocalTime {
            year,
            month,
            day,
            hour: 12,
            minute: 0,
            second: 0,
        };
        assert!(unix_s_of(day(2024, 2, 29)).is_some());
        for (year, month, wrong) in [(2026, 2, 29), (2026, 2, 30), (2026, 13, 1), (2026, 0, 1), (2026, 4, 31)] {
            assert_eq!(unix_s_of(day(year, month, wrong)), None, "{year}-{month}-{wrong}");
        }
    }
}
