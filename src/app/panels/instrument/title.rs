//! What is moved, between which ends, and what can be done with it.

use eframe::egui::{Align, Button, Layout, Rect, RichText, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::limit;
use super::text::{self, Piece};
use crate::app::action::{Action, TransferAction};
use crate::app::model::row::{Phase, Row};
use crate::app::theme::{self, RADIUS};
use crate::app::widgets::{clicked_once, name_line, text_width};
use crate::transfer::State;
use eframe::egui::Align2;

const BUTTON_HEIGHT: f32 = 28.0;
/// The name has at most this part of what the buttons leave.
const NAME_SHARE: f32 = 0.55;

/// Draws the row.
pub(super) fn ui(ui: &mut Ui, row: &Row, rect: Rect) -> Vec<Action> {
    let layout = Layout::right_to_left(Align::Center);
    let mut buttons = ui.new_child(UiBuilder::new().id_salt("title buttons").max_rect(rect).layout(layout));
    buttons.spacing_mut().item_spacing.x = 8.0;
    let actions = buttons_ui(&mut buttons, row);
    let right = buttons.min_rect().left() - 24.0;
    words_ui(
        ui,
        row,
        Rect::from_min_max(rect.min, pos2(right.max(rect.left()), rect.bottom())),
    );
    actions
}

/// From right to left, in the order in which they are read from left to right.
fn buttons_ui(ui: &mut Ui, row: &Row) -> Vec<Action> {
    let mut asked = Vec::new();
    let mut actions = Vec::new();
    if row.is_over() {
        if clicked_once(&word(ui, "Remove")) {
            asked.push(TransferAction::Remove);
        }
        if row.is_own() {
            let name = if matches!(row.phase, Phase::Failed { .. }) {
                "Retry"
            } else {
                "Again"
            };
            if clicked_once(&quiet(ui, name)) {
                asked.push(TransferAction::Again);
            }
        }
    } else {
        let name = if row.repeats() { "Stop" } else { "Cancel" };
        if clicked_once(&word(ui, name)) {
            asked.push(TransferAction::AskToCancel);
        }
        let button = quiet(ui, "Limit");
        actions.extend(limit::popup(&button, row));
        if row.phase == Phase::Is(State::Paused) {
            if quiet(ui, "Resume").clicked() {
                asked.push(TransferAction::Resume);
            }
        } else {
            let is_clicked = ui.add_enabled_ui(row.can_pause(), |ui| quiet(ui, "Pause").clicked());
            if is_clicked.inner {
                asked.push(TransferAction::Pause);
            }
        }
    }
    actions.extend(asked);
    actions
        .into_iter()
        .map(|action| Action::Transfer(row.key, action))
        .collect()
}

fn quiet(ui: &mut Ui, name: &str) -> eframe::egui::Response {
    let text = RichText::new(name).font(theme::value(13.0));
    let button = Button::new(text)
        .corner_radius(RADIUS + 1)
        .min_size(vec2(64.0, BUTTON_HEIGHT));
    ui.add(button)
}

fn word(ui: &mut Ui, name: &str) -> eframe::egui::Response {
    let palette = theme::palette(ui);
    let width = text_width(ui, name, theme::label(13.0));
    let (rect, response) = ui.allocate_exact_size(vec2(width + 16.0, BUTTON_HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let colour = if response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.weak
    };
    crate::app::widgets::focus_ring(ui, &response, rect);
    ui.painter().text(
        rect.right_center(),
        Align2::RIGHT_CENTER,
        name,
        theme::label(13.0),
        colour,
    );
    response
}

/// The name in full as far as it fits, then what it is, then the way.
fn words_ui(ui: &Ui, row: &Row, rect: Rect) {
    let palette = theme::palette(ui);
    let name = row.name();
    let name_rect = Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * NAME_SHARE, rect.bottom()));
    let placed = name_line(
        ui,
        name_rect,
        Align2::LEFT_CENTER,
        name,
        theme::value(15.0),
        palette.text,
    );
    let mut right = placed.right();
    for words in [row.array_in_words(), row.endpoint_in_words()] {
        let font = theme::label(13.0);
        if right + 16.0 + text_width(ui, &words, font.clone()) > rect.right() {
            break;
        }
        let y = placed.center().y + 4.5;
        let piece = Piece::new(words, font, palette.weak);
        right = text::on_baseline(ui, pos2(right + 16.0, y), &[piece], 0.0).right();
    }
    let all = format!("{name}: {}, {}", row.array_in_words(), row.endpoint_in_words());
    let response = text::said(ui, "title", rect.with_max_x(right), &all);
    response.on_hover_text(all);
}
