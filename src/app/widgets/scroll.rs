//! Areas that scroll: by the wheel, by Page Up and Page Down, and to what the Tab key goes to.

use eframe::egui::scroll_area::ScrollAreaOutput;
use eframe::egui::style::ScrollAnimation;
use eframe::egui::{Id, Key, Memory, Modifiers, Popup, ScrollArea, Ui, vec2};

/// Page Up and Page Down move by this part of what is in sight.
const PAGE_SHARE: f32 = 0.85;

/// Shows content that scrolls. What gets the focus in it comes into sight.
pub(crate) fn scrolled<R>(ui: &mut Ui, area: ScrollArea, content: impl FnOnce(&mut Ui) -> R) -> ScrollAreaOutput<R> {
    area.show(ui, |ui| followed(ui, content))
}

/// The same for a whole page: Page Up and Page Down move it.
pub(crate) fn scrolled_page<R>(ui: &mut Ui, area: ScrollArea, content: impl FnOnce(&mut Ui) -> R) -> R {
    let height = ui.available_height();
    let shown = area.show(ui, |ui| {
        // A list that is open may scroll by itself.
        if !Popup::is_any_open(ui.ctx()) {
            let pressed = |key| f32::from(u8::from(ui.input_mut(|input| input.consume_key(Modifiers::NONE, key))));
            let pages = pressed(Key::PageUp) - pressed(Key::PageDown);
            ui.scroll_with_delta_animation(vec2(0.0, pages * height * PAGE_SHARE), ScrollAnimation::none());
        }
        followed(ui, content)
    });
    shown.inner
}

/// Draws content of a scroll area, and scrolls to what has got the focus in it.
fn followed<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let focused = ui.memory(Memory::focused);
    let was_drawn = focused.is_some_and(|id| place_of(ui, id).is_some());
    let inner = content(ui);
    let place = focused.filter(|_| !was_drawn).and_then(|id| place_of(ui, id));
    let kept = Id::unique("followed focus");
    let before = ui.data(|data| data.get_temp::<Id>(kept));
    if let (Some(id), Some(rect)) = (focused, place)
        && before != Some(id)
    {
        ui.data_mut(|data| data.insert_temp(kept, id));
        ui.scroll_to_rect_animation(rect.expand(4.0), None, ScrollAnimation::none());
    }
    inner
}

/// Where a widget of this layer has been drawn in this frame.
fn place_of(ui: &Ui, id: Id) -> Option<eframe::egui::Rect> {
    let widget = ui
        .ctx()
        .viewport(|viewport| viewport.this_pass.widgets.get(id).copied());
    widget
        .filter(|widget| widget.layer_id == ui.layer_id())
        .map(|widget| widget.rect)
}
