//! The rail at the left edge: the pages, and below them settings and help. The arrows walk it, Enter picks.

use eframe::egui::{Align2, Id, Rect, Role, Ui, pos2, vec2};

use crate::app::action::Action;
use crate::app::model::view::View;
use crate::app::theme::{self, ROW_RADIUS};
use crate::app::widgets::{Icon, Walk, focus_ring, paint_icon, paint_mark, say_selected, text_line};
use crate::app::words::{Key, key};

/// An entry of the rail.
struct Entry {
    view: View,
    icon: Icon,
    /// What stands below the icon.
    word: Option<Key>,
    /// What a screen reader says, and the tooltip.
    name: Key,
    keys: &'static str,
}

/// The pages, from top to bottom; another one is one line more.
const PAGES: [Entry; 4] = [
    Entry {
        view: View::Transfers,
        icon: Icon::Transfers,
        word: Some(key!("rail-transfers")),
        name: key!("rail-transfers"),
        keys: "Ctrl 1",
    },
    Entry {
        view: View::Compare,
        icon: Icon::Compare,
        word: Some(key!("rail-compare")),
        name: key!("rail-compare-routes"),
        keys: "Ctrl 2, Ctrl R",
    },
    Entry {
        view: View::RoundTrips,
        icon: Icon::RoundTrips,
        word: Some(key!("rail-round-trips")),
        name: key!("rail-round-trips"),
        keys: "Ctrl 3",
    },
    Entry {
        view: View::History,
        icon: Icon::History,
        word: Some(key!("rail-history")),
        name: key!("rail-history"),
        keys: "Ctrl 4",
    },
];

/// What stands at the bottom, from top to bottom.
const BELOW: [Entry; 2] = [
    Entry {
        view: View::Settings,
        icon: Icon::Settings,
        word: None,
        name: key!("rail-settings"),
        keys: "Ctrl ,",
    },
    Entry {
        view: View::Help,
        icon: Icon::Help,
        word: None,
        name: key!("rail-help"),
        keys: "F1",
    },
];

const MARK_Y: f32 = 29.0;
const FIRST_TOP: f32 = 66.0;

/// The pages that a key with Ctrl shows: Ctrl 1 the first, and so on.
pub(crate) fn pages() -> impl Iterator<Item = (View, Key)> {
    PAGES.iter().chain(&BELOW).map(|entry| (entry.view, entry.name))
}

/// Draws the rail; with words where `has_words`.
pub(crate) fn ui(ui: &mut Ui, shown: View, has_words: bool) -> Option<Action> {
    let palette = theme::palette(ui);
    let area = ui.max_rect();
    let edge = area.right() - 0.5;
    ui.painter().vline(edge, area.y_range(), (1.0, palette.hairline));
    let mark_y = if has_words { MARK_Y } else { MARK_Y - 4.0 };
    paint_mark(ui.painter(), pos2(area.center().x - 0.5, area.top() + mark_y), palette);
    let (height, step, first) = if has_words {
        (58.0, 64.0, FIRST_TOP)
    } else {
        (42.0, 48.0, FIRST_TOP - 8.0)
    };
    let above = (0..)
        .zip(&PAGES)
        .map(|(at, entry)| (entry, first + at as f32 * step, height));
    let bottom = area.height() - if has_words { 94.0 } else { 88.0 };
    let below = (0..)
        .zip(&BELOW)
        .map(|(at, entry)| (entry, bottom + at as f32 * 42.0, 40.0));
    let placed: Vec<(&Entry, Rect)> = above
        .chain(below)
        .map(|(entry, top, height)| {
            let corner = area.min + vec2(if has_words { 6.0 } else { 4.0 }, top);
            let width = if has_words { 59.0 } else { 39.0 };
            (entry, Rect::from_min_size(corner, vec2(width, height)))
        })
        .collect();
    entries_ui(ui, shown, &placed)
}

fn entries_ui(ui: &mut Ui, shown: View, placed: &[(&Entry, Rect)]) -> Option<Action> {
    let ids = (0..placed.len()).map(|at| Id::unique(("rail", at))).collect();
    let current = placed.iter().position(|(entry, _)| entry.view == shown);
    let mut walk = Walk::new(ui, ids, current.unwrap_or(0));
    let mut picked = None;
    for (at, (entry, rect)) in placed.iter().enumerate() {
        let response = ui.interact(*rect, walk.id(at), walk.sense(at));
        let is_shown = entry.view == shown;
        say_selected(&response, Role::Tab, is_shown, || entry.name.say().to_owned());
        walk.take_keys(ui, at, &response);
        if response.clicked() {
            picked = Some(Action::Show(entry.view));
        }
        entry_ui(ui, entry, *rect, is_shown, &response);
        response.on_hover_text(format!("{}  ({})", entry.name.say(), entry.keys));
    }
    walk.end(ui);
    picked
}

fn entry_ui(ui: &Ui, entry: &Entry, rect: Rect, is_shown: bool, response: &eframe::egui::Response) {
    let palette = theme::palette(ui);
    if is_shown {
        ui.painter().rect_filled(rect, ROW_RADIUS, palette.selected_row);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, ROW_RADIUS, palette.field);
    }
    focus_ring(ui, response, rect);
    let is_lit = is_shown || response.hovered() || response.has_focus();
    let colour = if is_lit { palette.text } else { palette.weak };
    let word = entry.word.filter(|_| rect.height() > 50.0);
    let icon_y = if word.is_some() {
        rect.top() + 19.0
    } else {
        rect.center().y
    };
    paint_icon(ui.painter(), entry.icon, pos2(rect.center().x, icon_y), colour);
    if let Some(word) = word {
        let font = if is_shown {
            theme::strong_of(theme::TINY)
        } else {
            theme::tiny()
        };
        let words = Rect::from_center_size(pos2(rect.center().x, rect.top() + 40.0), vec2(rect.width() + 8.0, 16.0));
        text_line(ui, words, Align2::CENTER_CENTER, word.say(), font, colour);
    }
}
