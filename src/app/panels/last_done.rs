//! What was done last, on the page before the first transfer: a line each, and one key to do it again.

use eframe::egui::{Align2, Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::{Action, HistoryAction};
use crate::app::model::history::Page;
use crate::app::model::row::Sign;
use crate::app::model::view::View;
use crate::app::model::{entry_text, format};
use crate::app::theme;
use crate::app::widgets::{
    Icon, from_right, name_line, paint_icon, sign_colour, text_line, word_button, word_button_with_id,
};
use crate::app::words::say;
use crate::history::{Ending, Entry};
use crate::text::shown;

/// So many are shown.
const COUNT: usize = 3;
const LINE_HEIGHT: f32 = 36.0;
const HEAD_HEIGHT: f32 = 32.0;
/// How much, when, how fast, and the button.
const SIZE: f32 = 90.0;
const WHEN: f32 = 180.0;
const RATE: f32 = 110.0;
const BUTTON: f32 = 80.0;

/// The height that it has; none where nothing was done.
pub(super) fn height(page: &Page) -> f32 {
    match entries(page).count() {
        0 => 0.0,
        count => HEAD_HEIGHT + LINE_HEIGHT * count as f32,
    }
}

/// The latest ones that came to a good end; none while the history is searched, or nothing is kept.
fn entries(page: &Page) -> impl Iterator<Item = &Entry> {
    let done = |entry: &&Entry| entry.outcome == Ending::Done && page.search.is_empty() && !page.is_switched_off;
    page.entries.iter().filter(done).take(COUNT)
}

/// Draws it.
pub(super) fn ui(ui: &mut Ui, rect: Rect, page: &Page) -> Option<Action> {
    let head = rect.with_max_y(rect.top() + HEAD_HEIGHT);
    let (title, colour) = (say!("empty-last-done"), theme::palette(ui).weak);
    let place = text_line(ui, head, Align2::LEFT_CENTER, title, theme::small(), colour);
    let heading = ui.interact(place, Id::unique("last done"), Sense::hover());
    heading.widget_info(|| WidgetInfo::labeled(Role::Heading, true, title));
    let is_all = from_right(ui, "all history", head, |ui| {
        let name = say!("empty-all-history");
        word_button(ui, name, name).clicked()
    });
    let mut action = is_all.then_some(Action::Show(View::History));
    for (at, entry) in (0_u8..).zip(entries(page)) {
        let corner = pos2(rect.left(), head.bottom() + f32::from(at) * LINE_HEIGHT);
        let line = Rect::from_min_size(corner, vec2(rect.width(), LINE_HEIGHT));
        let can_repeat = page.form(entry.id).is_some();
        action = line_ui(ui, line, entry, can_repeat).or(action);
    }
    action
}

fn line_ui(ui: &mut Ui, line: Rect, entry: &Entry, can_repeat: bool) -> Option<Action> {
    let palette = theme::palette(ui);
    ui.painter().hline(line.x_range(), line.top(), (1.0, palette.hairline));
    let sign = if entry.verified == Some(true) {
        Sign::Verified
    } else {
        Sign::Done
    };
    let at = line.left_center() + vec2(6.0, 0.0);
    paint_icon(ui.painter(), Icon::Sign(sign), at, sign_colour(sign, palette));
    let mut right = line.right();
    let mut cell = |width: f32| {
        let cell = Rect::from_x_y_ranges(right - width..=right - 12.0, line.y_range());
        right -= width;
        cell
    };
    let button = cell(BUTTON);
    let (rate, size, when) = (cell(RATE), cell(SIZE), cell(WHEN));
    let name = Rect::from_min_max(pos2(line.left() + 24.0, line.top()), pos2(right - 12.0, line.bottom()));
    let what = shown(&entry_text::what(entry));
    name_line(ui, name, Align2::LEFT_CENTER, &what, theme::body(), palette.text);
    let small = |rect, align, text: &str| text_line(ui, rect, align, text, theme::small(), palette.weak);
    small(when, Align2::LEFT_CENTER, &entry_text::when(entry));
    small(size, Align2::RIGHT_CENTER, &format::bytes(entry.bytes).to_string());
    let words = format::rate(entry.rate_bytes_per_s).to_string();
    text_line(ui, rate, Align2::RIGHT_CENTER, &words, theme::strong(), palette.text);
    let response = ui.interact(
        line.with_max_x(right),
        Id::unique(("last done", entry.id)),
        Sense::hover(),
    );
    response.widget_info(|| {
        let parts = [
            what.clone(),
            entry_text::when(entry),
            format::bytes(entry.bytes).to_string(),
            words.clone(),
        ];
        WidgetInfo::labeled(Role::Label, true, parts.join(say!("comma")))
    });
    if !can_repeat {
        return None;
    }
    let name = say!("history-button", word = say!("history-again"), what = &what);
    let id = Id::unique(("again", entry.id));
    let button = button.with_max_x(line.right() + 5.0);
    let is_clicked = from_right(ui, ("again", entry.id), button, |ui| {
        word_button_with_id(ui, id, say!("history-again"), &name).clicked()
    });
    is_clicked.then_some(Action::History(HistoryAction::Again(entry.id)))
}
