//! A file that is being fetched, over one connection or several.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::transfer::net::url::Url;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::trust::Trust;

use super::answer::FileInfo;

/// What the connections of one file share.
pub(in crate::transfer) struct FetchedFile {
    /// Where it was found, and where the rest of it is asked for.
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) info: FileInfo,
    pub(super) array: Arc<IncomingArray>,
    /// How often a connection broke and another one went on.
    breaks: AtomicU32,
}

impl FetchedFile {
    pub(super) fn new(url: Url, trust: Trust, info: FileInfo, array: IncomingArray) -> Self {
        Self {
            url,
            trust,
            info,
            array: Arc::new(array),
            breaks: AtomicU32::new(0),
        }
    }

    /// Bytes that have landed over all connections.
    pub(super) fn landed_bytes(&self) -> u64 {
        self.array.sink.ledger.landed_bytes()
    }

    /// A connection broke, and another one goes on.
    pub(super) fn count_break(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
    }

    /// What should be known of how it came, after what is to be said of where it is.
    pub(super) fn note(&self, note: Option<String>) -> Option<String> {
        let breaks = self.breaks.load(Ordering::Relaxed);
        let times = if breaks == 1 {
            "once".into()
        } else {
            format!("{breaks} times")
        };
        let broke = (breaks > 0).then(|| format!("the connection broke {times}, and another one went on"));
        let encoded = self.info.encoding.as_ref();
        let encoded = encoded.map(|encoding| format!("it came encoded as {encoding}, and that is what is kept"));
        let notes: Vec<String> = [note, broke, encoded].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
