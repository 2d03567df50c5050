//! One reader and one writer of bytes, rates, times and counts: for the prompt, the window and every message.
//!
//! JSON carries plain numbers instead, with the unit in the field's name: `bytes`, `rate_bytes_per_s`, `elapsed_s`.
//! What a value may be (its bounds) is said by [`Options::check`](crate::transfer::Options::check), not here.
//!
//! # What is read
//!
//! ```text
//! number   = digits ["." digits] ["e" exponent]      50e6, 1_000_000, 1,000,000, 1.5
//! count    = number                                  whole
//! bytes    = number                                  whole: a bare number is bytes
//!          | number [prefix] ["B" | "b" | "bit"]     1.5 GiB, 200MB, 64k, 800 Mbit
//! rate     = bytes ["/s"]                            200 MB/s, 800 Mbit/s; a bare number is at least 1000
//! limit    = rate | "none" | "no limit" | nothing
//! chunk    = bytes | "auto" | nothing
//! time     = number                                  a bare number is seconds
//!          | (number unit)...                        1.5s, 200 ms, 2m, 1h, 2 min 5 s
//! prefix   = "k" | "M" | "G" | "T" | "P" | "E"       powers of 1000
//!          | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei" powers of 1024
//! unit     = "d" | "h" | "min" | "m" | "s" | "ms" | "us" | "µs" | "ns"
//! ```
//!
//! - Spaces may stand around a number and its unit. `_` and `,` may set digits apart: `_` between any two, as in Python;
//!   `,` between thousands only, so that `1,5` is never taken for 15.
//! - `B` is bytes; `b` and `bit` are bits, eight of them a byte. A prefix may have either case (`64K`, `1mB`, `100mbit`)
//!   as long as the unit says bytes or bits. A prefix alone is of bytes.
//! - `kb`, `mb`, `gib` and the like are refused: in small letters throughout they stand for either.
//! - With a unit, what is less than a byte (a nanosecond) is dropped. Everything else is exact: no float is on the way.
//! - A rate of 0 is refused: none is said by leaving it out, or by `none` where a limit is asked for. Nothing is negative.
//! - A rate below 1000 has a unit: someone who types `200` means megabytes more often than bytes.
//! - The times of a sum go from the longest unit to the shortest.
//!
//! # What is written
//!
//! Three significant digits and powers of 1000, below a thousand all digits there are: `999 B`, `1.00 kB`, `400 MB`,
//! `5.92 GB/s`, `80.4 ms`, `12 ns`; long spans in whole seconds, minutes or hours: `2 min 5 s`. What someone has set is written
//! exactly: `64 MiB`, `0.3 s`. Everything that is written can be read, and comes to the same text again.
//!
//! # Sources
//!
//! - Prefixes of 1000: the SI Brochure, 9th edition, 3.1; the k of kilo is small, all above are large.
//! - Prefixes of 1024: IEC 80000-13:2008, 4, also in NIST SP 811, appendix.
//! - B for byte and bit (b: IEEE 1541-2002) for bit: IEC 80000-13:2008, 4.
//! - Times: d, h, min, s of the SI Brochure, table 8; `m` for minutes as in `sleep` of GNU coreutils.

mod number;
mod read;
mod write;

pub(crate) use number::{Decimal, WHOLE_MAX, parse_whole, without_commas};
pub(crate) use number::{NumberError, parse_count};
pub(crate) use read::{UnitError, parse_bytes, parse_bytes_or_auto, parse_limit, parse_rate, parse_time};
pub(crate) use write::{
    Quantity, RateScale, RateUnit, bytes, count, done_and_total, done_of, duration, exact_bytes, exact_time, left,
    mean_bytes, rate, three_digits, time, time_of,
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn seconds(text: &str) -> f64 {
        parse_time(text).expect(text).as_secs_f64()
    }

    proptest! {
        #[test]
        fn exact_bytes_are_read_back(number: u64, zeros in 0_u32..40) {
            let number = number >> zeros << zeros;
            prop_assert_eq!(parse_bytes(&exact_bytes(number)), Ok(number));
        }

        #[test]
        fn exact_times_are_read_back(nanoseconds: u64) {
            let time = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_time(&exact_time(time)), Ok(time));
        }

        #[test]
        fn counts_are_read_back(number: u64) {
            prop_assert_eq!(parse_count(&count(number)), Ok(number));
        }

        #[test]
        fn bytes_and_rates_are_read_back_to_three_digits(number: u64, bits in 0_u32..64) {
            let number = number >> bits;
            let read = parse_bytes(&bytes(number).to_string()).expect("readable");
            prop_assert!(read.abs_diff(number) as f64 <= number as f64 * 0.005_001, "{} from {}", read, number);
            prop_assert_eq!(bytes(read), bytes(number));
            if number > 0 {
                let shown = rate(number as f64);
                let read = parse_rate(&shown.to_string()).expect("readable");
                prop_assert_eq!(rate(read as f64), shown);
            }
        }

        #[test]
        fn times_are_read_back_as_they_were_written(power in -8.9_f64..8.0) {
            let number = 10_f64.powf(power);
            for write in [time, duration, left] {
                let read = seconds(&write(number));
                prop_assert_eq!(write(read), write(number));
            }
            let read = seconds(&time(number));
            prop_assert!((read - number).abs() <= number * 0.005_001 + 0.5e-9, "{} from {}", read, number);
        }
    }
}
