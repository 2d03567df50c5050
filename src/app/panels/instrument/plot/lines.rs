//! The curves: the end that counts as an area under a line, the other end as a thin line, and the band from the slowest
//! to the fastest.

use eframe::egui::{Color32, Mesh, Painter, Pos2, Shape, Stroke, pos2};

use super::frame::{Frame, to_f32};
use super::scene::Scene;
use crate::app::model::curves::{CurvePoint, Spread};
use crate::app::model::row::Pause;
use crate::app::theme::Palette;
use crate::transfer::Side;

const MAIN_WIDTH: f32 = 2.0;
const OTHER_WIDTH: f32 = 1.2;
/// The area is this opaque at the upper end of the plot and on the axis.
const AREA_DARK: (f32, f32) = (0.49, 0.05);
const AREA_LIGHT: (f32, f32) = (0.36, 0.05);
/// The band from the slowest to the fastest.
const SPREAD_DARK: f32 = 0.24;
const SPREAD_LIGHT: f32 = 0.18;

/// The colour of an end.
pub(in super::super) fn colour_of(side: Side, palette: &Palette) -> Color32 {
    match side {
        Side::Sender => palette.sender,
        Side::Receiver => palette.receiver,
    }
}

/// The end that is drawn as a thin line where this one counts.
pub(in super::super) fn other(main: Side) -> Side {
    match main {
        Side::Sender => Side::Receiver,
        Side::Receiver => Side::Sender,
    }
}

/// Draws all curves of a scene.
pub(super) fn paint(painter: &Painter, frame: &Frame, scene: &Scene, palette: &Palette, is_dark: bool) {
    let main = colour_of(scene.main, palette);
    let other = other(scene.main);
    let runs = with_live(scene);
    let area = if is_dark { AREA_DARK } else { AREA_LIGHT };
    for run in &runs {
        painter.add(area_of(frame, run, main, area));
    }
    let alpha = if is_dark { SPREAD_DARK } else { SPREAD_LIGHT };
    for run in &scene.curves.spread {
        painter.add(spread_of(frame, run, main.gamma_multiply(alpha)));
    }
    let line = |run: &[CurvePoint], width: f32, colour| {
        Shape::line(outline(frame, run, &scene.pauses), Stroke::new(width, colour))
    };
    for run in scene.curves.of_side(other) {
        painter.add(line(run, OTHER_WIDTH, colour_of(other, palette)));
    }
    for run in &runs {
        painter.add(line(run, MAIN_WIDTH, main));
    }
}

/// The runs of the end that counts, the last one led on to where it has come to.
fn with_live(scene: &Scene) -> Vec<Vec<CurvePoint>> {
    let mut runs = scene.curves.of_side(scene.main).to_vec();
    if let (Some(live), Some(last)) = (scene.live, runs.last_mut())
        && last.last().is_some_and(|drawn| drawn.t_s < live.t_s)
    {
        last.push(live);
    }
    runs
}

/// The lines of both ends as they are drawn.
pub(super) fn in_points(frame: &Frame, scene: &Scene) -> Vec<Vec<[f32; 2]>> {
    let runs = scene.curves.sender.iter().chain(&scene.curves.receiver);
    let line = |run: &Vec<CurvePoint>| outline(frame, run, &scene.pauses).into_iter().map(<[f32; 2]>::from);
    runs.map(|run| line(run).collect()).collect()
}

/// Two vertices a point. Alpha is linear in the height, so the colours of the vertices give a true gradient.
fn area_of(frame: &Frame, run: &[CurvePoint], colour: Color32, (top, bottom): (f32, f32)) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(run.len() * 2);
    let axis_y = frame.rect.bottom();
    for (index, drawn) in run.iter().enumerate() {
        let at = frame.at(drawn.t_s, drawn.value);
        let height = to_f32(frame.axis.part(drawn.value)).clamp(0.0, 1.0);
        mesh.colored_vertex(at, colour.gamma_multiply(bottom + (top - bottom) * height));
        mesh.colored_vertex(pos2(at.x, axis_y), colour.gamma_multiply(bottom));
        join(&mut mesh, index);
    }
    mesh
}

fn spread_of(frame: &Frame, run: &[Spread], colour: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(run.len() * 2);
    for (index, span) in run.iter().enumerate() {
        mesh.colored_vertex(frame.at(span.t_s, span.most), colour);
        mesh.colored_vertex(frame.at(span.t_s, span.least), colour);
        join(&mut mesh, index);
    }
    mesh
}

/// Two triangles from the pair of vertices before to this one.
fn join(mesh: &mut Mesh, index: usize) {
    if let (true, Ok(base)) = (index > 0, u32::try_from(2 * index.saturating_sub(1))) {
        mesh.add_triangle(base, base + 1, base + 2);
        mesh.add_triangle(base + 1, base + 2, base + 3);
    }
}

/// The points of a run, with its fall to the axis where a pause begins and its rise where one ends.
fn outline(frame: &Frame, run: &[CurvePoint], pauses: &[Pause]) -> Vec<Pos2> {
    let is_near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let on_axis = |t_s: f64| pos2(frame.x(t_s), frame.rect.bottom());
    let mut points = Vec::with_capacity(run.len() + 2);
    if let Some(first) = run.first()
        && pauses
            .iter()
            .any(|pause| pause.to_s.is_some_and(|to_s| is_near(to_s, first.t_s)))
    {
        points.push(on_axis(first.t_s));
    }
    points.extend(run.iter().map(|drawn| frame.at(drawn.t_s, drawn.value)));
    if let Some(last) = run.last()
        && pauses.iter().any(|pause| is_near(pause.from_s, last.t_s))
    {
        points.push(on_axis(last.t_s));
    }
    points
}

/// The curve of a second plot.
pub(super) fn paint_thin(painter: &Painter, frame: &Frame, run: &[CurvePoint], colour: Color32) {
    painter.add(area_of(frame, run, colour, (0.22, 0.03)));
    let points = run.iter().map(|drawn| frame.at(drawn.t_s, drawn.value)).collect();
    painter.add(Shape::line(points, Stroke::new(1.4, colour)));
}
