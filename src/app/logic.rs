//! What happens whether or not the window is seen: events come in, ends are settled, rounds repeat, the pace is set.

use std::sync::atomic::Ordering;

use eframe::egui::{Context, ViewportCommand};

use super::action::{Action, QueueAction};
use super::elsewhere::News;
use super::model::compare::Told;
use super::model::form::{SinkKind, SourceKind};
use super::model::plan::{Recipe, What, check};
use super::model::row::{Phase, RowKey};
use super::worker::{Dialog, Reply, Task};
use super::{App, AskedPaths, Clock, Question};
use crate::transfer::{Command, Incoming, Job, State, Transfer, Trust};

/// Events taken in for one frame: more than two frames' worth, few enough never to hold a frame up.
const EVENTS_A_FRAME: usize = 8192;

impl App {
    /// One step of the state machine.
    pub(super) fn step(&mut self, ctx: &Context) {
        // Before the events are taken: whatever comes from now on asks for another frame.
        self.pace.is_asked.store(false, Ordering::Release);
        self.take_events();
        self.take_news();
        self.take_replies();
        self.take_comparisons();
        self.take_pings(ctx);
        self.transfers.note_ends(self.now_s());
        self.begin_waiting();
        self.check_form();
        self.guard_close(ctx);
        self.set_title(ctx);
        self.set_pace(ctx);
    }

    /// Starts what the form says, as soon as its paths have been looked at.
    pub(super) fn start_form(&mut self) {
        self.form.start_when_checked = self.form.checked.recipe.is_none() && self.form.checked.pending;
        if let Some(recipe) = self.form.checked.recipe.clone() {
            let more = self.form.checked.more.clone();
            self.start(recipe);
            let first = self.transfers.selected().map(|row| row.key);
            for recipe in more {
                self.start(recipe);
            }
            if let Some(key) = first {
                self.transfers.select(key);
            }
        }
    }

    /// Starts a recipe in a row of its own.
    pub(super) fn start(&mut self, recipe: Recipe) {
        if self.comparisons.is_comparing() {
            return;
        }
        self.stop_measuring();
        (self.comparisons.page.is_open, self.pings.page.is_open) = (false, false);
        let has_place = self.transfers.has_place(self.settings.at_once) && self.transfers.waiting().next().is_none();
        let looked_at = self.transfers.selected().map(|row| row.key);
        let key = self.transfers.add(recipe, self.now_s());
        // Who listens takes no place.
        let listens = matches!(
            self.transfers.row(key).map(|row| &row.recipe.what),
            Some(What::Receive { .. })
        );
        if has_place || listens {
            self.launch(key);
        } else if let Some(row) = self.transfers.row_mut(key) {
            row.phase = Phase::Is(State::Queued);
            // There is nothing to see of it yet.
            self.transfers.select(looked_at.unwrap_or(key));
        }
    }

    /// Starts what has waited for its turn, as far as there are places.
    fn begin_waiting(&mut self) {
        while let Some(key) = self
            .transfers
            .next_to_begin(self.settings.at_once)
            .filter(|_| !self.is_closing)
        {
            if let Some(row) = self.transfers.row_mut(key) {
                row.phase = Phase::Starting;
            }
            self.launch(key);
        }
    }

    /// Starts what a row did once more, in a row of its own.
    pub(super) fn start_again(&mut self, key: RowKey) {
        if let Some(row) = self.transfers.row(key).filter(|_| !self.is_elsewhere(key)) {
            let recipe = row.recipe.clone();
            self.start(recipe);
        }
    }

    /// Does what was asked for of several transfers.
    pub(super) fn apply_to_queue(&mut self, action: QueueAction) {
        match action {
            QueueAction::AtOnce(at_once) => self.settings.at_once = at_once,
            QueueAction::Sooner(key) => self.transfers.sooner(key),
            QueueAction::PauseAll => self.pause_all(true),
            QueueAction::ResumeAll => self.pause_all(false),
            QueueAction::RetryFailed => self.retry_failed(),
        }
    }

