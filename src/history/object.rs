//! An entry as an object of JSON.

use serde::Serialize;

use super::curve::Curves;
use super::entry::Entry;

/// An entry as one object. docs/manual.md has its fields.
#[derive(Serialize)]
pub(crate) struct Object<'a> {
    began: String,
    #[serde(flatten)]
    entry: &'a Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    curves: Option<Points<'a>>,
}

/// Seconds since the clock began, and bytes that had moved by then.
#[derive(Serialize)]
struct Points<'a> {
    sender: &'a [(f64, u64)],
    receiver: &'a [(f64, u64)],
}

impl<'a> Object<'a> {
    /// That of an entry, with its bytes over time where they are given.
    pub(crate) fn of(entry: &'a Entry, curves: Option<&'a Curves>) -> Self {
        Self {
            began: entry.began_utc(),
            entry,
            curves: curves.map(|curves| Points {
                sender: curves.sender.points(),
                receiver: curves.receiver.points(),
            }),
        }
    }
}
