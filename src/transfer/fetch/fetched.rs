//! A file that is being fetched, over one connection or several.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::transfer::fetch::answer::Told;
use crate::transfer::net::url::Url;
use crate::transfer::plan::Options;
use crate::transfer::sink::reception::Reception;
use crate::transfer::trust::Trust;
use crate::wire::Digest;

/// What the connections of one file share.
pub(in crate::transfer) struct Fetched {
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) told: Told,
    pub(super) reception: Reception,
    /// The checksums of its parts, by their first bytes.
    digests: Mutex<Vec<(u64, Digest)>>,
    /// How often a connection broke and another one went on.
    breaks: AtomicU32,
}

impl Fetched {
    pub(super) fn new(url: Url, trust: Trust, told: Told, reception: Reception) -> Self {
        Self {
            url,
            trust,
            told,
            reception,
            digests: Mutex::default(),
            breaks: AtomicU32::new(0),
        }
    }

    /// Another connection has to go on.
    pub(super) fn broke(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
    }

    /// A part is whole, and this is its checksum.
    pub(super) fn keep(&self, at: u64, digest: Digest) {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.push((at, digest));
    }

    /// The checksum of the whole file, once every part is kept.
    pub(super) fn checksum(&self, options: &Options) -> Option<String> {
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.sort_by_key(|(at, _)| *at);
        let mut whole = Digest::new(options.checksum);
        digests.iter().for_each(|(_, digest)| whole.append(digest));
        whole.to_text()
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
