//! The name that a server gives a file: `Content-Disposition`. RFC 6266, and RFC 8187 for `filename*`.

use percent_encoding::percent_decode;

/// What a header's value calls the file; `None` where it does not. It may lead anywhere, and hold any character.
pub(super) fn file_name(value: &[u8]) -> Option<String> {
    let (mut plain, mut extended) = (None, None);
    let mut rest = value;
    while !rest.is_empty() {
        let (name, value, after) = parameter(rest);
        rest = after;
        // The first one counts, and the one that tells its charset before the other. RFC 6266, 4.3.
        if name.eq_ignore_ascii_case(b"filename*") {
            extended = extended.or_else(|| extended_value(&value));
        } else if name.eq_ignore_ascii_case(b"filename") {
            plain.get_or_insert_with(|| text(&value));
        }
    }
    extended.or(plain).filter(|name| !name.is_empty())
}

/// The name and the value of what comes until the next semicolon, and what follows that. What has no value, as the
/// type has none, is a name alone.
fn parameter(text: &[u8]) -> (&[u8], Vec<u8>, &[u8]) {
    let ends = |byte: &u8| matches!(byte, b'=' | b';');
    let name_len = text.iter().position(ends).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_len);
    let Some(rest) = rest.strip_prefix(b"=") else {
        return (name.trim_ascii(), Vec::new(), rest.get(1..).unwrap_or_default());
    };
    let rest = rest.trim_ascii_start();
    let (value, rest) = match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted_string(quoted),
        None => (Vec::new(), rest),
    };
    let more = rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len());
    let (token, rest) = rest.split_at(more);
    let value = if value.is_empty() {
        token.trim_ascii().to_vec()
    } else {
        value
    };
    (name.trim_ascii(), value, rest.get(1..).unwrap_or_default())
}

/// What stands before the closing quote, and what follows it. RFC 9110, 5.6.4.
fn quoted_string(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    let mut bytes = text.iter().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'"' => return (value, &text[index + 1..]),
            b'\\' => value.extend(bytes.next().map(|(_, escaped)| *escaped)),
            byte => value.push(*byte),
        }
    }
    (value, &[])
}

/// `charset'language'percent-encoded`. RFC 8187, 3.2.
fn extended_value(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode(encoded).collect();
    if charset.eq_ignore_ascii_case(b"utf-8") {
        String::from_utf8(bytes).ok()
    } else {
        charset.eq_ignore_ascii_case(b"iso-8859-1").then(|| latin(&bytes))
    }
}

/// Servers write UTF-8, whatever the standard says, or Latin-1, as it says.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin(bytes), str::to_owned)
}

fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_servers_write_it() {
        for (value, name) in [
            ("attachment; filename=a.npy", Some("a.npy")),
            ("attachment;filename=\"a b;c.npy\"; size=3", Some("a b;c.npy")),
            ("attachment; FileName = \"a \\\"1\\\".npy\"", Some("a \"1\".npy")),
            ("inline; filename=\"größe.npy\"", Some("größe.npy")),
            ("attachment; filename=\"a%20b.npy\"", Some("a%20b.npy")),
            (
                "attachment; filename=\"plain.npy\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.npy",
                Some("größe 1.npy"),
            ),
            ("attachment; filename*=iso-8859-1'en'%A3.npy; filename=b", Some("£.npy")),
            // What cannot be read leaves the other one.
            ("attachment; filename*=UTF-8''%FF; filename=b", Some("b")),
            ("attachment; filename*=klingon''a; filename=b", Some("b")),
            ("attachment; filename*=a; filename=b", Some("b")),
            ("attachment; filename=a; filename=b", Some("a")),
            ("attachment; filename=\"open", Some("open")),
            ("attachment; filename=\"", None),
            ("attachment; filename=", None),
            ("attachment; filename=\"\"", None),
            ("attachment; x=\"; filename=a\"", None),
            ("attachment", None),
            (";;=;", None),
            ("", None),
        ] {
            assert_eq!(file_name(value.as_bytes()).as_deref(), name, "{value}");
        }
        assert_eq!(
            file_name(b"attachment; filename=\"gr\xf6\xdfe\"").as_deref(),
            Some("größe")
        );
    }
}
