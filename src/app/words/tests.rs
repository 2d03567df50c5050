//! Every text is in every language, with the same arguments, and is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use eframe::egui::epaint::FontsView;
use eframe::egui::{Context, RawInput};
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser;

use super::table::source;
use super::*;
use crate::app::theme;

/// The arguments of a text.
type Arguments = BTreeSet<String>;

#[test]
fn every_language_has_the_same_texts_with_the_same_arguments() {
    let english = texts(Language::English);
    for language in Language::ALL {
        let other = texts(language);
        let keys = |texts: &BTreeMap<String, Arguments>| texts.keys().cloned().collect::<BTreeSet<_>>();
        let differing: Vec<String> = keys(&english).symmetric_difference(&keys(&other)).cloned().collect();
        assert_eq!(
            differing,
            Vec::<String>::new(),
            "in one of the two alone: en, {}",
            language.tag()
        );
        for (key, arguments) in &english {
            assert_eq!(Some(arguments), other.get(key), "{key} of {}", language.tag());
        }
    }
}

#[test]
fn every_text_is_used_and_what_is_used_is_there_with_its_arguments() {
    let there = texts(Language::English);
    let mut used = BTreeSet::new();
    for (path, text) in sources() {
        for (key, arguments) in uses(&text) {
            let Some(expected) = there.get(&key) else {
                panic!("{} says {key}, which is in no file", path.display());
            };
            assert_eq!(&arguments, expected, "{key} in {}", path.display());
            used.insert(key);
        }
    }
    let is_used = |key: &String| used.contains(key) || key.starts_with("said-");
    let unused: Vec<&String> = there.keys().filter(|key| !is_used(key)).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}

#[test]
fn what_the_library_says_in_fixed_words_is_in_its_source() {
    // A literal may go on in the next line.
    let whole = |text: &str| {
        text.replace("\\\n", "")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let sources: Vec<String> = sources().iter().map(|(_, text)| whole(text)).collect();
    for key in texts(Language::English).keys().filter(|key| key.starts_with("said-")) {
        let text = ENGLISH.plain(key).expect("a text without arguments");
        let quoted = format!("\"{text}\"");
        assert!(
            sources.iter().any(|source| source.contains(&quoted)),
            "nobody says {quoted}"
        );
    }
}

#[test]
fn the_windows_own_fonts_have_all_that_is_english() {
    let ctx = Context::default();
    theme::install(&ctx);
    ctx.run_ui(RawInput::default(), |_| {}).textures_delta.clear();
    let english = source(Language::English).chars().filter(|character| *character != '\n');
    let lacking: BTreeSet<char> = ctx.fonts_mut(|fonts| {
        let has = |fonts: &mut FontsView<'_>, character| {
            [theme::body(), theme::strong()]
                .iter()
                .all(|font| fonts.has_glyph(font, character))
        };
        english.filter(|character| !has(fonts, *character)).collect()
    });
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn a_text_without_arguments_is_said_without_allocating() {
    speak(Language::Chinese);
    let _ = say!("rail-history");
    let asked_for = allocation_counter::measure(|| assert_eq!(say!("rail-history"), "历史"));
    assert_eq!(asked_for.count_total, 0);
}

#[test]
fn a_number_has_commas_and_decides_about_plurals() {
    assert_eq!(say!("strip-more", count = 12_345_usize), "12,345 more");
    speak(Language::Chinese);
    assert_eq!(say!("strip-more", count = 12_345_usize), "另有 12,345 个");
}

#[test]
fn a_place_in_a_row_is_written_as_the_language_does() {
    let places = [2, 11, 21, 112, 123];
    assert_eq!(places.map(ordinal), ["2nd", "11th", "21st", "112th", "123rd"]);
    speak(Language::Chinese);
    assert_eq!(places.map(ordinal), ["2", "11", "21", "112", "123"]);
}

#[test]
fn each_thread_has_its_language() {
    speak(Language::Chinese);
    let other = std::thread::Builder::new().spawn(|| say!("rail-history"));
    assert_eq!(other.unwrap().join().unwrap(), "History");
    assert_eq!(key!("rail-history").say(), "历史");
}

/// The keys of a file, each with the arguments of its text.
fn texts(language: Language) -> BTreeMap<String, Arguments> {
    let parsed = parser::parse(source(language)).expect("a file without mistakes");
    let mut texts = BTreeMap::new();
    for entry in parsed.body {
        let Entry::Message(message) = entry else { continue };
        let mut arguments = Arguments::new();
        let pattern = message
            .value
            .unwrap_or_else(|| panic!("{} has no text", message.id.name));
        note_arguments(&pattern, &mut arguments);
        let before = texts.insert(message.id.name.to_owned(), arguments);
        assert!(before.is_none(), "{} is there twice", message.id.name);
    }
    texts
}

fn note_arguments(pattern: &Pattern<&str>, arguments: &mut Arguments) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else {
            continue;
        };
        match expression {
            Expression::Inline(inline) => note_inline(inline, arguments),
            Expression::Select { selector, variants } => {
                note_inline(selector, arguments);
                for variant in variants {
                    note_arguments(&variant.value, arguments);
                }
            }
        }
    }
}

fn note_inline(inline: &InlineExpression<&str>, arguments: &mut Arguments) {
    if let InlineExpression::VariableReference { id } = inline {
        arguments.insert(id.name.to_owned());
    }
}

/// The files of the program that may say something.
fn sources() -> Vec<(PathBuf, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("words/tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                sources.push((path, text));
            }
        }
    }
    sources
}

/// What a source says: each key, with the arguments that are given.
fn uses(text: &str) -> Vec<(String, Arguments)> {
    let mut uses = Vec::new();
    for (at, _) in text.match_indices("say!(").chain(text.match_indices("key!(")) {
        let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        if text[line_start..at].contains("//") {
            continue;
        }
        let Some(rest) = text[at + "say!(".len()..].trim_start().strip_prefix('"') else {
            continue;
        };
        let Some((key, rest)) = rest.split_once('"') else {
            continue;
        };
        uses.push((key.to_owned(), arguments(rest)));
    }
    uses
}

/// The names before each `=` of a list of arguments, up to the bracket that ends it.
fn arguments(text: &str) -> Arguments {
    let mut names = Arguments::new();
    let (mut depth, mut is_text, mut begin) = (0, false, 0);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '"' if before != '\\' => is_text = !is_text,
            _ if is_text => {}
            ')' | ']' | '}' if depth == 0 => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => begin = at + 1,
            '=' if depth == 0 => {
                let name = text[begin..at].trim();
                if !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_') {
                    names.insert(name.to_owned());
                }
                begin = at + 1;
            }
            _ => {}
        }
        before = character;
    }
    names
}
