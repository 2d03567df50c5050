//! The heading of a group of the list, and what can be asked of all of it.

use eframe::egui::{Align2, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::transfers::MARGIN;
use crate::app::action::{Action, QueueAction};
use crate::app::model::format::RateUnit;
use crate::app::model::list::{Group, List};
use crate::app::theme;
use crate::app::widgets::{clicked_once, focus_ring, fold_triangle, from_right, text_line, text_width};
use crate::app::words::say;

/// Height of a heading.
pub(super) const HEIGHT: f32 = 32.0;
/// Where its text stands.
const TEXT_Y: f32 = 21.0;

/// A button's word, what it does, and the action.
type Word = (&'static str, &'static str, QueueAction);

/// Draws the heading of a group.
pub(super) fn ui(ui: &mut Ui, group: Group, list: List<'_>, unit: RateUnit) -> Vec<Action> {
    if group == Group::Others {
        return others_ui(ui, list).into_iter().collect();
    }
    let palette = theme::palette(ui);
    let rect = ui.max_rect();
    let (name, said) = (name(group, list, unit), described(group, list));
    let line = line_of(rect);
    let named = text_line(ui, line, Align2::LEFT_CENTER, &name, theme::tiny(), palette.faint);
    let response = ui.interact(named, ui.scope_id().with("heading"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, &said));
    let words = words(group, list);
    let place = Rect::from_min_max(
        pos2(named.right() + 8.0, line.top()),
        pos2(line.right() + 4.0, line.bottom()),
    );
    let mut actions = Vec::new();
    from_right(ui, ("heading", group as u8), place, |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if group == Group::Running {
            ui.add_space(4.0);
            let unit_rect = ui.allocate_exact_size(vec2(30.0, 18.0), Sense::hover()).0;
            text_line(
                ui,
                unit_rect,
                Align2::RIGHT_CENTER,
                unit.name,
                theme::tiny(),
                palette.faint,
            );
        }
        for (text, hover, action) in words {
            // By what it does, as buttons come and go: a click counts for what was drawn.
            let own = UiBuilder::new().scope_id(ui.scope_id().with(action.kind()));
            let button = ui.scope_builder(own, |ui| quiet_button(ui, text)).inner;
            if clicked_once(&button.on_hover_text(hover)) {
                actions.push(Action::Queue(action));
            }
        }
    });
    actions
}

