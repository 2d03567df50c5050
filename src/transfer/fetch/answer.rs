//! What is asked of a server, and what its answer says of the bytes that follow.

use std::time::{Duration, SystemTime};

use http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE,
    RETRY_AFTER, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, StatusCode};
use httpdate::parse_http_date;

use crate::text::shown;

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
mod tests {
    use super::*;

    const ALL: RangeRequest<'static> = RangeRequest {
        from: 0,
        to: None,
        known: None,
    };

    fn answered(request: &RangeRequest<'_>, status: u16, lines: &[(&str, &str)]) -> Result<Answer, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                value.parse().expect("a value"),
            );
        }
        read(request, StatusCode::from_u16(status).expect("a status"), &headers)
    }

    fn known(lines: &[(&str, &str)]) -> FileInfo {
        answered(&ALL, 200, lines).expect("an answer").info
    }

    const ETAG: (&str, &str) = ("etag", "\"v1\"");
    const LENGTH: (&str, &str) = ("content-length", "100");

    #[test]
    fn a_whole_file_comes_with_its_length_and_what_it_is_known_by() {
        let answer = answered(&ALL, 200, &[LENGTH, ETAG, ("accept-ranges", "bytes")]).expect("an answer");
        assert_eq!((answer.at, answer.len, answer.is_bare), (0, Some(100), true));
        assert_eq!(answer.info.one_stream(), None);
        let chunked = answered(&ALL, 200, &[LENGTH, ("transfer-encoding", "chunked")]).expect("an answer");
        assert_eq!((chunked.len, chunked.is_bare), (None, false));
        assert!(chunked.info.doubt().is_some_and(|doubt| doubt.contains("length")));
        let no_parts = known(&[LENGTH, ETAG]);
        assert!(no_parts.doubt().is_none() && no_parts.one_stream().is_some());
    }

    #[test]
    fn an_answer_of_no_content_is_an_empty_file_and_a_proxys_copy_is_the_file() {
        let empty = answered(&ALL, 204, &[]).expect("an answer");
        assert_eq!((empty.len, empty.info.len), (Some(0), Some(0)));
        for status in [201, 203] {
            assert_eq!(answered(&ALL, status, &[LENGTH]).expect("an answer").len, Some(100));
        }
    }

    #[test]
    fn lengths_that_are_the_same_are_one_and_others_are_broken() {
        for (values, len) in [
            (&["100", "100"][..], Some(100)),
            (&["100, 100"], Some(100)),
            (&["100,0100"], Some(100)),
            (&["100, 101"], None),
            (&["100", "101"], None),
            (&["100,"], None),
            (&["+100"], None),
            (&[""], None),
        ] {
            let lines: Vec<_> = values.iter().map(|value| ("content-length", *value)).collect();
            let told = answered(&ALL, 200, &lines).ok().and_then(|answer| answer.len);
            assert_eq!(told, len, "{values:?}");
        }
    }

    #[test]
    fn bytes_that_are_coded_for_the_way_in_another_way_than_in_chunks_are_refused() {
        for (coding, is_chunked) in [
            ("chunked", Some(true)),
            ("Chunked", Some(true)),
            ("identity", Some(false)),
            ("gzip, chunked", None),
            ("gzip", None),
            ("chunked, chunked", None),
        ] {
            let read = answered(&ALL, 200, &[LENGTH, ("transfer-encoding", coding)]);
            let expected = is_chunked.map(|is_chunked| !is_chunked);
            assert_eq!(read.ok().map(|answer| answer.is_bare), expected, "{coding}");
        }
    }

    #[test]
    fn a_later_answer_says_whether_the_file_is_still_the_same_only_where_it_names_its_version_again() {
        let weak = ("etag", "W/\"v1\"");
        let dated = ("last-modified", "Thu, 26 Nov 2026 10:00:00 GMT");
        for (first, later, still) in [
            (&[LENGTH, ETAG][..], &[LENGTH, ETAG][..], Some(true)),
            (&[LENGTH, ETAG], &[LENGTH], None),
            (&[LENGTH, ETAG, dated], &[LENGTH, dated], None),
            (&[LENGTH, ETAG], &[("content-length", "99")], Some(false)),
            (&[LENGTH, weak], &[LENGTH, weak], Some(true)),
            (&[LENGTH, dated], &[LENGTH, dated, ETAG], Some(true)),
            (&[LENGTH], &[LENGTH, ETAG], None),
            (&[LENGTH], &[LENGTH], None),
        ] {
            assert_eq!(known(first).is_still(&known(later)), still, "{first:?} {later:?}");
        }
    }

    #[test]
    fn a_busy_server_says_for_how_long_in_seconds_or_by_a_date() {
        let now = parse_http_date("Fri, 27 Nov 2026 10:00:00 GMT").expect("a date");
        for (text, seconds) in [
            ("5", Some(5)),
            ("Fri, 27 Nov 2026 10:00:07 GMT", Some(7)),
            ("Fri, 27 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn what_is_missing_is_asked_for_by_range_and_only_of_the_same_file() {
        assert!(ALL.headers().is_empty());
        let info = known(&[LENGTH, ETAG]);
        let request = RangeRequest {
            from: 40,
            to: None,
            known: Some(&info),
        };
        assert_eq!(
            request.headers(),
            [(RANGE, "bytes=40-".into()), (IF_RANGE, "\"v1\"".into())]
        );
        let to = RangeRequest {
            to: Some(60),
            ..request
        };
        assert_eq!(to.headers()[0].1, "bytes=40-59");
    }

    #[test]
    fn the_rest_of_the_same_file_is_taken() {
        let info = known(&[LENGTH, ETAG]);
        let request = RangeRequest {
            from: 40,
            to: None,
            known: Some(&info),
        };
        let rest = answered(
            &request,
            206,
            &[("content-range", "bytes 40-99/100"), ("content-length", "60"), ETAG],
        );
        let rest = rest.expect("the rest");
        assert_eq!((rest.at, rest.len, rest.info.len), (40, Some(60), Some(100)));
        // A server that says less, or takes no ranges and sends all of it again.
        let silent = answered(&request, 206, &[("content-range", "bytes 40-99/*"), ETAG]).expect("the rest");
        assert_eq!(silent.info.len, Some(100));
        let again = answered(&request, 200, &[LENGTH, ETAG]).expect("all of it");
        assert_eq!((again.at, again.len), (0, Some(100)));
    }

    #[test]
    fn another_file_is_told_from_the_same_one() {
        let info = known(&[LENGTH, ETAG]);
        let request = RangeRequest {
            from: 40,
            to: None,
            known: Some(&info),
        };
        let other = ("etag", "\"v2\"");
        for (status, lines) in [
            (200, &[LENGTH, other][..]),
            (200, &[("content-length", "101"), ETAG]),
            (206, &[("content-range", "bytes 40-99/100"), other]),
            (
                206,
                &[("content-range", "bytes 40-99/100"), ETAG, ("content-encoding", "gzip")],
            ),
            (206, &[("content-range", "bytes 40-100/101"), ETAG]),
            (416, &[("content-range", "bytes */30")]),
            (412, &[]),
        ] {
            assert_eq!(
                answered(&request, status, lines),
                Err(Refusal::Changed),
                "{status} {lines:?}"
            );
        }
        for (status, lines) in [(200, &[LENGTH][..]), (206, &[("content-range", "bytes 40-99/100")])] {
            assert_eq!(
                answered(&request, status, lines),
                Err(Refusal::Unproven),
                "{status} {lines:?}"
            );
        }
    }

    #[test]
    fn answers_that_contradict_themselves_are_broken() {
        let info = known(&[LENGTH, ETAG]);
        let request = RangeRequest {
            from: 40,
            to: Some(60),
            known: Some(&info),
        };
        for range in [
            "bytes 41-59/100",
            "bytes 40-60/100",
            "bytes 0-99/100",
            "bytes 50-40/100",
            "bytes 40-59/50",
            "bytes */100",
            "bytes 40-18446744073709551615/*",
            "items 40-59/100",
            "bytes 40-59",
            "bytes +40-59/100",
            "",
        ] {
            let broken = answered(&request, 206, &[("content-range", range)]);
            assert!(matches!(broken, Err(Refusal::Broken(_))), "{range}: {broken:?}");
        }
        let part = ("content-range", "bytes 40-59/100");
        for lines in [
            &[part, LENGTH][..],
            &[part, ("content-type", "multipart/byteranges; boundary=x")],
            &[],
        ] {
            assert!(
                matches!(answered(&request, 206, lines), Err(Refusal::Broken(_))),
                "{lines:?}"
            );
        }
        assert!(matches!(answered(&ALL, 206, &[part]), Err(Refusal::Broken(_))));
        for length in [
            "-1",
            "1e3",
            "99999999999999999999",
            "18446744073709551615",
            "9223372036854775808",
            "",
        ] {
            let broken = answered(&ALL, 200, &[("content-length", length)]);
            assert!(matches!(broken, Err(Refusal::Broken(_))), "{length}: {broken:?}");
        }
        let twice = answered(&ALL, 200, &[LENGTH, ("content-length", "101")]);
        assert!(matches!(twice, Err(Refusal::Broken(_))));
    }

    #[test]
    fn a_refusal_is_told_by_its_status() {
        for status in [404, 403, 500, 503, 304, 205] {
            let refused = answered(&ALL, status, &[]);
            assert!(
                matches!(refused, Err(Refusal::Status(answered)) if answered.as_u16() == status),
                "{status}"
            );
        }
    }
}
