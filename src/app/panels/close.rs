//! The questions before something that runs is given up.

use eframe::egui::{Button, Context, Frame, Id, Key, Label, Margin, Modal, RichText, vec2};

use crate::app::action::{Action, TransferAction};
use crate::app::model::format::count;
use crate::app::model::row::Row;
use crate::app::theme::{self, FIELD_HEIGHT};
use crate::app::widgets::plain_button;

/// Asks whether the window is to close although `running` transfers run.
#[must_use]
pub(crate) fn ui(ctx: &Context, running: usize) -> Option<Action> {
    let (title, loss) = match running {
        0 => (
            "A comparison is running".to_owned(),
            "Closing cancels it, and nothing is kept.",
        ),
        1 => (
            "A transfer is running".to_owned(),
            "Closing cancels it. What was half received is removed.",
        ),
        _ => (
            format!("{running} transfers are running"),
            "Closing cancels them. What was half received is removed.",
        ),
    };
    question_ui(ctx, &title, loss, "Cancel and close", Action::CloseAnyway)
}

/// Asks whether a transfer is to be cancelled.
#[must_use]
pub(crate) fn cancel_ui(ctx: &Context, row: &Row) -> Option<Action> {
    let title = format!("Cancel {}?", row.name());
    let cancel = Action::Transfer(row.key, TransferAction::Cancel);
    question_ui(ctx, &title, "What was half received is removed.", "Cancel it", cancel)
}

/// Asks whether a service is to end while `receiving` transfers of it run.
#[must_use]
pub(crate) fn stop_ui(ctx: &Context, pid: u32, receiving: usize) -> Option<Action> {
    let title = match receiving {
        1 => format!("Stop process {pid} while 1 transfer runs?"),
        _ => format!("Stop process {pid} while {} transfers run?", count(receiving as u64)),
    };
    let loss = "What it has half received is removed. Drain lets it end with what is on its way.";
    question_ui(ctx, &title, loss, "Stop it", Action::StopServiceAnyway(pid))
}

fn question_ui(ctx: &Context, title: &str, loss: &str, yes: &str, action: Action) -> Option<Action> {
    let modal = Modal::new(Id::unique("question")).show(ctx, |ui| {
        let palette = theme::palette(ui);
        let content = |ui: &mut eframe::egui::Ui| {
            ui.set_width(340.0);
            ui.label(RichText::new(title).font(theme::strong()));
            ui.add(Label::new(RichText::new(loss).color(palette.weak)).wrap());
            ui.add_space(8.0);
            let buttons = ui.horizontal(|ui| {
                let keep = plain_button(ui, "Keep running");
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
