//! The history in the window: its own transfers are kept, and those of all processes are shown on a page.

pub(super) mod reading;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::App;
use super::action::HistoryAction;
use super::model::history::Found;
use super::model::row::RowKey;
use super::model::transfers::Transfers;
use super::model::view::View;
use super::words::say;
use super::worker::Task;
use crate::history::{Again, Recording};
use crate::transfer::{Event, Outcome, TransferId, Waker};

/// The transfers of this window on their way into the history.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// None where nothing is kept.
    recording: Option<Recording>,
    /// What its thread has to say.
    notes: Option<Receiver<String>>,
    /// The transfer that runs for a row.
    running: HashMap<RowKey, TransferId>,
}

impl Keeping {
    /// Keeps what ends in the history there.
    fn start(path: Option<PathBuf>, waker: &Waker) -> Self {
        let (say, notes) = bounded(4);
        let waker = Arc::clone(waker);
        let tell = move |note: &str| {
            // Each is said once: there is room.
            let _ = say.try_send(note.to_owned());
            waker();
        };
        Self {
            recording: Some(Recording::new("window", None, path, Arc::new(tell))),
            notes: Some(notes),
            running: HashMap::new(),
        }
    }

    /// A transfer begins for a row.
    pub(super) fn begin(&mut self, key: RowKey, id: TransferId) {
        if self.recording.is_some() {
            self.running.insert(key, id);
        }
    }

    /// A transfer told something.
    pub(super) fn hear(&mut self, event: &Event) {
        if let Some(recording) = &mut self.recording {
            recording.hear(event);
        }
    }

    /// The transfer of a row has ended.
    pub(super) fn end(&mut self, key: RowKey, outcome: &Outcome, transfers: &Transfers) {
        let Some(id) = self.running.remove(&key) else { return };
        let recipe = transfers.row(key).and_then(|row| row.recipe());
        let form = recipe.and_then(|recipe| serde_json::to_value(&*recipe.form).ok());
        let again = form.map(Again::form);
        if let Some(recording) = &mut self.recording {
            recording.ended(id, outcome, again);
        }
    }

    /// What its thread has said since.
    fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().flat_map(Receiver::try_iter)
    }
}

impl App {
    /// Keeps what this window transfers in the history there, and shows it on the page.
    pub fn keep_history_at(&mut self, path: Option<PathBuf>) {
        self.keeping = Keeping::start(path.clone(), &self.waker);
        self.history_file = path;
        self.history_page.is_switched_off = false;
        self.last_done_for = None;
    }

    /// Says with the selected transfer what its thread has to say.
    pub(super) fn take_history_notes(&mut self) {
        let Some(note) = self.keeping.notes().last() else {
            return;
        };
        let selected = self.transfers.selected().map(|row| row.key);
        if let Some(row) = selected.and_then(|key| self.transfers.row_mut(key)) {
            row.window_note = Some(note);
        }
    }
}

/// The page.
impl App {
    /// Asks for what the page looks for.
    pub(super) fn read_history(&mut self) {
        let search = self.history_page.search.clone();
        // Where the worker's queue is full it is asked for with the next change.
        if let Some(path) = self.history_file.clone() {
            self.ask_worker(Task::ReadHistory { path, search });
        }
    }

    /// Takes in what was found, and asks for the run that is shown.
    pub(super) fn take_history(&mut self, found: Found) {
        self.history_page.take(found);
        self.read_runs();
    }

    /// Takes in that an entry is gone, or why it is not.
    pub(super) fn take_forgotten(&mut self, forgotten: Result<(u64, bool), String>) {
        match forgotten {
            Ok((id, is_wiped)) => {
                self.history_page.remove(id);
                if !is_wiped {
                    self.history_page.trouble = Some(say!("history-not-wiped").to_owned());
                }
                self.read_runs();
            }
            Err(why) => self.history_page.trouble = Some(why),
        }
    }

    /// Applies what was asked for on the page.
    pub(super) fn apply_to_history(&mut self, action: HistoryAction) {
        let page = &mut self.history_page;
        match action {
            HistoryAction::Search(search) => {
                page.search = search;
                self.read_history();
            }
            HistoryAction::Pick(id) => {
                page.pick(id);
                self.read_runs();
            }
            HistoryAction::LayOver(id) => {
                page.lay_over(id);
                self.read_runs();
            }
            HistoryAction::Export(format) => self.export_run(format),
            HistoryAction::AskToForget(asks) => page.asks_to_forget = asks,
            HistoryAction::Forget(id) => {
                if let Some(path) = self.history_file.clone() {
                    self.ask_worker(Task::Forget { path, id });
                }
            }
            HistoryAction::Again(id) => {
                if let Some(form) = page.form(id) {
                    self.settings.form = form;
                    self.show(View::Transfers);
                    self.look_at_paths_again();
                    self.check_form();
                    self.start_form();
                }
            }
        }
    }

    fn read_runs(&mut self) {
        self.history_page.forget_runs();
        let missing = self.history_page.missing();
        if let Some(path) = self.history_file.clone().filter(|_| !missing.is_empty()) {
            // Where the worker's queue is full they are asked for with the next pick.
            self.ask_worker(Task::ReadRuns { path, ids: missing });
        }
    }
}

/// What ended with the window is kept, too.
impl Drop for App {
    fn drop(&mut self) {
        for rounds in self.rounds.values() {
            rounds.cancel();
        }
        // The last of it is told before they are joined.
        self.rounds.clear();
        self.take_events();
    }
}
