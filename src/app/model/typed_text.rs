//! What is wrong with what was typed, in the words of the window.

use crate::app::words::{say, translated};
use crate::array::{NumberError, RangeError};
use crate::transfer::{OptionName, Options};
use crate::units::{UnitError, exact_bytes};

/// A number that is none.
#[must_use]
pub(crate) fn of_number(error: &NumberError) -> String {
    match error {
        NumberError::NotANumber(typed) => say!("typed-no-number", typed = quoted(typed)),
        NumberError::NotWhole(typed) => say!("typed-not-whole", typed = quoted(typed)),
        NumberError::TooLarge(typed) => say!("typed-too-large", typed = quoted(typed)),
        NumberError::Negative(typed) => say!("typed-negative", typed = quoted(typed)),
        NumberError::Comma(typed) => say!("typed-comma", typed = quoted(typed)),
    }
}

/// A size, a rate or a time that is none.
#[must_use]
pub(crate) fn of_unit(error: &UnitError) -> String {
    match error {
        UnitError::BareRate(rate) => say!("typed-bare-rate", rate = rate.to_string()),
        UnitError::BytesOrBits(typed, number) => say!("typed-bytes-or-bits", typed = typed, number = number),
        UnitError::Number(error) => of_number(error),
        other => translated(&other.to_string()).to_owned(),
    }
}

/// A range that is none.
#[must_use]
pub(crate) fn of_range(error: &RangeError) -> String {
    match error {
        RangeError::Number(error) => of_number(error),
        RangeError::NotFinite(number) => say!("typed-not-finite", number = number.to_string()),
        RangeError::NotWhole { number, dtype } => {
            say!(
                "typed-not-whole-for",
                number = number.to_string(),
                dtype = dtype.to_string()
            )
        }
        RangeError::OutOfBounds { number, dtype } => {
            say!(
                "typed-out-of-bounds",
                number = number.to_string(),
                dtype = dtype.to_string()
            )
        }
        RangeError::Dtype(dtype) => say!("typed-no-range-of", dtype = dtype.to_string()),
        other => translated(&other.to_string()).to_owned(),
    }
}

/// An option out of its bounds; `right` is what the library says of them.
#[must_use]
pub(crate) fn of_option(name: OptionName, right: &str) -> String {
    let bytes = |bytes: usize| exact_bytes(bytes as u64).replace(' ', "");
    match name {
        OptionName::Chunk => {
            let (least, most) = (bytes(*Options::CHUNK_BYTES.start()), bytes(*Options::CHUNK_BYTES.end()));
            say!("typed-chunk", least = least, most = most)
        }
        OptionName::Preview => say!("typed-preview", most = Options::PREVIEW_ELEMENTS_MAX.to_string()),
        OptionName::Streams if right.starts_with("from 1 ") => {
            say!("typed-streams", most = Options::STREAMS_MAX.to_string())
        }
        _ => translated(right).to_owned(),
    }
}

fn quoted(typed: &str) -> String {
    format!("{typed:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::array::{Dtype, Range};
    use crate::language::Language;
    use crate::units::{parse_bytes_or_auto, parse_count, parse_limit, parse_time};

    /// The text in both languages.
    fn both(text: impl Fn() -> String) -> (String, String) {
        speak(Language::English);
        let english = text();
        speak(Language::Chinese);
        (english, text())
    }

    fn is_as_in_english_and_chinese(english: &str, (said, chinese): (String, String)) {
        assert_eq!(said, english);
        let has_chinese = chinese
            .chars()
            .any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character));
        assert!(has_chinese && !chinese.contains(" is "), "{chinese}");
    }

    #[test]
    fn in_english_it_is_what_the_library_says() {
        for typed in ["x", "1.5", "-1", "1,5", "1e99"] {
            let error = parse_count(typed).unwrap_err();
            is_as_in_english_and_chinese(&error.to_string(), both(|| of_number(&error)));
        }
        let units = [
            parse_bytes_or_auto("1 kg").unwrap_err(),
            parse_bytes_or_auto("64kb").unwrap_err(),
            parse_limit("12").unwrap_err(),
            parse_limit("0").unwrap_err(),
            parse_limit("fast").unwrap_err(),
            parse_time("soon").unwrap_err(),
        ];
        for error in units {
            is_as_in_english_and_chinese(&error.to_string(), both(|| of_unit(&error)));
        }
        for (range, dtype) in [
            ("0:1e99", Dtype::u8()),
            ("0:10:0", Dtype::f64()),
            ("0:10:0.5", Dtype::u8()),
            ("0:x", Dtype::u8()),
            ("0:300", Dtype::u8()),
        ] {
            let Err(error) = Range::parse(range, Some(dtype)) else {
                continue;
            };
            is_as_in_english_and_chinese(&error.to_string(), both(|| of_range(&error)));
        }
        let options = Options {
            chunk_bytes: 1,
            preview_elements: usize::MAX,
            timeout: std::time::Duration::ZERO,
            streams: 0,
            limit_bytes_per_s: Some(0),
            ..Options::default()
        };
        let two_by_npy = Options {
            streams: 2,
            wire: crate::wire::WireChoice::Npy,
            ..Options::default()
        };
        for (name, right) in options.mistakes().into_iter().chain(two_by_npy.mistakes()) {
            is_as_in_english_and_chinese(&right, both(|| of_option(name, &right)));
        }
    }
}
