//! The command palette: every action by its name, narrowed down by typing.

use eframe::egui::{
    self, Align2, Context, EventFilter, Frame, Id, Margin, Modal, Modifiers, Rect, Role, ScrollArea, Sense, Ui, vec2,
};

use super::instrument::picks;
use super::rail;
use super::row_menu;
use super::settings::{RATES, at_once};
use crate::app::action::{Action, Dialog, FormAction, QueueAction};
use crate::app::model::palette::Palette;
use crate::app::model::plot_view::{Period, PlotView, Scale, TileValue};
use crate::app::model::row::Row;
use crate::app::model::settings::{Settings, ThemeChoice};
use crate::app::model::transfers::Transfers;
use crate::app::theme::{self, RADIUS};
use crate::app::widgets::{Title, say_active, say_dialog, say_selected, text_edit_with_id, text_line};
use crate::app::words::{Key, key, say};
use crate::language::Language;

const WIDTH: f32 = 480.0;
const LINE_HEIGHT: f32 = 30.0;
const LINES_SHOWN: f32 = 10.0;

/// A command: its name, its keys, and what it does.
type Entry = (String, &'static str, Action);

fn entry(name: Key, keys: &'static str, action: Action) -> Entry {
    (name.say().to_owned(), keys, action)
}

/// All commands that can be given now.
fn entries(transfers: &Transfers, settings: &Settings) -> Vec<Entry> {
    let form = |action| Action::Form(action);
    let mut entries: Vec<Entry> = vec![
        entry(key!("list-new-transfer"), "Ctrl N", form(FormAction::Focus)),
        entry(key!("palette-start"), "Ctrl Enter", form(FormAction::Start)),
        entry(key!("palette-try"), "", Action::TryThisMachine),
        entry(key!("palette-choose"), "Ctrl O", Action::Browse(Dialog::Source)),
        entry(key!("palette-receive"), "Ctrl L", form(FormAction::PrepareToReceive)),
    ];
    if let Some(row) = transfers.selected() {
        entries.extend(of_row(row, transfers));
    }
    let shows = rail::pages().map(|(view, name)| {
        let text = say!("palette-show", page = name.say().to_lowercase());
        (text, "", Action::Show(view))
    });
    entries.extend(shows);
    entries.extend(of_list());
    entries.push(entry(key!("palette-ceilings"), "", Action::MeasureCeilings));
    entries.extend(of_plots(transfers.selected(), settings.plot));
    entries.extend(of_settings(settings));
    entries
}

/// What can be asked of the list.
fn of_list() -> Vec<Entry> {
    let queue = |action| Action::Queue(action);
    vec![
        entry(key!("menu-pause-all"), "", queue(QueueAction::PauseAll)),
        entry(key!("menu-resume-all"), "", queue(QueueAction::ResumeAll)),
        entry(
            key!("menu-resume-interrupted"),
            "",
            queue(QueueAction::GoOnWithInterrupted),
        ),
        entry(key!("menu-retry-failed"), "", queue(QueueAction::RetryFailed)),
        entry(key!("menu-remove-finished"), "", queue(QueueAction::RemoveFinished)),
        entry(key!("menu-remove-waiting"), "", queue(QueueAction::RemoveWaiting)),
        entry(key!("palette-undo"), "Ctrl Z", queue(QueueAction::UndoRemoval)),
        entry(key!("palette-filter"), "Ctrl F", Action::FocusFilter),
    ]
}

/// One of several that can be chosen of a part.
fn choice(part: &str, name: &str, action: Action) -> Entry {
    (
        say!("palette-choice", part = part, name = name.to_lowercase()),
        "",
        action,
    )
}

/// How plots and images of arrays can be looked at.
fn of_plots(selected: Option<&Row>, view: PlotView) -> Vec<Entry> {
    let set = |part, name: &str, view| choice(part, name, Action::SetPlotView(view));
    let period = |(period, name)| set(say!("plot-period"), name, PlotView { period, ..view });
    let scale = |(scale, name)| set(say!("plot-rate-axis"), name, PlotView { scale, ..view });
    let second = |(second, name)| set(say!("plot-second"), name, PlotView { second, ..view });
    let tile = |(tile, name)| set(say!("picture-title"), name, PlotView { tile, ..view });
    let mut entries: Vec<Entry> = Period::named().into_iter().map(period).collect();
    entries.extend(Scale::named().map(scale));
    entries.extend(selected.into_iter().flat_map(picks::second_plots).map(second));
    entries.extend(TileValue::named().map(tile));
    entries
}

/// What can be chosen about the window.
fn of_settings(settings: &Settings) -> Vec<Entry> {
    let at_once = at_once().map(|(count, name)| {
        let action = Action::Queue(QueueAction::SetAtOnce(count));
        choice(say!("settings-at-once"), name, action)
    });
    let themes = ThemeChoice::ALL.map(|theme| choice(say!("settings-theme"), theme.name(), Action::SetTheme(theme)));
    let languages = Language::ALL.map(|language| (Some(language), language.name()));
    let languages = [(None, say!("settings-system"))].into_iter().chain(languages);
    let named = |part: &str, name: &str| say!("palette-choice", part = part, name = name);
    let languages = languages.map(|(language, name)| {
        let text = named(say!("settings-language"), name);
        (text, "", Action::SetLanguage(language))
    });
    // The names of units stay as they are written.
    let rates = RATES.map(|(scale, name)| (named(say!("settings-rates"), name), "", Action::SetRates(scale)));
    let switch = |name: &str, is_on: bool, action: fn(bool) -> Action| {
        let other = if is_on { say!("palette-off") } else { say!("palette-on") };
        (named(name, other), "", action(!is_on))
    };
    let switches = [
        switch(
            say!("settings-reduced-motion"),
            settings.reduced_motion,
            Action::SetReducedMotion,
        ),
        switch(say!("settings-retries"), settings.retries, Action::SetRetries),
        switch(say!("settings-notifies"), settings.notifies, Action::SetNotifies),
    ];
    let mut entries = Vec::from(at_once);
    entries.extend(themes);
    entries.extend(languages);
    entries.extend(rates);
    entries.extend(switches);
    entries
}

/// What can be asked of the selected transfer.
fn of_row(row: &Row, transfers: &Transfers) -> Vec<Entry> {
    let items = row_menu::items(row, transfers.is_next(row.key)).into_iter();
    let of_it = items.filter(|item| !matches!(item.value, Action::Queue(_)));
    of_it
        .map(|item| {
            let text = say!("palette-of-row", action = item.text, row = row.name());
            (text, item.keys, item.value)
        })
        .collect()
}

/// Draws the open palette.
pub(crate) fn ui(ctx: &Context, palette: &Palette, transfers: &Transfers, settings: &Settings) -> Vec<Action> {
    let entries = entries(transfers, settings);
    let area = Modal::default_area(Id::unique("palette")).anchor(Align2::CENTER_TOP, vec2(0.0, 72.0));
    let modal = Modal::new(Id::unique("palette")).area(area).show(ctx, |ui| {
        let frame = Frame::new().inner_margin(Margin::same(6));
        frame.show(ui, |ui| content_ui(ui, palette, entries)).inner
    });
    let mut actions = modal.inner;
    if actions.is_empty() && modal.backdrop_response.clicked() {
        actions.push(Action::Palette(None));
    }
    actions
}

fn content_ui(ui: &mut Ui, palette: &Palette, entries: Vec<Entry>) -> Vec<Action> {
    ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 48.0));
    say_dialog(ui, Title::Said(say!("palette-hint")));
    let names: Vec<String> = entries.iter().map(|(name, ..)| name.clone()).collect();
    let found = palette.matching(&names);
    let mut next = palette.clone();
    let pressed = |ui: &Ui, key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    if pressed(ui, egui::Key::Escape) {
        return vec![Action::Palette(None)];
    }
    let is_down = pressed(ui, egui::Key::ArrowDown);
    let is_up = pressed(ui, egui::Key::ArrowUp);
    let is_enter = pressed(ui, egui::Key::Enter);
    if !found.is_empty() {
        let last = found.len() - 1;
        next.at = next.at.min(last);
        if is_down {
            next.at = if next.at == last { 0 } else { next.at + 1 };
        } else if is_up {
            next.at = next.at.checked_sub(1).unwrap_or(last);
        }
    }
    let field = Id::unique("palette, field");
    let response = text_edit_with_id(ui, Some(field), &mut next.typed, say!("palette-hint"), false);
    let response = response.accessible_name(say!("palette-command"));
    response.request_focus();
    let keys = EventFilter {
        vertical_arrows: true,
        horizontal_arrows: true,
        escape: true,
        tab: true,
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(field, keys));
    if next.typed != palette.typed {
        next.at = 0;
    }
    ui.add_space(4.0);
    let is_moved = is_down || is_up;
    let clicked = list_ui(ui, field, &entries, &found, next.at, is_moved);
    let picked = clicked.or(is_enter.then(|| found.get(next.at).copied()).flatten());
    if let Some((_, _, action)) = picked.and_then(|at| entries.into_iter().nth(at)) {
        return vec![Action::Palette(None), action];
    }
    if next == *palette {
        Vec::new()
    } else {
        vec![Action::Palette(Some(next))]
    }
}

