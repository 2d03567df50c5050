//! The few widgets that the panels share, in the window's look and with their accessible names.

mod icons;
mod menu;
mod said;
mod scroll;
mod sparkline;
mod walk;

use crate::app::words::say;
use eframe::egui::{
    self, Align, Align2, Color32, ComboBox, EventFilter, FontId, Frame, Id, Key, Label, Layout, Margin, Modifiers,
    Popup, Pos2, Rect, Response, RichText, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, UiBuilder, WidgetInfo, pos2,
    text::LayoutJob, vec2,
};

use super::model::format::elided;
use super::theme::{self, FIELD_HEIGHT, RADIUS, STEP};

pub(super) use icons::{Icon, icon_button, paint_icon, paint_mark, sign_colour};
pub(super) use menu::{MenuItem, context_menu, menu_ui, open_menu, open_menu_ui, table_copies};
pub(super) use said::{Title, heading, say_active, say_dialog, say_heading, say_selected};
pub(super) use scroll::{scrolled, scrolled_page};
pub(super) use sparkline::paint_sparkline;
pub(super) use walk::Walk;

/// Height of the main button of a panel.
pub(super) const MAIN_BUTTON_HEIGHT: f32 = 37.0;

/// A text field takes so many characters.
const TEXT_MAX: usize = 4096;

/// A small grey label.
pub(super) fn caption(ui: &mut Ui, text: &str) -> Response {
    let weak = theme::palette(ui).weak;
    ui.add(Label::new(RichText::new(text).font(theme::small()).color(weak)).wrap())
}

/// What is wrong with the field above.
pub(super) fn mistake(ui: &mut Ui, text: Option<&String>) {
    if let Some(text) = text {
        let failed = theme::palette(ui).failed;
        ui.add_space(-2.0);
        let shown = elided(text);
        let is_whole = shown == *text;
        let response = ui.add(Label::new(RichText::new(shown).font(theme::small()).color(failed)).wrap());
        if !is_whole {
            response.on_hover_text(text);
        }
    }
}

/// A label, a text field as wide as there is room for, and what is wrong with it.
pub(super) fn field(ui: &mut Ui, label: &str, value: &mut String, hint: &str, wrong: Option<&String>) -> Response {
    field_with_id(ui, None, label, value, hint, wrong)
}

/// The same with an id that is known before it is drawn, so that it can be given the focus.
pub(super) fn field_with_id(
    ui: &mut Ui,
    id: Option<Id>,
    label: &str,
    value: &mut String,
    hint: &str,
    wrong: Option<&String>,
) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        let label = caption(ui, label);
        let response = text_edit_with_id(ui, id, value, hint, wrong.is_some()).labelled_by(label.id);
        mistake(ui, wrong);
        response
    })
    .inner
}

/// A text field without a label of its own: give the response a name.
pub(super) fn text_edit(ui: &mut Ui, value: &mut String, hint: &str, is_wrong: bool) -> Response {
    text_edit_with_id(ui, None, value, hint, is_wrong)
}

/// The same with an id that is known before it is drawn.
pub(super) fn text_edit_with_id(
    ui: &mut Ui,
    id: Option<Id>,
    value: &mut String,
    hint: &str,
    is_wrong: bool,
) -> Response {
    let palette = theme::palette(ui);
    let edge = if is_wrong {
        Stroke::new(1.0, palette.failed)
    } else {
        theme::edge_of_field(palette, ui.visuals().dark_mode)
    };
    let frame = Frame::new()
        .fill(theme::fill_of_field(palette, ui.visuals().dark_mode))
        .corner_radius(RADIUS)
        .stroke(edge)
        .inner_margin(Margin::symmetric(9, 7));
    let width = ui.available_width();
    let mut edit = TextEdit::singleline(value)
        .hint_text(RichText::new(hint).color(palette.weak))
        .frame(frame)
        .margin(Margin::symmetric(9, 7))
        .align(Align2::LEFT_CENTER)
        // Longer than any path: what is pasted by mistake is neither laid out nor kept to be undone.
        .char_limit(TEXT_MAX)
        .desired_width(width);
    if let Some(id) = id {
        edit = edit.id(id);
    }
    let response = ui.add_sized(vec2(width, FIELD_HEIGHT), edit);
    if response.has_focus() {
        ui.painter().rect_stroke(
            response.rect,
            RADIUS,
            Stroke::new(1.0, palette.weak),
            StrokeKind::Inside,
        );
    }
    response
}

