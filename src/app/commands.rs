//! Applies what panels and keys return: the one place where the window's state changes by what a person does.

use std::path::PathBuf;

use eframe::egui::{Context, Popup};

use super::action::{Action, CompareAction, Dialog, FormAction, QueueAction, RoundTripsAction, TransferAction};
use super::model::form::{EndpointKind, SourceKind};
use super::model::format::count_rates_in;
use super::model::row::{Phase, RowKey};
use super::model::values::ValuesAsked;
use super::model::view::{View, WindowSize};
use super::panels::list_head::filter_id;
use super::panels::list_row::row_id;
use super::panels::new_transfer::first_field;
use super::panels::row_menu;
use super::worker::Task;
use super::{App, Question, theme, words};
use crate::language::Language;
use crate::transfer::{Command, TransferId};

/// A transfer that has run for so long is cancelled only after a question.
const CANCEL_WITHOUT_QUESTION_S: f64 = 5.0;

impl App {
    /// Applies an action.
    pub(super) fn apply(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Transfer(key, action) => self.apply_to_transfer(key, action),
            Action::Queue(action) => self.apply_to_queue(action),
            Action::Form(action) => self.apply_to_form(ctx, action),
            Action::Compare(action) => self.apply_to_comparison(action),
            Action::RoundTrips(action) => self.apply_to_round_trips(action),
            Action::History(action) => self.apply_to_history(action),
            Action::Service {
                pid,
                command: Command::Stop,
            } if self.services.moves(pid) => self.question = Some(Question::Stop(pid)),
            Action::Service { pid, command } => self.command_service(pid, command),
            Action::SetPlotView(view) => {
                if view.period != self.settings.plot.period
                    && let Some(row) = self.transfers.selected_mut()
                {
                    // A period is picked to be seen.
                    row.zoom = None;
                }
                self.settings.plot = view;
            }
            Action::MeasureCeilings => self.measure_ceilings(),
            Action::Show(view) => self.show(view),
            Action::Filter(filter) => self.filter = filter,
            Action::FocusFilter => self.focus_filter(ctx),
            Action::ShowList(at) => self.list_at = at,
            Action::OpenMenu(key) => Popup::open_id(ctx, row_menu::id(key)),
            Action::Palette(palette) => {
                // A menu would lie over it and take its keys.
                Popup::close_all(ctx);
                self.palette = palette;
            }
            Action::TryThisMachine => {
                if let Some(recipe) = self.first_steps_form().recipe {
                    self.start(recipe);
                }
            }
            Action::SelectAbove => self.select_beside(ctx, -1),
            Action::SelectBelow => self.select_beside(ctx, 1),
            Action::Browse(dialog) => {
                if dialog == Dialog::Source {
                    self.settings.form.source = SourceKind::File;
                    self.open_form();
                }
                if let Some(worker) = &self.worker {
                    worker.open_dialog(dialog, self.waker.clone());
                }
            }
            Action::ShowFolder(path) | Action::OpenFile(path) => drop(self.ask_worker(Task::Open(path))),
            Action::Copy(text) => ctx.copy_text(text),
            Action::SetTheme(choice) => {
                self.settings.theme = choice;
                theme::choose(ctx, choice);
            }
            Action::SetLanguage(choice) => self.set_language(choice),
            Action::SetRates(scale) => {
                self.settings.rates = scale;
                count_rates_in(scale);
            }
            Action::SetReducedMotion(is_reduced) => self.settings.reduced_motion = is_reduced,
            Action::SetNotifies(notifies) => self.settings.notifies = notifies,
            Action::SetRetries(retries) => {
                self.settings.retries = retries;
                if !retries {
                    self.transfers.stop_trying();
                }
            }
            Action::StopServiceAnyway(pid) => {
                self.question = None;
                self.command_service(pid, Command::Stop);
            }
            Action::CloseAnyway => {
                self.question = None;
                self.close_anyway(ctx);
            }
            Action::KeepRunning => self.question = None,
        }
    }

    /// Speaks another language from now on.
    fn set_language(&mut self, choice: Option<Language>) {
        self.settings.language = choice;
        self.asked_language = None;
        words::speak(self.language());
        if let Some(fonts) = &self.system_fonts {
            fonts.prepare(self.language());
        }
        // What is wrong in the form is said anew.
        self.look_at_paths_again();
        self.check_form();
    }

    /// Goes to the filter, where there is a list.
    fn focus_filter(&mut self, ctx: &Context) {
        self.show(View::Transfers);
        if self.list().is_empty() {
            return;
        }
        // In a wide window the form lies over the list, in a narrow one over the strip.
        self.settings.form_open &= self.size == WindowSize::Medium;
        if self.size != WindowSize::Wide {
            self.list_at.get_or_insert_default();
        }
        ctx.memory_mut(|memory| memory.request_focus(filter_id()));
    }

    /// Selects the row so many below the selected one; the focus goes with the selection.
    fn select_beside(&mut self, ctx: &Context, down: isize) {
        let selected = |app: &Self| app.transfers.selected().map(|row| row_id(row.key));
        let before = selected(self);
        let shown = self.list().keys();
        self.transfers.move_selection(&shown, down);
        let has_focus = before.is_some_and(|id| ctx.memory(|memory| memory.has_focus(id)));
        if let Some(id) = selected(self).filter(|_| has_focus) {
            ctx.memory_mut(|memory| memory.request_focus(id));
        }
    }

    /// Opens the form where it can be seen.
    pub(super) fn open_form(&mut self) {
        if self.view == View::Compare {
            self.form.unfolded = Some(true);
        } else {
            self.view = View::Transfers;
            self.settings.form_open = true;
        }
    }

    /// Puts chosen or dropped paths where they belong; none where the dialog was left without a choice.
    pub(super) fn choose(&mut self, dialog: Dialog, mut paths: Vec<PathBuf>) {
        let form = &mut self.settings.form;
        match (dialog, paths.len()) {
            (_, 0) => {}
            (Dialog::Source, _) => form.choose_source(paths),
            (Dialog::Sink, _) => form.choose_sink(paths.swap_remove(0)),
            (Dialog::Comparison, _) => self.comparisons.page.path = paths.swap_remove(0).display().to_string(),
        }
    }

    fn apply_to_transfer(&mut self, key: RowKey, action: TransferAction) {
        let now_s = self.now_s();
        let Some(row) = self.transfers.row_mut(key) else { return };
        match action {
            TransferAction::Select => self.transfers.select(key),
            TransferAction::Pause => {
                // Of one that repeats the next round, too, which may not have begun.
                row.begins_paused = row.repeats();
                self.send(key, |transfer| Command::Pause { transfer });
            }
            TransferAction::Resume => {
                row.begins_paused = false;
                self.send(key, |transfer| Command::Resume { transfer });
            }
            TransferAction::StopTrying => row.stop_trying(),
            // Nothing moves that could be given up.
            TransferAction::Cancel | TransferAction::AskToCancel if row.waits_to_retry() => row.stop_trying(),
            TransferAction::Cancel => self.cancel(key),
            TransferAction::SetLimit { bytes_per_s } => {
                row.set_limit(bytes_per_s);
                self.send(key, |transfer| Command::Limit { transfer, bytes_per_s });
            }
            // Whichever key or button it was.
            TransferAction::AskToCancel if row.elapsed_end_s() < CANCEL_WITHOUT_QUESTION_S => self.cancel(key),
            TransferAction::AskToCancel => self.question = Some(Question::Cancel(key)),
            TransferAction::SetPace { side, bytes_per_s } => {
                row.set_pace(side, bytes_per_s);
                if let Some(rounds) = self.rounds.get(&key) {
                    rounds.set_pace(side, bytes_per_s);
                }
            }
            // A click that comes right after the end was meant to stop it.
            TransferAction::Again | TransferAction::Remove | TransferAction::Discard if !row.has_settled(now_s) => {}
            TransferAction::GoOn if row.is_over() && !row.has_settled(now_s) => {}
            TransferAction::GoOn => self.go_on(key),
            TransferAction::Discard => {
                let part = row.part().map(PathBuf::from);
                // Where the worker's queue is full the part stays, and so does the row.
                if part.is_none_or(|part| self.ask_worker(Task::DiscardPart(part))) {
                    self.transfers.remove(key);
                }
            }
            TransferAction::Again => {
                if let Some(recipe) = row.recipe().cloned() {
                    self.start(recipe);
                }
            }
            TransferAction::Remove => self.transfers.take_off(key, now_s),
            TransferAction::MoveForward => self.transfers.move_forward(key),
            TransferAction::MoveBack => self.transfers.move_back(key),
            TransferAction::Zoom(span) => row.zoom = span,
            TransferAction::SetRateAxis(axis) => row.rate_axis = axis,
            TransferAction::SetCursors(cursors) => row.cursors = cursors,
            TransferAction::Export(format) => self.export(key, format),
            TransferAction::PickLimit(cause) => row.picked_limit = cause,
            TransferAction::ReadValues { index } => {
                if let Some(tiles) = row.tiles() {
                    let asked = Box::new(ValuesAsked::of(row, &tiles.meta, index));
                    // Where the worker's queue is full a further click asks again.
                    self.ask_worker(Task::ReadValues { key, asked });
                }
            }
            TransferAction::CloseValues => row.values = None,
        }
    }

    /// Goes on with one that was interrupted, as soon as it is its turn.
    fn go_on(&mut self, key: RowKey) {
        if self.refuses_while_comparing() {
            return;
        }
        self.stop_measuring();
        let now_s = self.now_s();
        self.transfers.go_on(key, now_s);
    }

    fn cancel(&mut self, key: RowKey) {
        self.question = None;
        let has_begun = self.send(key, |transfer| Command::Cancel { transfer });
        if let Some(row) = self.transfers.row_mut(key) {
            row.is_stopping = true;
            if !has_begun {
                // It waits for its turn, or its listener is being bound.
                row.phase = Phase::Cancelled;
            }
        }
    }

    /// Sends a command to the transfer of a row, whichever process does it; false where none has begun.
    fn send(&self, key: RowKey, command: impl FnOnce(TransferId) -> Command) -> bool {
        if let Some(rounds) = self.rounds.get(&key) {
            rounds.apply(command(rounds.id()));
            return true;
        }
        let other = self
            .transfers
            .row(key)
            .and_then(|row| Some((row.other_pid()?, row.id?)));
        if let Some((pid, transfer)) = other {
            // Where the worker's queue is full the command is lost: it can be asked for again.
            let command = command(transfer);
            self.ask_worker(Task::Command { pid, command });
        }
        other.is_some()
    }

    fn apply_to_queue(&mut self, action: QueueAction) {
        let now_s = self.now_s();
        match action {
            QueueAction::RemoveFinished => self.transfers.take_off_finished(now_s),
            QueueAction::RemoveWaiting => self.transfers.take_off_waiting(now_s),
            QueueAction::UndoRemoval => self.transfers.undo_removal(),
            QueueAction::FoldOthers(is_folded) => self.transfers.fold_others(is_folded),
            QueueAction::SetAtOnce(at_once) => self.settings.at_once = at_once,
            QueueAction::PauseAll => self.hold_all(true),
            QueueAction::ResumeAll => self.hold_all(false),
            QueueAction::GoOnWithInterrupted => {
                for key in self.transfers.interrupted() {
                    self.go_on(key);
                }
            }
            QueueAction::RetryFailed if self.refuses_while_comparing() => {}
            QueueAction::RetryFailed => {
                for key in self.transfers.failed() {
                    if let Some(recipe) = self.transfers.row(key).and_then(|row| row.recipe()).cloned() {
                        self.transfers.remove(key);
                        self.start(recipe);
                    }
                }
            }
        }
    }

    /// Pauses everything that runs here and lets nothing begin, or resumes it and lets what waits begin.
    fn hold_all(&mut self, is_held: bool) {
        self.transfers.hold(is_held);
        for rounds in self.rounds.values() {
            let transfer = rounds.id();
            rounds.apply(if is_held {
                Command::Pause { transfer }
            } else {
                Command::Resume { transfer }
            });
        }
    }

    fn apply_to_form(&mut self, ctx: &Context, action: FormAction) {
        match action {
            FormAction::Edit(form) => {
                self.settings.form = *form;
                // What waits for its path to be looked at was something else.
                self.form.start_when_checked = false;
            }
            FormAction::Start => self.start_form(),
            FormAction::Drop(paths) => {
                self.choose(Dialog::Source, paths);
                self.open_form();
                self.form.dialog_trouble = None;
                self.look_at_paths_again();
            }
            FormAction::LookAgain => self.look_at_paths_again(),
            FormAction::SetAdvancedOpen(is_open) => self.settings.advanced_open = is_open,
            FormAction::Toggle => {
                let shows = !self.shows_form();
                if shows {
                    self.open_form();
                    ctx.memory_mut(|memory| memory.request_focus(first_field()));
                } else {
                    (self.settings.form_open, self.form.unfolded) = (false, Some(false));
                }
            }
            FormAction::Focus => {
                self.open_form();
                ctx.memory_mut(|memory| memory.request_focus(first_field()));
            }
            FormAction::PrepareToSend => {
                let form = &mut self.settings.form;
                (form.source, form.endpoint) = (SourceKind::File, EndpointKind::SendTo);
                self.open_form();
            }
            FormAction::PrepareToReceive => {
                self.settings.form.endpoint = EndpointKind::ReceiveAt;
                self.show(View::Transfers);
                self.open_form();
            }
        }
    }

    fn apply_to_comparison(&mut self, action: CompareAction) {
        let page = &mut self.comparisons.page;
        match action {
            CompareAction::SetRounds(rounds) => page.rounds = rounds,
            CompareAction::SetWithSizes(with_sizes) => page.with_sizes = with_sizes,
            CompareAction::SetPath(path) => page.path = path,
            CompareAction::Pick(id) => page.picked = id,
            CompareAction::Start => self.start_comparing(),
            CompareAction::Cancel => self.cancel_comparing(),
            CompareAction::Save => self.save_comparison(),
            CompareAction::LoadOlder => self.load_older_comparison(),
            CompareAction::RemoveOlder => page.older = None,
        }
    }

    fn apply_to_round_trips(&mut self, action: RoundTripsAction) {
        match action {
            RoundTripsAction::SetEndpoint(endpoint) => self.pings.page.endpoint = endpoint,
            RoundTripsAction::Pick { size_bytes } => self.pings.page.picked_bytes = Some(size_bytes),
            RoundTripsAction::Start => self.start_pinging(),
            RoundTripsAction::Cancel => self.cancel_pinging(),
        }
    }

    fn command_service(&mut self, pid: u32, command: Command) {
        if command == Command::Drain {
            self.services.note_drain(pid);
        }
        // Where the worker's queue is full the command is lost: it can be asked for again.
        self.ask_worker(Task::Command { pid, command });
    }

    /// Hands a task to the worker; false where too many wait, or there is none.
    pub(super) fn ask_worker(&self, task: Task) -> bool {
        self.worker.as_ref().is_some_and(|worker| worker.ask(task, &self.waker))
    }
}
