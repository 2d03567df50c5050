//! What the contestants of a comparison and its array are called in the window, and why a contestant does not take part.

use std::borrow::Cow;

use crate::app::words::{say, spoken};
use crate::compare::{Contestant, NO_FOLDER, NO_RANGE, TOO_LONG};
use crate::language::Language;

/// Its name, a few words. English is what a result was saved in.
#[must_use]
pub(crate) fn name(contestant: &Contestant) -> &str {
    match known(contestant) {
        Some((name, _)) if spoken() != Language::English => name,
        _ => &contestant.name,
    }
}

/// What it shows, in one line.
#[must_use]
pub(crate) fn shows(contestant: &Contestant) -> &str {
    match known(contestant) {
        Some((_, shows)) if spoken() != Language::English => shows,
        _ => &contestant.shows,
    }
}

/// Why it does not take part.
#[must_use]
pub(crate) fn reason(reason: &str) -> Cow<'_, str> {
    match reason {
        NO_FOLDER => say!("way-no-folder").into(),
        NO_RANGE => say!("way-no-range").into(),
        TOO_LONG => say!("way-too-long").into(),
        // With figures of its own, or what the system said.
        other => other.into(),
    }
}

/// Where the array is from. A range has words of its own, in English what a result was saved in.
#[must_use]
pub(crate) fn source(source: &str) -> Cow<'_, str> {
    let range = source.strip_prefix("range ").and_then(|ends| ends.split_once(" … "));
    match range {
        Some((from, to)) => say!("plan-range", from = from, to = to).into(),
        None => source.into(),
    }
}

/// The name of a contestant of this program, and what it shows.
fn known(contestant: &Contestant) -> Option<(&'static str, &'static str)> {
    Some(match contestant.id.as_str() {
        "copying" => (say!("way-copying"), say!("way-copying-shows")),
        "view" => (say!("way-view"), say!("way-view-shows")),
        "made" => (say!("way-made"), say!("way-made-shows")),
        "write" => (say!("way-write"), say!("way-write-shows")),
        "sendfile" => (say!("way-sendfile"), say!("way-sendfile-shows")),
        "sendfile-unverified" => (say!("way-unverified"), say!("way-unverified-shows")),
        "sendfile-raw" => (say!("way-raw"), say!("way-raw-shows")),
        "sendfile-2" => (say!("way-streams-2"), say!("way-streams-2-shows")),
        "sendfile-4" => (say!("way-streams-4"), say!("way-streams-4-shows")),
        "unix" => (say!("way-unix"), say!("way-unix-shows")),
        "zerocopy" => (say!("way-zerocopy"), say!("way-zerocopy-shows")),
        "handoff" => (say!("way-handoff"), say!("way-handoff-shows")),
        "file-recv" => (say!("way-file-recv"), say!("way-file-recv-shows")),
        "file-splice" => (say!("way-file-splice"), say!("way-file-splice-shows")),
        "file-map" => (say!("way-file-map"), say!("way-file-map-shows")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::words::speak;
    use crate::compare::contestants;

    #[test]
    fn every_contestant_has_its_words_and_in_english_those_of_the_terminal() {
        for contestant in contestants() {
            let words = known(&contestant);
            assert_eq!(words, Some((contestant.name.as_str(), contestant.shows.as_str())));
        }
        for one in [NO_FOLDER, NO_RANGE, TOO_LONG] {
            assert_eq!(reason(one), one);
        }
    }

    #[test]
    fn a_range_is_named_in_the_language_of_the_window_and_a_file_as_it_is() {
        for (language, range) in [
            (Language::English, "range 0 … 1000000"),
            (Language::Chinese, "范围 0 … 1000000"),
        ] {
            speak(language);
            assert_eq!(source("range 0 … 1000000"), range);
            assert_eq!(source("/data/range 1.npy"), "/data/range 1.npy");
        }
        speak(Language::English);
    }
}