/// A word in the size of the heading.
fn quiet_button(ui: &mut Ui, text: &str) -> Response {
    let palette = theme::palette(ui);
    let width = text_width(ui, text, theme::tiny());
    let (rect, response) = ui.allocate_exact_size(vec2(width + 8.0, 18.0), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    let is_lit = response.hovered() || response.has_focus();
    if is_lit {
        ui.painter().rect_filled(rect, 4.0, palette.hover);
    }
    focus_ring(ui, &response, rect);
    let colour = if is_lit { palette.text } else { palette.faint };
    text_line(ui, rect.expand(1.0), Align2::CENTER_CENTER, text, theme::tiny(), colour);
    response
}

/// The line that says how many more are done.
pub(super) fn more_ui(ui: &mut Ui, count: u64) {
    let text = say!("list-more-done", count = count);
    let palette = theme::palette(ui);
    let rect = ui.max_rect();
    let response = ui.interact(rect, ui.scope_id().with("more"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
    let inner = Rect::from_min_max(pos2(rect.left() + 36.0, rect.top()), rect.max);
    text_line(ui, inner, Align2::LEFT_CENTER, &text, theme::small(), palette.faint);
}

fn line_of(rect: Rect) -> Rect {
    Rect::from_min_max(
        pos2(rect.left() + MARGIN, rect.top() + TEXT_Y - 9.0),
        pos2(rect.right() - MARGIN, rect.top() + TEXT_Y + 9.0),
    )
}

/// What the heading says. The unit of the rates below is said once: here, or by the heading of those that run.
fn name(group: Group, list: List<'_>, unit: RateUnit) -> String {
    match group {
        Group::Done if list.group(Group::Running).is_empty() => [plain(group), unit.name].join(say!("comma")),
        _ => plain(group).to_owned(),
    }
}

/// What a screen reader says: with the number of rows.
fn described(group: Group, list: List<'_>) -> String {
    let count = list.group(group).len();
    match group {
        Group::Waiting => say!("list-waiting-count", count = list.transfers.waiting_count()),
        _ => say!("list-group-count", group = plain(group), count = count),
    }
}

fn plain(group: Group) -> &'static str {
    match group {
        Group::Running => say!("list-running"),
        Group::Waiting => say!("list-waiting"),
        Group::Interrupted => say!("phase-interrupted"),
        Group::Failed => say!("phase-failed"),
        Group::Done => say!("phase-done"),
        Group::Others => say!("list-others"),
    }
}

/// What can be asked of all of a group, from right to left.
fn words(group: Group, list: List<'_>) -> Vec<Word> {
    let transfers = list.transfers;
    let (runs, waits) = (transfers.slots_taken(), transfers.waiting_count());
    let hold: Option<Word> = if transfers.is_held() {
        Some((
            say!("menu-resume-all"),
            say!("menu-resume-all-hover"),
            QueueAction::ResumeAll,
        ))
    } else if runs + waits > 1 && runs > 0 {
        let hover = say!("menu-pause-all-hover");
        Some((say!("menu-pause-all"), hover, QueueAction::PauseAll))
    } else {
        None
    };
    let has_running = !list.group(Group::Running).is_empty();
    let mut words = Vec::new();
    match group {
        Group::Running => words.extend(hold),
        Group::Waiting => {
            if waits > 1 {
                let hover = say!("menu-remove-waiting-hover");
                words.push((say!("menu-remove-waiting"), hover, QueueAction::RemoveWaiting));
            }
            words.extend(hold.filter(|_| !has_running));
        }
        Group::Interrupted if transfers.interrupted().len() > 1 => {
            let hover = say!("menu-resume-interrupted-hover");
            words.push((say!("menu-resume-interrupted"), hover, QueueAction::GoOnWithInterrupted));
        }
        Group::Failed if transfers.failed().len() > 1 => {
            let hover = say!("menu-retry-failed-hover");
            words.push((say!("menu-retry-failed"), hover, QueueAction::RetryFailed));
        }
        Group::Done if transfers.finished_count() > 1 => {
            let hover = say!("menu-remove-finished-hover");
            words.push((say!("menu-remove-finished"), hover, QueueAction::RemoveFinished));
        }
        Group::Interrupted | Group::Failed | Group::Done | Group::Others => {}
    }
    words
}

/// The heading above what other processes do: how much that is. It folds them away.
fn others_ui(ui: &mut Ui, list: List<'_>) -> Option<Action> {
    let palette = theme::palette(ui);
    let rect = ui.max_rect();
    let transfers = list.transfers;
    let response = ui.interact(rect, ui.scope_id().with("fold"), Sense::click());
    let is_open = !transfers.others_are_folded();
    let (services, others) = (list.services.len(), transfers.others().len());
    let services = (services > 0).then(|| say!("list-services", count = services));
    let others = (others > 0).then(|| say!("list-transfers", count = others));
    let counts: Vec<String> = services.into_iter().chain(others).collect();
    let text = say!("list-others-counts", counts = counts.join(say!("comma")));
    response.widget_info(|| WidgetInfo::selected(Role::DisclosureTriangle, true, is_open, &text));
    let line = line_of(rect);
    let colour = if response.hovered() {
        palette.text
    } else {
        palette.faint
    };
    fold_triangle(ui, pos2(line.right() - 4.0, line.center().y), is_open, colour);
    let words = line.with_max_x(line.right() - 16.0);
    text_line(ui, words, Align2::LEFT_CENTER, &text, theme::tiny(), colour);
    focus_ring(ui, &response, rect.shrink2(vec2(6.0, 3.0)));
    response
        .clicked()
        .then_some(Action::Queue(QueueAction::FoldOthers(is_open)))
}