/// One of a few, side by side.
pub(super) fn segments<T: Copy + PartialEq>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, &str)]) {
    segments_of(ui, name, value, choices, FIELD_HEIGHT, (theme::body(), theme::strong()));
}

/// The same with small letters, as high as there is room for.
pub(super) fn small_segments<T: Copy + PartialEq>(ui: &mut Ui, name: &str, value: &mut T, choices: &[(T, &str)]) {
    let height = ui.available_height().min(FIELD_HEIGHT);
    let fonts = (theme::label(theme::SMALL), theme::value(theme::SMALL));
    segments_of(ui, name, value, choices, height, fonts);
}

fn segments_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    value: &mut T,
    choices: &[(T, &str)],
    height: f32,
    (font, strong): (FontId, FontId),
) {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let is_dark = ui.visuals().dark_mode;
    let track = if is_dark { palette.field } else { palette.hover };
    ui.painter().rect_filled(rect, RADIUS, track);
    // As wide as their texts, and the rest shared out evenly, so that they fit without shrinking.
    let texts: Vec<f32> = choices
        .iter()
        .map(|(_, text)| text_width(ui, text, strong.clone()))
        .collect();
    let spare = (rect.width() - 4.0 - texts.iter().sum::<f32>()) / choices.len() as f32;
    let mut left = rect.left() + 2.0;
    let mut chosen_by_key = None;
    for (i, (choice, text)) in choices.iter().enumerate() {
        let width = texts[i] + spare;
        let cell = Rect::from_min_size(pos2(left, rect.top() + 2.0), vec2(width, rect.height() - 4.0));
        let is_chosen = *value == *choice;
        // One stop for the Tab key: from there the arrows choose.
        let sense = if is_chosen { Sense::click() } else { Sense::CLICK };
        let response = ui.interact(cell, ui.scope_id().with((name, i)), sense);
        if response.has_focus() {
            let sideways = EventFilter {
                horizontal_arrows: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, sideways));
            let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
            let to = match (pressed(Key::ArrowLeft), pressed(Key::ArrowRight)) {
                (true, _) => i.checked_sub(1),
                (_, true) => Some(i + 1).filter(|to| *to < choices.len()),
                _ => None,
            };
            if let Some(to) = to {
                chosen_by_key = Some(to);
            }
        }
        response.widget_info(|| {
            WidgetInfo::selected(
                Role::RadioButton,
                ui.is_enabled(),
                is_chosen,
                say!("labelled", name = name, value = *text),
            )
        });
        if response.clicked() {
            *value = *choice;
        }
        let (fill, colour) = match (is_chosen, response.hovered()) {
            (true, _) => (palette.segment, palette.text),
            (false, true) => (palette.hover, palette.text),
            (false, false) => (Color32::TRANSPARENT, palette.weak),
        };
        ui.painter().rect_filled(cell, RADIUS - 1, fill);
        if is_chosen && !ui.visuals().dark_mode {
            ui.painter()
                .rect_stroke(cell, RADIUS - 1, Stroke::new(1.0, palette.hairline), StrokeKind::Inside);
        }
        focus_ring(ui, &response, cell);
        let font = if is_chosen { strong.clone() } else { font.clone() };
        ui.painter()
            .text(cell.center(), Align2::CENTER_CENTER, *text, font, colour);
        left += width;
    }
    if let Some(to) = chosen_by_key {
        *value = choices[to].0;
        // Once all are drawn: one that is not chosen yet would give the focus away.
        let id = ui.scope_id().with((name, to));
        ui.memory_mut(|memory| memory.request_focus(id));
    }
}

