//! A row whose transfer broke: how much of it is kept, and when it is tried again by itself.

use std::time::Duration;

use super::super::format;
use super::{Phase, Row};
use crate::Error;
use crate::app::model::error_text;
use crate::app::words::say;
use crate::checksum::ChecksumKind;
use crate::retry::Retry;
use crate::transfer::{Failure, Job, Side, SinkSpec, State};

/// A send that broke is tried again by itself until nothing has moved for so long.
const PATIENCE: Duration = Duration::from_mins(10);

/// What outlasts the tries of a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Tries {
    /// How often it broke and began again.
    pub(super) broken: u32,
    /// Whether this try was told what is moved.
    pub(super) has_started: bool,
    /// Bytes that were kept when it broke last.
    pub(super) kept_bytes: u64,
    /// Since it broke, and until it is done or a person says otherwise.
    again: Option<Again>,
}

/// How it is tried again by itself.
#[derive(Debug, Clone)]
struct Again {
    retry: Retry,
    /// When the last try began, on the window's clock; `None` before the first.
    tried_s: Option<f64>,
    /// When the next one begins; `None` while one runs, or where no further one does.
    next_s: Option<f64>,
}

impl Row {
    /// It ends with this: for good, or so that the same goes on from what is kept.
    pub(super) fn end_with(&mut self, error: &Error) {
        let message = error_text::of(error);
        if self.can_go_on_after(error) {
            if self.tries.has_started {
                self.tries.kept_bytes = self.done_bytes();
            }
            self.phase = Phase::Interrupted { message };
        } else {
            self.phase = Phase::Failed {
                fault: error.fault(),
                message,
            };
        }
    }

    /// What never began was not interrupted.
    fn can_go_on_after(&self, error: &Error) -> bool {
        let Some(recipe) = self.recipe().filter(|recipe| !recipe.repeat) else {
            return false;
        };
        let keeps = match &recipe.job {
            Job::Send { .. } => true,
            Job::Receive { sink, .. } | Job::Loopback { sink, .. } => is_on_disk(sink),
            // Nothing is written down of what a server sends without saying which version that is, or not in parts.
            Job::Fetch { sink, .. } => {
                let started = self.main_end().started.as_ref();
                is_on_disk(sink) && started.is_some_and(|started| started.is_on_record)
            }
        };
        keeps && error.may_pass() && (self.tries.has_started || self.tries.broken > 0)
    }

    /// Whether it broke, and the same may go on from there.
    #[must_use]
    pub(crate) fn is_interrupted(&self) -> bool {
        matches!(self.phase, Phase::Interrupted { .. })
    }

    /// `12.1 of 40.0 GB are at the receiver`, or that nothing is kept of it; `None` unless it was interrupted.
    #[must_use]
    pub(crate) fn kept_in_words(&self) -> Option<String> {
        if !self.is_interrupted() {
            return None;
        }
        let recipe = self.recipe()?;
        let is_native = self.started().is_some_and(|started| started.wire == "native");
        let is_fetched = matches!(recipe.job, Job::Fetch { .. });
        if !is_fetched && (!is_native || recipe.options.checksum == ChecksumKind::None) {
            return Some(say!("row-kept-nothing").to_owned());
        }
        if self.is_tree() {
            return Some(say!("row-kept-items").to_owned());
        }
        let done = self.kept_in_short();
        Some(match recipe.job {
            Job::Send { .. } => say!("row-kept-there", done = done),
            _ => say!("row-kept-here", done = done),
        })
    }

    /// `12.1 of 40.0 GB`.
    #[must_use]
    pub(crate) fn kept_in_short(&self) -> String {
        let done = self.done_bytes();
        match self.total_bytes() {
            Some(total) => format::done_of(done, total),
            None => format::bytes(done).to_string(),
        }
    }

    /// Why it broke, how much is kept, and when it is tried again: what there is of it, in one line.
    #[must_use]
    pub(crate) fn interruption_in_words(&self, now_s: f64) -> String {
        let words = self.retries_in_words(now_s).into_iter().chain(self.kept_in_words());
        words.collect::<Vec<_>>().join(say!("semicolon"))
    }

