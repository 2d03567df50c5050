//! From what is typed to both ends: where from, where to, and what is expected.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::cli::Failure;
use crate::cli::arguments::{ExpectArguments, ViewArguments};
use crate::cli::source::parse;
use crate::transfer::{Endpoint, ShmName, SinkSpec, Slice, SourceSpec};
use crate::wire::WireChoice;

use super::usage;

/// Where to listen or to connect.
pub(super) fn endpoint(text: &str) -> Result<Endpoint, Failure> {
    Endpoint::parse(text).map_err(|error| usage(error.to_string()))
}

/// What is sent, or the part of it that is.
pub(super) fn source_spec(source: &OsStr, typed: &ViewArguments) -> Result<SourceSpec, Failure> {
    let sliced = typed.offset.is_some() || typed.length.is_some();
    Ok(SourceSpec {
        origin: parse(source, typed.dtype.as_ref())?,
        slice: sliced.then(|| Slice {
            offset_bytes: typed.offset.unwrap_or(0),
            length_bytes: typed.length,
        }),
    })
}

/// Where it lands: `into`, or from the byte `at` on in it.
pub(super) fn sink(into: &Path, at: Option<u64>) -> Result<SinkSpec, Failure> {
    let folder = into.is_dir() || into.as_os_str().as_bytes().ends_with(b"/");
    let named = [("memory", SinkSpec::Memory), ("discard", SinkSpec::Discard)]
        .into_iter()
        .find_map(|(name, sink)| (into.as_os_str() == name).then_some(sink));
    if into.to_str().is_none() && into.as_os_str().as_bytes().starts_with(b"shm:") {
        return Err(usage("a name of shared memory is UTF-8 text"));
    }
    if into.as_os_str() == "-" {
        return Err(usage(
            "standard output takes no array: name a file, or ./- for a file of that name",
        ));
    }
    let named = match into.to_str().and_then(ShmName::parse) {
        Some(name) => Some(SinkSpec::Shm(name?)),
        None => named,
    };
    match (named, at) {
        (None, Some(at_bytes)) if !folder => Ok(SinkSpec::Within {
            path: into.into(),
            at_bytes,
        }),
        (_, Some(_)) => Err(usage("--at receives into an existing file: name it with --into PATH")),
        (Some(sink), None) => Ok(sink),
        (None, None) if folder => Ok(SinkSpec::Folder(into.into())),
        (None, None) => Ok(SinkSpec::File(into.into())),
    }
}

/// What comes, as far as it is said here.
pub(super) fn expected(typed: &ExpectArguments, wire: WireChoice) -> Result<Option<ArrayMeta>, Failure> {
    let shape = match (typed.count, &typed.shape) {
        (Some(count), _) => Shape::vector(count),
        (None, Some(shape)) => shape.clone(),
        (None, None) if typed.dtype.is_some() => {
            return Err(usage(
                "--dtype says what --count or --shape count: add one of them, or leave it out",
            ));
        }
        (None, None) if wire == WireChoice::Raw => {
            return Err(usage(
                "the raw wire does not say what comes: add --count N or --shape 3,4, and --dtype",
            ));
        }
        (None, None) => return Ok(None),
    };
    let dtype = typed.dtype.clone().unwrap_or_else(Dtype::f64);
    let meta = ArrayMeta::new(dtype, shape, Order::C);
    meta.map(Some).map_err(|error| usage(error.to_string()))
}
