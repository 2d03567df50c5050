//! The command lines of children, which are those that people type.

use std::ffi::OsString;
use std::path::Path;

use crate::array::Range;
use crate::transfer::{Origin, Slice, SourceSpec};
use crate::wire::WireChoice;

use super::contestant::Sink;
use super::ways::Way;

/// How long a child waits for the other end.
const TIMEOUT: &str = "30s";

/// `arraylift loopback`, both ends in one process.
pub(super) fn loopback(way: &Way, source: &SourceSpec, file: &Path) -> Vec<OsString> {
    let mut line = words(&["loopback", "--json"]);
    line.extend(sending(way));
    line.extend(receiving(way, file));
    line.extend(positional(source));
    line
}

/// `arraylift receive`, for one sender.
pub(super) fn receive(way: &Way, endpoint: &str, bytes: u64, file: &Path) -> Vec<OsString> {
    let mut line = words(&["receive", "--json", "--once"]);
    line.extend(receiving(way, file));
    if way.wire == WireChoice::Raw {
        // The wire does not say what comes.
        line.extend(words(&[
            "--wire",
            "raw",
            "--dtype",
            "u8",
            "--count",
            &bytes.to_string(),
        ]));
    }
    line.extend(words(&["--timeout", TIMEOUT, "--", endpoint]));
    line
}

/// `arraylift send`.
pub(super) fn send(way: &Way, source: &SourceSpec, endpoint: &str) -> Vec<OsString> {
    let mut line = words(&["send", "--json"]);
    line.extend(sending(way));
    line.extend(positional(source));
    line.push(endpoint.into());
    line
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(Into::into).collect()
}

fn sending(way: &Way) -> Vec<OsString> {
    let mut line = words(&["--wire", way.wire.name(), "--send-route", way.send_route.name()]);
    if !way.verify && way.wire == WireChoice::Native {
        line.push("--no-verify".into());
    }
    if way.streams > 1 {
        line.extend(words(&["--streams", &way.streams.to_string()]));
    }
    line
}

fn receiving(way: &Way, file: &Path) -> Vec<OsString> {
    // What the ways differ in is how bytes land; each file goes at once.
    let mut line = words(&["--receive-route", way.receive_route.name(), "--no-sync", "--into"]);
    line.push(match way.sink {
        Sink::Memory => "memory".into(),
        Sink::File => file.into(),
    });
    line
}

/// The source, whose name may begin with a dash, and the options that describe it.
fn positional(source: &SourceSpec) -> Vec<OsString> {
    let mut line = Vec::new();
    let (name, dtype) = match &source.origin {
        Origin::Range(range) => (range_words(range).into(), Some(range.dtype().descr().to_owned())),
        Origin::File { path, dtype } => (
            path.as_os_str().into(),
            dtype.as_ref().map(|dtype| dtype.descr().to_owned()),
        ),
        // Whoever compares has refused it.
        Origin::Tree(tree) => (tree.roots.first().cloned().unwrap_or_default().into(), None),
        Origin::Shm { name, dtype } => (
            name.to_string().into(),
            dtype.as_ref().map(|dtype| dtype.descr().to_owned()),
        ),
    };
    if let Some(dtype) = dtype {
        line.extend(words(&["--dtype", &dtype]));
    }
    if let Some(Slice {
        offset_bytes,
        length_bytes,
    }) = source.slice
    {
        line.extend(words(&["--offset", &offset_bytes.to_string()]));
        if let Some(length) = length_bytes {
            line.extend(words(&["--length", &length.to_string()]));
        }
    }
    line.push("--".into());
    line.push(name);
    line
}

fn range_words(range: &Range) -> String {
    format!("range:{}:{}:{}", range.start(), range.stop(), range.step())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Dtype;

    #[test]
    fn a_range_is_said_so_that_the_same_one_is_heard() {
        for (text, dtype) in [
            ("0:50_000_000", "f64"),
            ("0:1:0.1", "f32"),
            ("-1e20:1e20:3.7e18", "f64"),
            ("5:-5:-2", "i16"),
            ("0.5:9007199254740993:1000000000000001", "f64"),
        ] {
            let dtype = Dtype::from_name(dtype).expect("a dtype");
            let range = Range::parse(text, Some(dtype)).expect("a range");
            let said = range_words(&range);
            let heard = said.strip_prefix("range:").expect("a range");
            let name = Dtype::from_name(range.dtype().descr()).expect("its name is read");
            assert_eq!(Range::parse(heard, Some(name)), Ok(range), "{text}: {said}");
        }
    }
}
