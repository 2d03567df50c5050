//! A row of the list: its state, name, curve and rate; what can be done with it while it is pointed at.

use eframe::egui::{
    Align2, Color32, EventFilter, Id, Popup, Rect, Response, RichText, Role, Sense, Ui, UiBuilder, pos2, vec2,
};

use super::instrument::sentence;
use super::row_menu::{self, RowButton};
use crate::app::action::{Action, TransferAction};
use crate::app::model::format::{self, RateUnit};
use crate::app::model::list::Group;
use crate::app::model::queue::Turn;
use crate::app::model::row::{Phase, Row, RowKey, Sign, Told};
use crate::app::theme::{self, Palette, ROW_RADIUS};
use crate::app::widgets::{
    Icon, clicked_once, focus_ring, icon_button, name_line, paint_icon, paint_sparkline, say_selected, sign_colour,
    text_line,
};
use crate::app::words::say;
use crate::transfer::{Side, State};

/// Height of a row of one line.
const LOW: f32 = 32.0;
/// Height of a row with a second line.
const HIGH: f32 = 56.0;
/// Height of a row with a second line and no progress.
const FAILED: f32 = 50.0;
/// A row keeps so far from either side of the list.
const INSET: f32 = 6.0;
const NAME_LEFT: f32 = 36.0;
const RIGHT: f32 = 16.0;
const RATE_WIDTH: f32 = 50.0;
const SPARKLINE: eframe::egui::Vec2 = vec2(60.0, 16.0);
const BUTTONS_WIDTH: f32 = 76.0;

/// The id of a row, wherever it is drawn.
#[must_use]
pub(crate) fn row_id(key: RowKey) -> Id {
    Id::unique(("transfer row", key))
}

/// How high the row of a transfer is.
#[must_use]
pub(crate) fn height(row: &Row) -> f32 {
    match row.group() {
        Group::Running | Group::Interrupted => HIGH,
        Group::Failed => FAILED,
        Group::Others if !row.is_over() => HIGH,
        _ => LOW,
    }
}

/// A row as it is drawn.
pub(super) struct RowLine<'a> {
    pub row: &'a Row,
    /// When it begins, where it waits for its turn.
    pub turn: Option<Turn>,
    /// Whether it is the next one that begins.
    pub is_next: bool,
    pub is_selected: bool,
    /// The unit of all rates of the list.
    pub unit: RateUnit,
    pub now_s: f64,
}

