//! Where a file is on the web, read by the WHATWG URL standard.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, percent_decode_str, percent_encode};
use url::{ParseError, Url as Standard};

use crate::error::Error;
use crate::transfer::net::zone;

/// An `http://` or `https://` URL that names no user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// As it was given; where redirects lead is still called so.
    text: String,
    parsed: Standard,
    /// Of the server's address, which the standard does not know. It is never sent.
    zone: Option<String>,
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
        let no_server = "it is no URL: it names no server";
        let no_port = "the port after the colon is a number from 0 to 65535";
        // What follows is for whoever shows the page, and is not sent.
        let sent = text.split('#').next().unwrap_or_default();
        // The standard would take the path's first part for a server that was left out, and 80 for a port.
        let authority = sent.split(['/', '\\', '?']).nth(2).unwrap_or_default();
        if authority.is_empty() {
            return Err(wrong(no_server));
        }
        if authority.ends_with(':') {
            return Err(wrong(no_port));
        }
        let (sent, zone) = without_zone(sent, authority);
        let url = Standard::parse(&sent).map_err(|error| match error {
            ParseError::EmptyHost => wrong(no_server),
            ParseError::InvalidPort => wrong(no_port),
            error => wrong(&format!("it is no URL: {error}")),
        })?;
        if names_user(&url) {
            return Err(wrong("a name and a password in it are not sent: leave them out"));
        }
        let text = text.split('#').next().unwrap_or_default().into();
        Ok(Self {
            text,
            parsed: url,
            zone,
        })
    }

    /// Where a redirect leads whose `Location` is this. A way that cannot be listened to stays so.
    ///
    /// # Errors
    /// There is nothing that may be fetched.
    pub(crate) fn redirected(&self, location: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Url {
            url: self.text.clone(),
            reason: reason.into(),
        };
        // Bytes beyond ASCII stay what they are, whatever their server means by them.
        let reference = percent_encode(location, &AsciiSet::EMPTY).to_string();
        let joined = self.parsed.join(&reference);
        let mut url = joined.map_err(|error| wrong(format!("it leads to {reference:?}, which is no URL: {error}")))?;
        url.set_fragment(None);
        if names_user(&url) {
            return Err(wrong(
                "it leads to a URL with a name and a password in it, which are not sent".into(),
            ));
        }
        match (url.scheme(), self.is_https()) {
            ("https", _) | ("http", false) => Ok(Self {
                text: self.text.clone(),
                zone: self.zone.clone().filter(|_| url.host() == self.parsed.host()),
                parsed: url,
            }),
            ("http", true) => Err(wrong(format!(
                "it leads to {url}, where anyone could read and change it"
            ))),
            _ => Err(wrong(format!("it leads to {url}, which is no http:// or https:// URL"))),
        }
    }

    /// Whether what comes can be neither read nor changed on its way.
    pub(crate) fn is_https(&self) -> bool {
        self.parsed.scheme() == "https"
    }

    /// As a request names it.
    ///
    /// # Errors
    /// It is longer than a request can say.
    pub(crate) fn uri(&self) -> Result<Uri, Error> {
        self.parsed.as_str().parse().map_err(|error| Error::Url {
            url: self.text.clone(),
            reason: format!("it cannot be asked for: {error}").into(),
        })
    }

    /// As it is asked for.
    pub(crate) fn without_fragment(&self) -> &str {
        // What is read or redirected to has none.
        self.parsed.as_str()
    }

    /// Its server and path.
    pub(crate) fn without_query(&self) -> String {
        let mut url = self.parsed.clone();
        url.set_query(None);
        url.into()
    }

    /// `HOST:PORT` of its server.
    #[must_use]
    pub fn server(&self) -> String {
        let host = self.parsed.host_str().unwrap_or_default();
        // Both schemes have one.
        let port = self.parsed.port_or_known_default().unwrap_or_default();
        if let (Some(zone), Some(open)) = (&self.zone, host.strip_suffix(']')) {
            return format!("{open}%{zone}]:{port}");
        }
        format!("{host}:{port}")
    }

    /// The number of the network that its server's address is meant on; 0 where it names none. RFC 6874.
    ///
    /// # Errors
    /// There is no such network interface.
    pub(crate) fn scope_id(&self) -> Result<u32, Error> {
        let index = self.zone.as_deref().map_or(Ok(0), zone::index);
        index.map_err(|reason| Error::Url {
            url: self.text.clone(),
            reason,
        })
    }

    /// The last part of its path, as people write it; `None` where it has none.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let last = self
            .parsed
            .path_segments()?
            .next_back()
            .filter(|last| !last.is_empty())?;
        Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A URL without the zone of its server's address, and the zone.
