//! Parsers of what others send that are no part of a wire: each takes bytes as they came and says what became of them.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::Error;
use crate::control::EngineLine;
use crate::service::{Handshake, RANDOM_BYTES, Role, hear_service, hear_worker};
use crate::transfer::{Command, RangeRequest, hear_proxy, hear_server, read_answer};
use crate::wire::native::{Message, Parsed};

pub use crate::transfer::HeardFile;

/// Reads the head of a web server's answer twice: as one for a whole file, and as one for the rest of that file. The
/// first line is the status, each further one a header. Says whether bytes can follow.
#[must_use]
pub fn http_answer(head: &[u8]) -> [bool; 2] {
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = lines.next().and_then(|line| StatusCode::from_bytes(line).ok());
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            // It refuses more than it has room for.
            let _ = headers.try_append(name, value);
        }
    }
    let read = |request: &RangeRequest<'_>| read_answer(request, status?, &headers).ok();
    let whole = read(&RangeRequest {
        from: 0,
        to: None,
        known: None,
    });
    let rest = read(&RangeRequest {
        from: 1,
        to: Some(100),
        known: whole.as_ref().map(|answer| &answer.info),
    });
    [whole.is_some(), rest.is_some()]
}

/// Fetches a file, a part of it, and asks whether it is still the same; each connection has the next of `answers`, as a
/// web server sends them. Bytes are taken so many at a time.
pub fn web_server<'a>(answers: impl Iterator<Item = &'a [u8]>, piece_bytes: usize) -> HeardFile {
    hear_server(answers, piece_bytes)
}

/// Asks a proxy of that URL for a way to a server, which it answers so. Gives how many bytes of the answer are left for
/// the server; why there is no way, in words.
///
/// # Errors
/// There is no way.
pub fn proxy_answer(proxy: &str, answer: &[u8]) -> Result<u64, String> {
    hear_proxy(proxy, answer)
}

/// Has a service hear these lines of a worker that has the plan, or of a stranger that asks to join. Says whether it
/// could.
#[must_use]
pub fn worker_lines(lines: &[u8], is_stranger: bool) -> bool {
    hear_worker(lines, is_stranger).is_ok()
}

/// Has a worker hear these lines of its service, with a descriptor beside each where it `has_descriptors`. Gives how many
/// connections it was handed; `None` where it can do nothing with the plan.
#[must_use]
pub fn service_lines(lines: &[u8], has_descriptors: bool) -> Option<usize> {
    hear_service(lines, has_descriptors).ok()
}

/// Reads a line as a viewer's command and as an engine's. Says which of them it is.
#[must_use]
pub fn control_message(line: &[u8]) -> [bool; 2] {
    [
        serde_json::from_slice::<Command>(line).is_ok(),
        serde_json::from_slice::<EngineLine>(line).is_ok(),
    ]
}

/// Takes bytes as an end of `multiprocessing.connection` with the key `key`: the one that listens, or the other one.
/// The random bytes are zeros. Gives what it says and whether both have shown that they have the key; `None` where the
/// other end is refused.
#[must_use]
pub fn recipe_handshake(is_listener: bool, bytes: &[u8]) -> (Vec<u8>, Option<bool>) {
    let role = if is_listener { Role::Listener } else { Role::Client };
    let (mut handshake, mut said) = Handshake::new(b"key".into(), role, [0; RANDOM_BYTES]);
    let taken = handshake.take(bytes, &mut said);
    let next = taken.and_then(|()| handshake.message());
    (said, next.ok().map(|_| handshake.is_over()))
}

/// Reads one message of the native wire, but for what comes before it. Says whether it came whole.
///
/// # Errors
/// It is beyond a bound, or nobody may say it.
pub fn native_message(bytes: &[u8]) -> Result<bool, Error> {
    Ok(matches!(Message::parse(bytes)?, Parsed::Message(..)))
}
