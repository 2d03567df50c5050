//! The list of transfers, one compact row each: those of this window, then under a heading of their own what other
//! processes do.

use eframe::egui::style::ScrollAnimation;
use eframe::egui::{
    Align, Align2, Color32, FontId, Id, Layout, Rect, RichText, Role, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::message::sentence;
use super::{other_processes, services};
use crate::app::action::{Action, TransferAction};
use crate::app::model::format;
use crate::app::model::row::{Phase, Row, RowKey};
use crate::app::model::services::{Service, Services};
use crate::app::model::transfers::Transfers;
use crate::app::theme::{self, Palette};
use crate::app::widgets::{self, bar, clicked_once, focus_ring, text_line, word_button, word_button_width};
use crate::transfer::{Side, State};

/// Height of a row.
pub(crate) const ROW_HEIGHT: f32 = 46.0;

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'a> {
    /// The transfers of this window and of others.
    pub transfers: &'a Transfers,
    /// The services of other processes.
    pub services: &'a Services,
    /// The window's clock.
    pub now_s: f64,
}

/// One line of the list.
#[derive(Clone, Copy)]
enum Line<'a> {
    Own(&'a Row),
    Heading,
    Service(u32, &'a Service),
    Other(&'a Row),
}

impl Line<'_> {
    fn height(self) -> f32 {
        match self {
            Line::Own(_) | Line::Other(_) => ROW_HEIGHT,
            Line::Heading => other_processes::HEADING_HEIGHT,
            Line::Service(..) => services::LINE_HEIGHT,
        }
    }
}

impl<'a> List<'a> {
    fn lines(self) -> Vec<Line<'a>> {
        let transfers = self.transfers;
        let mut lines: Vec<Line<'a>> = transfers.own_rows().iter().map(Line::Own).collect();
        if transfers.others().is_empty() && self.services.is_empty() {
            return lines;
        }
        lines.push(Line::Heading);
        if !transfers.others_are_folded() {
            lines.extend(self.services.iter().map(|(pid, service)| Line::Service(pid, service)));
            lines.extend(transfers.others().iter().map(Line::Other));
        }
        lines
    }

    /// How high it is where all of it is shown.
    #[must_use]
    pub(crate) fn height(self) -> f32 {
        self.lines().into_iter().map(Line::height).sum()
    }

    /// Draws the lines, at most so high; the rest scrolls.
    pub(crate) fn ui(self, ui: &mut Ui, max_height: f32) -> Vec<Action> {
        let lines = self.lines();
        let mut tops = Vec::with_capacity(lines.len());
        let mut height = 0.0;
        for line in &lines {
            tops.push(height);
            height += line.height();
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let list = ScrollArea::vertical()
            .id_salt("transfers")
            .max_height(max_height)
            .min_scrolled_height(0.0)
            .auto_shrink([false, true]);
        list.show_viewport(ui, |ui, visible| {
            ui.set_height(height);
            let area = ui.max_rect();
            let place = |at: usize, line: &Line<'_>| {
                Rect::from_min_size(
                    pos2(area.left(), area.top() + tops[at]),
                    vec2(area.width(), line.height()),
                )
            };
            self.scroll_to_selected(ui, &lines, place);
            let first = tops.partition_point(|top| *top <= visible.top()).saturating_sub(1);
            let mut actions = Vec::new();
            for (at, line) in lines.iter().enumerate().skip(first) {
                if tops[at] >= visible.bottom() {
                    break;
                }
                let mut child = ui.new_child(UiBuilder::new().id_salt(line.id()).max_rect(place(at, line)));
                actions.extend(self.line_ui(&mut child, *line));
            }
            actions
        })
        .inner
    }

    fn line_ui(self, ui: &mut Ui, line: Line<'_>) -> Vec<Action> {
        let transfers = self.transfers;
        let row = match line {
            Line::Own(row) | Line::Other(row) => row,
            Line::Heading => {
                return other_processes::heading_ui(ui, transfers, self.services)
                    .into_iter()
                    .collect();
            }
            Line::Service(pid, service) => {
                let listed = transfers.listed_of(pid);
                return services::line_ui(ui, pid, service, listed).into_iter().collect();
            }
        };
        let line = RowLine {
            row,
            turn: transfers.turn_in_words(row.key),
            is_next: transfers.waiting().next().map(|row| row.key) == Some(row.key),
            is_selected: transfers.selected().map(|row| row.key) == Some(row.key),
            now_s: self.now_s,
        };
        let of_row = line.ui(ui).into_iter();
        of_row.map(|action| Action::Transfer(row.key, action)).collect()
    }

    /// Scrolls to the selected row, once, when another one is selected.
    fn scroll_to_selected(self, ui: &Ui, lines: &[Line<'_>], place: impl Fn(usize, &Line<'_>) -> Rect) {
        let selected = self.transfers.selected().map(|row| row.key);
        let id = Id::unique("the row that was scrolled to");
        if ui.data(|data| data.get_temp::<Option<RowKey>>(id)) == Some(selected) {
            return;
        }
        ui.data_mut(|data| data.insert_temp(id, selected));
        let is_selected =
            |line: &Line<'_>| matches!(line, Line::Own(row) | Line::Other(row) if Some(row.key) == selected);
        if let Some((at, line)) = lines.iter().enumerate().find(|(_, line)| is_selected(line)) {
            ui.scroll_to_rect_animation(place(at, line), None, ScrollAnimation::none());
        }
    }
}

