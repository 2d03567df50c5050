//! Sizes and rates as people type them: `1MiB`, `200MB/s`, `1e6`, `50_000_000`.

use std::ops::RangeInclusive;

use crate::array::parse_count;
use bytesize::ByteSize;

const CHUNK_BYTES: RangeInclusive<u64> = 4 << 10..=64 << 20;
const BUFFER_BYTES: RangeInclusive<u64> = 4 << 10..=1 << 30;
const ECHO_BYTES: RangeInclusive<u64> = 1..=1 << 30;

/// A size within the bounds of what one system call is given.
pub fn parse_chunk(text: &str) -> Result<usize, String> {
    let bytes = Some(parse_size(text)?).filter(|bytes| CHUNK_BYTES.contains(bytes));
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| "a chunk has from 4KiB to 64MiB".into())
}

/// A size within the bounds of what a socket's buffer can be asked to have.
pub fn parse_buffer(text: &str) -> Result<usize, String> {
    let bytes = Some(parse_size(text)?).filter(|bytes| BUFFER_BYTES.contains(bytes));
    let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| "a socket buffer has from 4KiB to 1GiB".into())
}

/// A size within the bounds of what is sent there and back again.
pub fn parse_echo(text: &str) -> Result<u64, String> {
    let bytes = Some(parse_size(text)?).filter(|bytes| ECHO_BYTES.contains(bytes));
    bytes.ok_or_else(|| "a round trip has from 1 byte to 1GiB".into())
}

/// A rate of at least one byte a second, with or without `/s`.
pub fn parse_limit(text: &str) -> Result<u64, String> {
    match parse_size(text.strip_suffix("/s").unwrap_or(text))? {
        0 => Err("a rate of 0 moves nothing: leave it out for none".into()),
        bytes_per_s => Ok(bytes_per_s),
    }
}

/// A place or a length in a file or an array.
pub fn parse_offset(text: &str) -> Result<u64, String> {
    parse_size(text)
}

/// Bytes: a count, or a decimal number with a unit in which `MB` is 10^6 and `MiB` is 2^20.
fn parse_size(text: &str) -> Result<u64, String> {
    if let Ok(bytes) = parse_count(text) {
        return Ok(bytes);
    }
    let wrong = || "a size is a whole number of bytes or has a unit, such as 1MiB, 200MB, 1e6 or 50_000_000".to_owned();
    if ["Kb", "kb", "Mb", "Gb", "Tb"].iter().any(|bits| text.ends_with(bits)) {
        return Err("a small b means bits: say MB for megabytes, MiB for mebibytes".into());
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let ByteSize(bytes) = plain.parse().map_err(|_| wrong())?;
    // The parser stops there instead of overflowing.
    if bytes == u64::MAX { Err(wrong()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_type_them() {
        for (typed, bytes) in [
            ("0", 0),
            ("1MiB", 1 << 20),
            ("1 MiB", 1 << 20),
            ("200MB", 200_000_000),
            ("1.5kB", 1500),
            ("1e6", 1_000_000),
            ("50_000_000", 50_000_000),
            ("1_000MB", 1_000_000_000),
            ("512B", 512),
            ("2GiB", 2 << 30),
        ] {
            assert_eq!(parse_size(typed), Ok(bytes), "{typed}");
        }
        for wrong in [
            "",
            "MB",
            "-1",
            "-1MB",
            "nan",
            "inf",
            "1.5",
            "1e30",
            "99999999EB",
            "1 apple",
            "200Mb",
            "1MB/s",
        ] {
            assert!(parse_size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_limit_is_a_rate_above_zero() {
        assert_eq!(parse_limit("200MB/s"), Ok(200_000_000));
        assert_eq!(parse_limit("200MB"), Ok(200_000_000));
        assert_eq!(parse_limit("1"), Ok(1));
        for wrong in ["0", "0MB/s", "-5MB/s", "nan", "0.1B/s", "200MB/h"] {
            assert!(parse_limit(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_chunk_is_bounded() {
        assert_eq!(parse_chunk("4KiB"), Ok(4096));
        assert_eq!(parse_chunk("64MiB"), Ok(64 << 20));
        for wrong in ["0", "4095", "65MiB", "-1"] {
            assert!(parse_chunk(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_buffer_is_bounded() {
        assert_eq!(parse_buffer("4KiB"), Ok(4096));
        assert_eq!(parse_buffer("1GiB"), Ok(1 << 30));
        for wrong in ["0", "100", "2GiB", "-1"] {
            assert!(parse_buffer(wrong).is_err(), "{wrong:?}");
        }
    }
}
