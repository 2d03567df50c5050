//! From what is typed to a transfer that runs: the form is checked, and recipes are started as soon as they may.

use std::sync::Arc;

use super::model::form::{Form, SinkKind, SourceKind};
use super::model::place::Place;
use super::model::plan::{Recipe, check};
use super::model::row::{Phase, RowKey};
use super::model::view::View;
use super::worker::Task;
use super::{App, RequestedPaths};
use crate::app::words::say;
use crate::rounds::{Rounds, RoundsPlan};
use crate::transfer::{Endpoint, Incoming, Job, Listener};

/// Free memory is read at most this often.
const MEMORY_INTERVAL_S: f64 = 1.0;

impl App {
    /// Checks what is typed, and asks the worker to look at paths that are new.
    pub(super) fn check_form(&mut self) {
        let now_s = self.now_s();
        let read_s = self.form.memory_read_s;
        if read_s.is_none_or(|read_s| now_s - read_s >= MEMORY_INTERVAL_S) {
            self.form.memory_read_s = Some(now_s);
            self.form.paths.free_memory_bytes = crate::telemetry::available_memory_bytes();
        }
        let form = &self.settings.form;
        self.form.checked = check(form, &self.form.paths);
        let (source, sink) = (source_place(form), sink_place(form));
        if let Some(source) = source.filter(|place| self.form.requested.source.as_ref() != Some(place))
            && self.ask_worker(Task::LookAtSource(source.clone()))
        {
            self.form.requested.source = Some(source);
        }
        if let Some(sink) = sink.filter(|place| self.form.requested.sink.as_ref() != Some(place))
            && self.ask_worker(Task::LookAtSink(sink.clone()))
        {
            self.form.requested.sink = Some(sink);
        }
        if self.form.start_when_checked && !self.form.checked.pending {
            self.start_form();
        }
    }

    /// Asks for all paths to be looked at again; until the answer comes the last one counts.
    pub(super) fn look_at_paths_again(&mut self) {
        self.form.requested = RequestedPaths::default();
    }

    /// Starts what the form says, as soon as its paths have been looked at. Then the list takes the place of the form;
    /// where nothing can be started, the form is shown with what is wrong.
    pub(super) fn start_form(&mut self) {
        let checked = self.form.checked.clone();
        self.form.start_when_checked = checked.recipe.is_none() && checked.pending;
        if self.form.start_when_checked {
            return;
        }
        if self.refuses_while_comparing() {
            return;
        }
        let Some(recipe) = checked.recipe.clone() else {
            self.open_form();
            return;
        };
        self.start(recipe);
        let first = self.transfers.selected().map(|row| row.key);
        let further: Vec<Recipe> = checked.further().collect();
        for recipe in further {
            self.start(recipe);
        }
        if let Some(key) = first {
            self.transfers.select(key);
        }
        self.settings.form_open = false;
    }

    /// Starts a recipe in a row of its own, or lets it wait for its turn; nothing while routes are compared.
    pub(super) fn start(&mut self, recipe: Recipe) {
        if self.refuses_while_comparing() {
            return;
        }
        self.stop_measuring();
        self.view = View::Transfers;
        let is_next = self.transfers.has_free_slot(self.settings.at_once) && self.transfers.waiting().next().is_none();
        // Who listens takes no slot.
        let listens = matches!(recipe.job, Job::Receive { .. });
        if is_next || listens {
            let key = self.transfers.add(recipe, self.now_s());
            self.launch(key);
        } else {
            self.transfers.add_waiting(recipe, self.now_s());
        }
    }

    /// Whether nothing may start, as a comparison would measure it, too: then the comparison is shown.
    pub(super) fn refuses_while_comparing(&mut self) -> bool {
        let refuses = self.comparisons.is_comparing();
        if refuses {
            self.show(View::Compare);
        }
        refuses
    }

    /// Starts what has waited for its turn, as far as there are slots.
    pub(super) fn begin_waiting(&mut self) {
        while !self.is_closing
            && let Some(key) = self.transfers.next_to_begin(self.settings.at_once)
        {
            if let Some(row) = self.transfers.row_mut(key) {
                row.phase = Phase::Starting;
            }
            self.launch(key);
            self.transfers.list_waiting(self.now_s());
        }
        self.transfers.forget_done();
        self.transfers.forget_pictures();
    }

    /// Starts the transfer of a row, as soon as the address that it may listen at is bound.
    pub(super) fn launch(&mut self, key: RowKey) {
        let Some(recipe) = self.transfers.row(key).and_then(|row| row.recipe()) else {
            return;
        };
        match recipe.job.clone().try_map_peer(Err::<Incoming, Endpoint>) {
            Ok(job) => self.launch_job(key, job),
            Err(typed) => {
                // Where it listened before, so that who sent goes on.
                let endpoint = self.transfers.row(key).and_then(|row| row.address.as_deref());
                let endpoint = endpoint
                    .and_then(|address| Endpoint::parse(address).ok())
                    .unwrap_or(typed);
                // A name in an address may take seconds to look up.
                if !self.ask_worker(Task::Bind { key, endpoint })
                    && let Some(row) = self.transfers.row_mut(key)
                {
                    let why = say!("error-too-much-waits");
                    row.fail(&crate::Error::Usage(why.to_owned()));
                }
            }
        }
    }

    /// Starts the transfer of a row with nothing left to find out.
    pub(super) fn launch_job(&mut self, key: RowKey, job: Job) {
        let Some(row) = self.transfers.row_mut(key) else { return };
        let Some(recipe) = row.recipe() else { return };
        let mut options = recipe.options.clone();
        options.limit_bytes_per_s = row.limit_bytes_per_s;
        options.writer_pace_bytes_per_s = row.writer_pace_bytes_per_s;
        options.reader_pace_bytes_per_s = row.reader_pace_bytes_per_s;
        let plan = RoundsPlan {
            options,
            times: (!recipe.repeat).then_some(1),
            is_paused: row.begins_paused,
        };
        // A listener is used up by its round: the next one listens at the same address.
        let address = row.address.as_deref().and_then(|address| Endpoint::parse(address).ok());
        let again = recipe.job.clone();
        let mut first = Some(job);
        let job = move || {
            first.take().map_or_else(
                || {
                    let listen = |typed| Listener::bind(address.as_ref().unwrap_or(&typed)).map(Incoming::Listener);
                    again.clone().try_map_peer(listen)
                },
                Ok,
            )
        };
        let (events, waker) = (self.event_sender.clone(), self.waker.clone());
        match Rounds::start(plan, job, events, move |event| Box::new((key, event)), waker) {
            Ok(rounds) => {
                let rounds = Arc::new(rounds);
                self.process_end.add(&rounds);
                self.rounds.insert(key, rounds);
            }
            Err(error) => row.fail(&error),
        }
    }
}

/// The path of a source that is somewhere to be looked at.
fn source_place(form: &Form) -> Option<Place> {
    let is_path = form.sends() && form.source == SourceKind::File && form.url().is_none();
    form.source_place().filter(|_| is_path)
}

/// The path of a sink that is somewhere to be looked at.
fn sink_place(form: &Form) -> Option<Place> {
    let is_path = form.receives() && form.sink == SinkKind::File;
    form.sink_place().filter(|_| is_path)
}
