//! Looks at the values of an array as its bytes pass by, at hardly any cost.
//!
//! Each connection of a side has a [`Surveyor`], which looks at as much as its [budget](SharedBudget) allows while the bytes are in
//! cache: all of them, or samples of 4 KiB. It adds up by itself; nobody waits for anybody. The thread of the transfer
//! takes what there is ([`SurveyReader`]) and makes events of it.

mod budget;
mod reader;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::array::{ArrayMeta, Grid, Statistics};
pub(crate) use budget::SharedBudget;
pub(crate) use reader::SurveyReader;

/// Where not everything is looked at, so many bytes at a time are. Every number has a size that divides it.
const SAMPLE_BYTES: usize = 4 << 10;
/// In so many pieces an array is divided where it has no picture, and where thousands move at once.
const PIECES: u64 = 32;
const FEW_PIECES: u64 = 8;
/// However little time there is, one sample is looked at in each so large a part of the array, as long as it has this
/// length: so that what is estimated is of all of it.
const STRETCHES_MAX: u64 = 64;
const STRETCH_BYTES_MIN: u64 = 256 << 10;
/// Of each so many values of a sample one is counted in the histogram, which costs more than all else.
const HISTOGRAM_ONE_IN: usize = 8;

/// Why nothing is looked at of an array in memory that is handed over.
pub(crate) const HANDED_OVER: &str = "the array was handed over as it lies in memory: no byte of it passed by";

/// Why nothing is looked at of an array of other elements than numbers: what stands before the name of its dtype.
pub(crate) const NONE_OF: &str = "there are none of ";
/// Why hardly anything was looked at for a time: what stands before that and behind it.
pub(crate) const LACKED_A_CORE: (&str, &str) = ("hardly anything was looked at for ", ": the transfer lacked a core");

/// Into how many parts an array is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Into the tiles of a picture.
    Picture,
    /// Into as many as estimates need.
    Numbers,
    /// Into a few: thousands of transfers may have such numbers at the same time, of which each takes 16 KiB.
    FewNumbers,
}

/// What the connections of one side have looked at.
#[derive(Debug)]
pub(crate) struct Survey {
    detail: Detail,
    moving: Mutex<Moving>,
    /// How often the array began to move from its first byte on.
    begun: AtomicU64,
    /// How many connections look.
    connections: AtomicUsize,
    /// Nothing but a sample a stretch is looked at for now.
    rests: AtomicBool,
    /// Bytes of the blocks whose checksums have agreed so far; [`NOT_COMPARED`] where there are none to compare.
    verified_bytes: AtomicU64,
}

const NOT_COMPARED: u64 = u64::MAX;

/// What moves, and who has looked at it.
#[derive(Debug, Default)]
struct Moving {
    meta: Option<ArrayMeta>,
    /// Empty statistics, once it is known what moves and where it has any.
    empty: Option<Statistics>,
    parts: Vec<Arc<Part>>,
    /// Why nothing is looked at.
    left_out: Option<String>,
}

/// What one connection has looked at since it was last asked. Whoever asks puts empty statistics in its place.
type Part = Mutex<Statistics>;

impl Survey {
    fn new(detail: Detail) -> Self {
        Self {
            detail,
            moving: Mutex::default(),
            begun: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            rests: AtomicBool::new(false),
            verified_bytes: AtomicU64::new(NOT_COMPARED),
        }
    }

    /// This array moves.
    pub(crate) fn begin(&self, meta: &ArrayMeta) {
        let grid = match self.detail {
            Detail::Picture => Grid::of(meta),
            Detail::Numbers => Grid::in_pieces(meta, PIECES),
            Detail::FewNumbers => Grid::in_pieces(meta, FEW_PIECES),
        };
        match Statistics::with_grid(meta, grid) {
            Some(empty) => {
                let mut moving = self.lock();
                moving.meta.get_or_insert_with(|| meta.clone());
                moving.empty.get_or_insert(empty);
            }
            None => self.leave_out(format!("{NONE_OF}{}", meta.dtype().name())),
        }
    }

    /// What has come is of no use, and all of it comes again: nothing of it is counted. No connection looks meanwhile.
    pub(crate) fn begin_again(&self) {
        *self.lock() = Moving::default();
        self.connections.store(0, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// The blocks whose checksums have agreed come to so many bytes by now.
    pub(crate) fn verified(&self, bytes: u64) {
        self.verified_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Nothing is looked at, and this is why. The first reason stays.
    pub(crate) fn leave_out(&self, why: String) {
        self.lock().left_out.get_or_insert(why);
    }

    /// The one who looks for a connection that has a thread of its own.
    pub(crate) fn surveyor(self: &Arc<Self>) -> Surveyor {
        self.surveyor_within(SharedBudget::of_thread())
    }

    /// The one who looks for a connection of a loop, whose thread has this budget for all of its connections.
    pub(crate) fn surveyor_within(self: &Arc<Self>, budget: SharedBudget) -> Surveyor {
        Surveyor {
            survey: Arc::clone(self),
            part: None,
            begun: 0,
            stretch_bytes: 0,
            passed: 0,
            budget,
            sample: Vec::new(),
            turn: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at what passes over one connection.
#[derive(Debug)]
pub(crate) struct Surveyor {
    survey: Arc<Survey>,
    part: Option<Arc<Part>>,
    /// How often the array had begun to move when it got that.
    begun: u64,
    /// In so many bytes at least one sample is looked at, once it is known what moves.
    stretch_bytes: u64,
    /// What has passed since the last look.
    passed: u64,
    budget: SharedBudget,
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
        if !self.has_part() {
            return;
        }
        let connections = self.survey.connections.load(Ordering::Relaxed);
        self.passed += len as u64;
        let is_due = self.passed >= self.stretch_bytes;
        let allowed = match self.budget.bytes(now, idle, connections) {
            _ if self.survey.rests.load(Ordering::Relaxed) => 0,
            allowed => allowed,
        };
        let allowed = allowed.max(if is_due { SAMPLE_BYTES } else { 0 });
        if allowed < SAMPLE_BYTES.min(len) {
            return;
        }
        let Some(part) = self.part.clone() else { return };
        // What comes before the look and after it takes time, too.
        let began = Instant::now();
        // Whoever asks just now has it for a moment: this chunk is left out.
        let mut statistics = match part.try_lock() {
            Ok(statistics) => statistics,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let Some(samples) = self.samples(at, len, allowed, statistics.item_bytes()) else {
            return;
        };
        self.passed = 0;
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

    /// Whether it has where to add up: not where there is nothing to be looked at, or not yet.
    fn has_part(&mut self) -> bool {
        let begun = self.survey.begun.load(Ordering::Acquire);
        if self.part.is_some() && self.begun == begun {
            return true;
        }
        self.part = None;
        self.begun = begun;
        let mut moving = self.survey.lock();
        let Some(empty) = moving.empty.as_ref() else {
            return false;
        };
        let array_bytes = empty.elements().saturating_mul(empty.item_bytes() as u64);
        self.stretch_bytes = (array_bytes / STRETCHES_MAX).max(STRETCH_BYTES_MIN);
        // The samples lie in the middle of the stretches.
        self.passed = self.stretch_bytes / 2;
        let part = Arc::new(Mutex::new(empty.emptied()));
        moving.parts.push(Arc::clone(&part));
        let before = self.survey.connections.fetch_add(1, Ordering::Relaxed);
        self.budget.is_of(before + 1);
        self.part = Some(part);
        true
    }
}

#[cfg(test)]
mod tests;
