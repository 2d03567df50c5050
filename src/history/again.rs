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
                *text = without_secrets(text);
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
        let public = without_secrets(&text);
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

/// The same text with each URL in it without a user, a password, and what follows the question mark, which often is a
/// ticket.
pub(super) fn without_secrets(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    text.split_inclusive(char::is_whitespace)
        .map(word_without_secrets)
        .collect()
}

fn word_without_secrets(word: &str) -> String {
    let Some(scheme) = word.find("://") else {
        return word.to_owned();
    };
    let (scheme, rest) = word.split_at(scheme + 3);
    let (rest, space) = rest.split_at(rest.trim_end().len());
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or_default();
    let (path, hidden) = rest.split_at(rest.find(['?', '#']).unwrap_or(rest.len()));
    // What ends the words around it is no part of it.
    let mark = hidden
        .chars()
        .next_back()
        .filter(|c| matches!(c, ':' | ',' | ';' | ')'));
    format!(
        "{scheme}{host}{path}{}{space}",
        mark.map(String::from).unwrap_or_default()
    )
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
            ("http://me:s3cret@a.example:80/b", "http://a.example:80/b"),
            ("--proxy=http://me:s3@cret@p/", "--proxy=http://p/"),
            ("a@b.npy", "a@b.npy"),
            ("range:0:10", "range:0:10"),
            ("http://u:p@a/b?c: 404, see http://d?e", "http://a/b: 404, see http://d"),
        ] {
            assert_eq!(without_secrets(given), kept, "{given}");
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
