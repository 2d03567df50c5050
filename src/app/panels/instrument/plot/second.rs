//! The second plot: what the kernel counts of both ends, or the rate of each connection, on the time axis of the first
//! one. One of many lines stands out while its number, or the line itself, is pointed at.

use eframe::egui::{Align2, Color32, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2};

use super::frame::Frame;
use super::lines::{colour_of, paint_thin};
use super::{axes, hatch};
use crate::app::model::axes::TimeAxis;
use crate::app::model::curves::CurvePoint;
use crate::app::model::row::Pause;
use crate::app::model::second_plot::{LineOf, SecondLine, SecondScene};
use crate::app::theme::{self, Palette};
use crate::app::widgets::text_width;
use crate::app::words::say;

/// From the heading to the first number of the key, and from one to the next.
const KEY_GAP: f32 = 16.0;
/// A line that is pointed at from no further away stands out.
const NEAR: f32 = 12.0;
/// What is left of the others then.
const DIMMED: f32 = 0.25;

/// The colour of a line.
pub(super) fn colour_of_line(ui: &Ui, of: LineOf) -> Color32 {
    match of {
        LineOf::End(side) => colour_of(side, theme::palette(ui)),
        LineOf::Stream(number) => theme::stream_colour(number, ui.visuals().dark_mode),
    }
}

/// Draws it.
pub(super) fn ui(ui: &Ui, scene: &SecondScene, rect: Rect, time: TimeAxis, pauses: &[Pause]) {
    let palette = theme::palette(ui);
    let frame = Frame {
        rect,
        time,
        axis: scene.axis,
    };
    let painter = ui.painter();
    paint_pauses(ui, &frame, pauses, palette);
    axes::paint(painter, &frame, &axes::ticks(&frame, scene.scale().0), palette);
    let at = pos2(rect.left(), rect.top() - 4.0);
    let heading = painter.text(
        at,
        Align2::LEFT_BOTTOM,
        scene.heading(),
        theme::label(12.0),
        palette.weak,
    );
    let clipped = painter.with_clip_rect(rect.expand(2.0));
    let streams = scene.lines.iter().filter(|line| matches!(line.of, LineOf::Stream(_)));
    if streams.count() > 0 {
        let key_from = heading.right() + KEY_GAP;
        let picked = key_ui(ui, scene, rect, key_from).or_else(|| pointed_at(ui, scene, &frame));
        paint_streams(&clipped, ui, scene, &frame, picked);
    } else {
        for line in &scene.lines {
            for run in &line.runs {
                paint_thin(&clipped, &frame, run, colour_of_line(ui, line.of));
            }
        }
    }
    let response = ui.interact(rect, ui.scope_id().with("second plot"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, scene.in_a_sentence()));
}

fn paint_pauses(ui: &Ui, frame: &Frame, pauses: &[Pause], palette: &Palette) {
    for pause in pauses {
        let to_s = pause.to_s.unwrap_or(pause.from_s);
        let x = frame.x(pause.from_s)..=frame.x(to_s);
        let shown = Rect::from_x_y_ranges(x, frame.rect.y_range()).intersect(frame.rect);
        if shown.width() > 0.0 {
            ui.painter().rect_filled(shown, 0.0, palette.field);
            hatch::paint(ui, shown, hatch::Hatch::Pause, palette.ghost.gamma_multiply(0.45));
        }
    }
}

/// The numbers of all connections over the plot, each in its colour. Returns the one that is pointed at.
fn key_ui(ui: &Ui, scene: &SecondScene, plot: Rect, from_x: f32) -> Option<LineOf> {
    let font = theme::value(12.0);
    let width = text_width(ui, "16", font.clone());
    let room = plot.right() - from_x;
    let step = (room / scene.lines.len().max(1) as f32).min(width + KEY_GAP);
    let mut picked = None;
    for (index, line) in scene.lines.iter().enumerate() {
        let LineOf::Stream(number) = line.of else { continue };
        let x = from_x + index as f32 * step;
        let place = Rect::from_min_max(pos2(x, plot.top() - 22.0), pos2(x + step, plot.top() - 2.0));
        let (last, most) = line.last_and_highest();
        let (last, most) = (scene.in_words(last), scene.in_words(most));
        let id = ui.scope_id().with(("stream", number));
        let response = ui.interact(place, id, Sense::hover());
        let said = say!("plot-line-said", name = line.of.name(), last = last, most = most);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &said));
        let colour = colour_of_line(ui, line.of);
        let at = pos2(x, plot.top() - 4.0);
        ui.painter()
            .text(at, Align2::LEFT_BOTTOM, number.to_string(), font.clone(), colour);
        if response.hovered() {
            picked = Some(line.of);
        }
        response.on_hover_text(said);
    }
    picked
}

/// The line that the pointer is next to, where it is near.
fn pointed_at(ui: &Ui, scene: &SecondScene, frame: &Frame) -> Option<LineOf> {
    let pointer = ui.input(|input| input.pointer.hover_pos());
    let pointer = pointer.filter(|at| frame.rect.contains(*at) && ui.rect_contains_pointer(frame.rect))?;
    let t_s = super::frame::t_of(frame.rect, frame.time, pointer.x);
    let distance = |(of, value): (LineOf, f64)| (of, (frame.y(value) - pointer.y).abs());
    let nearest = scene.at(t_s).into_iter().map(distance);
    let nearest = nearest.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (nearest.1 <= NEAR).then_some(nearest.0)
}

/// The lines of all connections; one that is picked over the others.
fn paint_streams(painter: &Painter, ui: &Ui, scene: &SecondScene, frame: &Frame, picked: Option<LineOf>) {
    let is_picked = |line: &&SecondLine| Some(line.of) == picked;
    for line in scene.lines.iter().filter(|line| !is_picked(line)) {
        let colour = colour_of_line(ui, line.of);
        let colour = if picked.is_some() {
            colour.gamma_multiply(DIMMED)
        } else {
            colour
        };
        paint_line(painter, frame, line, Stroke::new(1.2, colour));
    }
    for line in scene.lines.iter().filter(is_picked) {
        paint_line(painter, frame, line, Stroke::new(2.2, colour_of_line(ui, line.of)));
    }
}

fn paint_line(painter: &Painter, frame: &Frame, line: &SecondLine, stroke: Stroke) {
    let at = |drawn: &CurvePoint| -> Pos2 { frame.at(drawn.t_s, drawn.value) };
    for run in &line.runs {
        painter.add(Shape::line(run.iter().map(at).collect(), stroke));
    }
}
