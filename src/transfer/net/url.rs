//! Where a file is on the web.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use ureq::http::Uri;

use crate::error::Error;

/// What people paste and a URL cannot have in it as it is. RFC 3986, 2.
const UNWRITABLE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^');
const MORE_UNWRITABLE: &AsciiSet = &UNWRITABLE.add(b'`').add(b'{').add(b'|').add(b'}');

/// An `http://` or `https://` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    uri: Uri,
}

impl Url {
    /// Reads a URL; `None` where the text is none, because it begins otherwise.
    ///
    /// # Errors
    /// It begins as one and goes on as none, or it names a user, who would be told to whomever it redirects to.
    #[must_use]
    pub fn parse(text: &str) -> Option<Result<Self, Error>> {
        let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|b| b.eq_ignore_ascii_case(scheme));
        (begins("http://") || begins("https://")).then(|| Self::read(text))
    }

    fn read(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Url {
            url: text.into(),
            reason: reason.into(),
        };
        // What follows is for whoever shows the page, and is not sent.
        let sent = text.split('#').next().unwrap_or_default();
        let written = utf8_percent_encode(sent, MORE_UNWRITABLE).to_string();
        let uri: Uri = written.parse().map_err(|_| wrong("it is no URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it names no server"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name and a password in it are not sent: leave them out"));
        }
        if authority.host().is_empty() {
            return Err(wrong("it names no server"));
        }
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return Err(wrong("the port after the colon is a number from 0 to 65535"));
        }
        Ok(Self { text: sent.into(), uri })
    }

    /// Where a redirect has led.
    pub(crate) fn redirected(&self, to: &Uri) -> Self {
        Self {
            text: self.text.clone(),
            uri: to.clone(),
        }
    }

    /// Whether what comes can be neither read nor changed on its way.
    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// `HOST:PORT` of its server.
    #[must_use]
    pub fn server(&self) -> String {
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 });
        format!("{host}:{port}")
    }

    /// The last part of its path, as people write it; `None` where it has none.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let last = self.uri.path().rsplit('/').next().filter(|last| !last.is_empty())?;
        Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text)
            .expect("a URL")
            .unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_url_names_a_server_and_a_file() {
        for (text, server, name) in [
            ("http://a.example/x/big.npy", "a.example:80", Some("big.npy")),
            (
                "HTTPS://a.example:8443/x%20y.bin?v=1#top",
                "a.example:8443",
                Some("x y.bin"),
            ),
            ("https://[::1]:80/", "[::1]:80", None),
            ("https://a.example", "a.example:443", None),
            ("http://a.example/größe 1.npy", "a.example:80", Some("größe 1.npy")),
            ("http://a.example/x/", "a.example:80", None),
        ] {
            let url = url(text);
            assert_eq!(
                (url.server().as_str(), url.file_name().as_deref()),
                (server, name),
                "{text}"
            );
            assert!(!url.to_string().contains('#'));
        }
        assert!(url("https://a/").is_https() && !url("http://a/https://").is_https());
    }

    #[test]
    fn other_texts_are_none_and_broken_ones_say_what_is_wrong() {
        for text in ["a.npy", "ftp://a/b", "http:/a", "https", "é", ""] {
            assert!(Url::parse(text).is_none(), "{text}");
        }
        for text in [
            "http://",
            "http:///a",
            "https://u:p@a/b",
            "http://a:x/",
            "http://a b/",
            "http://a:/",
        ] {
            let error = Url::parse(text).expect("begins as one").expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }
}
