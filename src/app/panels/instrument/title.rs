//! What is moved, between which ends, and what can be done with it.

use eframe::egui::{
    Align, Align2, Button, Id, Layout, Rect, Response, RichText, Role, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};

use super::limit;
use super::text::{self, Piece};
use crate::app::action::{Action, TransferAction};
use crate::app::model::row::{Phase, Row};
use crate::app::panels::row_menu;
use crate::app::theme::{self, RADIUS};
use crate::app::widgets::{clicked_once, focus_ring, name_line, say_heading, text_width};
use crate::app::words::say;
use crate::transfer::State;

const BUTTON_HEIGHT: f32 = 28.0;
/// From one button to the next.
const GAP: f32 = 8.0;
/// The name has at most this part of what the buttons leave.
const NAME_SHARE: f32 = 0.55;

/// Draws the row.
pub(super) fn ui(ui: &mut Ui, row: &Row, rect: Rect) -> Vec<Action> {
    let buttons = buttons(row);
    let widths: Vec<f32> = buttons.iter().map(|button| button.width(ui)).collect();
    let gaps = GAP * buttons.len().saturating_sub(1) as f32;
    let left = (rect.right() - widths.iter().sum::<f32>() - gaps).max(rect.left());
    let words = rect.with_max_x((left - 24.0).max(rect.left()));
    words_ui(ui, row, words);
    // From left to right, so that the Tab key goes through them as they are read.
    let mut x = left;
    let mut actions = Vec::new();
    for (button, width) in buttons.into_iter().zip(widths) {
        let size = vec2(width, BUTTON_HEIGHT);
        let place = Rect::from_center_size(pos2(x + width / 2.0, rect.center().y), size);
        actions.extend(button.ui(ui, row, place));
        x += width + GAP;
    }
    let of_row = |action| Action::Transfer(row.key, action);
    actions.into_iter().map(of_row).collect()
}

/// A button of the title.
struct TitleButton {
    name: &'static str,
    /// A word alone, without a fill.
    is_word: bool,
    is_enabled: bool,
    does: Does,
}

/// What a button of the title does.
#[derive(Clone, Copy)]
enum Does {
    Action(TransferAction),
    /// Drops the limits.
    Limit,
}

/// Those of a row, from left to right.
fn buttons(row: &Row) -> Vec<TitleButton> {
    let quiet = |name, does| TitleButton {
        name,
        is_word: false,
        is_enabled: true,
        does,
    };
    let word = |name, does| TitleButton {
        is_word: true,
        ..quiet(name, does)
    };
    if row.is_interrupted() {
        let [(go_on, _, goes_on), (give_up, _, gives_up)] = row_menu::after_a_break(row);
        return vec![
            quiet(go_on, Does::Action(goes_on)),
            word(give_up, Does::Action(gives_up)),
        ];
    }
    if row.is_over() {
        let name = match row.phase {
            Phase::Failed { .. } => say!("menu-retry"),
            _ => say!("menu-again"),
        };
        let again = row.is_own().then(|| quiet(name, Does::Action(TransferAction::Again)));
        let remove = word(say!("menu-remove"), Does::Action(TransferAction::Remove));
        return again.into_iter().chain([remove]).collect();
    }
    let pause = if row.phase == Phase::Is(State::Paused) {
        quiet(say!("menu-resume"), Does::Action(TransferAction::Resume))
    } else {
        TitleButton {
            is_enabled: row.can_pause(),
            ..quiet(say!("menu-pause"), Does::Action(TransferAction::Pause))
        }
    };
    let name = if row.repeats() {
        say!("menu-stop")
    } else {
        say!("menu-cancel")
    };
    let cancel = word(name, Does::Action(TransferAction::AskToCancel));
    vec![pause, quiet(say!("form-limit"), Does::Limit), cancel]
}

impl TitleButton {
    fn width(&self, ui: &Ui) -> f32 {
        if self.is_word {
            return text_width(ui, self.name, theme::label(13.0)) + 16.0;
        }
        let padding = 2.0 * ui.spacing().button_padding.x;
        (text_width(ui, self.name, theme::value(13.0)) + padding).max(64.0)
    }

    /// Draws it. What takes its place, as Resume does that of Pause, keeps the focus.
    fn ui(self, ui: &mut Ui, row: &Row, place: Rect) -> Vec<TransferAction> {
        // By what it does: see `TransferAction::kind`.
        let kind = match self.does {
            Does::Action(action) => Some(action.kind()),
            Does::Limit => None,
        };
        let id = ui.scope_id().with(("title button", kind));
        let response = if self.is_word {
            word(ui, self.name, id, place)
        } else {
            // Where the name is narrower than the button it stands in its middle.
            let layout = Layout::top_down(Align::Center);
            let builder = UiBuilder::new().scope_id(id).max_rect(place).layout(layout);
            let mut child = ui.new_child(builder);
            let button = |ui: &mut Ui| quiet(ui, self.name, place.size());
            child.add_enabled_ui(self.is_enabled, button).inner
        };
        match self.does {
            Does::Limit => limit::popup(&response, row),
            // Where they stand another button may just have been. To pause or to resume twice does no harm.
            Does::Action(action @ (TransferAction::Pause | TransferAction::Resume)) => {
                Vec::from_iter(response.clicked().then_some(action))
            }
            Does::Action(action) => Vec::from_iter(clicked_once(&response).then_some(action)),
        }
    }
}

fn quiet(ui: &mut Ui, name: &str, size: Vec2) -> Response {
    let text = RichText::new(name).font(theme::value(13.0));
    let button = Button::new(text).corner_radius(RADIUS + 1).min_size(size);
    ui.add(button)
}

fn word(ui: &Ui, name: &str, id: Id, rect: Rect) -> Response {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, id, Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    let colour = if response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.weak
    };
    focus_ring(ui, &response, rect);
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
    let all = say!(
        "instrument-title",
        name = name,
        array = row.array_in_words(),
        place = row.endpoint_in_words(),
    );
    let response = text::said(ui, "title", rect.with_max_x(right), &all);
    say_heading(&response, &all);
    response.on_hover_text(all);
}
