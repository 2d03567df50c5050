//! Which version of a file an answer has: how two of them are compared, and what they prove. RFC 9110, 8.8.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, ETAG, LAST_MODIFIED};
use httpdate::parse_http_date;

use super::header::text;

/// A file may change twice within the second that a server's clock shows, and clocks of files lag behind.
const SETTLED: Duration = Duration::from_secs(2);

/// What an answer says of a file's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// As it came, with its quotes and its mark of weakness.
    etag: Option<String>,
    /// The date as it came.
    modified: Option<String>,
    doubt: Option<Doubt>,
}

/// Why a version does not show that two parts of a file fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Unnamed,
    Weak,
    Unreadable,
    Fresh,
}

/// What came of comparing two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is the same file, byte by byte.
    Same,
    /// Nothing differs, and nothing proves it.
    Unproven,
    Different,
}

impl Version {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let [etag, modified] = [ETAG, LAST_MODIFIED].map(|name| text(headers, &name).map(str::to_owned));
        let date = |text: &str| parse_http_date(text).ok();
        let answered = text(headers, &DATE).and_then(date);
        let age = answered
            .zip(modified.as_deref().and_then(date))
            .map(|(answered, modified)| answered.duration_since(modified).unwrap_or_default());
        let doubt = match (&etag, age) {
            _ if headers.contains_key(ETAG) && etag.is_none() => Some(Doubt::Unreadable),
            // Beside a weak one a date proves nothing, either. RFC 9110, 13.1.5.
            (Some(etag), _) if !is_strong(etag) => Some(Doubt::Weak),
            // A tag may be made of that date.
            (_, Some(age)) if age < SETTLED => Some(Doubt::Fresh),
            (None, None) => Some(Doubt::Unnamed),
            _ => None,
        };
        Self { etag, modified, doubt }
    }

    /// Why it proves nothing, in words; `None` where it does.
    pub(super) fn doubt(&self) -> Option<&'static str> {
        Some(match self.doubt? {
            Doubt::Unnamed => "the server does not name the version of the file",
            Doubt::Weak => "the server's ETag is weak, and does not change with every byte of the file",
            Doubt::Unreadable => "the server's ETag is not in ASCII",
            Doubt::Fresh => {
                "the file was changed less than two seconds before the server's answer, and could change again unseen"
            }
        })
    }

    /// By what a server compares it. RFC 9110, 13.1.5.
    pub(super) fn condition(&self) -> Option<&str> {
        let named = self.etag.as_deref().or(self.modified.as_deref());
        named.filter(|_| self.doubt.is_none())
    }

    /// Everything by which it is compared.
    pub(super) fn named(&self) -> [Option<&str>; 2] {
        [self.etag.as_deref(), self.modified.as_deref()]
    }

    /// Whether `later` names a version as this one does, and the same one: a comparison that tells something, though it
    /// need not prove anything.
    pub(super) fn is_named_again_by(&self, later: &Self) -> bool {
        let [own_tag, later_tag] = [self, later].map(|version| version.etag.as_deref().map(opaque));
        match own_tag {
            Some(_) => own_tag == later_tag,
            None => self.modified.is_some() && self.modified == later.modified,
        }
    }

    /// Compares everything that both have.
    pub(super) fn compared_with(&self, later: &Self) -> Likeness {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        // The tag of the same bytes may be called weak in one answer only.
        let [own_tag, later_tag] = [&self.etag, &later.etag].map(|etag| etag.as_deref().map(opaque).map(str::to_owned));
        if differ(&own_tag, &later_tag) || differ(&self.modified, &later.modified) {
            return Likeness::Different;
        }
        let named_again = match &self.etag {
            Some(_) => self.etag == later.etag,
            None => self.modified == later.modified,
        };
        if self.doubt.is_none() && named_again {
            Likeness::Same
        } else {
            Likeness::Unproven
        }
    }
}

fn is_strong(etag: &str) -> bool {
    etag.len() >= 2 && etag.starts_with('"') && etag.ends_with('"')
}

