//! After something was taken off the list: what it was, and Undo.

use eframe::egui::{Align2, Area, Context, Frame, Id, Margin, Order, RichText, vec2};

use crate::app::action::{Action, QueueAction};
use crate::app::model::removed::Removed;
use crate::app::theme::{self, RADIUS};
use crate::app::widgets::plain_button;

/// Draws the line, over what stands at the bottom.
pub(crate) fn ui(ctx: &Context, removed: &Removed) -> Option<Action> {
    let area = Area::new(Id::unique("undo"))
        .order(Order::Foreground)
        .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -44.0));
    let shown = area.show(ctx, |ui| {
        let palette = theme::palette(ui);
        let frame = Frame::new()
            .fill(palette.list)
            .stroke((1.0, palette.hairline))
            .corner_radius(RADIUS)
            .inner_margin(Margin::symmetric(14, 8));
        let content = |ui: &mut eframe::egui::Ui| {
            ui.horizontal(|ui| {
                ui.set_min_height(theme::FIELD_HEIGHT);
                ui.label(RichText::new(removed.in_words()).color(palette.text));
                ui.add_space(8.0);
                plain_button(ui, "Undo").on_hover_text("Ctrl Z").clicked()
            })
            .inner
        };
        frame.show(ui, content).inner
    });
    shown.inner.then_some(Action::Queue(QueueAction::UndoRemoval))
}
