//! Above the list: its title with New, what all transfers come to, and the filter; below it the place to drop files.

use eframe::egui::{
    Align2, EventFilter, Id, Key, Modifiers, Rect, Role, Sense, Shape, Stroke, TextEdit, Ui, UiBuilder, WidgetInfo,
    pos2, vec2,
};

use super::transfers::MARGIN;
use crate::app::action::{Action, Dialog, FormAction};
use crate::app::model::format::RateUnit;
use crate::app::model::list::List;
use crate::app::model::row::shares;
use crate::app::model::totals::Totals;
use crate::app::theme::{self, CARD_RADIUS, RADIUS};
use crate::app::widgets::{Icon, focus_ring, paint_icon, paint_sparkline, text_line, text_width};
use crate::app::words::say;

const HEIGHT: f32 = 112.5;
const FILTER_HEIGHT: f32 = 40.0;
/// The place to drop files is not higher, and is left out where it would be lower.
const DROP_HEIGHTS: (f32, f32) = (56.0, 96.0);

/// The id of the filter, which Ctrl F goes to.
#[must_use]
pub(crate) fn filter_id() -> Id {
    Id::unique("filter of the list")
}

/// Draws the title, New, and the totals.
pub(super) fn ui(ui: &mut Ui, list: List<'_>, now_s: f64) -> Vec<Action> {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let (left, right) = (rect.left() + MARGIN, rect.right() - MARGIN);
    let line = |from: f32, to: f32, y: f32| Rect::from_min_max(pos2(from, y - 12.0), pos2(to, y + 12.0));
    let title = line(left, right - 100.0, rect.top() + 28.0);
    let font = theme::strong_of(theme::TITLE);
    text_line(
        ui,
        title,
        Align2::LEFT_CENTER,
        say!("rail-transfers"),
        font,
        palette.text,
    );
    let totals = Totals::of(list.transfers, now_s);
    totals_ui(ui, rect, &totals, list.unit());
    ui.painter()
        .hline(rect.x_range(), rect.bottom() - 0.5, (1.0, palette.hairline));
    let place = Rect::from_min_max(pos2(right - 92.0, rect.top() + 14.0), pos2(right, rect.top() + 42.0));
    let is_new = new_button(ui, place);
    Vec::from_iter(is_new.then_some(Action::Form(FormAction::Focus)))
}

/// The rate of all, how many run, how much has moved, and the last minute.
fn totals_ui(ui: &mut Ui, rect: Rect, totals: &Totals, unit: RateUnit) {
    let palette = theme::palette(ui);
    let left = rect.left() + MARGIN;
    let base = rect.top() + 84.0;
    let rate = totals.rate(unit);
    let number = ui
        .painter()
        .layout_no_wrap(rate.number.clone(), theme::strong_of(theme::TOTAL), palette.text);
    let unit = ui
        .painter()
        .layout_no_wrap(rate.unit.to_owned(), theme::body(), palette.weak);
    let unit_left = left + number.size().x + 8.0;
    // Both stand on one line of writing.
    let ascent = |galley: &eframe::egui::Galley| {
        galley.rows.first().map_or(0.0, |row| {
            row.pos.y + row.glyphs.first().map_or(0.0, |glyph| glyph.pos.y)
        })
    };
    let (number_at, unit_at) = (base - ascent(&number), base - ascent(&unit));
    ui.painter().galley(pos2(left, number_at), number, palette.text);
    ui.painter().galley(pos2(unit_left, unit_at), unit, palette.weak);
    let words = Rect::from_min_max(
        pos2(left, rect.top() + 89.0),
        pos2(rect.right() - MARGIN, rect.top() + 107.0),
    );
    let text = totals.in_words();
    text_line(ui, words, Align2::LEFT_CENTER, &text, theme::small(), palette.weak);
    let curve = Rect::from_min_size(pos2(rect.right() - MARGIN - 96.0, rect.top() + 50.0), vec2(96.0, 36.0));
    paint_sparkline(ui.painter(), curve, &shares(&totals.curve), palette.neutral);
    let all = Rect::from_min_max(pos2(left, rect.top() + 54.0), pos2(curve.right(), rect.bottom() - 4.0));
    let response = ui.interact(all, Id::unique("totals"), Sense::hover());
    let all = say!("totals-all", rate = rate.to_string(), rest = totals.all_in_words());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &all));
    response.on_hover_text(format!("{all}\n{}", say!("totals-hover")));
}

/// The button that opens the form.
pub(super) fn new_button(ui: &mut Ui, rect: Rect) -> bool {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, Id::unique("new transfer"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, say!("list-new-transfer")));
    button_back(ui, rect, response.hovered());
    focus_ring(ui, &response, rect);
    let (word, keys) = (say!("list-new"), "Ctrl N");
    let width = text_width(ui, word, theme::strong()) + 8.0 + text_width(ui, keys, theme::small());
    let from = rect.center().x - width / 2.0;
    let inner = Rect::from_min_max(pos2(from, rect.top()), pos2(from + width + 1.0, rect.bottom()));
    text_line(ui, inner, Align2::LEFT_CENTER, word, theme::strong(), palette.text);
    text_line(ui, inner, Align2::RIGHT_CENTER, keys, theme::small(), palette.faint);
    response.on_hover_text(say!("list-new-hover")).clicked()
}

