//! Takes in what other threads have sent since the last frame: transfers, other processes and the worker.

use std::convert::Infallible;

use super::App;
use super::model::compare::Notice;
use super::model::row::RowKey;
use super::other_processes::ProcessNews;
use super::words::say;
use super::worker::Reply;
use crate::Error;
use crate::rounds::RoundEvent;
use crate::transfer::{Incoming, Listener, Outcome};

/// Events taken in for one frame: more than two frames' worth, few enough never to hold a frame up.
const EVENTS_A_FRAME: usize = 8192;

impl App {
    /// Events of this process's transfers, and how those ended that have.
    pub(super) fn take_events(&mut self) {
        let now_s = self.now_s();
        // Read before the events, so that an ended transfer's last events are among those that are taken now.
        let ended: Vec<_> = self
            .rounds
            .iter()
            .filter_map(|(key, rounds)| rounds.outcome().map(|outcome| (*key, outcome)))
            .collect();
        let mut a_round_ended = !ended.is_empty();
        for told in self.events.try_iter().take(EVENTS_A_FRAME) {
            let (key, event) = *told;
            match event {
                RoundEvent::Began(id) => {
                    self.keeping.begin(key, id);
                    self.transfers.tie(key, id);
                }
                RoundEvent::Told(event) => {
                    self.keeping.hear(&event);
                    self.transfers.fold(event, now_s);
                }
                RoundEvent::Ended(outcome) => {
                    a_round_ended = true;
                    self.keeping.end(key, &outcome, &self.transfers);
                    self.transfers.settle(key, outcome);
                }
            }
        }
        for (key, outcome) in ended {
            // It has ended, so that dropping it joins at once.
            self.rounds.remove(&key);
            self.keeping.end(key, &outcome, &self.transfers);
            let failure = match &outcome {
                Outcome::Failed(failure) if self.settings.retries => Some(failure.clone()),
                _ => None,
            };
            self.transfers.settle(key, outcome);
            if let (Some(failure), Some(row)) = (failure, self.transfers.row_mut(key)) {
                row.retry_after(&failure, now_s);
            }
        }
        self.take_history_notes();
        if a_round_ended {
            // A file that was received is in the way of the next one.
            self.form.requested.sink = None;
        }
    }

    /// News of other processes.
    pub(super) fn take_process_news(&mut self) {
        let now_s = self.now_s();
        let mut lost = Vec::new();
        for news in self.other_processes.iter().flat_map(|all| all.news(EVENTS_A_FRAME)) {
            match *news {
                ProcessNews::Event { pid, side, event } => self.transfers.fold_watched(pid, side, *event, now_s),
                ProcessNews::Source { pid, transfer, source } => self.transfers.name_watched(pid, transfer, &source),
                ProcessNews::Command { pid, command } => self.services.note_command(pid, command),
                ProcessNews::Status { pid, status } => self.services.note_status(pid, status),
                ProcessNews::Ended { pid } => {
                    lost.extend(self.services.end(pid));
                    self.transfers.end_watched(pid);
                }
            }
        }
        for service in lost {
            self.note_other_end(|away| away.note_lost_service(&service));
        }
    }

    /// Answers of the worker.
    pub(super) fn take_replies(&mut self) {
        let Some(worker) = &self.worker else { return };
        let replies: Vec<Reply> = worker.replies().collect();
        for reply in replies {
            match reply {
                Reply::Source(lookup) => self.form.paths.source = Some(lookup),
                Reply::Sink(lookup) => self.form.paths.sink = Some(lookup),
                Reply::Failed(message) => {
                    let selected = self.transfers.selected().map(|row| row.key);
                    if let Some(row) = selected.and_then(|key| self.transfers.row_mut(key)) {
                        row.window_note = Some(message);
                    }
                }
                Reply::Values { key, read } => {
                    if let Some(row) = self.transfers.row_mut(key) {
                        row.values = Some(read);
                    }
                }
                Reply::Notified(notified) => self.take_notified(notified),
                Reply::Bound { key, listener } => self.take_listener(key, listener),
                Reply::Saved(notice) => self.comparisons.page.notice = Some(notice),
                Reply::Loaded(Ok(older)) => {
                    let page = &mut self.comparisons.page;
                    (page.notice, page.older) = (None, Some(*older));
                }
                Reply::Loaded(Err(message)) => self.comparisons.page.notice = Some(Notice::Failure(message)),
                Reply::History(found) => self.take_history(found),
                Reply::Runs(runs) => self.history_page.take_runs(runs),
                Reply::Forgotten(forgotten) => self.take_forgotten(forgotten),
                Reply::Chosen { dialog, paths } => {
                    self.form.dialog_trouble = None;
                    self.choose(dialog, paths);
                }
                Reply::SavedAs(saved) => self.take_saved(saved),
                Reply::NoDialog => {
                    self.form.dialog_trouble = Some(say!("dialog-none").to_owned());
                }
            }
        }
    }

    /// Starts a receiver whose address is bound.
    fn take_listener(&mut self, key: RowKey, listener: Result<Listener, Error>) {
        let Some(row) = self.transfers.row_mut(key).filter(|row| !row.is_over()) else {
            return;
        };
        match listener {
            Ok(listener) => {
                row.address = Some(listener.address().to_owned());
                if let Some(recipe) = row.recipe() {
                    let bound = |_| Ok::<_, Infallible>(Incoming::Listener(listener));
                    let Ok(job) = recipe.job.clone().try_map_peer(bound);
                    self.launch_job(key, job);
                }
            }
            Err(error) => row.fail(&error),
        }
    }
}
