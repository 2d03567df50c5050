//! Lays the panels out, and applies what they ask for: here and nowhere else.

use eframe::egui::{self, CentralPanel, Color32, Context, Event, Frame, Key, Margin, Modifiers, Panel, ScrollArea, Ui};

use super::action::Action;
use super::model::form::Form;
use super::model::row::{Phase, Row};
use super::panels::{
    close, compare, detail, empty, message, new_transfer, numbers, queue, round_trips, services, status, time_plot,
    transfers,
};
use super::theme::{self, STEP};
use super::worker::{Dialog, Task};
use super::{App, Question};
use crate::transfer::State;

const FORM_WIDTH: f32 = 296.0;
const STATUS_HEIGHT: f32 = 27.0;

/// What the window has room for beside New transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Everything.
    Ample,
    /// Everything, but squeezed: New transfer folds away by itself once there is something else to see.
    Squeezed,
    /// Only one of them: New transfer takes all of it or is folded away.
    Scarce,
}

impl Room {
    fn of(width: f32) -> Self {
        match width {
            w if w >= 1000.0 => Self::Ample,
            w if w >= 780.0 => Self::Squeezed,
            _ => Self::Scarce,
        }
    }
}

impl App {
    /// One frame. Where the window `is_cleared` with the background's colour, that is not drawn again: by software it
    /// would cost as much as everything that is drawn on it.
    pub(super) fn draw(&mut self, ui: &mut Ui, is_cleared: bool) {
        let ctx = ui.ctx().clone();
        let mut actions = Vec::new();
        if self.question.is_none() {
            self.keys(&ctx, &mut actions);
        }
        self.dropped_files(&ctx);
        let room = Room::of(ui.available_width());
        // What was unfolded where there was more room is not what was meant for less.
        if self.form.room != Some(room) {
            (self.form.room, self.form.unfolded) = (Some(room), None);
        }
        let shows_form = self.shows_form(room);
        let shows_transfers = room != Room::Scarce || !shows_form;
        let palette = theme::palette(ui);

        let background = if is_cleared {
            Color32::TRANSPARENT
        } else {
            palette.background
        };
        let bar = Frame::new().fill(background).inner_margin(Margin::symmetric(20, 0));
        let own = status::Own {
            cost: self.own.meter.cost(),
            is_running: self.transfers.is_moving(),
            theme: self.settings.theme,
            form_hidden: !shows_form,
            compares: self.comparisons.page.is_open,
        };
        Panel::bottom("status")
            .exact_size(STATUS_HEIGHT)
            .resizable(false)
            .frame(bar)
            .show(ui, |ui| {
                status::ui(ui, self.transfers.selected(), own, &mut actions);
            });
        if shows_form {
            let frame = Frame::new().fill(palette.panel);
            let width = if shows_transfers {
                FORM_WIDTH
            } else {
                ui.available_width()
            };
            Panel::left("new transfer")
                .exact_size(width)
                .resizable(false)
                .frame(frame)
                .show(ui, |ui| {
                    self.form_ui(ui, &mut actions);
                });
        }
        CentralPanel::no_frame()
            .frame(Frame::new().fill(background))
            .show(ui, |ui| {
                if !shows_transfers {
                    return;
                }
                if self.comparisons.page.is_open {
                    self.compare_ui(ui, &mut actions);
                    return;
                }
                if self.pings.page.is_open {
                    self.round_trips_ui(ui, &mut actions);
                    return;
                }
                services::ui(ui, &self.services, |pid| self.transfers.listed_of(pid), &mut actions);
                if self.transfers.rows().is_empty() {
                    empty::ui(ui, &self.form.checked, !shows_form);
                } else {
                    self.transfers_ui(ui, &mut actions);
                }
            });
        match self.question {
            Some(Question::Close) => close::ui(&ctx, self.transfers.running(), &mut actions),
            Some(Question::Cancel(key)) => match self.transfers.row(key).filter(|row| !row.is_over()) {
                Some(row) => close::cancel_ui(&ctx, row, &mut actions),
                None => self.question = None,
            },
            None => {}
        }
        empty::drop_hint_ui(&ctx);
        // The axis is drawn as it is to be; everything else shows in the next frame.
        let has_changed = actions.iter().any(|action| !matches!(action, Action::SetRateAxis(..)));
        for action in actions {
            self.apply(&ctx, action);
        }
        self.check_form();
        if has_changed {
            ctx.request_repaint();
        }
    }

