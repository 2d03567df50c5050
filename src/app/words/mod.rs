//! All words of the window, in the language that it speaks. They stand in `assets/words`, one file a language; the code
//! has their keys.
//!
//! `say!("list-empty")` is a text as it stands there, and allocates nothing. `say!("totals-running", count = 3)` fills
//! one in: a number is written with commas and decides about plurals, anything else is a text. `key!("rail-help")` is
//! a [`Key`], for a table of texts that are said later.
//!
//! The language is that of the thread: the window sets it at the beginning of each frame, and whoever makes texts on
//! another thread sets it there.

pub(crate) mod causes;
pub(crate) mod findings;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::LazyLock;

use fluent_bundle::FluentValue;

use super::model::format::Quantity;
use crate::language::Language;
use table::Table;

static ENGLISH: LazyLock<Table> = LazyLock::new(|| Table::of(Language::English));
static CHINESE: LazyLock<Table> = LazyLock::new(|| Table::of(Language::Chinese));

thread_local! {
    static SPOKEN: Cell<Language> = const { Cell::new(Language::English) };
}

/// Lets this thread speak a language from now on.
pub(crate) fn speak(language: Language) {
    SPOKEN.set(language);
}

/// The language of this thread.
#[must_use]
pub(crate) fn spoken() -> Language {
    SPOKEN.get()
}

/// The key of a text without arguments; `key!` makes it, by which a test finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key(pub(crate) &'static str);

impl Key {
    /// The text.
    #[must_use]
    pub(crate) fn say(self) -> &'static str {
        plain(self.0)
    }
}

/// What fills in a text.
#[derive(Debug)]
pub(crate) struct Argument<'a>(FluentValue<'a>);

macro_rules! counts {
    ($($number:ty),*) => {$(
        impl From<$number> for Argument<'_> {
            fn from(number: $number) -> Self {
                Self(number.into())
            }
        }
    )*};
}

counts!(u8, u16, u32, u64, usize);

impl<'a> From<&'a str> for Argument<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.into())
    }
}

impl<'a> From<&'a String> for Argument<'a> {
    fn from(text: &'a String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<String> for Argument<'_> {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'a> From<Cow<'a, str>> for Argument<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(text.into())
    }
}

impl From<Quantity> for Argument<'_> {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string().into()
    }
}

/// What `say!` does with a key alone.
#[must_use]
pub(crate) fn plain(key: &'static str) -> &'static str {
    // A test finds a key that is in no file.
    table().plain(key).unwrap_or(key)
}

/// What `say!` does with arguments.
#[must_use]
pub(crate) fn filled<const N: usize>(key: &'static str, arguments: [(&'static str, Argument<'_>); N]) -> String {
    let arguments = arguments.map(|(name, Argument(value))| (name, value));
    table()
        .filled(key, &arguments.into_iter().collect())
        .unwrap_or_else(|| key.to_owned())
}

/// What the library says in fixed words, in the language that is spoken; the same where the window has no words for it.
/// Its key begins with `said-`.
#[must_use]
pub(crate) fn translated(text: &str) -> &str {
    match spoken() {
        Language::English => text,
        Language::Chinese => ENGLISH.key_of(text).and_then(|key| CHINESE.plain(key)).unwrap_or(text),
    }
}

/// A place in a row, from 1 on: `2nd`, `11th`, `103rd`; in Chinese the number, with what the text has around it.
#[must_use]
pub(crate) fn ordinal(number: usize) -> String {
    let ending = match (spoken(), number % 100, number % 10) {
        (Language::Chinese, ..) => "",
        (Language::English, 11..=13, _) => "th",
        (Language::English, _, 1) => "st",
        (Language::English, _, 2) => "nd",
        (Language::English, _, 3) => "rd",
        (Language::English, ..) => "th",
    };
    format!("{number}{ending}")
}

fn table() -> &'static Table {
    match spoken() {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

/// A text of the window: `say!("key")` is a `&'static str`, `say!("key", name = value, ..)` a `String`.
macro_rules! say {
    ($key:literal) => {
        $crate::app::words::plain($key)
    };
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::app::words::filled($key, [$((stringify!($name), $crate::app::words::Argument::from($value))),+])
    };
}

/// The key of a text that is said later.
macro_rules! key {
    ($key:literal) => {
        $crate::app::words::Key($key)
    };
}

pub(crate) use {key, say};
