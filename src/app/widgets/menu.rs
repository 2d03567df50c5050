//! The entries of a menu: walked by the arrows, picked by Enter or a click.

use eframe::egui::{
    Align2, Context, EventFilter, Id, Key, Modifiers, Popup, PopupAnchor, PopupCloseBehavior, PopupKind, Pos2, Rect,
    Response, Role, Sense, Ui, WidgetInfo, vec2,
};

use super::{text_line, text_width};
use crate::app::action::Action;
use crate::app::theme::{self, RADIUS};
use crate::app::words::say;

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

/// Draws the menu of a part of the window where it is open; a right click opens it, and Shift F10 or the Menu key while the
/// part has the focus.
pub(crate) fn context_menu<T>(ui: &Ui, of: &Response, items: impl FnOnce() -> Vec<MenuItem<T>>) -> Option<T> {
    let id = of.id.with("menu");
    let pressed = |modifiers, key| of.has_focus() && ui.input_mut(|input| input.consume_key(modifiers, key));
    if of.secondary_clicked() {
        open_menu(ui.ctx(), id);
    } else if pressed(Modifiers::SHIFT, Key::F10) || pressed(Modifiers::NONE, Key::Menu) {
        Popup::open_id(ui.ctx(), id);
    }
    // By a key it hangs below the beginning.
    open_menu_ui(ui, id, of.rect.left_top() + vec2(30.0, 26.0), items)
}

/// What can be copied of a row of a table: its cells, and those of all rows below the heads, with tabs between them, as a
/// spreadsheet takes them.
pub(crate) fn table_copies(row: &[String], heads: &[String], rows: &[Vec<String>]) -> Vec<MenuItem<Action>> {
    let all = std::iter::once(heads).chain(rows.iter().map(Vec::as_slice));
    let table: Vec<String> = all.map(|cells| cells.join("\t")).collect();
    vec![
        MenuItem::new(say!("menu-copy-row"), "", Action::Copy(row.join("\t"))),
        MenuItem::new(say!("menu-copy-table"), "", Action::Copy(table.join("\n") + "\n")),
    ]
}

/// Opens the menu with this id where the pointer is.
pub(crate) fn open_menu(ctx: &Context, id: Id) {
    // Asked for before: the data are locked while they are changed.
    let at = ctx.pointer_interact_pos();
    ctx.data_mut(|data| data.insert_temp::<Option<Pos2>>(id.with("place"), at));
    Popup::open_id(ctx, id);
}

/// Draws the menu with this id where it is open: where it was asked for by the pointer, or else at `corner`.
pub(crate) fn open_menu_ui<T>(ui: &Ui, id: Id, corner: Pos2, items: impl FnOnce() -> Vec<MenuItem<T>>) -> Option<T> {
    let (ctx, place) = (ui.ctx(), id.with("place"));
    if !Popup::is_id_open(ctx, id) {
        ctx.data_mut(|data| data.remove::<Option<Pos2>>(place));
        return None;
    }
    let at = ctx.data(|data| data.get_temp::<Option<Pos2>>(place)).flatten();
    let anchor = PopupAnchor::Position(at.unwrap_or(corner));
    let menu = Popup::new(id, ctx.clone(), anchor, ui.layer_id())
        .kind(PopupKind::Menu)
        .open_memory(None)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    menu.show(|ui| menu_ui(ui, items())).and_then(|shown| shown.inner)
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
