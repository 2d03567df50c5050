//! What the window writes: quantities as everywhere (see `units`), rates in what a person chose, and shapes.
//!
//! What rates are counted in is, like the language of [`words`](crate::app::words), that of the thread: the window sets
//! it at the beginning of each frame.

use std::cell::Cell;

use crate::app::words::say;
use crate::sys::{LocalTime, local_time};
use crate::units::done_and_total;
pub(crate) use crate::units::{
    Quantity, RateScale, RateUnit, bytes, count, duration, exact_bytes, left, mean_bytes, time,
};

thread_local! {
    static RATES: Cell<RateScale> = const { Cell::new(RateScale::Bytes) };
}

/// Counts the rates of this thread in this from now on.
pub(crate) fn count_rates_in(scale: RateScale) {
    RATES.set(scale);
}

/// What this thread counts rates in.
#[must_use]
pub(crate) fn rate_scale() -> RateScale {
    RATES.get()
}

/// A rate in bytes a second, in what was chosen: `5.92 GB/s`, `47.4 Gbit/s`.
#[must_use]
pub(crate) fn rate(bytes_per_s: f64) -> Quantity {
    rate_scale().rate(bytes_per_s)
}

/// A word with more characters is not shown whole.
const WORD_MAX: usize = 72;

/// A text whose very long words, such as paths, are cut in their middle: both ends tell them apart.
#[must_use]
pub(crate) fn elided(text: &str) -> String {
    let word = |word: &str| {
        let characters = word.chars().count();
        if characters <= WORD_MAX {
            return word.to_owned();
        }
        let kept = WORD_MAX / 2 - 1;
        let head: String = word.chars().take(kept).collect();
        let tail: String = word.chars().skip(characters - kept).collect();
        format!("{head}…{tail}")
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// How much of how much: `19.0 of 28.0 GB`, both in the unit of the total.
#[must_use]
pub(crate) fn done_of(done: u64, total: u64) -> String {
    let (done, total) = done_and_total(done, total);
    say!("done-of", done = done, total = total)
}

/// A time here, from milliseconds since 1970, as the language writes dates: `29 Nov 2026, 16:46:32`,
/// `2026年11月29日 16:46:32`.
#[must_use]
pub(crate) fn moment(unix_ms: i64) -> String {
    local_time(unix_ms.div_euclid(1000)).map_or_else(|| "?".to_owned(), date_and_time)
}

fn date_and_time(at: LocalTime) -> String {
    let time = format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    // The month is a number, which picks its name; the others are names of a day and of a year, without commas.
    let month = u8::try_from(at.month).unwrap_or(0);
    say!(
        "date-and-time",
        year = at.year.to_string(),
        month = month,
        day = at.day.to_string(),
        time = time
    )
}

/// A sentence of the library, in which no line ends between a number and its `%`.
#[must_use]
pub(crate) fn unbroken(sentence: &str) -> String {
    sentence.replace(" %", "\u{a0}%")
}

/// A shape for people: `1,200,000 × 768`.
#[must_use]
pub(crate) fn shape(lengths: &[u64]) -> String {
    if lengths.is_empty() {
        return say!("array-one-element").to_owned();
    }
    lengths
        .iter()
        .map(|&length| count(length))
        .collect::<Vec<_>>()
        .join(" × ")
}

/// A shape as Python writes it: `(50000000,)`.
#[must_use]
pub(crate) fn python_shape(lengths: &[u64]) -> String {
    match lengths {
        [only] => format!("({only},)"),
        _ => format!(
            "({})",
            lengths.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::language::Language;

    #[test]
    fn a_date_is_in_the_order_of_the_language() {
        let at = |month, day| LocalTime {
            year: 2026,
            month,
            day,
            hour: 6,
            minute: 5,
            second: 9,
        };
        assert_eq!(date_and_time(at(11, 29)), "29 Nov 2026, 06:05:09");
        assert_eq!(date_and_time(at(5, 1)), "1 May 2026, 06:05:09");
        let names = (1..=12).map(|month| date_and_time(at(month, 1)));
        let names: std::collections::BTreeSet<String> = names.collect();
        assert_eq!(names.len(), 12);
        speak(Language::Chinese);
        assert_eq!(date_and_time(at(11, 29)), "2026年11月29日 06:05:09");
        assert_eq!(date_and_time(at(5, 1)), "2026年5月1日 06:05:09");
    }

    #[test]
    fn numbers_have_commas_and_their_units_in_every_language() {
        for language in Language::ALL {
            speak(language);
            assert_eq!(count(1_234_567), "1,234,567");
            assert_eq!(bytes(1_234_567_890).to_string(), "1.23 GB");
            assert_eq!(rate(5.92e9).to_string(), "5.92 GB/s");
        }
    }

    #[test]
    fn a_long_path_is_cut_in_its_middle() {
        assert_eq!(elided("no file at /a/b.npy"), "no file at /a/b.npy");
        let long = format!("no file at /{}/b.npy here", "é".repeat(4000));
        let shown = elided(&long);
        assert!(
            shown.starts_with("no file at /éé") && shown.ends_with("éé/b.npy here"),
            "{shown}"
        );
        assert!(shown.chars().count() < 100);
    }

    #[test]
    fn rates_are_written_in_what_was_chosen() {
        let written = [RateScale::Bytes, RateScale::BinaryBytes, RateScale::Bits].map(|scale| {
            count_rates_in(scale);
            rate(4.2e9).to_string()
        });
        assert_eq!(written, ["4.20 GB/s", "3.91 GiB/s", "33.6 Gbit/s"]);
    }

    #[test]
    fn no_line_ends_between_a_number_and_its_percent_sign() {
        assert_eq!(
            unbroken("the limit 62 % (the sender 38 %)"),
            "the limit 62\u{a0}% (the sender 38\u{a0}%)"
        );
    }

    #[test]
    fn shapes_are_readable() {
        assert_eq!(shape(&[1_200_000, 768]), "1,200,000 × 768");
        assert_eq!(python_shape(&[5]), "(5,)");
        assert_eq!(python_shape(&[2, 3]), "(2, 3)");
        assert_eq!(python_shape(&[]), "()");
    }
}