impl RowLine<'_> {
    /// Draws it in all of `ui`.
    pub(super) fn ui(&self, ui: &mut Ui) -> Vec<Action> {
        let row = self.row;
        let rect = ui.max_rect();
        let back = rect.shrink2(vec2(INSET, 0.0));
        // One stop for the Tab key: the selected row. From there the arrows walk.
        let sense = if self.is_selected { Sense::click() } else { Sense::CLICK };
        let response = ui.interact(back, row_id(row.key), sense);
        self.describe(&response);
        if response.has_focus() {
            let upright = EventFilter {
                vertical_arrows: true,
                escape: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, upright));
        }
        let select = response.clicked() || response.secondary_clicked();
        let mut actions = Vec::from_iter(select.then_some(Action::Transfer(row.key, TransferAction::Select)));
        let buttons = row_menu::buttons(row, self.is_next);
        let place = self.buttons_rect(rect, buttons.len());
        // The buttons lie above the row and take the pointer from it.
        let is_pointed_at = ui.rect_contains_pointer(back);
        let shows_buttons = is_pointed_at || response.has_focus() || self.has_focused_button(ui, &buttons);
        self.background(ui, back, &response, is_pointed_at);
        let at = Columns::of(rect);
        self.name_ui(ui, &at);
        self.second_line_ui(ui, &at);
        if !shows_buttons {
            self.curve_ui(ui, &at);
        }
        self.right_ui(ui, &at, shows_buttons.then_some(place.left()));
        actions.extend(self.buttons_ui(ui, place, &buttons, shows_buttons));
        let is_menu = Popup::is_id_open(ui.ctx(), row_menu::id(row.key));
        actions.extend(row_menu::ui(ui, row, self.is_next, &response));
        if !is_menu {
            response.on_hover_ui(|ui| self.tooltip_ui(ui));
        }
        actions
    }

    fn describe(&self, response: &Response) {
        let row = self.row;
        say_selected(response, Role::ListItem, self.is_selected, || {
            let rate = row.rate_in_words(self.now_s);
            let note = self.note();
            let name = row.name().to_owned();
            [name, row.array_in_words(), row.endpoint_in_words(), rate, note].join(say!("comma"))
        });
    }

    fn note(&self) -> String {
        match self.turn {
            Some(turn) => turn.in_words(),
            None => self.row.note_in_words(self.now_s),
        }
    }

    fn background(&self, ui: &Ui, back: Rect, response: &Response, is_pointed_at: bool) {
        let palette = theme::palette(ui);
        if self.is_selected {
            ui.painter().rect_filled(back, ROW_RADIUS, palette.selected_row);
        } else if is_pointed_at {
            ui.painter().rect_filled(back, ROW_RADIUS, palette.field);
        }
        if response.has_focus() {
            focus_ring(ui, response, back);
        }
    }

    fn name_ui(&self, ui: &Ui, at: &Columns) {
        let palette = theme::palette(ui);
        let sign = self.row.sign();
        paint_icon(ui.painter(), Icon::Sign(sign), at.sign, sign_colour(sign, palette));
        let is_alive = at.second.is_some();
        let font = if is_alive { theme::strong() } else { theme::body() };
        name_line(ui, at.name, Align2::LEFT_CENTER, self.row.name(), font, palette.text);
    }

    /// The other end and the time left, and how far it is; or why it failed.
    fn second_line_ui(&self, ui: &Ui, at: &Columns) {
        let Some(second) = at.second else { return };
        let (row, palette) = (self.row, theme::palette(ui));
        if let Phase::Failed { message, .. } = &row.phase {
            let why = sentence(message);
            text_line(ui, second, Align2::LEFT_CENTER, &why, theme::small(), palette.weak);
            return;
        }
        if row.is_interrupted() {
            self.interruption_ui(ui, second);
            progress_ui(ui, at.progress, row.share_done());
            return;
        }
        let note = row.short_note(self.now_s);
        let noted = text_line(ui, second, Align2::RIGHT_CENTER, &note, theme::small(), palette.weak);
        let end = Rect::from_min_max(second.min, pos2(noted.left() - 8.0, second.bottom()));
        let words = row.endpoint_in_words();
        text_line(ui, end, Align2::LEFT_CENTER, &words, theme::small(), palette.weak);
        progress_ui(ui, at.progress, row.share_done());
    }

    /// What is kept; where it is tried again by itself, when, and beside that what is kept in short.
    fn interruption_ui(&self, ui: &Ui, second: Rect) {
        let (row, palette) = (self.row, theme::palette(ui));
        let retries = row.retries_in_words(self.now_s);
        let kept = if retries.is_some() {
            row.kept_in_short()
        } else {
            String::new()
        };
        let noted = text_line(ui, second, Align2::RIGHT_CENTER, &kept, theme::small(), palette.weak);
        let rest = Rect::from_min_max(second.min, pos2(noted.left() - 8.0, second.bottom()));
        let words = sentence(&retries.or_else(|| row.kept_in_words()).unwrap_or_default());
        text_line(ui, rest, Align2::LEFT_CENTER, &words, theme::small(), palette.weak);
    }

    fn curve_ui(&self, ui: &Ui, at: &Columns) {
        let (row, palette) = (self.row, theme::palette(ui));
        if row.sign() == Sign::Waits {
            return;
        }
        paint_sparkline(ui.painter(), at.sparkline, &row.sparkline(), curve_colour(row, palette));
    }

    /// The rate, or why there is none; not over what stands to the right of `end`.
    fn right_ui(&self, ui: &Ui, at: &Columns, end: Option<f32>) {
        let (row, palette) = (self.row, theme::palette(ui));
        let (text, font, colour) = match row.told_in_list(self.unit, self.now_s) {
            // Its turn is known here alone.
            Told::Word(size) if row.phase == Phase::Is(State::Queued) => {
                let turn = self.turn.map(Turn::in_short).unwrap_or_default();
                let words = [size, turn].into_iter().filter(|word| !word.is_empty());
                let words = words.collect::<Vec<_>>().join(say!("comma"));
                (words, theme::small(), palette.weak)
            }
            Told::Word(word) => (word, theme::small(), palette.weak),
            Told::Rate(now) => (now, theme::strong(), palette.text),
            Told::Mean(mean) => (mean, theme::body(), palette.text),
        };
        if end.is_none() || at.second.is_some() {
            text_line(ui, at.right_for(ui, &text), Align2::RIGHT_CENTER, &text, font, colour);
        }
    }

    /// Where the buttons stand: in place of the curve, and of what is right of it where there is one line only.
    fn buttons_rect(&self, rect: Rect, count: usize) -> Rect {
        let at = Columns::of(rect);
        let width = (count as f32) * 24.0;
        let is_broken = matches!(self.row.phase, Phase::Failed { .. } | Phase::Interrupted { .. });
        let has_rate = at.second.is_some() && !is_broken;
        let right = if has_rate {
            at.rate.left()
        } else {
            at.rate.right() + 4.0
        };
        let centre = pos2(right - width / 2.0, at.name.center().y);
        Rect::from_center_size(centre, vec2(width.min(BUTTONS_WIDTH), 24.0))
    }

    fn has_focused_button(&self, ui: &Ui, buttons: &[RowButton]) -> bool {
        let focused = ui.memory(eframe::egui::Memory::focused);
        let is_one = |focused| {
            buttons
                .iter()
                .any(|button| button_id(self.row.key, button.action) == focused)
        };
        focused.is_some_and(is_one)
    }

    fn buttons_ui(&self, ui: &mut Ui, place: Rect, buttons: &[RowButton], is_seen: bool) -> Vec<Action> {
        let key = self.row.key;
        // Without the selection they are clicked only, so that the Tab key does not stop at each of a thousand.
        let sense = if self.is_selected { Sense::click() } else { Sense::CLICK };
        let mut child = ui.new_child(UiBuilder::new().max_rect(place));
        let mut actions = Vec::new();
        child.spacing_mut().item_spacing.x = 0.0;
        child.horizontal(|ui| {
            for button in buttons {
                let name = say!("list-button", word = button.word, row = self.row.name());
                let id = button_id(key, button.action);
                let response = icon_button(ui, id, button.icon, &name, sense, is_seen);
                // Rows and buttons move as transfers begin and end.
                if clicked_once(&response.on_hover_text(button.hover)) {
                    actions.push(Action::Transfer(key, button.action));
                }
            }
        });
        actions
    }

    /// What is cut off in the row, and what tells it from one of the same name.
    fn tooltip_ui(&self, ui: &mut Ui) {
        let row = self.row;
        let palette = theme::palette(ui);
        ui.set_max_width(360.0);
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.label(RichText::new(row.name()).font(theme::strong()));
        ui.label(format!("{} · {}", row.array_in_words(), row.endpoint_in_words()));
        let note = self.note();
        let rate = row.rate_in_words(self.now_s);
        let state = [rate, sentence(&note)].into_iter().filter(|part| !part.is_empty());
        ui.label(state.collect::<Vec<_>>().join(" · "));
        let how = row.how_in_words();
        if !how.is_empty() {
            ui.label(RichText::new(how).color(palette.weak));
        }
        let age_s = (self.now_s - row.began_s()).max(0.0);
        let age = if age_s < 59.5 {
            format!("{age_s:.0} s")
        } else {
            format::duration(age_s)
        };
        let age = say!("list-age", number = row.key, age = age);
        ui.label(RichText::new(age).color(palette.weak));
    }
}

