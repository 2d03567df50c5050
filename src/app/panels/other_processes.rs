//! The heading above what other processes do: how much that is. It folds them away.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::{Action, QueueAction};
use crate::app::model::format;
use crate::app::model::services::Services;
use crate::app::model::transfers::Transfers;
use crate::app::theme;
use crate::app::widgets::{focus_ring, fold_triangle, text_line};

/// Height of the heading.
pub(crate) const HEADING_HEIGHT: f32 = 30.0;

const MARGIN: f32 = 24.0;

/// Draws the heading.
pub(crate) fn heading_ui(ui: &mut Ui, transfers: &Transfers, services: &Services) -> Option<Action> {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEADING_HEIGHT), Sense::click());
    let is_open = !transfers.others_are_folded();
    let counts = counts(transfers, services);
    let text = format!("Other processes: {counts}");
    response.widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, is_open, &text));
    if response.hovered() {
        ui.painter()
            .rect_filled(rect, 0.0, palette.selected_row.gamma_multiply(0.5));
    }
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    fold_triangle(
        ui,
        pos2(rect.left() + MARGIN + 4.0, rect.center().y),
        is_open,
        palette.weak,
    );
    let words = Rect::from_min_max(
        pos2(rect.left() + MARGIN + 16.0, rect.top()),
        rect.max - vec2(MARGIN, 0.0),
    );
    text_line(ui, words, Align2::LEFT_CENTER, &text, theme::small(), palette.weak);
    focus_ring(ui, &response, rect.shrink(1.0));
    response
        .clicked()
        .then_some(Action::Queue(QueueAction::FoldOthers(is_open)))
}

/// `1 service, 12 transfers`.
fn counts(transfers: &Transfers, services: &Services) -> String {
    let counts = [(services.len(), "service"), (transfers.others().len(), "transfer")];
    let words = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {word}{plural}", format::count(count as u64))
    });
    words.collect::<Vec<_>>().join(", ")
}