fn without_zone(url: &str, authority: &str) -> (String, Option<String>) {
    let zone = authority
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .and_then(|(host, _)| host.split_once('%'));
    let Some((_, zone)) = zone.filter(|(_, zone)| !zone.is_empty()) else {
        return (url.into(), None);
    };
    let named = zone
        .strip_prefix("25")
        .filter(|named| !named.is_empty())
        .unwrap_or(zone);
    (url.replacen(&format!("%{zone}]"), "]", 1), Some(named.into()))
}

fn names_user(url: &Standard) -> bool {
    !url.username().is_empty() || url.password().is_some()
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
    fn a_zone_is_kept_beside_the_address_and_never_sent() {
        for text in ["http://[fe80::1%25lo]:81/a", "http://[fe80::1%lo]:81/a"] {
            let url = url(text);
            assert_eq!(
                (url.to_string().as_str(), url.server().as_str()),
                (text, "[fe80::1%lo]:81")
            );
            assert_eq!(url.uri().expect("a URI"), "http://[fe80::1]:81/a");
            let lo = url.scope_id().expect("every machine has it");
            assert!(lo > 0);
            let there = url.redirected(b"/b").expect("a URL");
            assert_eq!(there.scope_id(), Ok(lo));
            assert_eq!(url.redirected(b"http://[fe80::2]/b").expect("a URL").scope_id(), Ok(0));
        }
        let error = url("http://[fe80::1%25no0]/").scope_id().expect_err("none").to_string();
        assert!(error.contains("no network interface no0"), "{error}");
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

    #[test]
    fn references_are_resolved_by_the_standard() {
        let base = url("http://a.example/x/y.npy?v=1");
        for (location, leads_to) in [
            ("?sig=abc", "http://a.example/x/y.npy?sig=abc"),
            ("z.npy#top", "http://a.example/x/z.npy"),
            ("../z.npy", "http://a.example/z.npy"),
            ("/z", "http://a.example/z"),
            ("//b.example:81/z", "http://b.example:81/z"),
            ("https://b.example", "https://b.example/"),
            ("/größe \"1\".npy", "http://a.example/gr%C3%B6%C3%9Fe%20%221%22.npy"),
            ("/50%.npy", "http://a.example/50%.npy"),
            (
                "/a|b^c`{d}\\e?a|b^c`{d}\\e'[]",
                "http://a.example/a|b^c%60%7Bd%7D/e?a|b^c`{d}\\e%27[]",
            ),
            ("http://größe.example/", "http://xn--gre-6ka8i.example/"),
            ("", "http://a.example/x/y.npy?v=1"),
        ] {
            let found = base.redirected(location.as_bytes()).expect(location);
            assert_eq!(found.uri().expect(location), leads_to, "{location}");
            assert_eq!(found.to_string(), base.to_string());
        }
        // Latin-1 is no UTF-8, and asked for byte by byte.
        let latin = base.redirected(b"/gr\xf6\xdfe").expect("a URL");
        assert_eq!(latin.uri().expect("a URI"), "http://a.example/gr%F6%DFe");
    }

    #[test]
    fn what_a_redirect_may_not_lead_to_says_so() {
        for (from, location, words) in [
            ("https://a/", "http://a/", "anyone could read and change it"),
            ("http://a/", "ftp://a/b", "no http:// or https:// URL"),
            ("http://a/", "http://u:secret@a/b", "a name and a password"),
            ("http://a/", "http://a:x/", "which is no URL"),
        ] {
            let error = url(from)
                .redirected(location.as_bytes())
                .expect_err(location)
                .to_string();
            assert!(error.contains(words) && !error.contains("secret"), "{error}");
        }
        assert!(url("https://a/").redirected(b"/b").expect("a URL").is_https());
    }
}