/// The colour of the curve of a row: of the end whose bytes it counts, and grey once it is over.
pub(super) fn curve_colour(row: &Row, palette: &Palette) -> Color32 {
    match row.sides() {
        _ if row.is_over() => palette.neutral,
        [Side::Sender] => palette.sender,
        _ => palette.receiver,
    }
}

fn button_id(key: RowKey, action: TransferAction) -> Id {
    Id::unique(("transfer row, button", key, action.kind()))
}

/// A line of 2 points that fills from the left.
fn progress_ui(ui: &Ui, rect: Rect, share: f64) {
    let palette = theme::palette(ui);
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let share = share.clamp(0.0, 1.0) as f32;
    ui.painter().rect_filled(rect, 1.0, palette.edge);
    let done = Rect::from_min_size(rect.min, vec2(rect.width() * share, rect.height()));
    ui.painter().rect_filled(done, 1.0, palette.weak);
}

/// Where the parts of a row stand.
struct Columns {
    sign: eframe::egui::Pos2,
    name: Rect,
    sparkline: Rect,
    rate: Rect,
    /// The second line, where there is one.
    second: Option<Rect>,
    progress: Rect,
}

impl Columns {
    fn of(rect: Rect) -> Self {
        let (left, right) = (rect.left() + NAME_LEFT, rect.right() - RIGHT);
        let has_second = rect.height() > LOW;
        let y = rect.top() + if has_second { 17.5 } else { rect.height() / 2.0 };
        let line = |from: f32, to: f32, y: f32| Rect::from_min_max(pos2(from, y - 9.0), pos2(to, y + 9.0));
        let rate = line(right - RATE_WIDTH, right, y);
        let curve_right = rate.left() - 10.0;
        let sparkline = Rect::from_min_size(pos2(curve_right - SPARKLINE.x, y - SPARKLINE.y / 2.0), SPARKLINE);
        Self {
            sign: pos2(rect.left() + 21.0, y),
            name: line(left, sparkline.left() - 8.0, y),
            sparkline,
            rate,
            second: has_second.then(|| line(left, right, rect.top() + 35.5)),
            progress: Rect::from_min_max(pos2(left, rect.top() + 48.0), pos2(right, rect.top() + 50.0)),
        }
    }

    /// Room at the right for a text that may be longer than a rate.
    fn right_for(&self, _ui: &Ui, text: &str) -> Rect {
        if text.chars().count() > 7 {
            Rect::from_min_max(pos2(self.sparkline.left(), self.rate.top()), self.rate.max)
        } else {
            self.rate
        }
    }
}