impl Line<'_> {
    /// What tells it from the others, wherever it stands.
    fn id(self) -> (u8, u64) {
        match self {
            Line::Own(row) | Line::Other(row) => (0, row.key),
            Line::Heading => (1, 0),
            Line::Service(pid, _) => (2, u64::from(pid)),
        }
    }
}

/// A row as it is drawn.
struct RowLine<'a> {
    row: &'a Row,
    /// When it begins, where it waits for its turn.
    turn: Option<String>,
    /// Whether it is the next one that begins.
    is_next: bool,
    is_selected: bool,
    now_s: f64,
}

impl RowLine<'_> {
    fn ui(&self, ui: &mut Ui) -> Vec<TransferAction> {
        let row = self.row;
        let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW_HEIGHT), Sense::hover());
        let response = ui.interact(rect, ui.scope_id().with(("row", row.key)), Sense::click());
        let rate = row.rate_in_words(self.now_s);
        let note = self.turn.clone().unwrap_or_else(|| row.note_in_words(self.now_s));
        response.widget_info(|| {
            let text = format!(
                "{}, {}, {}, {rate}, {note}",
                row.name(),
                row.array_in_words(),
                row.endpoint_in_words()
            );
            WidgetInfo::selected(Role::ListItem, true, self.is_selected, text)
        });
        let select = response.clicked().then_some(TransferAction::Select);
        let response = response.on_hover_ui(|ui| tooltip_ui(ui, row, &note, self.now_s));
        let palette = theme::palette(ui);
        if self.is_selected {
            ui.painter().rect_filled(rect, 0.0, palette.selected_row);
        } else if response.hovered() {
            ui.painter()
                .rect_filled(rect, 0.0, palette.selected_row.gamma_multiply(0.5));
        }
        ui.painter()
            .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
        focus_ring(ui, &response, rect.shrink(1.0));

        let columns = Columns::of(rect);
        self.texts_ui(ui, &columns, &rate, &note);
        bar(ui, columns.bar, row.share_done(), phase_colour(row, palette));
        let layout = Layout::left_to_right(Align::Center);
        let place = UiBuilder::new()
            .id_salt(Id::unique(("buttons", row.key)))
            .max_rect(columns.buttons)
            .layout(layout);
        let of_buttons = buttons_ui(&mut ui.new_child(place), row, self.is_next);
        select.into_iter().chain(of_buttons).collect()
    }

    fn texts_ui(&self, ui: &Ui, columns: &Columns, rate: &str, note: &str) {
        let (row, palette) = (self.row, theme::palette(ui));
        let name_line = |offset: f32| {
            let centre = columns.name.center() + vec2(0.0, offset);
            Rect::from_center_size(centre, vec2(columns.name.width(), 18.0))
        };
        let left = |rect: Rect, text: &str, font: FontId, colour: Color32| {
            text_line(ui, rect, Align2::LEFT_CENTER, text, font, colour);
        };
        widgets::name_line(
            ui,
            name_line(-9.0),
            Align2::LEFT_CENTER,
            row.name(),
            theme::strong(),
            palette.text,
        );
        left(name_line(9.0), &row.array_in_words(), theme::small(), palette.weak);
        if let Some(endpoint) = columns.endpoint {
            left(endpoint, &row.endpoint_in_words(), theme::small(), palette.weak);
        }
        let is_verified = row.phase == (Phase::Done { verified: Some(true) }) && row.is_over() && !row.is_stopped();
        let note_colour = if is_verified { palette.verified } else { palette.weak };
        left(columns.note, note, theme::small(), note_colour);
        let has_failed = matches!(row.phase, Phase::Failed { .. });
        let rate_colour = if has_failed { palette.failed } else { palette.text };
        text_line(
            ui,
            columns.rate,
            Align2::RIGHT_CENTER,
            rate,
            theme::strong(),
            rate_colour,
        );
    }
}

