//! Lays the panels out. Nothing changes here: what a person asked for is returned, and `commands` applies it.

use eframe::egui::{
    CentralPanel, Color32, Context, Frame, Margin, Memory, Panel, ScrollArea, Ui, accesskit_root_id, vec2,
};

use super::action::{Action, TransferAction};
use super::export::picture::note_page;
use super::model::form::Form;
use super::model::history::Page;
use super::model::list::List;
use super::model::plan::{CheckedForm, check};
use super::model::view::{View, WindowSize, list_width};
use super::panels::transfers::Column;
use super::panels::{
    close, compare, empty, help, history, instrument, new_transfer, notice, palette, rail, round_trips, row_menu,
    settings, status, strip,
};
use super::theme;
use super::widgets::scrolled_page;
use super::{App, Clock, Question};

/// In a lower window the list has no place to drop files.
const DROP_ZONE_FROM: f32 = 760.0;

impl App {
    /// One frame. Where the window `is_cleared` with the background's colour, that is not drawn again: by software it
    /// would cost as much as everything that is drawn on it.
    pub(super) fn draw(&mut self, ui: &mut Ui, is_cleared: bool) {
        let ctx = ui.ctx().clone();
        // A screen reader names the window as its frame does.
        ctx.accesskit_node_builder(accesskit_root_id(), |node| node.set_label(self.title.as_str()));
        let mut actions = self.input_actions(&ctx);
        actions.extend(self.window_ui(ui, is_cleared));
        // The plot is drawn with the new axis already; every other change shows in the next frame.
        let is_shown = |action: &Action| matches!(action, Action::Transfer(_, TransferAction::SetRateAxis(_)));
        if !actions.iter().all(is_shown) {
            ctx.request_repaint();
        }
        self.focus_before = ctx.memory(Memory::focused);
        for action in actions {
            self.apply(&ctx, action);
        }
        self.check_form();
    }

    /// Whether New transfer is shown.
    pub(super) fn shows_form(&self) -> bool {
        match self.view {
            View::Transfers => self.settings.form_open,
            // It says what is compared.
            View::Compare => self.form.unfolded.unwrap_or_else(|| {
                let page = &self.comparisons.page;
                self.size == WindowSize::Wide || (page.progress.is_none() && page.shown().is_none())
            }),
            View::RoundTrips | View::History | View::Settings | View::Help => false,
        }
    }

