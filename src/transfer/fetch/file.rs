//! A file that is being fetched, over one connection or several.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::transfer::net::url::Url;
use crate::transfer::sink::incoming_array::IncomingArray;
use crate::transfer::trust::Trust;

use super::answer::FileInfo;
use super::claimed::ClaimedPart;
use super::setback::Setback;

/// What the connections of one file share.
pub(in crate::transfer) struct FetchedFile {
    /// Where it was found, and where the rest of it is asked for.
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) info: FileInfo,
    pub(super) array: Arc<IncomingArray>,
    /// Over how many connections it comes, at most.
    pub(super) streams: u16,
    /// What should be known of how it came.
    notes: Mutex<Vec<String>>,
    /// Parts of which nothing has come, because the server did not serve their connections.
    given_back: Mutex<Vec<ClaimedPart>>,
    /// How many there were.
    unserved: AtomicU32,
    /// Further connections of which it is not known yet whether the server serves them.
    unheard: AtomicU32,
    /// How often a connection broke and another one went on.
    breaks: AtomicU32,
    /// All of it has to come again: none of its connections goes on.
    is_given_up: AtomicBool,
    /// Why, until the first connection has heard of it.
    setback: Mutex<Option<Setback>>,
}

impl FetchedFile {
    pub(super) fn new(url: Url, trust: Trust, info: FileInfo, array: IncomingArray, streams: u16) -> Self {
        Self {
            url,
            trust,
            info,
            array: Arc::new(array),
            streams,
            notes: Mutex::default(),
            given_back: Mutex::default(),
            unserved: AtomicU32::new(0),
            unheard: AtomicU32::new(u32::from(streams.saturating_sub(1))),
            breaks: AtomicU32::new(0),
            is_given_up: AtomicBool::new(false),
            setback: Mutex::default(),
        }
    }

    /// Bytes that have landed over all connections.
    pub(super) fn landed_bytes(&self) -> u64 {
        self.array.sink.ledger.landed_bytes()
    }

    /// Those of them that came, and were not there from an earlier fetch.
    pub(super) fn received_bytes(&self) -> u64 {
        self.array.sink.ledger.received_bytes()
    }

    /// A connection broke, and another one goes on.
    pub(super) fn count_break(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
    }

    /// The server has answered a further connection for the first time, or never will.
    pub(super) fn heard(&self) {
        self.unheard.fetch_sub(1, Ordering::Release);
    }

    /// Whether a further connection may still be refused.
    pub(super) fn has_unheard(&self) -> bool {
        self.unheard.load(Ordering::Acquire) > 0
    }

    /// Leaves a part to the first connection.
    pub(super) fn give_back(&self, part: ClaimedPart) {
        self.unserved.fetch_add(1, Ordering::Relaxed);
        self.given_back
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(part);
    }

    /// A part that another connection has left.
    pub(super) fn take_given_back(&self) -> Option<ClaimedPart> {
        self.given_back.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// The part that begins there, where another connection has left it.
    pub(super) fn take_given_back_at(&self, begin: u64) -> Option<ClaimedPart> {
        let mut given_back = self.given_back.lock().unwrap_or_else(PoisonError::into_inner);
        let index = given_back.iter().position(|part| part.start() == begin)?;
        Some(given_back.swap_remove(index))
    }

    /// Whether the server did not serve a connection for a part.
    pub(super) fn has_unserved(&self) -> bool {
        self.unserved.load(Ordering::Relaxed) > 0
    }

    /// Nothing more of it comes, because its parts are not sure to fit. A further connection says why: the first one, which
    /// decides what becomes of it, hears the first reason.
    pub(super) fn give_up(&self, why: Option<Setback>) {
        let mut setback = self.setback.lock().unwrap_or_else(PoisonError::into_inner);
        let was_given_up = self.is_given_up.swap(true, Ordering::Relaxed);
        match why {
            Some(_) if was_given_up => {}
            why => *setback = why,
        }
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// Why another connection gave it up.
    pub(super) fn take_setback(&self) -> Option<Setback> {
        self.setback.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Something that should be known of how it came.
    pub(super) fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    /// All that should be known of how it came, after what is to be said of where it is.
    pub(super) fn notes(&self, note: Option<String>) -> Option<String> {
        let breaks = self.breaks.load(Ordering::Relaxed);
        let broke = (breaks > 0).then(|| format!("the connection broke {}, and another one went on", times(breaks)));
        let unserved = self.unserved.load(Ordering::Relaxed);
        let fewer = (unserved > 0).then(|| {
            format!(
                "the server did not serve {unserved} of {} connections, whose parts came over another one",
                self.streams
            )
        });
        let encoded = self.info.encoding.as_ref();
        let encoded = encoded.map(|encoding| format!("it came encoded as {encoding}, and that is what is kept"));
        let noted = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let notes: Vec<String> = [note, broke, fewer, encoded, self.array.sink.note_on_routes()]
            .into_iter()
            .flatten()
            .chain(noted.iter().cloned())
            .collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// How often, in words.
pub(super) fn times(count: u32) -> String {
    match count {
        1 => "once".into(),
        count => format!("{count} times"),
    }
}
