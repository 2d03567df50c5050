//! The questions before something that runs is given up.

use eframe::egui::{Button, Context, Frame, Id, Key, Label, Margin, Modal, RichText, vec2};

use crate::app::action::{Action, TransferAction};
use crate::app::model::row::Row;
use crate::app::theme::{self, FIELD_HEIGHT};
use crate::app::widgets::{Title, plain_button, say_dialog};
use crate::app::words::say;

/// Asks whether the window is to close although `running` transfers run.
#[must_use]
pub(crate) fn ui(ctx: &Context, running: usize) -> Option<Action> {
    let (title, loss) = match running {
        0 => (say!("close-comparison").to_owned(), say!("close-comparison-loss")),
        1 => (say!("close-transfer").to_owned(), say!("close-transfer-loss")),
        _ => (say!("close-transfers", count = running), say!("close-transfers-loss")),
    };
    question_ui(ctx, &title, loss, say!("close-anyway"), Action::CloseAnyway)
}

/// Asks whether a transfer is to be cancelled.
#[must_use]
pub(crate) fn cancel_ui(ctx: &Context, row: &Row) -> Option<Action> {
    let title = say!("close-cancel", name = row.name());
    let cancel = Action::Transfer(row.key, TransferAction::Cancel);
    question_ui(
        ctx,
        &title,
        say!("close-cancel-loss"),
        say!("close-cancel-anyway"),
        cancel,
    )
}

/// Asks whether a service is to end while `receiving` transfers of it run.
#[must_use]
pub(crate) fn stop_ui(ctx: &Context, pid: u32, receiving: usize) -> Option<Action> {
    let title = say!("close-stop", pid = pid.to_string(), count = receiving);
    let (loss, yes) = (say!("close-stop-loss"), say!("close-stop-anyway"));
    question_ui(ctx, &title, loss, yes, Action::StopServiceAnyway(pid))
}

fn question_ui(ctx: &Context, title: &str, loss: &str, yes: &str, action: Action) -> Option<Action> {
    let modal = Modal::new(Id::unique("question")).show(ctx, |ui| {
        let palette = theme::palette(ui);
        let content = |ui: &mut eframe::egui::Ui| {
            ui.set_width(340.0);
            let title = ui.label(RichText::new(title).font(theme::strong()));
            say_dialog(ui, Title::Shown(&title));
            ui.add(Label::new(RichText::new(loss).color(palette.weak)).wrap());
            ui.add_space(8.0);
            let buttons = ui.horizontal(|ui| {
                let keep = plain_button(ui, say!("close-keep-running"));
                if ui.memory(|memory| memory.focused().is_none()) {
                    keep.request_focus();
                }
                let text = RichText::new(yes).font(theme::strong()).color(palette.background);
                let button = Button::new(text).fill(palette.failed).min_size(vec2(0.0, FIELD_HEIGHT));
                let is_yes = ui.add(button).clicked();
                is_yes
                    .then_some(action)
                    .or(keep.clicked().then_some(Action::KeepRunning))
            });
            buttons.inner
        };
        Frame::new().inner_margin(Margin::same(16)).show(ui, content).inner
    });
    let is_left = modal.backdrop_response.clicked() || ctx.input(|input| input.key_pressed(Key::Escape));
    modal.inner.or(is_left.then_some(Action::KeepRunning))
}
