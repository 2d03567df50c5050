//! A curve without axes, small enough to stand in a line of text.

use eframe::egui::epaint::{Mesh, PathShape, PathStroke, Shape};
use eframe::egui::{Color32, Painter, Pos2, Rect, pos2};

/// Width of the line.
const LINE: f32 = 1.25;
/// How much of its colour the area has below the line, from 0 to 1; it fades to nothing at the axis.
const AREA: f32 = 0.34;

/// Paints shares of the highest, from 0 to 1, from the left to the right of a rectangle.
pub(crate) fn paint_sparkline(painter: &Painter, rect: Rect, shares: &[f32], colour: Color32) {
    let points = points(rect, shares);
    if points.len() < 2 {
        return;
    }
    let mut area = Mesh::default();
    for (at, point) in (0_u32..).step_by(2).zip(&points) {
        let alpha = AREA * (rect.bottom() - point.y) / rect.height();
        area.colored_vertex(*point, colour.gamma_multiply(alpha));
        area.colored_vertex(pos2(point.x, rect.bottom()), Color32::TRANSPARENT);
        if at > 0 {
            area.add_triangle(at - 2, at - 1, at);
            area.add_triangle(at - 1, at, at + 1);
        }
    }
    painter.add(Shape::mesh(area));
    painter.add(PathShape::line(points, PathStroke::new(LINE, colour)));
}

fn points(rect: Rect, shares: &[f32]) -> Vec<Pos2> {
    let at = |x: f32, share: f32| pos2(x, rect.bottom() - share.clamp(0.0, 1.0) * rect.height());
    match shares {
        [] => Vec::new(),
        // One span: as long as all of it.
        [only] => vec![at(rect.left(), *only), at(rect.right(), *only)],
        _ => {
            let step = rect.width() / (shares.len() - 1) as f32;
            let numbered = shares.iter().enumerate();
            numbered
                .map(|(i, share)| at(rect.left() + i as f32 * step, *share))
                .collect()
        }
    }
}
