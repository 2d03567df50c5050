//! What to do the same again takes, without anything that is a secret.

use std::ffi::{OsStr, OsString};

use serde::{Deserialize, Serialize};

/// The most bytes of a command line that are kept.
const BYTES_MAX: usize = 8 << 10;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Again {
    /// What was typed after the program's name, and where.
    CommandLine {
        /// The arguments, as text.
        arguments: Vec<String>,
        /// The working folder.
        folder: String,
        /// Whether they are what was typed: no secret was left out, all are text and none was cut.
        is_whole: bool,
    },
    /// The window's form.
    Form(serde_json::Value),
}

impl Again {
    /// The window's form, as JSON; none of its texts is a secret then.
    pub(crate) fn form(mut form: serde_json::Value) -> Self {
        for field in form.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
            if let serde_json::Value::String(text) = field {
                *text = public(text);
            }
        }
        Self::Form(form)
    }
}

/// What this process was started with.
pub(crate) fn command_line() -> Again {
    let folder = std::env::current_dir().unwrap_or_default();
    of_arguments(std::env::args_os().skip(1), folder.as_os_str())
}

fn of_arguments(arguments: impl Iterator<Item = OsString>, folder: &OsStr) -> Again {
    let mut is_whole = true;
    let mut text = |given: &OsStr| {
        let text = given.to_string_lossy().into_owned();
        let public = public(&text);
        is_whole &= given.to_str() == Some(public.as_str());
        public
    };
    let folder = text(folder);
    let mut bytes = folder.len();
    let mut kept = Vec::new();
    let mut is_cut = false;
    for argument in arguments {
        let argument = text(&argument);
        bytes += argument.len();
        if bytes > BYTES_MAX {
            is_cut = true;
            break;
        }
        kept.push(argument);
    }
    Again::CommandLine {
        arguments: kept,
        folder,
        is_whole: is_whole && !is_cut,
    }
}

/// A text that is one thing, such as a name, an argument or an address: where it is a URL, it is told without users,
/// passwords, and what follows the first question mark, which often is a ticket.
pub(super) fn public(text: &str) -> String {
    let Some(begin) = text.find("://") else {
        return text.to_owned();
    };
    let end = text[begin + 3..]
        .find(['?', '#'])
        .map_or(text.len(), |at| begin + 3 + at);
    let mut parts = text[..end].split("://");
    let mut public = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (authority, path) = part.split_at(part.find(['/', '\\']).unwrap_or(part.len()));
        public += "://";
        public += authority.rsplit('@').next().unwrap_or_default();
        public += path;
    }
    public
}

/// A sentence in which URLs are told as [`public`] tells them. That of `source` is known whatever is in it; others end
/// at a space.
pub(super) fn public_sentence(text: &str, source: Option<&str>) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    // What follows a # is in no message.
    let known = source.and_then(|source| source.split('#').next());
    let known = known.filter(|source| source.contains("://"));
    let text = known.map_or_else(|| text.to_owned(), |source| text.replace(source, &public(source)));
    text.split_inclusive(char::is_whitespace).map(public_word).collect()
}

fn public_word(given: &str) -> String {
    let word = given.trim_end();
    let space = &given[word.len()..];
    let mut public = public(word);
    // What ends the words around a URL is no part of it.
    let mark = word.chars().next_back().filter(|c| matches!(c, ':' | ',' | ';' | ')'));
    public.extend(mark.filter(|mark| !public.ends_with(*mark)));
    public + space
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_no_password_and_no_ticket_is_kept() {
        for (given, kept) in [
            ("https://a.example/b.npy", "https://a.example/b.npy"),
            ("https://a.example/b.npy?sig=s3cret", "https://a.example/b.npy"),
            ("https://a.example?sig=s3cret#f", "https://a.example"),
            ("https://a.example/b c?sig=s3cret s3cret", "https://a.example/b c"),
            ("http://me:s3cret@a.example:80/b", "http://a.example:80/b"),
            ("http://a/http://me:s3cret@b/c?s3cret", "http://a/http://b/c"),
            ("--all=http://a,http://me:s3cret@b/c", "--all=http://a,http://b/c"),
            ("http://a/b?next=http://me:s3cret@c/", "http://a/b"),
            ("--proxy=http://me:s3@cret@p/", "--proxy=http://p/"),
            ("a@b.npy", "a@b.npy"),
            ("what?.npy", "what?.npy"),
            ("range:0:10", "range:0:10"),
        ] {
            assert_eq!(public(given), kept, "{given}");
        }
    }

    #[test]
    fn a_sentence_keeps_its_words_and_marks_and_no_secret_of_its_urls() {
        for (source, given, kept) in [
            (
                None,
                "http://u:p@a/b?c: 404, see http://d?e",
                "http://a/b: 404, see http://d",
            ),
            (None, "(at http://a/http://u:p@b/?c) no", "(at http://a/http://b/) no"),
            (
                Some("http://a/b?s3cret s3cret"),
                "cannot fetch http://a/b?s3cret s3cret: 404",
                "cannot fetch http://a/b: 404",
            ),
            (Some("a.npy"), "a.npy? no\tsuch  file", "a.npy? no\tsuch  file"),
        ] {
            assert_eq!(public_sentence(given, source), kept, "{given}");
        }
    }

    #[test]
    fn what_was_typed_is_whole_unless_something_was_left_out() {
        let kept = |arguments: &[&str]| of_arguments(arguments.iter().map(Into::into), "/tmp".as_ref());
        let Again::CommandLine {
            arguments, is_whole, ..
        } = kept(&["send", "a.npy", "b:1"])
        else {
            panic!("a command line")
        };
        assert_eq!((arguments.len(), is_whole), (3, true));
        for other in [&["fetch", "http://a/b?c"][..], &["send", &"x".repeat(10_000)]] {
            assert!(
                matches!(kept(other), Again::CommandLine { is_whole: false, .. }),
                "{other:?}"
            );
        }
    }
}