/// The back of a quiet button: a fill in the dark, a line around it in the light.
pub(super) fn button_back(ui: &Ui, rect: Rect, is_hovered: bool) {
    let palette = theme::palette(ui);
    let fill = if is_hovered { palette.hover } else { palette.segment };
    ui.painter().rect_filled(rect, RADIUS, fill);
    if !ui.visuals().dark_mode {
        let line = Stroke::new(1.0, palette.edge);
        ui.painter()
            .rect_stroke(rect, RADIUS, line, eframe::egui::StrokeKind::Inside);
    }
}

/// Draws the field whose words rows have to have.
pub(super) fn filter_ui(ui: &mut Ui, filter: &str) -> Option<Action> {
    let palette = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), FILTER_HEIGHT), Sense::hover());
    let field = Rect::from_min_max(
        pos2(rect.left() + MARGIN, rect.top() + 11.5),
        pos2(rect.right() - MARGIN, rect.top() + 39.5),
    );
    let has_focus = ui.memory(|memory| memory.has_focus(filter_id()));
    let line = if has_focus { palette.weak } else { palette.edge };
    if !ui.visuals().dark_mode {
        ui.painter().rect_filled(field, RADIUS, palette.background);
    }
    ui.painter()
        .rect_stroke(field, RADIUS, Stroke::new(1.0, line), eframe::egui::StrokeKind::Inside);
    paint_icon(
        ui.painter(),
        Icon::Search,
        field.left_center() + vec2(16.0, 0.0),
        palette.faint,
    );
    let mut typed = filter.to_owned();
    if has_focus && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        typed.clear();
        ui.memory_mut(|memory| memory.surrender_focus(filter_id()));
    }
    let text = Rect::from_min_max(field.min + vec2(30.0, 0.0), field.max - vec2(52.0, 0.0));
    let mut child = ui.new_child(UiBuilder::new().max_rect(text));
    let edit = TextEdit::singleline(&mut typed)
        .id(filter_id())
        .hint_text(say!("list-filter"))
        .frame(eframe::egui::Frame::NONE)
        .char_limit(200)
        .align(Align2::LEFT_CENTER)
        .desired_width(text.width());
    let response = child.add_sized(text.size(), edit).accessible_name(say!("list-filter"));
    if response.has_focus() {
        let escape = EventFilter {
            escape: true,
            horizontal_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(filter_id(), escape));
    }
    let keys = Rect::from_min_max(pos2(text.right(), field.top()), field.max - vec2(10.0, 0.0));
    let hint = if has_focus { "Esc" } else { "Ctrl F" };
    text_line(ui, keys, Align2::RIGHT_CENTER, hint, theme::small(), palette.faint);
    (typed != filter).then_some(Action::Filter(typed))
}

/// Draws the place to drop files where there is room for it; a click chooses files instead.
pub(super) fn drop_ui(ui: &mut Ui, left: Rect) -> Option<Action> {
    let (least, most) = DROP_HEIGHTS;
    let height = (left.height() - 48.0).min(most);
    if height < least {
        return None;
    }
    let palette = theme::palette(ui);
    let corner = pos2(left.left() + MARGIN, left.top() + 24.0);
    let rect = Rect::from_min_size(corner, vec2(left.width() - 2.0 * MARGIN, height));
    let response = ui.interact(rect, Id::unique("drop zone"), Sense::click());
    let text = say!("list-drop");
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, text));
    let colour = if response.hovered() || response.has_focus() {
        palette.weak
    } else {
        palette.faint
    };
    dashed_card(ui, rect, if response.hovered() { palette.weak } else { palette.edge });
    focus_ring(ui, &response, rect);
    text_line(ui, rect, Align2::CENTER_CENTER, text, theme::small(), colour);
    response
        .on_hover_text(say!("list-drop-hover"))
        .clicked()
        .then_some(Action::Browse(Dialog::Source))
}

/// A dashed line around a card.
fn dashed_card(ui: &Ui, rect: Rect, colour: eframe::egui::Color32) {
    let radius = f32::from(CARD_RADIUS);
    let rect = rect.shrink(0.5);
    let mut path = Vec::new();
    let corners = [
        (rect.right_top() + vec2(-radius, radius), -90.0_f32),
        (rect.right_bottom() + vec2(-radius, -radius), 0.0),
        (rect.left_bottom() + vec2(radius, -radius), 90.0),
        (rect.left_top() + vec2(radius, radius), 180.0),
    ];
    for (centre, from) in corners {
        for step in 0..=6_u8 {
            let angle = (from + f32::from(step) * 15.0).to_radians();
            path.push(centre + radius * vec2(angle.cos(), angle.sin()));
        }
    }
    path.extend(path.first().copied());
    ui.painter()
        .extend(Shape::dashed_line(&path, Stroke::new(1.0, colour), 4.0, 4.0));
}
