//! What a side has looked at in all, for whoever tells it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::array::Statistics;
use crate::telemetry::Counters;
use crate::transfer::tell::event::{Stats, Tiles};

use super::Survey;

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
    total: Option<Statistics>,
    /// To be put in the place of what is taken.
    spare: Option<Statistics>,
    /// The time of the data threads, and the part of it without a core, when that was last looked at.
    threads: (f64, f64),
    /// Since when nothing is looked at, and how long that was so before.
    rests_since: Option<Instant>,
    rested: Duration,
}

impl SurveyReader {
    pub(crate) fn new() -> Self {
        Self {
            survey: Arc::default(),
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
        let left_out = self.left_out(now);
        let Some(empty) = self.survey.empty.get().and_then(Option::as_ref) else {
            return left_out.map(|why| Stats {
                left_out: Some(why),
                is_last,
                ..Stats::default()
            });
        };
        let total = self.total.get_or_insert_with(|| empty.emptied());
        let mut spare = self.spare.take().unwrap_or_else(|| empty.emptied());
        let parts = self.survey.lock().clone();
        for part in parts {
            {
                let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *part, &mut spare);
            }
            total.take_from(&mut spare);
        }
        self.spare = Some(spare);
        Some(Stats {
            values: total.elements(),
            array: total.stats(),
            left_out,
            is_last,
            tiles: Some(Arc::new(Tiles {
                grid: *total.grid(),
                tiles: total.tiles(),
            })),
        })
    }

    /// Why something was not looked at, beside what there was no time for.
    fn left_out(&self, now: Instant) -> Option<String> {
        if let Some(why) = self.survey.left_out.get() {
            return Some(why.clone());
        }
        let rests = self.rests_since.map(|since| now.saturating_duration_since(since));
        let rested = self.rested + rests.unwrap_or_default();
        (!rested.is_zero()).then(|| {
            let seconds = crate::units::duration(rested.as_secs_f64());
            format!("nothing was looked at for {seconds}: the transfer lacked a core")
        })
    }
}