/// What is cut off in the row, and what tells it from one of the same name.
fn tooltip_ui(ui: &mut Ui, row: &Row, note: &str, now_s: f64) {
    ui.set_max_width(360.0);
    ui.label(RichText::new(row.name()).font(theme::strong()));
    ui.label(format!("{} · {}", row.array_in_words(), row.endpoint_in_words()));
    if matches!(row.phase, Phase::Failed { .. }) {
        ui.label(sentence(note));
    }
    let age_s = (now_s - row.began_s()).max(0.0);
    let age = if age_s < 59.5 {
        format!("{age_s:.0} s")
    } else {
        format::duration(age_s)
    };
    ui.label(format!("Transfer {} of this window, started {age} ago", row.key));
}

fn buttons_ui(ui: &mut Ui, row: &Row, is_next: bool) -> Vec<TransferAction> {
    let words = words(row, is_next);
    ui.spacing_mut().item_spacing.x = 0.0;
    // At the right, and read from left to right: by keys and by screen readers, too.
    let width: f32 = words.iter().map(|(text, ..)| word_button_width(ui, text)).sum();
    ui.add_space((ui.available_width() - width).max(0.0));
    let mut actions = Vec::new();
    for (text, hover, action) in words {
        let button = word_button(ui, text, &format!("{text} {}", row.name()));
        // Rows and words move as transfers begin and end.
        if clicked_once(&button.on_hover_text(hover)) {
            actions.push(action);
        }
    }
    actions
}

/// What can be asked of a row, from left to right: the word, what it does, and the action.
fn words(row: &Row, is_next: bool) -> Vec<(&'static str, &'static str, TransferAction)> {
    let mut words = Vec::new();
    if row.is_over() {
        if row.is_own() {
            let has_failed = matches!(row.phase, Phase::Failed { .. });
            let text = if has_failed { "Retry" } else { "Again" };
            words.push((text, "Start the same again", TransferAction::Again));
        }
        words.push(("Remove", "Take it off the list (Del)", TransferAction::Remove));
        return words;
    }
    if row.is_waiting() && !is_next {
        words.push(("Sooner", "Begin before the one before it", TransferAction::MoveForward));
    } else if row.phase == Phase::Is(State::Paused) {
        words.push(("Resume", "Go on (Space)", TransferAction::Resume));
    } else if row.can_pause() {
        let hover = "Stop moving bytes for a while (Space)";
        words.push(("Pause", hover, TransferAction::Pause));
    }
    words.push(if row.repeats() {
        ("Stop", "Stop repeating (Del)", TransferAction::AskToCancel)
    } else {
        ("Cancel", "Give up (Del)", TransferAction::AskToCancel)
    });
    words
}

/// The colour that says how a row is.
#[must_use]
pub(crate) fn phase_colour(row: &Row, palette: &Palette) -> Color32 {
    match row.phase {
        _ if row.is_stopped() => palette.neutral,
        Phase::Done { verified: Some(true) } if row.is_over() => palette.verified,
        Phase::Failed { .. } | Phase::Done { verified: Some(false) } => palette.failed,
        Phase::Cancelled | Phase::Is(State::Paused) | Phase::Done { verified: None } => palette.neutral,
        _ if row.sides() == [Side::Receiver] => palette.receiver,
        _ => palette.sender,
    }
}

/// Where the parts of a row stand.
struct Columns {
    name: Rect,
    endpoint: Option<Rect>,
    bar: Rect,
    rate: Rect,
    note: Rect,
    buttons: Rect,
}

impl Columns {
    const MARGIN: f32 = 24.0;
    const GAP: f32 = 14.0;

    fn of(row: Rect) -> Self {
        let inner = row.shrink2(vec2(Self::MARGIN, 0.0));
        // The name and what the array is are read in any window; the endpoint is in the tooltip, too.
        let (is_wide, has_endpoint) = (inner.width() > 780.0, inner.width() > 900.0);
        let mut right = inner.right() + 5.0;
        let mut take = |width: f32| {
            let rect = Rect::from_min_max(pos2(right - width, inner.top()), pos2(right, inner.bottom()));
            right = rect.left() - Self::GAP;
            rect
        };
        let buttons = take(if is_wide { 120.0 } else { 112.0 });
        let note = take(if is_wide { 130.0 } else { 84.0 });
        let rate = take(84.0);
        let bar = take(if is_wide { 120.0 } else { 80.0 });
        let bar = Rect::from_center_size(bar.center(), vec2(bar.width(), 4.0));
        let endpoint = has_endpoint.then(|| take(130.0));
        let name = Rect::from_min_max(inner.min, pos2(right, inner.bottom()));
        Self {
            name,
            endpoint,
            bar,
            rate,
            note,
            buttons,
        }
    }
}