/// Draws the commands that were found; returns the one that was clicked.
fn list_ui(ui: &mut Ui, field: Id, entries: &[Entry], found: &[usize], at: usize, is_moved: bool) -> Option<usize> {
    let palette = theme::palette(ui);
    if found.is_empty() {
        crate::app::widgets::caption(ui, say!("palette-nothing"));
        return None;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut clicked = None;
    let list = ScrollArea::vertical()
        .id_salt("palette, list")
        .max_height(LINE_HEIGHT * LINES_SHOWN)
        .auto_shrink([false, true]);
    list.show(ui, |ui| {
        for (place, entry) in found.iter().enumerate() {
            let Some((name, keys, _)) = entries.get(*entry) else {
                continue;
            };
            let (_, rect) = ui.allocate_space(vec2(ui.available_width(), LINE_HEIGHT));
            let response = ui.interact(rect, ui.scope_id().with(("entry", *entry)), Sense::CLICK);
            let is_picked = place == at;
            say_selected(&response, Role::ListBoxOption, is_picked, || name.clone());
            if is_picked {
                say_active(ui, field, &response);
                ui.painter().rect_filled(rect, RADIUS, palette.hover);
                if is_moved {
                    ui.scroll_to_rect(rect, None);
                }
            } else if response.hovered() {
                ui.painter().rect_filled(rect, RADIUS, palette.field);
            }
            entry_ui(ui, rect.shrink2(vec2(10.0, 0.0)), name, keys);
            if response.clicked() {
                clicked = Some(*entry);
            }
        }
    });
    clicked
}

fn entry_ui(ui: &Ui, rect: Rect, name: &str, keys: &str) {
    let palette = theme::palette(ui);
    let keyed = text_line(ui, rect, Align2::RIGHT_CENTER, keys, theme::small(), palette.faint);
    let room = rect.with_max_x(keyed.left() - 12.0);
    text_line(ui, room, Align2::LEFT_CENTER, name, theme::body(), palette.text);
}
