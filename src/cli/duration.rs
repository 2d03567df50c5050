//! Times as people type them: `500ms`, `30s`, `2m`.

use std::time::Duration;

const LONGEST: Duration = Duration::from_hours(365 * 24);

/// A time above zero and of at most a year; a number without a unit is seconds.
pub fn parse_timeout(text: &str) -> Result<Duration, String> {
    let (number, unit_s) = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .unwrap_or((text, 1.0));
    let number: f64 = number
        .trim()
        .parse()
        .map_err(|_| "a time is a number with ms, s, m or h, such as 30s".to_owned())?;
    let time = Duration::try_from_secs_f64(number * unit_s).ok();
    time.filter(|time| !time.is_zero() && *time <= LONGEST)
        .ok_or_else(|| "a timeout is more than 0 and at most a year".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_type_them() {
        for (typed, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("30", 30_000),
            ("2m", 120_000),
            ("1.5s", 1500),
            ("1h", 3_600_000),
        ] {
            assert_eq!(parse_timeout(typed), Ok(Duration::from_millis(milliseconds)), "{typed}");
        }
        for wrong in ["", "s", "0", "0ms", "-1s", "nan", "inf", "1e300s", "9000h", "5 apples"] {
            assert!(parse_timeout(wrong).is_err(), "{wrong:?}");
        }
    }
}
