//! The entries of a menu: walked by the arrows, picked by Enter or a click.

use eframe::egui::{Align2, EventFilter, Key, Modifiers, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use super::{text_line, text_width};
use crate::app::theme::{self, RADIUS};

const HEIGHT: f32 = 28.0;
const MARGIN: f32 = 10.0;

/// An entry of a menu.
#[derive(Debug, Clone)]
pub(crate) struct MenuItem<T> {
    /// What it says.
    pub text: String,
    /// The keys that do the same; may be empty.
    pub keys: &'static str,
    /// What it stands for.
    pub value: T,
    /// Whether a line separates it from the one above.
    pub begins_part: bool,
}

impl<T> MenuItem<T> {
    /// An entry.
    pub(crate) fn new(text: impl Into<String>, keys: &'static str, value: T) -> Self {
        Self {
            text: text.into(),
            keys,
            value,
            begins_part: false,
        }
    }
}

/// Draws the entries inside of a popup, and closes it with the one that is picked.
pub(crate) fn menu_ui<T>(ui: &mut Ui, items: Vec<MenuItem<T>>) -> Option<T> {
    let palette = theme::palette(ui);
    let width = items.iter().map(|item| {
        let keys = text_width(ui, item.keys, theme::small());
        text_width(ui, &item.text, theme::body()) + keys + 24.0
    });
    let width = width.fold(120.0, f32::max) + 2.0 * MARGIN;
    ui.set_width(width);
    ui.spacing_mut().item_spacing.y = 0.0;
    let count = items.len();
    // By the text, not by the place: entries may change while the menu is open, and a click counts for what was drawn.
    let id = |item: &MenuItem<T>| ui.scope_id().with(("entry", &item.text));
    let ids: Vec<_> = items.iter().map(id).collect();
    let focused = ids.iter().find(|id| ui.memory(|memory| memory.has_focus(**id)));
    let mut to = if focused.is_none() { Some(0) } else { None };
    let mut picked = None;
    for (at, item) in items.into_iter().enumerate() {
        if item.begins_part {
            let (line, _) = ui.allocate_exact_size(vec2(width, 9.0), Sense::hover());
            ui.painter()
                .hline(line.x_range(), line.center().y, (1.0, palette.hairline));
        }
        let (_, rect) = ui.allocate_space(vec2(width, HEIGHT));
        let response = ui.interact(rect, ids[at], Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, true, &item.text));
        if response.has_focus() {
            let upright = EventFilter {
                vertical_arrows: true,
                tab: true,
                ..EventFilter::default()
            };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, upright));
            let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
            if pressed(Key::ArrowDown) || pressed(Key::Tab) {
                to = Some((at + 1) % count);
            } else if pressed(Key::ArrowUp) {
                to = Some((at + count - 1) % count);
            }
        }
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect, RADIUS, palette.hover);
        }
        let inner = rect.shrink2(vec2(MARGIN, 0.0));
        line(ui, inner, Align2::LEFT_CENTER, &item.text, true);
        line(ui, inner, Align2::RIGHT_CENTER, item.keys, false);
        if response.clicked() {
            picked = Some(item.value);
            ui.close();
        }
    }
    if let Some(to) = to.and_then(|to| ids.get(to)).filter(|_| picked.is_none()) {
        ui.memory_mut(|memory| memory.request_focus(*to));
    }
    picked
}

fn line(ui: &Ui, rect: Rect, align: Align2, text: &str, is_main: bool) {
    let palette = theme::palette(ui);
    let (font, colour) = if is_main {
        (theme::body(), palette.text)
    } else {
        (theme::small(), palette.faint)
    };
    text_line(ui, rect, align, text, font, colour);
}
