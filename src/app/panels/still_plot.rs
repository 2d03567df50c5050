//! The look that all plots share. By itself a plot is only looked at: it neither zooms nor scrolls. The arrows
//! walk what it shows.

use eframe::egui::{Align2, EventFilter, Id, Key, Modifiers, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use egui_plot::{AxisHints, HPlacement, Plot, PlotTransform};

use crate::app::theme;
use crate::app::widgets::focus_ring;

/// Every plot leaves at least this much to the left of its y axis, so that plots stand one below the other.
const LEFT_AXIS_WIDTH: f32 = 50.0;

/// Something that a plot shows: where it is along the x axis, and what is to be said of it.
pub(super) type Point = (f64, String);

/// Lets the arrows walk what a plot shows, and says it to who does not see it.
pub(super) fn walk_ui(ui: &Ui, response: &Response, transform: &PlotTransform, sentence: &str, points: &[Point]) {
    let at = walked_to(ui, response, points.len());
    let point = at.and_then(|at| points.get(at));
    response.widget_info(|| {
        let said = point.map_or(sentence.to_owned(), |(_, words)| format!("{words}; {sentence}"));
        WidgetInfo::labeled(Role::Image, true, said)
    });
    focus_ring(ui, response, response.rect.expand(2.0));
    let Some((x, words)) = point else { return };
    let palette = theme::palette(ui);
    let frame = *transform.frame();
    let x = transform.position_from_point_x(*x);
    ui.painter().vline(x, frame.y_range(), (1.0, palette.neutral));
    let galley = ui
        .painter()
        .layout(words.clone(), theme::small(), palette.text, frame.width() - 24.0);
    let size = galley.size() + vec2(12.0, 6.0);
    let room = (frame.left() + size.x / 2.0, frame.right() - size.x / 2.0);
    let centre = pos2(x.clamp(room.0, room.1.max(room.0)), frame.top() + size.y / 2.0 + 4.0);
    let patch = Align2::CENTER_CENTER.anchor_size(centre, size);
    ui.painter().rect_filled(patch, 4.0, palette.selected_row);
    ui.painter().galley(patch.min + vec2(6.0, 3.0), galley, palette.text);
}

/// Which of so many points the arrows have come to, where the plot has the focus.
fn walked_to(ui: &Ui, response: &Response, count: usize) -> Option<usize> {
    let last = count.checked_sub(1).filter(|_| response.has_focus())?;
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let id = Id::unique("point of a plot");
    let kept = ui.data(|data| data.get_temp::<(Id, usize)>(id));
    let before = kept
        .filter(|(of, _)| *of == response.id)
        .map_or(0, |(_, at)| at.min(last));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let keys = [
        (Key::ArrowRight, (before + 1).min(last)),
        (Key::ArrowLeft, before.saturating_sub(1)),
        (Key::Home, 0),
        (Key::End, last),
    ];
    let to = keys
        .into_iter()
        .find(|(key, _)| pressed(*key))
        .map_or(before, |(_, to)| to);
    ui.data_mut(|data| data.insert_temp(id, (response.id, to)));
    Some(to)
}

/// A plot with its axes, `height` points high.
pub(super) fn still_plot<'a>(ui: &Ui, name: &str, height: f32, x: AxisHints<'a>, y: AxisHints<'a>) -> Plot<'a> {
    let palette = theme::palette(ui);
    let label = |axis: AxisHints<'a>| axis.tick_label_font(theme::small()).tick_label_color(palette.weak);
    let y = y.placement(HPlacement::Left).min_thickness(LEFT_AXIS_WIDTH);
    Plot::new(name)
        .height(height)
        .sense(Sense::focusable_noninteractive())
        .show_background(false)
        .grid_color(palette.grid)
        .grid_fade(0.0)
        .custom_x_axes(vec![label(x.min_thickness(20.0))])
        .custom_y_axes(vec![label(y)])
        .allow_zoom(false)
        .allow_drag(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
}
