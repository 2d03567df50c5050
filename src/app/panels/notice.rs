//! A line over what stands at the bottom of the window, for a while: what was taken off the list, and what came of
//! something.

use eframe::egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText, Ui, vec2};

use crate::app::action::{Action, QueueAction};
use crate::app::model::notice::Notice;
use crate::app::model::removed::Removed;
use crate::app::theme::{self, RADIUS};
use crate::app::widgets::plain_button;
use crate::app::words::say;

const ABOVE_BOTTOM: f32 = 44.0;
/// From one line to the one above it.
const STEP: f32 = 52.0;

/// Draws what came of something, above the offer to undo where that `is_second`.
pub(crate) fn ui(ctx: &Context, notice: &Notice, is_second: bool) -> Option<Action> {
    let above = if is_second { ABOVE_BOTTOM + STEP } else { ABOVE_BOTTOM };
    let folder = notice.folder().map(ToOwned::to_owned);
    let button = folder.is_some().then_some((say!("menu-show-in-folder"), ""));
    let is_clicked = line_ui(ctx, "notice", above, &notice.text, button);
    folder.filter(|_| is_clicked).map(Action::ShowFolder)
}

/// Draws what was taken off the list, and Undo.
pub(crate) fn undo_ui(ctx: &Context, removed: &Removed) -> Option<Action> {
    let button = Some((say!("notice-undo"), "Ctrl Z"));
    let is_clicked = line_ui(ctx, "undo", ABOVE_BOTTOM, &removed.in_words(), button);
    is_clicked.then_some(Action::Queue(QueueAction::UndoRemoval))
}

/// A line with a button; whether that was clicked.
fn line_ui(ctx: &Context, name: &str, above: f32, text: &str, button: Option<(&str, &str)>) -> bool {
    let area = Area::new(Id::unique(name))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -above));
    let shown = area.show(ctx, |ui| {
        let palette = theme::palette(ui);
        let frame = Frame::new()
            .fill(palette.list)
            .stroke((1.0, palette.hairline))
            .corner_radius(RADIUS)
            .inner_margin(Margin::symmetric(14, 8));
        let content = |ui: &mut Ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(theme::FIELD_HEIGHT);
                ui.label(RichText::new(text).color(palette.text));
                let Some((word, keys)) = button else { return false };
                ui.add_space(8.0);
                let response = plain_button(ui, word);
                if keys.is_empty() {
                    response
                } else {
                    response.on_hover_text(keys)
                }
                .clicked()
            })
            .inner
        };
        frame.show(ui, content).inner
    });
    shown.inner
}
