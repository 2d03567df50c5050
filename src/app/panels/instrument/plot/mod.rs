//! The plot of rates over time, and below it a second one. What they show is put together in `scene`, from the model and
//! nothing else; here it is drawn, zoomed and pointed at.

pub(super) mod axes;
pub(super) mod frame;
pub(super) mod hatch;
mod hover;
mod keys;
pub(super) mod lines;
pub(super) mod marks;
pub(crate) mod scene;
mod second;

use eframe::egui::{Align2, Response, Role, Sense, Ui, WidgetInfo, pos2};

use super::layout::Body;
use crate::app::action::{Action, TransferAction};
use crate::app::model::axes::TimeAxis;
use crate::app::model::plot_view::PlotView;
use crate::app::model::row::{Numbers, Row};
use crate::app::model::second_plot::SecondScene;
use crate::app::theme;
use crate::app::widgets::focus_ring;
use frame::{Frame, t_of};
use scene::Scene;

/// The width of the numbers to the left of the plot: that of the widest, also where a little later one is wider.
pub(super) fn axis_width(ui: &Ui, scene: &Scene) -> f32 {
    let rect = eframe::egui::Rect::from_min_size(pos2(0.0, 0.0), eframe::egui::vec2(100.0, 220.0));
    let frame = Frame {
        rect,
        time: scene.time,
        axis: scene.axis,
    };
    axes::width(ui, &axes::ticks(&frame, scene.unit.divisor)).ceil()
}

/// Draws both plots with all that stands in them; what was asked for is returned.
pub(super) fn ui(
    ui: &Ui,
    row: &Row,
    numbers: &Numbers,
    (scene, second): (&Scene, Option<&SecondScene>),
    body: &Body,
    view: PlotView,
) -> Vec<Action> {
    let palette = theme::palette(ui);
    let frame = Frame {
        rect: body.plot,
        time: scene.time,
        axis: scene.axis,
    };
    let over = body
        .over_time()
        .with_max_y(body.second.map_or(body.plot.bottom(), |second| second.bottom()));
    let response = ui.interact(over, ui.scope_id().with("plot"), Sense::click_and_drag());
    // What the keyboard points at is said first. It is asked for before: the context is locked while a node is described.
    let pointed_at = keys::instant(row, &response);
    let pointed_at = pointed_at.map(|t_s| hover::in_words(ui, row, scene, second, t_s));
    response.widget_info(|| {
        let sentence = Some(scene.in_a_sentence(row, numbers));
        let parts: Vec<String> = pointed_at.clone().into_iter().chain(sentence).collect();
        WidgetInfo::labeled(Role::Image, true, parts.join("; "))
    });
    let painter = ui.painter();
    let unit_at = pos2(body.plot.left() - 10.0, body.lane.center().y);
    let unit = scene.unit.name;
    painter.text(unit_at, Align2::RIGHT_CENTER, unit, theme::label(12.0), palette.faint);
    marks::pauses(ui, &frame, scene, palette);
    axes::paint(painter, &frame, &axes::ticks(&frame, scene.unit.divisor), palette);
    let clipped = painter.with_clip_rect(body.plot.expand2(eframe::egui::vec2(1.0, 2.0)));
    lines::paint(&clipped, &frame, scene, palette, ui.visuals().dark_mode);
    marks::ceilings(&clipped, &frame, scene, palette);
    marks::mean(&clipped, &frame, scene, palette);
    marks::flags(ui, &frame, body, row, scene, palette);
    let pill = scene.unit.quantity(numbers.now).number;
    marks::labels(ui, &frame, row, scene, &pill, palette);
    if let (Some(second), Some(rect)) = (second, body.second) {
        second::ui(ui, second, rect, scene.time, &scene.pauses);
    }
    hover::cursors(ui, body, row, (scene, second), palette);
    hover::ui(ui, body, row, scene, second, &response);
    focus_ring(ui, &response, over.expand(2.0));
    let mut actions = keys::pressed(ui, row, scene, view, &response);
    actions.extend(zoomed(ui, row, scene.time, body, &response, view));
    if !response.double_clicked() {
        actions.extend(hover::clicked(ui, &frame, row, &response));
    }
    if scene.rate_axis != row.rate_axis {
        actions.push(Action::Transfer(row.key, TransferAction::SetRateAxis(scene.rate_axis)));
    }
    actions
}

/// What was done to the time axis: zoomed by the wheel, moved by dragging, or shown as a whole again by a double click.
fn zoomed(ui: &Ui, row: &Row, time: TimeAxis, body: &Body, response: &Response, view: PlotView) -> Vec<Action> {
    if response.double_clicked() {
        let mut actions = Action::show_all(row.key, view);
        let cursors = TransferAction::SetCursors(crate::app::model::row::Cursors::default());
        actions.push(Action::Transfer(row.key, cursors));
        return actions;
    }
    let zoom = |factor, centre_s, shift_s| Action::zoomed(row.key, view, time, factor, (centre_s, shift_s));
    let seconds_a_point = time.length_s() / f64::from(body.plot.width().max(1.0));
    if response.dragged() && response.drag_delta().x != 0.0 {
        let shift_s = -f64::from(response.drag_delta().x) * seconds_a_point;
        return zoom(1.0, time.from_s, shift_s);
    }
    let Some(pointer) = response.hover_pos() else {
        return Vec::new();
    };
    let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta, input.zoom_delta()));
    if scroll.x == 0.0 && scroll.y == 0.0 && (pinch - 1.0).abs() < 1e-6 {
        return Vec::new();
    }
    let centre_s = t_of(body.plot, time, pointer.x);
    let shift_s = -f64::from(scroll.x) * seconds_a_point;
    let factor = (-f64::from(scroll.y) / 200.0).exp() / f64::from(pinch);
    zoom(factor, centre_s, shift_s)
}
