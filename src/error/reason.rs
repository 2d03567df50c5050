//! Why something was refused: one line for people, and the system's own error where there is one.

use std::fmt;
use std::io;
use std::sync::Arc;

/// Words for people, and the error that they come from, which [`std::error::Error::source`] gives.
#[derive(Debug, Clone)]
pub struct Reason {
    words: String,
    source: Option<Arc<io::Error>>,
}

impl Reason {
    /// The same reason, with what to do about it.
    pub(crate) fn and(mut self, advice: &str) -> Self {
        self.words = format!("{}: {advice}", self.words);
        self
    }

    /// Its words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// Whether its words have this text in them.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.words.contains(text)
    }
}

/// What the system said, without the error number that means nothing to people.
pub(crate) fn reason(error: &io::Error) -> Reason {
    let text = error.to_string();
    let words = match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => in_words(text),
    };
    // An `io::Error` cannot be cloned: the same one is made again from what it is.
    let source = match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), words.clone()),
    };
    Reason {
        words,
        source: Some(Arc::new(source)),
    }
}

/// What the standard library says of an address, in words that say what to do.
fn in_words(text: String) -> String {
    if text.contains("SUN_LEN") {
        return "the path of a Unix socket has at most 107 bytes: choose a shorter one".into();
    }
    match text.strip_prefix("failed to lookup address information: ") {
        Some(why) => format!(
            "the name cannot be looked up ({}): check it, and the name servers of this machine",
            why.to_lowercase()
        ),
        None => text,
    }
}

impl From<&io::Error> for Reason {
    fn from(error: &io::Error) -> Self {
        reason(error)
    }
}

impl From<String> for Reason {
    fn from(words: String) -> Self {
        Self { words, source: None }
    }
}

impl From<&str> for Reason {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Reason {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|error| error as _)
    }
}

/// Two reasons are the same where they say the same.
impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.words == other.words
    }
}

impl Eq for Reason {}