    /// `11.9 GB were there already`, once that is told.
    #[must_use]
    pub(crate) fn resumed_in_words(&self) -> Option<String> {
        let started = self.main_end().started.as_ref().filter(|_| self.tries.has_started)?;
        let there = format::bytes(started.resumed_bytes);
        (started.resumed_bytes > 0).then(|| say!("row-resumed", bytes = there))
    }

    /// The part in which the receiver, where it is in this process, has what came.
    #[must_use]
    pub(crate) fn part(&self) -> Option<&std::path::Path> {
        let receives = self
            .recipe()
            .is_some_and(|recipe| recipe.job.sides().contains(&Side::Receiver));
        let started = self.end(Side::Receiver).started.as_ref().filter(|_| receives)?;
        started.part.as_deref()
    }

    /// Whether it is tried again by itself, after a while.
    #[must_use]
    pub(crate) fn waits_to_retry(&self) -> bool {
        self.is_interrupted() && self.next_try_s().is_some()
    }

    fn next_try_s(&self) -> Option<f64> {
        self.tries.again.as_ref()?.next_s
    }

    /// Whole seconds until it is tried again.
    #[must_use]
    pub(crate) fn retries_in_s(&self, now_s: f64) -> Option<u64> {
        let left_s = (self.next_try_s().filter(|_| self.is_interrupted())? - now_s).max(0.0);
        Some(Duration::from_secs_f64(left_s.ceil()).as_secs().max(1))
    }

    /// `trying again in 8 s`.
    #[must_use]
    pub(crate) fn retries_in_words(&self, now_s: f64) -> Option<String> {
        Some(say!("row-trying", seconds = self.retries_in_s(now_s)?))
    }

    /// When what is said of that changes next, in seconds from `now_s`.
    #[must_use]
    pub(crate) fn retry_changes_in_s(&self, now_s: f64) -> Option<f64> {
        let left_s = self.next_try_s().filter(|_| self.is_interrupted())? - now_s;
        Some((left_s - (left_s.ceil() - 1.0).max(0.0)).max(0.0))
    }

    /// A try has ended with this at `now_s` on the window's clock: a send that was interrupted is tried again after a
    /// while.
    pub fn retry_after(&mut self, failure: &Failure, now_s: f64) {
        let sends = self
            .recipe()
            .is_some_and(|recipe| matches!(recipe.job, Job::Send { .. }));
        if !sends || !self.is_interrupted() {
            self.tries.again = None;
            return;
        }
        let again = self.tries.again.get_or_insert_with(|| Again {
            retry: Retry::new(PATIENCE),
            tried_s: None,
            next_s: None,
        });
        let took_s = again.tried_s.map_or(0.0, |tried_s| (now_s - tried_s).max(0.0));
        let wait = again
            .retry
            .after(&failure.error, failure.bytes, Duration::from_secs_f64(took_s));
        again.next_s = wait.map(|wait| now_s + wait.as_secs_f64());
    }

    /// Whether the time has come to try it again.
    #[must_use]
    pub(in crate::app::model) fn is_to_be_retried(&self, now_s: f64) -> bool {
        self.is_interrupted() && self.next_try_s().is_some_and(|next_s| next_s <= now_s)
    }

    /// It waits for its turn to go on.
    pub(in crate::app::model) fn go_on(&mut self, now_s: f64) {
        if let Some(again) = &mut self.tries.again {
            (again.tried_s, again.next_s) = (Some(now_s), None);
        }
        self.tries.broken += 1;
        self.over_since_s = None;
        // Another process may be the other end then.
        self.mate = None;
        self.phase = Phase::Is(State::Queued);
    }

    /// It is not tried again by itself.
    pub(crate) fn stop_trying(&mut self) {
        self.tries.again = None;
    }
}

/// Whether what comes is kept in a new file on disk.
fn is_on_disk(sink: &SinkSpec) -> bool {
    matches!(sink, SinkSpec::File(_) | SinkSpec::Folder(_))
}

#[cfg(test)]
mod tests;
