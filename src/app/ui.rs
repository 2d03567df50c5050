//! Lays the panels out. Nothing changes here: what a person asked for is returned, and `commands` applies it.

use eframe::egui::{CentralPanel, Color32, Context, Frame, Margin, Panel, ScrollArea, Ui};

use super::action::{Action, TransferAction};
use super::model::view::{View, WindowSize};
use super::panels::{
    close, compare, detail, empty, message, new_transfer, numbers, queue, round_trips, status, transfers, undo,
};
use super::theme::{self, STEP};
use super::{App, Question};

const FORM_WIDTH: f32 = 296.0;
const STATUS_HEIGHT: f32 = 27.0;
/// More rows than these are not shown at once: the list scrolls.
const ROWS_MAX: f32 = 6.0;
/// The list leaves this much to the numbers and plots of the selected transfer, so that both plots are whole.
const SELECTED_HEIGHT: f32 = 430.0;
/// The list never takes a larger share of the height.
const LIST_SHARE: f32 = 0.42;

impl App {
    /// One frame. Where the window `is_cleared` with the background's colour, that is not drawn again: by software it
    /// would cost as much as everything that is drawn on it.
    pub(super) fn draw(&mut self, ui: &mut Ui, is_cleared: bool) {
        let ctx = ui.ctx().clone();
        let mut actions = self.input_actions(&ctx);
        actions.extend(self.window_ui(ui, is_cleared));
        // The plot is drawn with the new axis already; every other change shows in the next frame.
        let is_shown = |action: &Action| matches!(action, Action::Transfer(_, TransferAction::SetRateAxis(_)));
        if !actions.iter().all(is_shown) {
            ctx.request_repaint();
        }
        for action in actions {
            self.apply(&ctx, action);
        }
        self.check_form();
    }

    /// Whether New transfer is shown.
    pub(super) fn shows_form(&self) -> bool {
        if self.size == WindowSize::Wide {
            return self.settings.form_open;
        }
        self.form.unfolded.unwrap_or_else(|| {
            let page = &self.comparisons.page;
            match self.view {
                View::Compare => page.progress.is_none() && page.shown().is_none(),
                View::Transfers | View::RoundTrips => self.transfers.rows().is_empty(),
            }
        })
    }

    fn window_ui(&self, ui: &mut Ui, is_cleared: bool) -> Vec<Action> {
        let shows_form = self.shows_form();
        let shows_page = self.size != WindowSize::Narrow || !shows_form;
        let palette = theme::palette(ui);
        let background = if is_cleared {
            Color32::TRANSPARENT
        } else {
            palette.background
        };
        let mut actions = self.status_ui(ui, background, shows_form);
        if shows_form {
            let width = if shows_page { FORM_WIDTH } else { ui.available_width() };
            let panel = Panel::left("new transfer").exact_size(width).resizable(false);
            let frame = Frame::new().fill(palette.list);
            actions.extend(panel.frame(frame).show(ui, |ui| self.form_ui(ui)).inner);
        }
        let page = CentralPanel::no_frame().frame(Frame::new().fill(background));
        let on_page = page.show(ui, |ui| match self.view {
            _ if !shows_page => Vec::new(),
            View::Compare => self.compare_ui(ui),
            View::RoundTrips => page_ui(ui, "round trips", |ui| round_trips::ui(ui, &self.pings.page)),
            View::Transfers => self.transfers_ui(ui, shows_form),
        });
        actions.extend(on_page.inner);
        actions.extend(self.question_ui(ui.ctx()));
        let removed = self
            .transfers
            .removed()
            .filter(|_| self.view == View::Transfers && shows_page);
        actions.extend(removed.and_then(|removed| undo::ui(ui.ctx(), removed)));
        empty::drop_hint_ui(ui.ctx());
        actions
    }

    fn status_ui(&self, ui: &mut Ui, background: Color32, shows_form: bool) -> Vec<Action> {
        let context = status::Context {
            cost: self.own_cost.meter.cost(),
            is_running: self.transfers.is_moving(),
            theme: self.settings.theme,
            form_hidden: !shows_form,
            view: self.view,
        };
        Panel::bottom("status")
            .exact_size(STATUS_HEIGHT)
            .resizable(false)
            .frame(Frame::new().fill(background).inner_margin(Margin::symmetric(20, 0)))
            .show(ui, |ui| status::ui(ui, self.transfers.selected(), context))
            .inner
    }

