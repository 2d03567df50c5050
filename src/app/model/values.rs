//! The values of an array at one place, at each end of a transfer: where they are to be read, and what was read.

use std::path::PathBuf;

use super::row::{Phase, Row};
use crate::app::words::{Key, key, say};
use crate::array::{ArrayMeta, Order};
use crate::transfer::{Job, Side, SinkSpec, SourceSpec};

/// So many values are read at once.
pub(crate) const VALUES: u64 = 16;

/// Which values are read, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValuesAsked {
    /// The array that moves.
    pub(crate) meta: ArrayMeta,
    /// The first value, in the order of memory.
    pub(crate) index: u64,
    pub(crate) sender: Result<SourceSpec, Key>,
    pub(crate) receiver: Result<Kept, Key>,
}

/// Where an array lies that was received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kept {
    /// At the end of a file, after a header if there is one.
    File(PathBuf),
    /// In a file, from this byte of its array on.
    Within(PathBuf, u64),
}

/// What was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValuesRead {
    /// Where: `1,234`, or `[12, 7]` where there are two dimensions.
    pub(crate) place: String,
    /// The first value, in the order of memory.
    pub(crate) index: u64,
    /// At each end, or why they are not known there.
    pub(crate) sender: Result<Vec<String>, String>,
    pub(crate) receiver: Result<Vec<String>, String>,
    /// Whether both ends have the same array, where both could be read.
    pub(crate) compared: Option<Compared>,
}

/// How the arrays of both ends compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    Same,
    /// So many values are; there was no time for the rest.
    SameSoFar(u64),
    Differ {
        place: String,
        sender: String,
        receiver: String,
    },
}

impl ValuesAsked {
    /// The values of a row's array, of which that one is the first.
    pub(crate) fn of(row: &Row, meta: &ArrayMeta, index: u64) -> Self {
        let job = row.recipe().map(|recipe| &recipe.job);
        let sender = match job {
            Some(Job::Loopback { source, .. } | Job::Send { source, .. }) => Ok(source.clone()),
            Some(Job::Fetch { .. }) => Err(key!("values-on-a-server")),
            Some(Job::Receive { .. }) | None => Err(key!("values-elsewhere")),
        };
        let sink = match job {
            Some(Job::Loopback { sink, .. } | Job::Receive { sink, .. } | Job::Fetch { sink, .. }) => Some(sink),
            Some(Job::Send { .. }) | None => None,
        };
        let is_done = matches!(row.phase, Phase::Done { .. });
        let receiver = match (sink, &row.path) {
            (Some(SinkSpec::Memory), _) if is_done => Err(key!("values-freed")),
            (Some(SinkSpec::Discard), _) => Err(key!("values-discarded")),
            _ if !is_done => Err(key!("values-on-their-way")),
            (Some(SinkSpec::Within { path, at_bytes }), _) => Ok(Kept::Within(path.clone(), *at_bytes)),
            (Some(SinkSpec::Shm(name)), _) => Ok(Kept::File(name.path())),
            (_, Some(path)) => Ok(Kept::File(path.clone())),
            (_, None) => Err(key!("values-elsewhere")),
        };
        Self {
            meta: meta.clone(),
            index,
            sender,
            receiver,
        }
    }
}

impl ValuesRead {
    /// What is said of them, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let end = |side: Side, values: &Result<Vec<String>, String>| {
            let values = match values {
                Ok(values) => values.join("  "),
                Err(why) => why.clone(),
            };
            match side {
                Side::Sender => say!("values-sender", values = values),
                Side::Receiver => say!("values-receiver", values = values),
            }
        };
        let mut lines = vec![
            say!("values-from", place = &self.place),
            end(Side::Sender, &self.sender),
            end(Side::Receiver, &self.receiver),
        ];
        lines.extend(self.compared.as_ref().map(|compared| match compared {
            Compared::Same => say!("values-same").to_owned(),
            Compared::SameSoFar(count) => say!("values-same-so-far", count = *count),
            Compared::Differ {
                place,
                sender,
                receiver,
            } => say!("values-differ", place = place, sender = sender, receiver = receiver),
        }));
        lines
    }
}

/// Where a value lies: `1,234`, or `[12, 7]` in two dimensions.
pub(crate) fn place(meta: &ArrayMeta, index: u64) -> String {
    let count = crate::units::count;
    match (meta.shape().dimensions(), meta.order()) {
        ([_, width], Order::C) if *width > 0 => format!("[{}, {}]", count(index / width), count(index % width)),
        ([height, _], Order::Fortran) if *height > 0 => {
            format!("[{}, {}]", count(index % height), count(index / height))
        }
        _ => count(index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{Dtype, Shape};

    #[test]
    fn a_place_is_an_index_or_two_in_whichever_order_the_array_lies() {
        let meta = |order| {
            let shape = Shape::new(vec![2000, 3000]).expect("a shape");
            ArrayMeta::new(Dtype::u8(), shape, order).expect("an array")
        };
        assert_eq!(place(&meta(Order::C), 3001 * 3000), "[3,001, 0]");
        assert_eq!(place(&meta(Order::C), 1999 * 3000 + 7), "[1,999, 7]");
        assert_eq!(place(&meta(Order::Fortran), 7 * 2000 + 1999), "[1,999, 7]");
        let vector = ArrayMeta::vector(Dtype::f64(), 5000).expect("an array");
        assert_eq!(place(&vector, 1234), "1,234");
    }
}
