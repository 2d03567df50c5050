//! A line above the list where there are several: how many run at once, and what concerns all of them.

use eframe::egui::{Align2, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::app::action::{Action, QueueAction};
use crate::app::model::format;
use crate::app::model::transfers::Transfers;
use crate::app::theme;
use crate::app::widgets::{clicked_once, from_left, segments, text_line, word_button, word_button_width};

/// Height of the line.
const HEIGHT: f32 = 40.0;
const MARGIN: f32 = 24.0;
const CHOICES: [(Option<usize>, &str); 5] = [
    (None, "All"),
    (Some(1), "1"),
    (Some(2), "2"),
    (Some(4), "4"),
    (Some(8), "8"),
];

/// Draws the line, where there are several transfers, or several have ended, or all are paused.
pub(crate) fn ui(ui: &mut Ui, transfers: &Transfers, at_once: Option<usize>) -> Vec<Action> {
    if transfers.own_rows().len() < 2 && transfers.finished_count() < 2 && !transfers.is_held() {
        return Vec::new();
    }
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let counts = counts(transfers);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Transfers here: {counts}")));
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    let inner = rect.shrink2(vec2(MARGIN, 0.0));
    let part = |from: f32, to: f32| Rect::from_min_max(pos2(from, inner.top()), pos2(to, inner.bottom()));
    let label = part(inner.left(), inner.left() + 52.0);
    text_line(ui, label, Align2::LEFT_CENTER, "At once", theme::small(), palette.weak);
    let choices = Rect::from_min_size(
        pos2(label.right(), inner.center().y - theme::FIELD_HEIGHT / 2.0),
        vec2(190.0, theme::FIELD_HEIGHT),
    );
    let mut chosen = at_once;
    // A child of its own: what is drawn within the line moves nothing below it.
    let mut child = ui.new_child(UiBuilder::new().max_rect(choices));
    segments(&mut child, "Transfers at once", &mut chosen, &CHOICES);
    let words = words(transfers);
    let width: f32 = words.iter().map(|(text, ..)| word_button_width(ui, text)).sum();
    let buttons = part(inner.right() + 5.0 - width, inner.right() + 5.0);
    text_line(
        ui,
        part(choices.right() + 14.0, buttons.left() - 8.0),
        Align2::LEFT_CENTER,
        &counts,
        theme::small(),
        palette.weak,
    );
    let mut actions = from_left(ui, "queue", buttons, |ui| buttons_ui(ui, &words));
    if chosen != at_once {
        actions.push(QueueAction::SetAtOnce(chosen));
    }
    actions.into_iter().map(Action::Queue).collect()
}

fn buttons_ui(ui: &mut Ui, words: &[Word]) -> Vec<QueueAction> {
    ui.spacing_mut().item_spacing.x = 0.0;
    let mut actions = Vec::new();
    for (text, hover, action) in words {
        if clicked_once(&word_button(ui, text, text).on_hover_text(*hover)) {
            actions.push(*action);
        }
    }
    actions
}

/// A button's word, what it does, and the action.
type Word = (&'static str, &'static str, QueueAction);

/// What can be asked of all of them, from left to right.
fn words(transfers: &Transfers) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    if transfers.finished_count() > 1 {
        let hover = "Take what is done or cancelled off the list; what failed stays";
        words.push(("Remove finished", hover, QueueAction::RemoveFinished));
    }
    if transfers.failed().len() > 1 {
        words.push(("Retry failed", "Start what failed again", QueueAction::RetryFailed));
    }
    if transfers.waiting_count() > 1 {
        let hover = "Take what waits for its turn off the list";
        words.push(("Remove waiting", hover, QueueAction::RemoveWaiting));
    }
    if transfers.is_held() {
        words.push(("Resume all", "Go on with all of them", QueueAction::ResumeAll));
    } else if transfers.slots_taken() > 0 {
        let hover = "Stop moving bytes, and let nothing begin";
        words.push(("Pause all", hover, QueueAction::PauseAll));
    }
    words
}

/// `2 running, 3 waiting`.
fn counts(transfers: &Transfers) -> String {
    let counts = [
        (transfers.slots_taken() as u64, "running"),
        (transfers.waiting_count() as u64, "waiting"),
        (transfers.forgotten_done(), "more done"),
    ];
    let words = counts.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = words
        .map(|(count, word)| format!("{} {word}", format::count(count)))
        .collect();
    words.join(", ")
}
