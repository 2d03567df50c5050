//! The entries of the history, a row each.

use eframe::egui::{Align2, Color32, Id, Memory, Rect, Role, Ui, pos2, vec2};

use crate::app::action::{Action, HistoryAction};
use crate::app::model::entry_text;
use crate::app::model::format;
use crate::app::model::history::Page;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{
    MenuItem, Walk, context_menu, focus_ring, from_right, name_line, say_selected, text_line, word_button_with_id,
};
use crate::app::words::say;
use crate::history::{Ending, Entry};
use crate::text::shown;

pub(super) const ROW_HEIGHT: f32 = 28.0;
/// When, how much, how fast, how it ended, and the button behind them.
const WHEN: f32 = 172.0;
const SIZE: f32 = 76.0;
const RATE: f32 = 86.0;
const ENDED: f32 = 168.0;
const BUTTON: f32 = 72.0;

/// Draws the rows; returns what was asked for.
pub(super) fn ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    ui.spacing_mut().item_spacing.y = 0.0;
    let ids = page.entries.iter().map(|entry| Id::unique(("history row", entry.id)));
    let picked = page.entries.iter().position(|entry| page.picked == Some(entry.id));
    let mut walk = Walk::new(ui, ids.collect(), picked.unwrap_or(0));
    let rows = page.entries.iter().enumerate();
    let asked = rows.filter_map(|(at, entry)| row_ui(ui, page, entry, at, &mut walk));
    let asked = asked.collect();
    walk.end(ui);
    asked
}

fn row_ui(ui: &mut Ui, page: &Page, entry: &Entry, at: usize, walk: &mut Walk) -> Option<Action> {
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW_HEIGHT));
    let lay_over_id = Id::unique(("lay over", entry.id));
    // Asked for before the row is: from it the Tab key goes to the button in this very frame.
    let focused = ui.memory(Memory::focused);
    let has_focus = focused.is_some_and(|id| id == walk.id(at) || id == lay_over_id);
    let response = ui.interact(rect, walk.id(at), walk.sense(at));
    walk.take_keys(ui, at, &response);
    let is_picked = page.picked == Some(entry.id);
    let is_beside = page.beside == Some(entry.id);
    say_selected(&response, Role::ListItem, is_picked || is_beside, || name(entry));
    if !ui.is_rect_visible(rect) && !has_focus {
        return None;
    }
    let palette = theme::palette(ui);
    if is_picked || is_beside {
        ui.painter().rect_filled(rect, 0.0, palette.selected_row);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 0.0, palette.hover);
    }
    focus_ring(ui, &response, rect.shrink(1.0));
    cells_ui(ui, rect, entry, palette);
    let button = Rect::from_min_max(pos2(rect.right() - BUTTON, rect.top()), rect.max);
    let word = match (is_picked, is_beside) {
        (true, _) => None,
        (_, true) => Some((say!("history-take-away"), None)),
        _ if page.picked.is_some() => Some((say!("history-lay-over"), Some(entry.id))),
        _ => None,
    };
    let lay_over = word.filter(|_| is_beside || response.contains_pointer() || has_focus);
    let laid = lay_over.and_then(|(word, id)| {
        let name = say!("history-button", word = word, what = shown(&entry_text::what(entry)));
        let clicked = from_right(ui, ("lay over", entry.id), button, |ui| {
            word_button_with_id(ui, lay_over_id, word, &name).clicked()
        });
        clicked.then_some(HistoryAction::LayOver(id))
    });
    let picked = || response.clicked().then_some(HistoryAction::Pick(entry.id));
    let asked = laid.or_else(picked).map(Action::History);
    asked.or_else(|| context_menu(ui, &response, || menu_items(page, entry)))
}

/// What can be asked of an entry.
fn menu_items(page: &Page, entry: &Entry) -> Vec<MenuItem<Action>> {
    let history = |text, action| MenuItem::new(text, "", Action::History(action));
    let mut items = Vec::new();
    if page.picked != Some(entry.id) {
        items.push(history(say!("menu-show"), HistoryAction::Pick(entry.id)));
    }
    if page.beside == Some(entry.id) {
        items.push(history(say!("history-take-away"), HistoryAction::LayOver(None)));
    } else if page.picked.is_some_and(|picked| picked != entry.id) {
        items.push(history(
            say!("history-lay-over"),
            HistoryAction::LayOver(Some(entry.id)),
        ));
    }
    let copies = [
        (say!("menu-copy-name"), Some(entry_text::what(entry))),
        (say!("menu-copy-endpoint"), entry.peer.clone()),
        (say!("menu-copy-path"), entry.path.clone()),
        (say!("history-copy-summary"), Some(entry_text::markdown(entry))),
        (say!("menu-copy-checksum"), entry.checksum.clone()),
        (say!("menu-copy-sentence"), entry.sentence.clone()),
        (say!("menu-copy-message"), entry.message.clone()),
    ];
    let copies = copies.into_iter().filter_map(|(text, copied)| Some((text, copied?)));
    let before = items.len();
    items.extend(copies.map(|(text, copied)| MenuItem::new(text, "", Action::Copy(copied))));
    if before > 0
        && let Some(first) = items.get_mut(before)
    {
        first.begins_part = true;
    }
    items
}

fn cells_ui(ui: &Ui, row: Rect, entry: &Entry, palette: &Palette) {
    let mut left = row.left() + 8.0;
    let mut cell = |width: f32| {
        let rect = Rect::from_min_max(pos2(left, row.top()), pos2(left + width - 12.0, row.bottom()));
        left += width;
        rect
    };
    let small = |rect: Rect, align: Align2, text: &str, colour: Color32| {
        text_line(ui, rect, align, text, theme::small(), colour);
    };
    let what = (row.width() - 8.0 - WHEN - SIZE - RATE - ENDED - BUTTON).max(80.0);
    small(cell(WHEN), Align2::LEFT_CENTER, &entry_text::when(entry), palette.weak);
    name_line(
        ui,
        cell(what),
        Align2::LEFT_CENTER,
        &shown(&entry_text::what(entry)),
        theme::small(),
        palette.text,
    );
    small(
        cell(SIZE),
        Align2::RIGHT_CENTER,
        &format::bytes(entry.bytes).to_string(),
        palette.text,
    );
    let rate = format::rate(entry.rate_bytes_per_s).to_string();
    small(cell(RATE), Align2::RIGHT_CENTER, &rate, palette.text);
    let colour = match entry.outcome {
        Ending::Done if entry.verified == Some(true) => palette.verified,
        Ending::Done | Ending::Cancelled => palette.weak,
        Ending::Failed | Ending::Damaged => palette.failed,
    };
    small(
        cell(ENDED),
        Align2::LEFT_CENTER,
        &entry_text::how_it_ended(entry),
        colour,
    );
}

/// A row for who does not see it.
fn name(entry: &Entry) -> String {
    let words = [
        shown(&entry_text::what(entry)),
        entry_text::when(entry),
        format::bytes(entry.bytes).to_string(),
        format::rate(entry.rate_bytes_per_s).to_string(),
        entry_text::how_it_ended(entry),
    ];
    words.join(say!("comma"))
}