    /// Pauses a transfer that runs, or lets it go on; of one that repeats the next round, too, which may not have begun.
    pub(super) fn pause(&mut self, key: RowKey, paused: bool) {
        if let Some(row) = self.transfers.row_mut(key) {
            row.begins_paused = paused && row.recipe.repeat;
        }
        if let Some(transfer) = self.handle(key) {
            set_paused(transfer, paused);
        }
    }

    /// Pauses everything that runs here, or goes on with it; what waits, waits or may begin.
    fn pause_all(&mut self, paused: bool) {
        self.transfers.hold(paused);
        for transfer in self.handles.values() {
            set_paused(transfer, paused);
        }
    }

    /// Starts again what failed, in place of it.
    fn retry_failed(&mut self) {
        for key in self.transfers.failed() {
            let Some(recipe) = self.transfers.row(key).map(|row| row.recipe.clone()) else {
                continue;
            };
            self.transfers.remove(key);
            self.start(recipe);
        }
    }

    /// Starts the transfer of a row.
    fn launch(&mut self, key: RowKey) {
        let Some(row) = self.transfers.row(key) else { return };
        let job = match row.recipe.what.clone() {
            What::Loopback { source, sink } => Job::Loopback { source, sink },
            What::Send { source, to } => Job::Send { source, to },
            What::Fetch { url, sink } => Job::Fetch {
                url,
                sink,
                trust: Trust::system(),
            },
            What::Elsewhere { .. } => return,
            What::Receive { at, .. } => {
                // A name in an address may take seconds to look up.
                if !self
                    .worker
                    .as_ref()
                    .is_some_and(|worker| worker.ask(Task::Bind(key, at)))
                {
                    self.fail(key, "too much waits to be started: try again");
                }
                return;
            }
        };
        self.launch_job(key, job);
    }

    fn launch_job(&mut self, key: RowKey, job: Job) {
        let Some(row) = self.transfers.row_mut(key) else { return };
        let mut options = row.recipe.options.clone();
        options.limit_bytes_per_s = row.limit_bytes_per_s;
        options.writer_pace_bytes_per_s = row.writer_pace_bytes_per_s;
        options.reader_pace_bytes_per_s = row.reader_pace_bytes_per_s;
        match Transfer::start(job, options, self.event_sender.clone(), self.waker.clone()) {
            Ok(transfer) => {
                if row.begins_paused {
                    transfer.pause();
                }
                self.transfers.tie(key, transfer.id());
                self.handles.insert(transfer.id(), transfer);
            }
            Err(error) => row.fail(&error),
        }
    }

    fn fail(&mut self, key: RowKey, message: &str) {
        if let Some(row) = self.transfers.row_mut(key) {
            row.fail(&crate::Error::Usage(message.to_owned()));
        }
    }

    /// The handle of a row's transfer, while it runs.
    pub(super) fn handle(&self, key: RowKey) -> Option<&Transfer> {
        self.handles.get(&self.transfers.row(key)?.id?)
    }

    fn take_events(&mut self) {
        let now_s = self.now_s();
        // Looked at before the events are taken, so that whatever a transfer said before its end is known by then.
        let ended: Vec<_> = self
            .handles
            .iter()
            .filter_map(|(id, transfer)| transfer.outcome().map(|outcome| (*id, outcome)))
            .collect();
        for event in self.events.try_iter().take(EVENTS_A_FRAME) {
            self.transfers.fold(event, now_s);
        }
        if !ended.is_empty() {
            // A file that was received is in the way of the next one.
            self.doubt_paths();
        }
        for (id, outcome) in ended {
            // It has ended, so that dropping it joins at once.
            self.handles.remove(&id);
            let Some(key) = self
                .transfers
                .rows()
                .iter()
                .find(|row| row.id == Some(id))
                .map(|row| row.key)
            else {
                continue;
            };
            if let Some(row) = self.transfers.row_mut(key) {
                row.settle(outcome);
                if row.goes_on() && !self.is_closing {
                    row.next_round(now_s);
                    self.launch(key);
                }
            }
        }
    }