    /// The list as it is shown.
    pub(super) fn list(&self) -> List<'_> {
        List {
            transfers: &self.transfers,
            services: &self.services,
            filter: &self.filter,
        }
    }

    /// Whether the page says what can be done first.
    pub(super) fn shows_first_steps(&self) -> bool {
        self.view == View::Transfers && self.transfers.rows().is_empty()
    }

    /// What the form opens with at first, checked.
    pub(super) fn first_steps_form(&self) -> CheckedForm {
        check(&Form::default(), &self.form.paths)
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
        let mut actions = self.rail_ui(ui);
        actions.extend(self.left_ui(ui, shows_form, shows_page));
        let page = CentralPanel::no_frame().frame(Frame::new().fill(background));
        let on_page = page.show(ui, |ui| {
            if shows_page {
                self.page_ui(ui, shows_form)
            } else {
                Vec::new()
            }
        });
        note_page(ui.ctx(), on_page.response.rect);
        actions.extend(on_page.inner);
        actions.extend(self.question_ui(ui.ctx()));
        if let Some(open) = &self.palette {
            actions.extend(palette::ui(ui.ctx(), open, &self.transfers, &self.settings));
        }
        let removed = self
            .transfers
            .removed()
            .filter(|_| self.view == View::Transfers && shows_page && !self.pictures.are_due());
        actions.extend(removed.and_then(|removed| notice::undo_ui(ui.ctx(), removed)));
        if let Some(notice) = &self.notice {
            actions.extend(notice::ui(ui.ctx(), notice, removed.is_some()));
        }
        empty::drop_hint_ui(ui.ctx());
        actions
    }

    fn rail_ui(&self, ui: &mut Ui) -> Vec<Action> {
        let has_words = self.size == WindowSize::Wide;
        let fill = theme::palette(ui).rail;
        let panel = panel_left("rail", self.size.rail_width()).frame(Frame::new().fill(fill));
        let picked = panel.show(ui, |ui| rail::ui(ui, self.view, has_words)).inner;
        picked.into_iter().collect()
    }

    /// Beside the rail: the form, or the list where there is something to list.
    fn left_ui(&self, ui: &mut Ui, shows_form: bool, shows_page: bool) -> Vec<Action> {
        let fill = theme::palette(ui).list;
        let width = list_width(ui.ctx().content_rect().width());
        let has_list = self.view == View::Transfers && !self.list().is_empty();
        let mut actions = Vec::new();
        if has_list && self.size != WindowSize::Wide && shows_page {
            let panel = Panel::top("strip").exact_size(strip::HEIGHT).resizable(false);
            let panel = panel.show_separator_line(false).frame(Frame::new().fill(fill));
            actions.extend(panel.show(ui, |ui| strip::ui(ui, self.column(ui))).inner);
        }
        if shows_form {
            let width = if shows_page { width } else { ui.available_width() };
            let panel = panel_left("new transfer", width).frame(Frame::new().fill(fill));
            let form = panel.show(ui, |ui| {
                let edge = ui.max_rect().right() - 0.5;
                let colour = theme::palette(ui).hairline;
                ui.painter().vline(edge, ui.max_rect().y_range(), (1.0, colour));
                self.form_ui(ui)
            });
            actions.extend(form.inner);
            if let Some(row) = self.transfers.selected().filter(|_| self.size == WindowSize::Wide) {
                // Its row lies below the form.
                let corner = ui.available_rect_before_wrap().left_top() + vec2(24.0, 44.0);
                actions.extend(row_menu::at(ui, row, self.transfers.is_next(row.key), corner));
            }
        } else if has_list && self.size == WindowSize::Wide {
            let panel = panel_left("list", width).frame(Frame::new().fill(fill));
            actions.extend(panel.show(ui, |ui| self.column(ui).ui(ui)).inner);
        }
        actions
    }

    fn column(&self, ui: &Ui) -> Column<'_> {
        Column {
            list: self.list(),
            now_s: self.now_s(),
            cost: self.own_cost.meter.cost(),
            is_moving: self.transfers.is_moving(),
            can_drop: self.can_drop,
            is_high: ui.ctx().content_rect().height() >= DROP_ZONE_FROM,
            list_at: self.list_at,
        }
    }

    fn page_ui(&self, ui: &mut Ui, shows_form: bool) -> Vec<Action> {
        match self.view {
            View::Compare => self.compare_ui(ui),
            View::RoundTrips => page_ui(ui, "round trips", |ui| round_trips::ui(ui, &self.pings.page)),
            View::History => history_ui(ui, &self.history_page),
            View::Settings => page_ui(ui, "settings", |ui| {
                settings::ui(ui, &self.settings, self.notifying_trouble())
            }),
            View::Help => page_ui(ui, "help", |ui| {
                help::ui(ui);
                Vec::new()
            }),
            View::Transfers if self.shows_first_steps() => self.first_steps_ui(ui, shows_form),
            View::Transfers => self.selected_ui(ui, self.now_s()),
        }
    }

    fn first_steps_ui(&self, ui: &mut Ui, shows_form: bool) -> Vec<Action> {
        let has_column = !self.list().is_empty();
        let cost = status::itself(self.own_cost.meter.cost(), self.transfers.is_moving());
        let page = empty::Page {
            first: &self.first_steps_form(),
            form: shows_form.then_some(&self.form.checked),
            ceilings: self.comparisons.ceilings.as_ref(),
            history: &self.history_page,
            has_new: !shows_form && !has_column,
            can_drop: self.can_drop,
            cost: if has_column { "" } else { &cost },
        };
        page.ui(ui)
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

    /// The selected transfer.
    fn selected_ui(&self, ui: &mut Ui, now_s: f64) -> Vec<Action> {
        let Some(row) = self.transfers.selected() else {
            return Vec::new();
        };
        let context = instrument::Context {
            ceilings: instrument::CeilingsStatus {
                known: self.comparisons.ceilings.as_ref(),
                can_measure: self.measuring_waits_for().is_none(),
                is_measuring: self.comparisons.is_measuring(),
            },
            view: self.settings.plot,
            now_s,
            moves: matches!(self.clock, Clock::Since(_))
                && !self.settings.reduced_motion
                && self.own_cost.meter.is_smooth(),
        };
        instrument::ui(ui, row, &context)
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

/// A panel at the left that is as wide as it is.
fn panel_left(name: &'static str, width: f32) -> Panel {
    Panel::left(name)
        .exact_size(width)
        .resizable(false)
        .show_separator_line(false)
}

/// Its list and its run scroll, each by itself.
fn history_ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    let frame = Frame::new().inner_margin(Margin::symmetric(24, 16));
    frame.show(ui, |ui| history::ui(ui, page)).inner
}

/// A page that scrolls.
fn page_ui(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui) -> Vec<Action>) -> Vec<Action> {
    let page = ScrollArea::vertical().id_salt(name).auto_shrink(false);
    let frame = Frame::new().inner_margin(Margin::symmetric(24, 16));
    scrolled_page(ui, page, |ui| frame.show(ui, content).inner)
}
