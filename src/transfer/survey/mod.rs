//! Looks at the values of an array as its bytes pass by, at hardly any cost.
//!
//! Each connection of a side has a [`Surveyor`], which looks at as much as its [`Budget`] allows while the bytes are in
//! cache: all of them, or samples of 4 KiB. It adds up by itself; nobody waits for anybody. The thread of the transfer
//! takes what there is ([`SurveyReader`]) and makes events of it.

mod budget;
mod reader;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::array::{ArrayMeta, Statistics};
use budget::Budget;

pub(crate) use reader::SurveyReader;

/// Where not everything is looked at, so many bytes at a time are. Every number has a size that divides it.
const SAMPLE_BYTES: usize = 4 << 10;
/// Of each so many values of a sample one is counted in the histogram, which costs more than all else.
const HISTOGRAM_ONE_IN: usize = 8;

/// Why nothing is looked at of an array in memory that is handed over.
pub(crate) const HANDED_OVER: &str = "the array was handed over as it lies in memory: no byte of it passed by";

/// What the connections of one side have looked at.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Empty statistics, once it is known what moves; `None` where it has none.
    empty: OnceLock<Option<Statistics>>,
    parts: Mutex<Vec<Arc<Part>>>,
    /// How many those are.
    connections: AtomicUsize,
    /// Why nothing is looked at, from the beginning on.
    left_out: OnceLock<String>,
    /// Nothing is looked at for now.
    rests: AtomicBool,
}

/// What one connection has looked at since it was last asked. Whoever asks puts empty statistics in its place.
type Part = Mutex<Statistics>;

impl Survey {
    /// This array moves.
    pub(crate) fn begin(&self, meta: &ArrayMeta) {
        let empty = self.empty.get_or_init(|| Statistics::of(meta));
        if empty.is_none() {
            self.leave_out(format!("there are none of {}", meta.dtype().name()));
        }
    }

    /// Nothing is looked at, and this is why.
    pub(crate) fn leave_out(&self, why: String) {
        // The first reason stays.
        let _ = self.left_out.set(why);
    }

    /// The one who looks for a connection.
    pub(crate) fn surveyor(self: &Arc<Self>) -> Surveyor {
        Surveyor {
            survey: Arc::clone(self),
            part: None,
            array_bytes: 0,
            budget: Budget::new(),
            sample: Vec::new(),
            turn: 0,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Part>>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at what passes over one connection.
#[derive(Debug)]
pub(crate) struct Surveyor {
    survey: Arc<Survey>,
    part: Option<Arc<Part>>,
    /// The length of the array, once it is known.
    array_bytes: u64,
    budget: Budget,
    /// Room for a sample of what cannot be lent.
    sample: Vec<u8>,
    /// Moves the samples of a chunk about, so that they do not all lie at the same place of each.
    turn: usize,
}

/// What of a chunk is looked at: from the first byte on so many samples, so many bytes apart.
#[derive(Debug, Clone, Copy)]
struct Samples {
    first: usize,
    count: usize,
    step: usize,
    bytes: usize,
    histogram_one_in: usize,
}

impl Surveyor {
    /// Its survey, for whoever knows what moves.
    pub(crate) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Looks at bytes of the array from `at` on, as its budget allows. The thread has had nothing to do for so long.
    pub(crate) fn see(&mut self, at: u64, bytes: &[u8], now: Instant, idle: Duration) {
        self.look(at, bytes.len(), now, idle, |statistics, place, _, one_in| {
            statistics.see(at + place.start as u64, &bytes[place], one_in);
            true
        });
    }

    /// The same of `len` bytes from `at` on that have to be copied first, which `copy` does where it can.
    pub(crate) fn see_copies(
        &mut self,
        at: u64,
        len: usize,
        now: Instant,
        idle: Duration,
        mut copy: impl FnMut(u64, &mut [u8]) -> bool,
    ) {
        self.look(at, len, now, idle, |statistics, place, room, one_in| {
            let mut from = place.start;
            while from < place.end {
                let piece = (place.end - from).min(SAMPLE_BYTES);
                room.resize(SAMPLE_BYTES, 0);
                if !copy(at + from as u64, &mut room[..piece]) {
                    return false;
                }
                statistics.see(at + from as u64, &room[..piece], one_in);
                from += piece;
            }
            true
        });
    }

    /// Has `see` look at parts of a chunk; it returns false where it cannot.
    fn look(
        &mut self,
        at: u64,
        len: usize,
        now: Instant,
        idle: Duration,
        mut see: impl FnMut(&mut Statistics, std::ops::Range<usize>, &mut Vec<u8>, usize) -> bool,
    ) {
        if self.survey.rests.load(Ordering::Relaxed) {
            return;
        }
        let Some(part) = self.part() else { return };
        let connections = self.survey.connections.load(Ordering::Relaxed);
        self.budget.pass(len as f64 / self.array_bytes.max(1) as f64);
        let allowed = self.budget.bytes(now, idle, connections);
        // Whoever asks just now has it for a moment: this chunk is left out.
        let mut statistics = match part.try_lock() {
            Ok(statistics) => statistics,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Some(samples) = self.samples(at, len, allowed, statistics.item_bytes()) else {
            return;
        };
        let began = Instant::now();
        for index in 0..samples.count {
            let start = samples.first + index * samples.step;
            let place = start..len.min(start + samples.bytes);
            if !see(&mut statistics, place, &mut self.sample, samples.histogram_one_in) {
                self.survey
                    .leave_out("this route does not let its bytes be read".into());
                return;
            }
        }
        self.budget.spend(samples.count * samples.bytes, began.elapsed());
    }

    /// Which parts of `len` bytes from `at` on are looked at where so many bytes may be.
    fn samples(&mut self, at: u64, len: usize, allowed: usize, item_bytes: usize) -> Option<Samples> {
        if allowed >= len {
            return (len > 0).then_some(Samples {
                first: 0,
                count: 1,
                step: len,
                bytes: len,
                histogram_one_in: 1,
            });
        }
        // To the beginning of the first whole element.
        let aligned = usize::try_from(at.next_multiple_of(item_bytes as u64) - at).unwrap_or(0);
        let places = len.saturating_sub(aligned) / SAMPLE_BYTES;
        let count = (allowed / SAMPLE_BYTES).min(places);
        if count == 0 {
            return None;
        }
        let apart = places / count;
        // Steps that have no common measure with whatever repeats in the array.
        self.turn = self.turn.wrapping_add(0x9e37_79b1);
        let first = self.turn % apart;
        Some(Samples {
            first: aligned + first * SAMPLE_BYTES,
            count,
            step: apart * SAMPLE_BYTES,
            bytes: SAMPLE_BYTES,
            histogram_one_in: HISTOGRAM_ONE_IN,
        })
    }

    /// Where it adds up; `None` where there is nothing to be looked at, or not yet.
    fn part(&mut self) -> Option<Arc<Part>> {
        if self.part.is_none() {
            let empty = self.survey.empty.get()?.as_ref()?;
            self.array_bytes = empty.elements().saturating_mul(empty.item_bytes() as u64);
            let part = Arc::new(Mutex::new(empty.emptied()));
            self.survey.lock().push(Arc::clone(&part));
            if self.survey.connections.fetch_add(1, Ordering::Relaxed) == 0 {
                self.budget.pass(1.0);
            }
            self.part = Some(part);
        }
        self.part.clone()
    }
}

#[cfg(test)]
mod tests;