    /// Applies what was asked for.
    fn apply(&mut self, ctx: &Context, action: Action) {
        self.pass_on(&action);
        match action {
            Action::Again(key) | Action::Remove(key)
                if !self.transfers.row(key).is_some_and(|row| row.has_settled(self.now_s())) => {}
            Action::Start if self.comparisons.is_comparing() => {}
            Action::Start => {
                // Where there is room for one of them only, what has started is looked at.
                let can_start = self.form.checked.recipe.is_some() || self.form.checked.pending;
                if can_start && Room::of(ctx.content_rect().width()) == Room::Scarce {
                    self.form.unfolded = None;
                }
                self.start_form();
            }
            Action::Again(key) => self.start_again(key),
            Action::Pause(key) => self.pause(key, true),
            Action::Resume(key) => self.pause(key, false),
            Action::Cancel(key) => {
                self.question = None;
                if let Some(row) = self.transfers.row_mut(key) {
                    row.is_stopping = true;
                }
                match self.handle(key) {
                    Some(transfer) => transfer.cancel(),
                    // It says so itself.
                    None if self.is_elsewhere(key) => {}
                    // Not begun: a listener that is being bound.
                    None => drop(self.transfers.row_mut(key).map(|row| row.phase = Phase::Cancelled)),
                }
            }
            Action::AskToCancel(key) => self.question = Some(Question::Cancel(key)),
            Action::Remove(key) => self.transfers.remove(key),
            Action::Select(key) => self.transfers.select(key),
            Action::SelectNext(down) => self.transfers.move_selection(down),
            Action::Queue(action) => self.apply_to_queue(action),
            Action::Service(pid, command) => self.ask_service(pid, command),
            Action::SetLimit(key, limit) => {
                if let Some(transfer) = self.handle(key) {
                    transfer.set_limit(limit);
                }
                if let Some(row) = self.transfers.row_mut(key) {
                    row.set_limit(limit);
                }
            }
            Action::SetPace(key, side, pace) => {
                if let Some(transfer) = self.handle(key) {
                    transfer.set_pace(side, pace);
                }
                if let Some(row) = self.transfers.row_mut(key) {
                    row.set_pace(side, pace);
                }
            }
            Action::Zoom(key, zoom_s) => drop(self.transfers.row_mut(key).map(|row| row.zoom_s = zoom_s)),
            Action::SetRateAxis(key, axis) => drop(self.transfers.row_mut(key).map(|row| row.rate_axis = axis)),
            Action::ShowInFolder(folder) => {
                if let Some(worker) = &self.worker {
                    worker.ask(Task::ShowFolder(folder));
                }
            }
            Action::BrowseSource => self.browse(Dialog::Source),
            Action::BrowseSink => self.browse(Dialog::Sink),
            Action::Copy(text) => ctx.copy_text(text),
            Action::ToggleForm => {
                let room = Room::of(ctx.content_rect().width());
                let shows = self.shows_form(room);
                if room == Room::Ample {
                    self.settings.form_open = !shows;
                } else {
                    self.form.unfolded = Some(!shows);
                }
                self.form.wants_focus = !shows;
            }
            Action::FocusForm => {
                self.form.unfolded = Some(true);
                self.settings.form_open = true;
                self.form.wants_focus = true;
            }
            Action::NextTheme => {
                self.settings.theme = self.settings.theme.next();
                theme::choose(ctx, self.settings.theme);
            }
            Action::ResetForm => self.settings.form = Form::default(),
            Action::ShowCompare(is_open) => {
                (self.comparisons.page.is_open, self.pings.page.is_open) = (is_open, false);
                // Where there is room for one of them only, the page is looked at.
                if is_open && Room::of(ctx.content_rect().width()) == Room::Scarce {
                    self.form.unfolded = Some(false);
                }
            }
            Action::ShowRoundTrips(is_open) => self.show_round_trips(ctx, is_open),
            Action::MeasureRoundTrips => self.start_pinging(),
            Action::CancelRoundTrips => self.cancel_pinging(),
            Action::Compare => self.start_comparing(),
            Action::CancelCompare => self.cancel_comparing(),
            Action::SaveComparison => self.save_comparison(),
            Action::LayBeside => self.lay_beside(),
            Action::ForgetOlder => self.comparisons.page.older = None,
            Action::BrowseComparison => self.browse(Dialog::Comparison),
            Action::MeasureCeilings => self.measure_ceilings(),
            Action::CloseAnyway => {
                self.question = None;
                self.close_anyway(ctx);
            }
            Action::KeepRunning => self.question = None,
        }
    }