/// One of several, each with its name and a note, in a list that opens.
pub(super) fn dropdown<'a, T: Copy + PartialEq>(
    ui: &mut Ui,
    label: &str,
    value: &mut T,
    name: impl Fn(T) -> &'a str,
    choices: &[(T, &str)],
    wrong: Option<&String>,
) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        let caption_id = caption(ui, label).id;
        ui.spacing_mut().interact_size.y = FIELD_HEIGHT;
        let response = ComboBox::from_id_salt(label)
            .width(ui.available_width())
            .selected_text(name(*value))
            .show_ui(ui, |ui| {
                for (choice, note) in choices {
                    let text = if note.is_empty() {
                        name(*choice).to_owned()
                    } else {
                        format!("{}  ·  {note}", name(*choice))
                    };
                    if ui.selectable_value(value, *choice, text).clicked() {
                        // By a key, too, which no popup takes for a click.
                        ui.close();
                    }
                }
            })
            .response;
        if response.has_focus() && !Popup::is_any_open(ui.ctx()) {
            let upright = EventFilter {
                vertical_arrows: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, upright));
            let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
            let at = choices
                .iter()
                .position(|(choice, _)| choice == value)
                .unwrap_or_default();
            let to = match (pressed(Key::ArrowUp), pressed(Key::ArrowDown)) {
                (true, _) => at.saturating_sub(1),
                (_, true) => at + 1,
                _ => at,
            };
            if let Some((choice, _)) = choices.get(to) {
                *value = *choice;
            }
        }
        response
            .labelled_by(caption_id)
            // Over AT-SPI a choice has a name, and no text of its own.
            .accessible_name(say!("labelled", name = label, value = name(*value)));
        mistake(ui, wrong);
    });
}

/// Two things side by side, each half as wide.
pub(super) fn pair(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let width = (ui.available_width() - STEP) / 2.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = STEP;
        ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.set_width(width);
            left(ui);
        });
        ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.set_width(width);
            right(ui);
        });
    });
}

/// A box to tick.
pub(super) fn tick(ui: &mut Ui, value: &mut bool, text: &str) -> Response {
    let palette = theme::palette(ui);
    ui.scope(|ui| {
        let edge = Stroke::new(1.0, palette.weak.gamma_multiply(0.6));
        ui.visuals_mut().widgets.inactive.bg_stroke = edge;
        ui.visuals_mut().widgets.hovered.bg_stroke = Stroke::new(1.0, palette.weak);
        ui.checkbox(value, RichText::new(text).font(theme::small()).color(palette.weak))
    })
    .inner
}

/// A button that is only a word, grey until someone points at it.
pub(super) fn word_button(ui: &mut Ui, text: &str, name: &str) -> Response {
    a_word_button(ui, None, text, name)
}

/// The same with an id that is known before it is drawn.
pub(super) fn word_button_with_id(ui: &mut Ui, id: Id, text: &str, name: &str) -> Response {
    a_word_button(ui, Some(id), text, name)
}

fn a_word_button(ui: &mut Ui, id: Option<Id>, text: &str, name: &str) -> Response {
    let palette = theme::palette(ui);
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), theme::small(), Color32::PLACEHOLDER);
    let (auto_id, rect) = ui.allocate_space(galley.size() + vec2(10.0, 8.0));
    let response = ui.interact(rect, id.unwrap_or(auto_id), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let colour = if response.hovered() || response.has_focus() {
        palette.text
    } else {
        palette.weak
    };
    if response.hovered() {
        ui.painter().rect_filled(rect, RADIUS, palette.hover);
    }
    focus_ring(ui, &response, rect);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, colour);
    response
}

/// Whether it was clicked on purpose: the second click of a double click was meant for what stood there before.
pub(super) fn clicked_once(response: &Response) -> bool {
    response.clicked() && !response.double_clicked() && !response.triple_clicked()
}

/// A button with a quiet fill.
pub(super) fn plain_button(ui: &mut Ui, text: &str) -> Response {
    ui.add(egui::Button::new(RichText::new(text).font(theme::body())).min_size(vec2(0.0, FIELD_HEIGHT)))
}

/// One line of text inside a rectangle, cut off with an ellipsis where it is too long; returns where it stands.
pub(super) fn text_line(ui: &Ui, rect: Rect, align: Align2, text: &str, font: FontId, colour: Color32) -> Rect {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap.max_width = rect.width();
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = ui.painter().layout_job(job);
    let placed = align.align_size_within_rect(galley.size(), rect);
    ui.painter().galley(placed.min, galley, colour);
    placed
}

/// The same for a name, which is cut in its middle: both ends tell names apart.
pub(super) fn name_line(ui: &Ui, rect: Rect, align: Align2, text: &str, font: FontId, colour: Color32) -> Rect {
    let fits = |text: &str| text_width(ui, text, font.clone()) <= rect.width();
    if fits(text) {
        return text_line(ui, rect, align, text, font, colour);
    }
    let characters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head = characters[..head].iter();
        let tail = characters[characters.len() - tail..].iter();
        head.chain(&['…']).chain(tail).collect::<String>()
    };
    // As many as fit; fewer always do where more do.
    let (mut least, mut most) = (1, characters.len());
    while least < most {
        let kept = (least + most).div_ceil(2);
        if fits(&cut(kept)) {
            least = kept;
        } else {
            most = kept - 1;
        }
    }
    text_line(ui, rect, align, &cut(least), font, colour)
}