    fn take_news(&mut self) {
        let now_s = self.now_s();
        let news: Vec<News> = self.elsewhere.iter().flat_map(|all| all.news(EVENTS_A_FRAME)).collect();
        for one in news {
            match one {
                News::Told(pid, side, event) => self.transfers.fold_elsewhere(pid, side, *event, now_s),
                News::Job(pid, transfer, source) => self.transfers.name_elsewhere(pid, transfer, &source),
                News::Engine(pid, command) => self.services.note_command(pid, command),
                News::Counts(pid, status) => self.services.note_status(pid, status),
                News::Ended(pid) => {
                    self.services.end(pid);
                    self.transfers.end_elsewhere(pid);
                }
            }
        }
    }

    /// Whether another process does what a row shows.
    pub(super) fn is_elsewhere(&self, key: RowKey) -> bool {
        self.transfers
            .row(key)
            .is_some_and(|row| row.recipe.what.elsewhere().is_some())
    }

    /// Passes a command on to a service of another process.
    pub(super) fn ask_service(&mut self, pid: u32, command: Command) {
        if command == Command::Drain {
            self.services.note_drain(pid);
        }
        if let Some(worker) = &self.worker {
            // Where too much waits it is asked for again.
            worker.ask(Task::Command(pid, command));
        }
    }

    /// Passes on what is wanted of a row that another process does.
    pub(super) fn pass_on(&self, action: &Action) {
        let (Action::Pause(key) | Action::Resume(key) | Action::Cancel(key) | Action::SetLimit(key, _)) = *action
        else {
            return;
        };
        let Some(row) = self.transfers.row(key) else { return };
        let (Some(pid), Some(transfer), Some(worker)) = (row.recipe.what.elsewhere(), row.id, &self.worker) else {
            return;
        };
        let command = match *action {
            Action::Pause(_) => Command::Pause { transfer },
            Action::Resume(_) => Command::Resume { transfer },
            Action::SetLimit(_, bytes_per_s) => Command::Limit { transfer, bytes_per_s },
            _ => Command::Cancel { transfer },
        };
        // Where too much waits it is asked for again.
        worker.ask(Task::Command(pid, command));
    }

    fn take_replies(&mut self) {
        let Some(worker) = &self.worker else { return };
        let replies: Vec<Reply> = worker.replies().collect();
        for reply in replies {
            match reply {
                Reply::Source(path, found) => self.form.paths.source = Some((path, found)),
                Reply::Sink(path, place) => self.form.paths.sink = Some((path, place)),
                Reply::NotShown(message) => {
                    if let Some(row) = self
                        .transfers
                        .selected()
                        .map(|row| row.key)
                        .and_then(|key| self.transfers.row_mut(key))
                    {
                        row.note = Some(message);
                    }
                }
                Reply::Bound(key, Ok(listener)) => {
                    let Some(row) = self.transfers.row_mut(key).filter(|row| !row.is_over()) else {
                        continue;
                    };
                    row.address = Some(listener.address().to_owned());
                    if let What::Receive { sink, expect, .. } = row.recipe.what.clone() {
                        self.launch_job(
                            key,
                            Job::Receive {
                                from: Incoming::Listener(listener),
                                sink,
                                expect,
                            },
                        );
                    }
                }
                Reply::Bound(key, Err(error)) => {
                    if let Some(row) = self.transfers.row_mut(key) {
                        row.fail(&error);
                    }
                }
                Reply::Saved(told) => self.comparisons.page.told = Some(told),
                Reply::Loaded(Ok(older)) => {
                    self.comparisons.page.told = None;
                    self.comparisons.page.older = Some(*older);
                }
                Reply::Loaded(Err(message)) => self.comparisons.page.told = Some(Told::Failed(message)),
                Reply::Chosen(dialog, path) => {
                    self.form.dialog_trouble = None;
                    if let Some(path) = path {
                        self.choose_path(dialog, path.display().to_string());
                    }
                }
                Reply::NoDialog => {
                    self.form.dialog_trouble =
                        Some("No file dialog here (no desktop portal): type the path.".to_owned());
                }
            }
        }
    }