    fn browse(&mut self, dialog: Dialog) {
        if let Some(worker) = &self.worker {
            worker.open_dialog(dialog, self.waker.clone());
        }
    }

    fn shows_form(&self, room: Room) -> bool {
        if room == Room::Ample {
            self.settings.form_open
        } else {
            let is_empty = if self.comparisons.page.is_open {
                self.comparisons.page.progress.is_none() && self.comparisons.page.shown().is_none()
            } else {
                self.transfers.rows().is_empty()
            };
            self.form.unfolded.unwrap_or(is_empty)
        }
    }

    fn form_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let context = new_transfer::Context {
            checked: &self.form.checked,
            dialog_trouble: self.form.dialog_trouble.as_deref(),
            can_drop: self.can_drop,
            compares: self.comparisons.page.is_open,
            is_comparing: self.comparisons.is_comparing(),
        };
        let settings = &mut self.settings;
        ScrollArea::vertical()
            .id_salt("form")
            .auto_shrink(false)
            .show(ui, |ui| {
                Frame::new()
                    .inner_margin(Margin {
                        left: 20,
                        right: 20,
                        top: 16,
                        bottom: 16,
                    })
                    .show(ui, |ui| {
                        new_transfer::ui(ui, &mut settings.form, &mut settings.advanced_open, &context, actions);
                    });
            });
        if std::mem::take(&mut self.form.wants_focus)
            && let Some(id) = ui.data(|data| data.get_temp::<egui::Id>(new_transfer::first_field()))
        {
            ui.memory_mut(|memory| memory.request_focus(id));
        }
    }

    fn transfers_ui(&self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let now_s = self.now_s();
        ui.spacing_mut().item_spacing.y = 0.0;
        let rows = self.transfers.rows().len().min(6);
        // The list never takes more than some two fifths of the height.
        let room = ((ui.available_height() * 0.42) / transfers::ROW_HEIGHT)
            .floor()
            .max(1.0);
        let visible = (1..=rows).take_while(|count| *count as f32 <= room).last().unwrap_or(1);
        queue::ui(ui, &self.transfers, self.settings.at_once, actions);
        transfers::ui(ui, &self.transfers, now_s, visible, actions);
        let Some(row) = self.transfers.selected() else { return };
        let ceilings = detail::Ceilings {
            known: self.comparisons.ceilings.as_ref(),
            can_measure: self.measuring_waits_for().is_none(),
            is_measuring: self.comparisons.is_measuring(),
        };
        Frame::new()
            .inner_margin(Margin {
                left: 24,
                right: 24,
                top: 10,
                bottom: 8,
            })
            .show(ui, |ui| {
                ScrollArea::vertical()
                    .id_salt("selected")
                    .auto_shrink(false)
                    .show(ui, |ui| {
                        numbers::ui(ui, row, self.comparisons.ceilings.as_ref(), now_s);
                        ui.add_space(STEP);
                        message::ui(ui, row, actions);
                        if row.started().is_some() {
                            detail::ui(ui, row, &ceilings, actions);
                        }
                    });
            });
    }

    fn show_round_trips(&mut self, ctx: &Context, is_open: bool) {
        (self.pings.page.is_open, self.comparisons.page.is_open) = (is_open, false);
        // Where there is room for one of them only, the page is looked at.
        if is_open && Room::of(ctx.content_rect().width()) == Room::Scarce {
            self.form.unfolded = Some(false);
        }
    }

    fn round_trips_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let page = &mut self.pings.page;
        ScrollArea::vertical()
            .id_salt("round trips")
            .auto_shrink(false)
            .show(ui, |ui| {
                Frame::new().inner_margin(Margin::symmetric(24, 16)).show(ui, |ui| {
                    round_trips::ui(ui, page, actions);
                });
            });
    }

    fn compare_ui(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let array = self.array_to_compare();
        let context = compare::Context {
            array: array.as_deref().map_err(|why| *why),
            busy: self.measuring_waits_for(),
            ceilings: self.comparisons.ceilings.as_ref(),
            is_measuring: self.comparisons.is_measuring(),
            dialog_trouble: self.form.dialog_trouble.as_deref(),
        };
        let page = &mut self.comparisons.page;
        ScrollArea::vertical()
            .id_salt("compare")
            .auto_shrink(false)
            .show(ui, |ui| {
                Frame::new().inner_margin(Margin::symmetric(24, 16)).show(ui, |ui| {
                    compare::ui(ui, page, &context, actions);
                });
            });
    }

    fn keys(&self, ctx: &Context, actions: &mut Vec<Action>) {
        let pressed = |modifiers: Modifiers, key: Key| ctx.input_mut(|input| input.consume_key(modifiers, key));
        let page = &self.comparisons.page;
        if pressed(Modifiers::CTRL, Key::Enter) {
            actions.push(if page.is_open { Action::Compare } else { Action::Start });
        }
        if pressed(Modifiers::CTRL, Key::R) {
            actions.push(Action::ShowCompare(!page.is_open));
        }
        if pressed(Modifiers::CTRL, Key::N) {
            actions.push(Action::FocusForm);
        }
        if pressed(Modifiers::CTRL, Key::B) {
            actions.push(Action::ToggleForm);
        }
        // Everything else belongs to whatever has the focus.
        if ctx.memory(|memory| memory.focused().is_some()) {
            return;
        }
        if page.is_open {
            if pressed(Modifiers::NONE, Key::Escape) {
                actions.push(if page.progress.is_some() {
                    Action::CancelCompare
                } else {
                    Action::ShowCompare(false)
                });
            }
            return;
        }
        for (key, down) in [(Key::ArrowUp, -1), (Key::ArrowDown, 1)] {
            if pressed(Modifiers::NONE, key) {
                actions.push(Action::SelectNext(down));
            }
        }
        let Some(row) = self.transfers.selected() else { return };
        if pressed(Modifiers::NONE, Key::Space) {
            if row.phase == Phase::Is(State::Paused) {
                actions.push(Action::Resume(row.key));
            } else if row.can_pause() {
                actions.push(Action::Pause(row.key));
            }
        }
        let (is_delete, is_escape) = (
            pressed(Modifiers::NONE, Key::Delete),
            pressed(Modifiers::NONE, Key::Escape),
        );
        match (is_delete, is_escape, row.is_over()) {
            (true, _, true) => actions.push(Action::Remove(row.key)),
            // What has run for a while is not lost by one key.
            (true, _, false) if row.elapsed_end_s() < 5.0 => actions.push(Action::Cancel(row.key)),
            (true, _, false) | (_, true, false) => actions.push(Action::AskToCancel(row.key)),
            _ => {}
        }
        zoom_keys(row, &pressed, actions);
    }

    /// A file dropped anywhere is the source.
    fn dropped_files(&mut self, ctx: &Context) {
        let dropped = ctx.input(|input| {
            let file = input.raw.dropped_files.first()?;
            Some(file.path().display().to_string())
        });
        if let Some(path) = dropped {
            self.choose_path(Dialog::Source, path);
            self.doubt_paths();
        }
        // What is at a path may have changed while the window was not looked at.
        if ctx.input(|input| {
            input
                .events
                .iter()
                .any(|event| matches!(event, Event::WindowFocused(true)))
        }) {
            self.doubt_paths();
        }
    }
}

/// Plus, minus, left, right and 0 on the time axis of a transfer that has ended.
fn zoom_keys(row: &Row, pressed: &impl Fn(Modifiers, Key) -> bool, actions: &mut Vec<Action>) {
    if !row.is_over() {
        return;
    }
    let time = time_plot::TimeAxis::of(row);
    let length_s = time.to_s - time.from_s;
    let centre_s = time.from_s + length_s / 2.0;
    for (key, factor, shift) in [
        (Key::Plus, 0.5, 0.0),
        (Key::Equals, 0.5, 0.0),
        (Key::Minus, 2.0, 0.0),
        (Key::ArrowLeft, 1.0, -0.2),
        (Key::ArrowRight, 1.0, 0.2),
        (Key::Num0, f64::INFINITY, 0.0),
    ] {
        if pressed(Modifiers::NONE, key) {
            actions.push(Action::Zoom(row.key, time.zoomed(factor, centre_s, shift * length_s)));
        }
    }
}
