//! Reads SOURCE: a path, or `range:START:STOP[:STEP]`.

use std::ffi::OsStr;
use std::path::Path;

use arraylift::array::{Dtype, Range};
use arraylift::transfer::Origin;

use super::Failure;

/// What is sent. A file that is there is meant, even where its name reads like a range.
pub fn parse(text: &OsStr, dtype: Option<&Dtype>) -> Result<Origin, Failure> {
    match text.to_str().and_then(|text| text.strip_prefix("range:")) {
        Some(range) if !Path::new(text).exists() => Range::parse(range, dtype.cloned())
            .map(Origin::Range)
            .map_err(|error| Failure::Usage(format!("range:{range} is no range: {error}"))),
        _ => Ok(Origin::File {
            path: text.into(),
            dtype: dtype.cloned(),
        }),
    }
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
    fn an_existing_file_is_a_file_whatever_its_name() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("range:0:10");
        std::fs::write(&path, "x").expect("write");
        assert!(matches!(parse(path.as_os_str(), None), Ok(Origin::File { .. })));
    }
}