    fn form_ui(&self, ui: &mut Ui) -> Vec<Action> {
        let context = new_transfer::Context {
            checked: &self.form.checked,
            advanced_open: self.settings.advanced_open,
            dialog_trouble: self.form.dialog_trouble.as_deref(),
            can_drop: self.can_drop,
            view: self.view,
            is_comparing: self.comparisons.is_comparing(),
        };
        new_transfer::ui(ui, &self.settings.form, &context)
    }

    fn transfers_ui(&self, ui: &mut Ui, shows_form: bool) -> Vec<Action> {
        let now_s = self.now_s();
        let list = transfers::List {
            transfers: &self.transfers,
            services: &self.services,
            now_s,
        };
        if list.height() <= 0.0 {
            empty::ui(ui, &self.form.checked, !shows_form);
            return Vec::new();
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let height = ui.available_height();
        let room = (height * LIST_SHARE).min(height - SELECTED_HEIGHT);
        let room = room.clamp(transfers::ROW_HEIGHT, ROWS_MAX * transfers::ROW_HEIGHT);
        let mut actions = queue::ui(ui, &self.transfers, self.settings.at_once);
        // Whole rows, so that none is cut where all have the same height.
        let whole = (room / transfers::ROW_HEIGHT).floor() * transfers::ROW_HEIGHT;
        actions.extend(list.ui(ui, if list.height() <= room { room } else { whole }));
        if self.transfers.rows().is_empty() {
            empty::ui(ui, &self.form.checked, !shows_form);
        }
        actions.extend(self.selected_ui(ui, now_s));
        actions
    }

    /// The selected transfer, below the list.
    fn selected_ui(&self, ui: &mut Ui, now_s: f64) -> Vec<Action> {
        let Some(row) = self.transfers.selected() else {
            return Vec::new();
        };
        let ceilings = detail::CeilingsStatus {
            known: self.comparisons.ceilings.as_ref(),
            can_measure: self.measuring_waits_for().is_none(),
            is_measuring: self.comparisons.is_measuring(),
        };
        let margin = Margin {
            left: 24,
            right: 24,
            top: 10,
            bottom: 8,
        };
        let selected = ScrollArea::vertical().id_salt("selected").auto_shrink(false);
        let content = |ui: &mut Ui| {
            numbers::ui(ui, row, ceilings.known, now_s);
            ui.add_space(STEP);
            let mut actions: Vec<Action> = message::ui(ui, row).into_iter().collect();
            if row.started().is_some() {
                actions.extend(detail::ui(ui, row, &ceilings));
            }
            actions
        };
        let frame = Frame::new().inner_margin(margin);
        frame.show(ui, |ui| selected.show(ui, content).inner).inner
    }

    fn compare_ui(&self, ui: &mut Ui) -> Vec<Action> {
        let array = self.array_to_compare();
        let context = compare::Context {
            array: array.as_deref().map_err(|why| *why),
            busy: self.measuring_waits_for(),
            ceilings: self.comparisons.ceilings.as_ref(),
            is_measuring: self.comparisons.is_measuring(),
            dialog_trouble: self.form.dialog_trouble.as_deref(),
        };
        page_ui(ui, "compare", |ui| compare::ui(ui, &self.comparisons.page, &context))
    }

    fn question_ui(&self, ctx: &Context) -> Option<Action> {
        match self.question? {
            Question::Close => close::ui(ctx, self.transfers.running()),
            Question::Cancel(key) => {
                let running = self.transfers.row(key).filter(|row| !row.is_over());
                running.and_then(|row| close::cancel_ui(ctx, row))
            }
            Question::Stop(pid) => close::stop_ui(ctx, pid, self.services.receiving(pid)),
        }
    }
}

/// A page that scrolls.
fn page_ui(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui) -> Vec<Action>) -> Vec<Action> {
    let page = ScrollArea::vertical().id_salt(name).auto_shrink(false);
    let frame = Frame::new().inner_margin(Margin::symmetric(24, 16));
    page.show(ui, |ui| frame.show(ui, content).inner).inner
}
