//! A quiet picture of the plot and the band, for a page on which nothing was measured yet. It has no numbers but the
//! one that was measured.

use eframe::egui::epaint::{Mesh, PathShape, PathStroke};
use eframe::egui::{Align2, Color32, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};

use crate::app::model::format;
use crate::app::theme;
use crate::app::widgets::text_line;
use crate::app::words::say;
use crate::compare::ceilings::Ceilings;

const BAND_HEIGHT: f32 = 24.0;
/// The picture's shape: a slow beginning, a fast part, a limit, a fast part; shares of the time and of the height.
const PARTS: [(f32, f32); 4] = [(0.18, 0.27), (0.42, 0.80), (0.58, 0.35), (1.0, 0.83)];

/// Paints the picture, with the highest rate of this machine where that is known.
pub(crate) fn paint(ui: &Ui, rect: Rect, ceilings: Option<&Ceilings>) {
    let palette = theme::palette(ui);
    let band = Rect::from_min_max(pos2(rect.left(), rect.bottom() - BAND_HEIGHT), rect.max);
    let plot = Rect::from_min_max(rect.min + vec2(0.0, 12.0), pos2(rect.right(), band.top() - 4.0));
    for line in 1..=4_u8 {
        let y = plot.bottom() - plot.height() * f32::from(line) / 4.6;
        ui.painter().hline(plot.x_range(), y.round() + 0.5, (1.0, palette.grid));
    }
    paint_curve(ui, plot);
    let axis = plot.bottom().round() + 0.5;
    ui.painter().hline(plot.x_range(), axis, (1.0, palette.edge));
    paint_band(ui, band);
    let words = |rect: Rect, share: f32, y: f32, text: &str| {
        let centre = pos2(rect.left() + rect.width() * share, y);
        let place = Rect::from_center_size(centre, vec2(260.0, 18.0));
        text_line(ui, place, Align2::CENTER_CENTER, text, theme::small(), palette.faint);
    };
    words(
        plot,
        0.79,
        plot.bottom() - plot.height() * 0.4,
        say!("empty-ghost-rate"),
    );
    words(band, 0.79, band.center().y, say!("empty-ghost-limit"));
    if let Some(ceilings) = ceilings {
        paint_ceiling(ui, plot, ceilings);
    }
}

fn paint_ceiling(ui: &Ui, plot: Rect, ceilings: &Ceilings) {
    let palette = theme::palette(ui);
    let copy = format::rate(ceilings.memcpy_bytes_per_s);
    let text = say!("empty-ghost-ceiling", rate = copy);
    let line = Rect::from_min_max(plot.min - vec2(0.0, 10.0), pos2(plot.right(), plot.top() + 10.0));
    let placed = text_line(ui, line, Align2::RIGHT_CENTER, &text, theme::small(), palette.weak);
    let ends = [
        pos2(plot.left(), line.center().y),
        pos2(placed.left() - 8.0, line.center().y),
    ];
    let stroke = Stroke::new(1.0, palette.ghost);
    ui.painter().extend(Shape::dashed_line(&ends, stroke, 3.0, 3.0));
}

/// A curve that nothing was measured for: smooth from one part to the next, with a little life.
fn paint_curve(ui: &Ui, plot: Rect) {
    let palette = theme::palette(ui);
    let points: Vec<Pos2> = (0..=250_u8)
        .map(|i| {
            let x = f32::from(i) / 250.0;
            pos2(
                plot.left() + x * plot.width(),
                plot.bottom() - height_at(x) * plot.height(),
            )
        })
        .collect();
    let mut area = Mesh::default();
    for (at, point) in (0_u32..).step_by(2).zip(&points) {
        let alpha = 0.42 * (plot.bottom() - point.y) / plot.height();
        area.colored_vertex(*point, palette.ghost.gamma_multiply(alpha));
        area.colored_vertex(pos2(point.x, plot.bottom()), Color32::TRANSPARENT);
        if at > 0 {
            area.add_triangle(at - 2, at - 1, at);
            area.add_triangle(at - 1, at, at + 1);
        }
    }
    ui.painter().add(Shape::mesh(area));
    ui.painter()
        .add(PathShape::line(points, PathStroke::new(1.5, palette.ghost)));
}

fn height_at(x: f32) -> f32 {
    let mut height = 0.0;
    let mut begin = 0.0;
    for (end, top) in PARTS {
        // It rises and falls within a fortieth of the width.
        let rise = |at: f32| 1.0 / (1.0 + (-(x - at) * 420.0).exp());
        height += top * (rise(begin + 0.008) - if end < 1.0 { rise(end + 0.008) } else { 0.0 });
        begin = end;
    }
    let life = (x * 97.0).sin() * 0.006 + (x * 41.0).sin() * 0.008;
    (height * (1.0 + life)).clamp(0.0, 1.0)
}

fn paint_band(ui: &Ui, band: Rect) {
    let palette = theme::palette(ui);
    ui.painter().rect_filled(band, 0.0, palette.field);
    let mut left = band.left();
    for (at, (end, _)) in PARTS.into_iter().enumerate() {
        let right = band.left() + band.width() * end;
        if at == 2 {
            hatch(
                ui,
                Rect::from_min_max(pos2(left, band.top()), pos2(right, band.bottom())),
            );
        }
        ui.painter()
            .vline(right - 0.5, band.y_range(), (1.0, palette.background));
        left = right;
    }
}

fn hatch(ui: &Ui, rect: Rect) {
    let colour = theme::palette(ui).ghost.gamma_multiply(0.7);
    let painter = ui.painter().with_clip_rect(rect);
    let mut x = rect.left() - rect.height();
    while x < rect.right() {
        let ends = [pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top())];
        painter.line_segment(ends, (1.0, colour));
        x += 6.0;
    }
}