    /// Puts a chosen or dropped path into the form.
    pub(super) fn choose_path(&mut self, dialog: Dialog, path: String) {
        let form = &mut self.settings.form;
        match dialog {
            Dialog::Source => (form.source, form.path) = (SourceKind::File, path),
            Dialog::Sink => (form.sink, form.sink_path) = (SinkKind::File, path),
            Dialog::Comparison => self.comparisons.page.path = path,
        }
    }

    /// Checks what is typed, and has paths looked at that nobody has looked at yet.
    pub(super) fn check_form(&mut self) {
        let now_s = self.now_s();
        if self.form.memory_read_s.is_none_or(|read_s| now_s - read_s >= 1.0) {
            self.form.memory_read_s = Some(now_s);
            self.form.paths.free_memory_bytes = crate::telemetry::available_memory_bytes();
        }
        let form = &self.settings.form;
        self.form.checked = check(form, &self.form.paths);
        let is_path = form.sends() && form.source == SourceKind::File && form.url().is_none();
        let source = is_path.then(|| form.path.trim());
        let sink = (form.receives() && form.sink == SinkKind::File).then(|| form.sink_path.trim());
        for (typed, asked, task) in [
            (
                source,
                &mut self.form.asked.source,
                Task::LookAtSource as fn(String) -> Task,
            ),
            (sink, &mut self.form.asked.sink, Task::LookAtSink),
        ] {
            if let (Some(typed), Some(worker)) = (typed.filter(|typed| !typed.is_empty()), &self.worker)
                && asked.as_deref() != Some(typed)
                && worker.ask(task(typed.to_owned()))
            {
                *asked = Some(typed.to_owned());
            }
        }
        if self.form.start_when_checked && !self.form.checked.pending {
            self.start_form();
        }
    }

    /// Has the paths looked at again, because what is there may have changed; until then the last answer counts.
    pub(super) fn doubt_paths(&mut self) {
        self.form.asked = AskedPaths::default();
    }

    fn guard_close(&mut self, ctx: &Context) {
        if !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        if (self.transfers.running() > 0 || self.comparisons.is_comparing()) && !self.is_closing {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.question = Some(Question::Close);
        } else {
            self.is_closing = true;
        }
    }

    /// Cancels everything and closes the window; the threads are joined when the handles go.
    pub(super) fn close_anyway(&mut self, ctx: &Context) {
        self.is_closing = true;
        for transfer in self.handles.values() {
            transfer.cancel();
        }
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    fn set_title(&mut self, ctx: &Context) {
        let page = &self.comparisons.page;
        let title = if page.is_open {
            page.title()
        } else {
            self.transfers.title()
        };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Measures what the window costs and asks for the next frame, as late as that allows.
    fn set_pace(&mut self, ctx: &Context) {
        let now_s = self.now_s();
        if matches!(self.clock, Clock::Stopped(_)) {
            return;
        }
        if self.transfers.running() == 0 && self.handles.is_empty() {
            self.own.meter.rest();
            self.own.threads.refresh();
            return;
        }
        self.transfers
            .note_memory(crate::telemetry::process_usage().resident_bytes);
        if self.own.meter.frame(now_s)
            && let Some(cpu_s) = self.own.threads.cpu_s()
        {
            self.own.meter.read(now_s, cpu_s);
        }
        let interval = self.own.meter.interval();
        self.pace
            .interval_ms
            .store(u64::try_from(interval.as_millis()).unwrap_or(500), Ordering::Relaxed);
        // One that waits or is paused says so itself when that ends; one that has just ended is still to be settled.
        if self.transfers.is_moving() || self.transfers.running() < self.handles.len() {
            self.pace.is_asked.store(true, Ordering::Release);
            ctx.request_repaint_after(interval);
        }
    }
}

fn set_paused(transfer: &Transfer, paused: bool) {
    if paused {
        transfer.pause();
    } else {
        transfer.resume();
    }
}
