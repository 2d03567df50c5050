//! What the page shows before the first transfer: what to do.

use eframe::egui::{Align2, Context, Id, LayerId, Order, RichText, Theme, Ui};

use crate::app::model::plan::CheckedForm;
use crate::app::theme;

/// Says what Start would move.
pub(crate) fn ui(ui: &mut Ui, checked: &CheckedForm, form_hidden: bool) {
    let palette = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.40).max(24.0));
        ui.label(
            RichText::new("Nothing has moved yet")
                .font(theme::strong())
                .color(palette.text),
        );
        let ready = match (&checked.recipe, &checked.summary) {
            _ if form_hidden => "Ctrl N shows what can be moved.".to_owned(),
            (Some(_), Some(summary)) => {
                format!("Ready: {summary}. Press Start, or Ctrl Enter, and watch it cross.")
            }
            (Some(_), None) => "Ready to receive. Press Listen, or Ctrl Enter.".to_owned(),
            (None, _) if !checked.mistakes.is_empty() => "The form on the left says what is still needed.".to_owned(),
            (None, _) => "Choose what to move on the left, then press Start, or Ctrl Enter.".to_owned(),
        };
        ui.label(RichText::new(ready).color(palette.weak));
    });
}

/// Says what a drop would do, while files hang over the window.
pub(crate) fn drop_hint_ui(ctx: &Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let screen = ctx.content_rect();
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop hint")));
    let palette = if ctx.theme() == Theme::Dark {
        &theme::DARK
    } else {
        &theme::LIGHT
    };
    painter.rect_filled(screen, 0.0, palette.background.gamma_multiply(0.85));
    painter.text(
        screen.center(),
        Align2::CENTER_CENTER,
        "Drop to send this file",
        theme::strong(),
        palette.text,
    );
}