fn opaque(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    const DATE: (&str, &str) = ("date", "Fri, 27 Nov 2026 10:00:00 GMT");
    const STRONG: (&str, &str) = ("etag", "\"v1\"");
    const WEAK: (&str, &str) = ("etag", "W/\"v1\"");

    fn modified(time: &'static str) -> (&'static str, &'static str) {
        ("last-modified", time)
    }

    fn version(lines: &[(&str, &str)]) -> Version {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
        Version::read(&headers)
    }

    #[test]
    fn only_what_changes_with_every_byte_and_is_settled_proves_a_version() {
        let before = modified("Fri, 27 Nov 2026 09:59:58 GMT");
        let fresh = modified("Fri, 27 Nov 2026 09:59:59 GMT");
        let ahead = modified("Fri, 27 Nov 2026 10:00:05 GMT");
        let asctime = modified("Thu Nov 26 10:00:00 2026");
        for (lines, condition) in [
            (&[STRONG][..], Some(STRONG.1)),
            (&[STRONG, before, DATE], Some(STRONG.1)),
            (&[STRONG, before], Some(STRONG.1)),
            (&[STRONG, fresh, DATE], None),
            (&[STRONG, ahead, DATE], None),
            (&[WEAK], None),
            (&[WEAK, before, DATE], None),
            (&[("etag", "\"v1"), before, DATE], None),
            (&[("etag", "v1"), before, DATE], None),
            (&[before], None),
            (&[before, DATE], Some(before.1)),
            (&[asctime, DATE], Some(asctime.1)),
            (&[fresh, DATE], None),
            (&[modified("yesterday"), DATE], None),
            (&[], None),
        ] {
            let version = version(lines);
            assert_eq!(version.condition(), condition, "{lines:?}");
            assert_eq!(version.doubt().is_none(), condition.is_some(), "{lines:?}");
        }
    }

    #[test]
    fn a_tag_that_cannot_be_read_leaves_no_proof_to_a_date() {
        let mut headers = HeaderMap::new();
        let lines = [
            (ETAG, &b"\"v\xe91\""[..]),
            (LAST_MODIFIED, b"Fri, 27 Nov 2026 09:00:00 GMT"),
            (http::header::DATE, DATE.1.as_bytes()),
        ];
        for (name, value) in lines {
            headers.insert(name, http::HeaderValue::from_bytes(value).expect("a value"));
        }
        assert!(
            Version::read(&headers)
                .doubt()
                .is_some_and(|doubt| doubt.contains("ASCII"))
        );
    }

    #[test]
    fn all_that_both_answers_have_is_compared() {
        let (a, b) = (
            modified("Thu, 26 Nov 2026 10:00:00 GMT"),
            modified("Thu, 26 Nov 2026 10:00:01 GMT"),
        );
        let other = ("etag", "\"v2\"");
        for (first, later, likeness) in [
            (&[STRONG, a][..], &[STRONG, a][..], Likeness::Same),
            (&[STRONG, a], &[STRONG], Likeness::Same),
            // A tag that outlives the file.
            (&[STRONG, a], &[STRONG, b], Likeness::Different),
            (&[STRONG, a], &[other, a], Likeness::Different),
            (&[STRONG, a], &[a], Likeness::Unproven),
            (&[STRONG], &[WEAK], Likeness::Unproven),
            (&[WEAK], &[WEAK], Likeness::Unproven),
            (&[WEAK], &[other], Likeness::Different),
            (&[a, DATE], &[a], Likeness::Same),
            (&[a, DATE], &[STRONG], Likeness::Unproven),
            (&[a], &[a], Likeness::Unproven),
            (&[a], &[b], Likeness::Different),
            (&[], &[STRONG, a], Likeness::Unproven),
        ] {
            assert_eq!(
                version(first).compared_with(&version(later)),
                likeness,
                "{first:?} {later:?}"
            );
        }
    }
}
