//! A file that is being fetched, over one connection or several.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::transfer::fetch::answer::Told;
use crate::transfer::net::url::Url;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::trust::Trust;

/// What the connections of one file share.
pub(in crate::transfer) struct Fetched {
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) told: Told,
    pub(super) reception: IncomingArray,
    /// How often a connection broke and another one went on.
    breaks: AtomicU32,
}

impl Fetched {
    pub(super) fn new(url: Url, trust: Trust, told: Told, reception: IncomingArray) -> Self {
        Self {
            url,
            trust,
            told,
            reception,
            breaks: AtomicU32::new(0),
        }
    }

    /// Another connection has to go on.
    pub(super) fn broke(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
    }

    /// What should be known of how it came.
    pub(super) fn note(&self, note: Option<String>) -> Option<String> {
        let breaks = self.breaks.load(Ordering::Relaxed);
        let times = if breaks == 1 {
            "once".into()
        } else {
            format!("{breaks} times")
        };
        let broke = (breaks > 0).then(|| format!("the connection broke {times}, and another one went on"));
        let encoded = self.told.encoding.as_ref();
        let encoded = encoded.map(|encoding| format!("it came encoded as {encoding}, and that is what is kept"));
        let notes: Vec<String> = [note, broke, encoded].into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