/// A horizontal bar that is filled from the left.
pub(super) fn bar(ui: &Ui, rect: Rect, share: f64, colour: Color32) {
    // From 0 to 1: what is lost is far less than a pixel.
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let share = share.clamp(0.0, 1.0) as f32;
    let track = theme::palette(ui).field;
    let radius = rect.height() / 2.0;
    let track = if ui.visuals().dark_mode {
        track
    } else {
        theme::palette(ui).hairline
    };
    ui.painter().rect_filled(rect, radius, track);
    if share > 0.0 {
        let width = (rect.width() * share).max(rect.height());
        ui.painter().rect_filled(
            Rect::from_min_size(rect.min, vec2(width, rect.height())),
            radius,
            colour,
        );
    }
}

/// A triangle that points right where a fold is closed and down where it is open.
pub(super) fn fold_triangle(ui: &Ui, centre: Pos2, is_open: bool, colour: Color32) {
    let points = if is_open {
        vec![
            centre + vec2(-4.0, -2.0),
            centre + vec2(4.0, -2.0),
            centre + vec2(0.0, 3.0),
        ]
    } else {
        vec![
            centre + vec2(-2.0, -4.0),
            centre + vec2(3.0, 0.0),
            centre + vec2(-2.0, 4.0),
        ]
    };
    ui.painter()
        .add(egui::Shape::convex_polygon(points, colour, Stroke::NONE));
}

/// A ring around what the keyboard points at.
pub(super) fn focus_ring(ui: &Ui, response: &Response, rect: Rect) {
    if response.has_focus() {
        let colour = theme::palette(ui).weak;
        ui.painter()
            .rect_stroke(rect, RADIUS, Stroke::new(1.0, colour), StrokeKind::Inside);
    }
}

/// A child for `rect` that lays out from the right; it moves nothing that comes after it, whatever is in it.
pub(super) fn from_right<R>(
    ui: &mut Ui,
    id: impl std::hash::Hash + std::fmt::Debug,
    rect: Rect,
    content: impl FnOnce(&mut Ui) -> R,
) -> R {
    let layout = Layout::right_to_left(Align::Center);
    let mut child = ui.new_child(UiBuilder::new().id_salt(Id::unique(id)).max_rect(rect).layout(layout));
    content(&mut child)
}

/// The main button of a panel, with the keys that press it.
pub(super) fn main_button(ui: &mut Ui, text: &str, keys: &str, is_enabled: bool) -> Response {
    let palette = theme::palette(ui);
    let sense = if is_enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), MAIN_BUTTON_HEIGHT), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, text));
    let (fill, colour, faint) = match (is_enabled, response.is_pointer_button_down_on(), response.hovered()) {
        (false, ..) => (palette.field, palette.weak, palette.weak.gamma_multiply(0.7)),
        (true, true, _) => (
            palette.primary.gamma_multiply(0.8),
            palette.on_primary,
            palette.on_primary.gamma_multiply(0.65),
        ),
        (true, _, true) => (
            palette.primary_hover,
            palette.on_primary,
            palette.on_primary.gamma_multiply(0.65),
        ),
        (true, ..) => (
            palette.primary,
            palette.on_primary,
            palette.on_primary.gamma_multiply(0.65),
        ),
    };
    ui.painter().rect_filled(rect, RADIUS, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(
            rect.expand(2.0),
            RADIUS + 2,
            Stroke::new(1.5, palette.weak),
            StrokeKind::Outside,
        );
    }
    let (word, gap, key) = (
        text_width(ui, text, theme::strong()),
        7.0,
        text_width(ui, keys, theme::body()),
    );
    let left = rect.center().x - (word + gap + key) / 2.0;
    let at = |x| pos2(x, rect.center().y);
    ui.painter()
        .text(at(left), Align2::LEFT_CENTER, text, theme::strong(), colour);
    ui.painter()
        .text(at(left + word + gap), Align2::LEFT_CENTER, keys, theme::body(), faint);
    response
}

/// How wide a text is on one line.
pub(super) fn text_width(ui: &Ui, text: &str, font: FontId) -> f32 {
    ui.painter()
        .layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER)
        .size()
        .x
}
