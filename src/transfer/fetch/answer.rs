//! What is asked of a server, and what its answer says of the bytes that follow.

use std::time::{Duration, SystemTime};

use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE,
    RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, StatusCode};
use httpdate::parse_http_date;
use sha2::{Digest as _, Sha256};

use crate::text::shown;
use crate::transfer::net::url::Url;

use super::disposition::file_name;
use super::header::text;
use super::version::{Likeness, Version};

/// What a server has told of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileInfo {
    /// Its length, where the server knows it beforehand.
    pub(crate) len: Option<u64>,
    version: Version,
    /// A part of it can be asked for. RFC 9110, 14.3.
    takes_ranges: bool,
    /// What its bytes were made into, though nobody asked for that. RFC 9110, 8.4.
    pub(crate) encoding: Option<String>,
}

/// What is asked for: all of a file, or a range of one that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RangeRequest<'a> {
    /// The first byte.
    pub(crate) from: u64,
    /// The byte after the last one, where that is not the file's.
    pub(crate) to: Option<u64>,
    /// What the server told of the file before.
    pub(crate) known: Option<&'a FileInfo>,
}

/// What the head of an answer says of the bytes that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) info: FileInfo,
    /// Which byte of the file is the first to come: the one that was asked for, or the very first.
    pub(crate) at: u64,
    /// How many bytes come, where that is known.
    pub(crate) len: Option<u64>,
    /// They follow the headers as they are, without a chunk's length between.
    pub(crate) is_bare: bool,
    /// What the server calls the file, as it says it.
    pub(crate) name: Option<String>,
}

/// Why nothing that comes can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The server says so.
    Status(StatusCode),
    /// It is not the file that it was.
    Changed,
    /// It does not say whether it is the file that it was.
    Unproven,
    /// The answer contradicts itself or what was asked.
    Broken(String),
}

impl FileInfo {
    /// Why a part of it is not sure to fit to another one, in words; `None` where it is.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        match self.len {
            // One that did not tell its length could not be told from a part of it.
            None => Some("the server does not tell the length of the file"),
            Some(_) => self.version.doubt(),
        }
    }

    /// Why it does not come over several connections; `None` where it can.
    pub(crate) fn one_stream(&self) -> Option<&'static str> {
        self.doubt()
            .or_else(|| (!self.takes_ranges).then_some("the server does not say that it sends parts"))
    }

    /// What tells this version of a file from every other one, for a process that has nothing else of it: SHA-256 of where
    /// it was `asked` for, of where it was `found`, and of all that is told of the version. `None` where that is not proved,
    /// or no part can be asked for.
    pub(super) fn identity(&self, asked: &Url, found: &Url) -> Option<[u8; 32]> {
        if self.one_stream().is_some() {
            return None;
        }
        let [etag, modified] = self.version.named();
        let (asked, found) = (asked.without_fragment(), found.without_query());
        let mut identity = Sha256::new();
        identity.update(b"fetch");
        for text in [Some(asked), Some(&found), etag, modified, self.encoding.as_deref()] {
            let text = text.unwrap_or_default();
            // None is the beginning of another.
            identity.update((text.len() as u64).to_le_bytes());
            identity.update(text);
        }
        Some(identity.finalize().into())
    }

    /// Whether `later` tells of the same file, as far as both say; `None` where it does not name the version that this
    /// one has.
    pub(crate) fn is_still(&self, later: &Self) -> Option<bool> {
        match self.compared_with(later) {
            Likeness::Different => Some(false),
            _ => self.version.is_named_again_by(&later.version).then_some(true),
        }
    }

    /// Whether `later` tells of the same file.
    fn compared_with(&self, later: &Self) -> Likeness {
        let same_len = self.len.is_none() || later.len.is_none() || self.len == later.len;
        if same_len && self.encoding == later.encoding {
            self.version.compared_with(&later.version)
        } else {
            Likeness::Different
        }
    }
}

impl RangeRequest<'_> {
    /// The headers that say so. RFC 9110, 13.1.5 and 14.2.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, String)> {
        if self.from == 0 && self.to.is_none() {
            return Vec::new();
        }
        let last = self.to.map(|to| (to - 1).to_string()).unwrap_or_default();
        let mut headers = vec![(RANGE, format!("bytes={}-{last}", self.from))];
        if let Some(version) = self.known.and_then(|known| known.version.condition()) {
            headers.push((IF_RANGE, version.into()));
        }
        headers
    }
}

