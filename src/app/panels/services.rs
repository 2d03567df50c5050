//! The line of a service of another process: what it does, and how to end it.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::Action;
use crate::app::model::services::Service;
use crate::app::theme;
use crate::app::widgets::{clicked_once, from_right, text_line, word_button};
use crate::transfer::Command;

/// Height of a line.
pub(crate) const LINE_HEIGHT: f32 = 34.0;

const MARGIN: f32 = 24.0;
const BUTTONS_WIDTH: f32 = 60.0;

/// Draws the line; so many transfers of the process are `listed`.
pub(crate) fn line_ui(ui: &mut Ui, pid: u32, service: &Service, listed: usize) -> Option<Action> {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE_HEIGHT), Sense::hover());
    let counts = service.in_words(listed);
    let who = format!("{} · process {pid}", service.command);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{who}: {counts}")));
    response.on_hover_text(format!("{who}\n{counts}"));
    ui.painter().rect_filled(rect, 0.0, palette.list);
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    let inner = rect.shrink2(vec2(MARGIN, 0.0));
    let right = inner.right() - BUTTONS_WIDTH;
    let middle = inner.left() + (right - inner.left()) * 0.36;
    let part = |from: f32, to: f32| Rect::from_min_max(pos2(from, inner.top()), pos2(to, inner.bottom()));
    text_line(
        ui,
        part(inner.left(), middle - 14.0),
        Align2::LEFT_CENTER,
        &who,
        theme::small(),
        palette.text,
    );
    text_line(
        ui,
        part(middle, right - 8.0),
        Align2::LEFT_CENTER,
        &counts,
        theme::small(),
        palette.weak,
    );
    let buttons = part(right, inner.right() + 5.0);
    from_right(ui, ("service", pid), buttons, |ui| {
        let (word, hover, command) = if service.is_draining {
            ("Stop", "End at once: what is half received is lost", Command::Stop)
        } else {
            (
                "Drain",
                "Take nobody new, and end when what is on its way has come",
                Command::Drain,
            )
        };
        let button = word_button(ui, word, &format!("{word} process {pid}"));
        clicked_once(&button.on_hover_text(hover)).then_some(Action::Service { pid, command })
    })
}
