//! The questions before something that runs is given up.

use eframe::egui::{Button, Context, Frame, Id, Key, Label, Margin, Modal, RichText, vec2};

use crate::app::action::Action;
use crate::app::model::row::Row;
use crate::app::theme::{self, FIELD_HEIGHT};
use crate::app::widgets::plain_button;

/// Asks whether the window is to close although `running` transfers run.
pub fn ui(ctx: &Context, running: usize, actions: &mut Vec<Action>) {
    let (title, what) = if running == 0 {
        (
            "A comparison is running".to_owned(),
            "Closing cancels it, and nothing is kept.",
        )
    } else if running == 1 {
        (
            "A transfer is running".to_owned(),
            "Closing cancels it. What was half received is removed.",
        )
    } else {
        (
            format!("{running} transfers are running"),
            "Closing cancels them. What was half received is removed.",
        )
    };
    question_ui(ctx, &title, what, ("Cancel and close", Action::CloseAnyway), actions);
}

/// Asks whether a transfer is to be cancelled.
pub fn cancel_ui(ctx: &Context, row: &Row, actions: &mut Vec<Action>) {
    let title = format!("Cancel {}?", row.name());
    question_ui(
        ctx,
        &title,
        "What was half received is removed.",
        ("Cancel it", Action::Cancel(row.key)),
        actions,
    );
}

fn question_ui(ctx: &Context, title: &str, what: &str, yes: (&str, Action), actions: &mut Vec<Action>) {
    let modal = Modal::new(Id::unique("question")).show(ctx, |ui| {
        let palette = theme::palette(ui);
        Frame::new().inner_margin(Margin::same(16)).show(ui, |ui| {
            ui.set_width(340.0);
            ui.label(RichText::new(title).font(theme::strong()));
            ui.add(Label::new(RichText::new(what).color(palette.weak)).wrap());
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                let keep = plain_button(ui, "Keep running");
                if ui.memory(|memory| memory.focused().is_none()) {
                    keep.request_focus();
                }
                if keep.clicked() {
                    actions.push(Action::KeepRunning);
                }
                let text = RichText::new(yes.0).font(theme::strong()).color(palette.background);
                let button = Button::new(text).fill(palette.failed).min_size(vec2(0.0, FIELD_HEIGHT));
                if ui.add(button).clicked() {
                    actions.push(yes.1);
                }
            });
        });
    });
    if modal.backdrop_response.clicked() || ctx.input(|input| input.key_pressed(Key::Escape)) {
        actions.push(Action::KeepRunning);
    }
}
