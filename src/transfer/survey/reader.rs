//! What a side has looked at in all, for whoever tells it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::array::Statistics;
use crate::telemetry::Counters;
use crate::transfer::tell::event::{Stats, TiledArray};

use super::{Detail, LACKED_A_CORE, Moving, NOT_COMPARED, Survey};

/// Threads that wait for a core for more than this share of their time lack one.
const LACKING: f64 = 0.2;
/// Below this share they have one again.
const AT_HAND: f64 = 0.05;
/// The share is taken over so long at least.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Adds up what the connections of a side have looked at.
#[derive(Debug)]
pub(crate) struct SurveyReader {
    survey: Arc<Survey>,
    /// With how often the array had begun to move by then.
    total: Option<(u64, Statistics)>,
    /// To be put in the place of what is taken.
    spare: Option<Statistics>,
    /// The time of the data threads, and the part of it without a core, when that was last looked at.
    threads: (f64, f64),
    /// Since when hardly anything is looked at, and how long that was so before.
    rests_since: Option<Instant>,
    rested: Duration,
}

impl SurveyReader {
    pub(crate) fn new(detail: Detail) -> Self {
        Self {
            survey: Arc::new(Survey::new(detail)),
            total: None,
            spare: None,
            threads: (0.0, 0.0),
            rests_since: None,
            rested: Duration::ZERO,
        }
    }

    /// What the connections of the side share.
    pub(crate) fn survey(&self) -> &Arc<Survey> {
        &self.survey
    }

    /// Has the connections rest while their threads lack a core: then a look is no more for free.
    pub(crate) fn hear(&mut self, counters: &Counters, now: Instant) {
        let (thread_s, core_wait_s) = self.threads;
        let passed_s = counters.thread_s - thread_s;
        if passed_s < LOOK_INTERVAL.as_secs_f64() {
            return;
        }
        let share = (counters.core_wait_s - core_wait_s) / passed_s;
        self.threads = (counters.thread_s, counters.core_wait_s);
        match self.rests_since {
            None if share > LACKING => self.rests_since = Some(now),
            Some(since) if share < AT_HAND => {
                self.rested += now.saturating_duration_since(since);
                self.rests_since = None;
            }
            _ => return,
        }
        let rests = self.rests_since.is_some();
        self.survey.rests.store(rests, Ordering::Relaxed);
    }

    /// What there is by now. `None` where nothing is known yet of what moves.
    pub(crate) fn stats(&mut self, now: Instant, is_last: bool) -> Option<Stats> {
        let (begun, left_out, total, meta, parts) = {
            let moving = self.survey.lock();
            let Moving {
                meta,
                empty,
                parts,
                left_out,
            } = &*moving;
            // Whoever begins again does so with the lock.
            let begun = self.survey.begun.load(Ordering::Acquire);
            let left_out = left_out.clone().or_else(|| self.rested(now));
            // Tiles are many: empty ones are made once, and not each time that they are told.
            let total = match self.total.take().filter(|(of, _)| *of == begun) {
                Some((_, total)) => Some(total),
                None => empty.as_ref().map(Statistics::emptied),
            };
            (begun, left_out, total, meta.clone(), parts.clone())
        };
        let Some((mut total, meta)) = total.zip(meta) else {
            return left_out.map(|why| Stats {
                left_out: Some(why),
                is_last,
                ..Stats::default()
            });
        };
        let mut spare = self
            .spare
            .take()
            .filter(|spare| spare.grid() == total.grid())
            .unwrap_or_else(|| total.emptied());
        for part in parts {
            {
                let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *part, &mut spare);
            }
            total.take_from(&mut spare);
        }
        self.spare = Some(spare);
        let tiles = (self.survey.detail == Detail::Picture).then(|| {
            Arc::new(TiledArray {
                meta,
                grid: *total.grid(),
                tiles: total.tiles(),
            })
        });
        let stats = Stats {
            values: total.elements(),
            array: total.stats(),
            left_out,
            is_last,
            verified_bytes: Some(self.survey.verified_bytes.load(Ordering::Relaxed))
                .filter(|bytes| *bytes != NOT_COMPARED),
            tiles,
        };
        self.total = Some((begun, total));
        Some(stats)
    }

    /// For how long hardly anything was looked at.
    fn rested(&self, now: Instant) -> Option<String> {
        let rests = self.rests_since.map(|since| now.saturating_duration_since(since));
        let rested = self.rested + rests.unwrap_or_default();
        (!rested.is_zero()).then(|| {
            let seconds = crate::units::duration(rested.as_secs_f64());
            let (before, behind) = LACKED_A_CORE;
            format!("{before}{seconds}{behind}")
        })
    }
}
