//! What the window writes: quantities as everywhere (see `units`), and shapes.

pub(crate) use crate::units::{
    Quantity, RateScale, RateUnit, bytes, count, duration, exact_bytes, left, mean_bytes, rate, time,
};

use crate::app::words::say;
use crate::units::done_and_total;

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
    fn shapes_are_readable() {
        assert_eq!(shape(&[1_200_000, 768]), "1,200,000 × 768");
        assert_eq!(python_shape(&[5]), "(5,)");
        assert_eq!(python_shape(&[2, 3]), "(2, 3)");
        assert_eq!(python_shape(&[]), "()");
    }
}
