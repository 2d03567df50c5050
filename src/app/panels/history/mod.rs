//! The history page: what was transferred by whatever command, one run or two of them over each other, and what to do
//! with it.

mod runs;
mod table;

use eframe::egui::{RichText, ScrollArea, Ui, vec2};

use crate::app::action::{Action, HistoryAction};
use crate::app::model::history::{Page, SHOWN};
use crate::app::theme::{self, FIELD_HEIGHT, STEP};
use crate::app::widgets::{caption, heading, scrolled, scrolled_page, text_edit};
use crate::app::words::say;

/// The list takes this share of the height.
const LIST_SHARE: f32 = 0.42;

/// Draws the page.
pub(crate) fn ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    ui.spacing_mut().item_spacing.y = STEP;
    let mut actions = head_ui(ui, page);
    if let Some(trouble) = &page.trouble {
        let colour = theme::palette(ui).failed;
        ui.label(RichText::new(trouble).font(theme::small()).color(colour));
    }
    if page.entries.is_empty() {
        if page.is_known && page.trouble.is_none() {
            empty_ui(ui, page);
        }
    } else {
        let height = (ui.available_height() * LIST_SHARE).max(3.0 * table::ROW_HEIGHT);
        let list = ScrollArea::vertical()
            .id_salt("history list")
            .auto_shrink([false, true]);
        let picked = scrolled(ui, list.max_height(height), |ui| table::ui(ui, page)).inner;
        actions.extend(picked);
        let below = ScrollArea::vertical().id_salt("history run").auto_shrink(false);
        actions.extend(scrolled_page(ui, below, |ui| runs::ui(ui, page)));
    }
    actions
}

fn head_ui(ui: &mut Ui, page: &Page) -> Vec<Action> {
    let mut search = page.search.clone();
    ui.horizontal(|ui| {
        ui.set_min_height(FIELD_HEIGHT);
        heading(ui, RichText::new(say!("rail-history")).font(theme::strong()));
        ui.add_space(STEP);
        let label = caption(ui, say!("history-search")).id;
        ui.allocate_ui(vec2(280.0, FIELD_HEIGHT), |ui| {
            ui.set_width(280.0);
            text_edit(ui, &mut search, say!("history-search-hint"), false).labelled_by(label);
        });
        if page.entries.len() as u64 >= SHOWN {
            caption(ui, &say!("history-latest", count = SHOWN));
        }
    });
    let edit = (search != page.search).then_some(Action::History(HistoryAction::Search(search)));
    edit.into_iter().collect()
}

fn empty_ui(ui: &mut Ui, page: &Page) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.3).max(STEP));
        let (title, text) = match (page.search.is_empty(), page.is_switched_off) {
            (true, false) => (say!("history-empty"), say!("history-empty-text")),
            (true, true) => (say!("history-off"), say!("history-off-text")),
            (false, _) => (say!("history-nothing-found"), say!("history-nothing-found-text")),
        };
        ui.label(RichText::new(title).font(theme::strong()));
        ui.label(RichText::new(text).color(palette.weak));
    });
}
