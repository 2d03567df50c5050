//! Reads SOURCE: a path, `-`, `shm:NAME` or `range:START:STOP[:STEP]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::array::{Dtype, Range};
use crate::transfer::{Origin, ShmName};

use super::Failure;

/// What is sent. A file that is there is meant, even where its name reads like a range or shared memory.
pub(super) fn parse(text: &OsStr, dtype: Option<&Dtype>) -> Result<Origin, Failure> {
    let dtype = dtype.cloned();
    if text == "-" {
        let path = "/dev/stdin".into();
        return Ok(Origin::File { path, dtype });
    }
    if text.to_str().is_none() && text.as_bytes().starts_with(b"shm:") && !Path::new(text).exists() {
        return Err(Failure::Usage("a name of shared memory is UTF-8 text".into()));
    }
    // A name that is not UTF-8 is neither.
    let special = text.to_str().filter(|_| !Path::new(text).exists());
    if let Some(range) = special.and_then(|text| text.strip_prefix("range:")) {
        let range = Range::parse(range, dtype)
            .map_err(|error| Failure::Usage(format!("range:{range} is no range: {error}")))?;
        return Ok(Origin::Range(range));
    }
    if let Some(name) = special.and_then(ShmName::parse) {
        return Ok(Origin::Shm { name: name?, dtype });
    }
    let path = text.into();
    Ok(Origin::File { path, dtype })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Origin, Failure> {
        parse(OsStr::new(text), None)
    }

    #[test]
    fn a_range_is_a_range_and_anything_else_a_path() {
        assert!(matches!(parsed("range:0:1e6"), Ok(Origin::Range(range)) if range.len() == 1_000_000));
        for path in ["a.npy", "./range:0:10", "C:range:", "ranges"] {
            assert!(
                matches!(parsed(path), Ok(Origin::File { path: p, .. }) if p == Path::new(path)),
                "{path}"
            );
        }
    }

    #[test]
    fn a_range_that_makes_no_sense_is_wrong_usage() {
        for wrong in [
            "range:",
            "range:5",
            "range:0:10:0",
            "range:0:nan",
            "range:0:inf",
            "range:0:1e30",
            "range:a:b",
        ] {
            assert!(matches!(parsed(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn shared_memory_and_standard_input_are_known_by_their_names() {
        assert!(matches!(parsed("shm:a"), Ok(Origin::Shm { name, .. }) if name.as_str() == "a"));
        assert!(matches!(parsed("-"), Ok(Origin::File { path, .. }) if path == Path::new("/dev/stdin")));
        for wrong in ["shm:", "shm:a/b", "shm:.."] {
            assert!(
                matches!(parsed(wrong), Err(Failure::Transfer(crate::Error::Usage(_)))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_existing_file_is_a_file_whatever_its_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("range:0:10");
        std::fs::write(&path, "x").expect("write");
        assert!(matches!(parse(path.as_os_str(), None), Ok(Origin::File { .. })));
    }
}