/// Reads the head of an answer.
///
/// # Errors
/// What follows is not what was asked for.
pub(crate) fn read(request: &RangeRequest<'_>, status: StatusCode, headers: &HeaderMap) -> Result<Answer, Refusal> {
    match status {
        StatusCode::OK
        | StatusCode::CREATED
        | StatusCode::NON_AUTHORITATIVE_INFORMATION
        | StatusCode::NO_CONTENT
        | StatusCode::PARTIAL_CONTENT => {}
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::PRECONDITION_FAILED if request.known.is_some() => {
            return Err(Refusal::Changed);
        }
        status => return Err(Refusal::Status(status)),
    }
    let is_chunked = is_chunked(headers)?;
    // With both, the length counts for nothing. RFC 9112, 6.3.
    let length = match status {
        StatusCode::NO_CONTENT => Some(0),
        _ if is_chunked => None,
        _ => content_length(headers)?,
    };
    let mut info = FileInfo {
        len: length,
        version: Version::read(headers),
        encoding: text(headers, &CONTENT_ENCODING)
            .filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
            .map(str::to_owned),
        takes_ranges: text(headers, &ACCEPT_RANGES).is_some_and(|units| units.eq_ignore_ascii_case("bytes")),
    };
    let mut answer = Answer {
        info: info.clone(),
        at: 0,
        len: length,
        is_bare: length.is_some(),
        name: headers
            .get(CONTENT_DISPOSITION)
            .and_then(|value| file_name(value.as_bytes())),
    };
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last, total) = content_range(request, headers)?;
        let len = last - first + 1;
        if length.is_some_and(|length| length != len) {
            let text = format!(
                "it says that {len} bytes of a part come, and has {}",
                length.unwrap_or_default()
            );
            return Err(Refusal::Broken(text));
        }
        info.len = total.or_else(|| request.known.and_then(|known| known.len));
        info.takes_ranges = true;
        (answer.at, answer.len, answer.info) = (first, Some(len), info);
    }
    let likeness = request.known.map(|known| known.compared_with(&answer.info));
    match likeness.unwrap_or(Likeness::Same) {
        Likeness::Same => Ok(answer),
        Likeness::Unproven => Err(Refusal::Unproven),
        Likeness::Different => Err(Refusal::Changed),
    }
}

/// How long a server asks to be left alone, after it was busy. RFC 9110, 10.2.3.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = text(headers, &RETRY_AFTER)?;
    match parse_http_date(text) {
        Ok(then) => Some(then.duration_since(now).unwrap_or_default()),
        Err(_) => number(text).map(Duration::from_secs),
    }
}

/// Whether the bytes come in chunks. Other codings of the way were not asked for. RFC 9112, 6.1 and 7.4.
fn is_chunked(headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut codings = Vec::new();
    for value in headers.get_all(TRANSFER_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        codings.extend(value.split(',').map(|coding| coding.trim().to_owned()));
    }
    // It never coded anything.
    codings.retain(|coding| coding != "identity");
    match &codings[..] {
        [] => Ok(false),
        [coding] if coding == "chunked" => Ok(true),
        others => Err(Refusal::Broken(format!(
            "it codes the bytes for the way (Transfer-Encoding: {}), which nobody asked for",
            shown(&others.join(", ")).chars().take(80).collect::<String>()
        ))),
    }
}

/// Several lengths are one where they are the same. RFC 9110, 8.6.
fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut length = None;
    for value in headers.get_all(CONTENT_LENGTH) {
        let broken = || Refusal::Broken("its Content-Length is no number of bytes".into());
        for digits in value.to_str().map_err(|_| broken())?.split(',') {
            let bytes = number(digits.trim()).ok_or_else(broken)?;
            if length.replace(bytes).is_some_and(|before| before != bytes) {
                return Err(broken());
            }
        }
    }
    Ok(length)
}

/// The first byte, the last one, and the file's length, of a part that was asked for. RFC 9110, 14.4.
fn content_range(request: &RangeRequest<'_>, headers: &HeaderMap) -> Result<(u64, u64, Option<u64>), Refusal> {
    let broken = |text: &str| Err(Refusal::Broken(text.into()));
    if request.headers().is_empty() {
        return broken("a part comes that nobody asked for");
    }
    if text(headers, &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("multipart/byteranges")) {
        return broken("several parts come where one was asked for");
    }
    let range = text(headers, &CONTENT_RANGE).and_then(|range| {
        let (range, total) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = if total == "*" { None } else { Some(number(total)?) };
        let is_inside = first <= last && total.is_none_or(|total| last < total);
        is_inside.then_some((first, last, total))
    });
    let Some((first, last, total)) = range else {
        return broken("its Content-Range is none");
    };
    if first != request.from || request.to.is_some_and(|to| last >= to) {
        return broken(&format!("bytes {first} to {last} come where others were asked for"));
    }
    Ok((first, last, total))
}

/// The most bytes that a file can have: `off_t`.
const BYTES_MAX: u64 = i64::MAX.unsigned_abs();

/// Digits and nothing else, and no more than a file can have.
fn number(digits: &str) -> Option<u64> {
    let number: u64 = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    (number <= BYTES_MAX).then_some(number)
}

#[cfg(test)]
mod tests;
