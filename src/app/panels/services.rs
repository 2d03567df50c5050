//! The line of a service of another process: what it does, and how to end it.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::transfers::MARGIN;
use crate::app::action::Action;
use crate::app::model::format::RateScale;
use crate::app::model::services::Service;
use crate::app::theme;
use crate::app::widgets::{clicked_once, from_right, name_line, text_line, word_button};
use crate::app::words::say;
use crate::transfer::Command;

/// Height of a line.
pub(crate) const LINE_HEIGHT: f32 = 66.0;

const BUTTON_WIDTH: f32 = 48.0;

/// Draws the line; so many transfers of the process are `listed`.
pub(crate) fn line_ui(ui: &mut Ui, pid: u32, service: &Service, listed: usize, scale: RateScale) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = ui.max_rect();
    let response = ui.interact(rect, ui.scope_id().with("service"), Sense::hover());
    let counts = service.in_words(listed);
    let process = say!("process", pid = pid.to_string());
    let who = format!("{} · {process}", service.command);
    response.widget_info(|| {
        let text = say!("services-said", who = &who, counts = &counts);
        WidgetInfo::labeled(Role::Label, true, text)
    });
    response.on_hover_text(format!("{who}\n{counts}"));
    let inner = rect.shrink2(vec2(MARGIN, 0.0));
    let line = |y: f32, right: f32| {
        Rect::from_min_max(
            pos2(inner.left(), inner.top() + y - 9.0),
            pos2(right, inner.top() + y + 9.0),
        )
    };
    let first = line(15.0, inner.right() - BUTTON_WIDTH);
    // A path at its end is cut in the middle.
    let (name, font) = (&service.command, theme::strong());
    name_line(ui, first, Align2::LEFT_CENTER, name, font, palette.text);
    let (second, third) = (line(33.0, inner.right()), line(50.0, inner.right()));
    let small = |rect, align, text: &str| text_line(ui, rect, align, text, theme::small(), palette.weak);
    small(second, Align2::LEFT_CENTER, &service.now_in_words(scale));
    let placed = small(third, Align2::RIGHT_CENTER, &process);
    let done = third.with_max_x(placed.left() - 8.0);
    small(done, Align2::LEFT_CENTER, &service.done_in_words());
    let buttons = Rect::from_min_max(
        pos2(first.right(), first.top()),
        pos2(inner.right() + 5.0, first.bottom()),
    );
    from_right(ui, ("service", pid), buttons, |ui| {
        let (word, hover, command) = if service.is_draining {
            (say!("services-stop"), say!("services-stop-hover"), Command::Stop)
        } else {
            (say!("services-drain"), say!("services-drain-hover"), Command::Drain)
        };
        // Each with an id of its own: a click counts for what was drawn.
        let name = say!("list-button", word = word, row = process);
        let own = UiBuilder::new().scope_id(ui.scope_id().with(word));
        let button = ui.scope_builder(own, |ui| word_button(ui, word, &name)).inner;
        clicked_once(&button.on_hover_text(hover)).then_some(Action::Service { pid, command })
    })
}
