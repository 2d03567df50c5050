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

#[test]
fn a_version_is_known_again_by_another_process_where_all_that_is_told_of_it_is_the_same() {
    const RANGES: (&str, &str) = ("accept-ranges", "bytes");
    let url = |text: &str| Url::parse(text).expect("one").expect("one that can be fetched");
    let (asked, found) = (url("http://a.example/f?id=1#top"), url("http://b.example/f?key=1"));
    let info = known(&[LENGTH, ETAG, RANGES]);
    let identity = info.identity(&asked, &found);
    assert!(identity.is_some());
    // A redirect may have another key each time.
    let same = info.identity(&url("http://A.example:80/f?id=1"), &url("http://b.example/f?key=2"));
    assert_eq!(same, identity);
    let others = [
        info.identity(&url("http://a.example/f?id=2"), &found),
        info.identity(&asked, &url("http://b.example/g?key=1")),
        info.identity(&asked, &url("http://c.example/f?key=1")),
        known(&[LENGTH, ("etag", "\"v2\""), RANGES]).identity(&asked, &found),
        known(&[LENGTH, ETAG, ("last-modified", "Thu, 26 Nov 2026 10:00:00 GMT"), RANGES]).identity(&asked, &found),
        known(&[LENGTH, ETAG, ("content-encoding", "gzip"), RANGES]).identity(&asked, &found),
    ];
    assert!(others.iter().all(|other| other.is_some() && *other != identity));
    for lines in [
        &[LENGTH, ETAG][..],
        &[ETAG, RANGES],
        &[LENGTH, RANGES],
        &[LENGTH, ("etag", "W/\"v1\""), RANGES],
    ] {
        assert_eq!(known(lines).identity(&asked, &found), None, "{lines:?}");
    }
}
