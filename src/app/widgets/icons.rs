//! Icons, painted as paths of 1.5 points, so that they are crisp in either theme and at any scale.

use eframe::egui::epaint::{PathShape, PathStroke};
use eframe::egui::{Color32, Id, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, vec2};

use super::focus_ring;
use crate::app::model::row::Sign;
use crate::app::theme::{self, RADIUS};

/// Width of a line.
const LINE: f32 = 1.5;
/// The side of a button that is only an icon.
const BUTTON: f32 = 24.0;

/// A picture of 16 points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    /// The page of transfers.
    Transfers,
    /// The page that compares routes.
    Compare,
    /// The page of round trips.
    RoundTrips,
    /// The page of what was transferred.
    History,
    /// The settings.
    Settings,
    /// Help.
    Help,
    /// Search, or a filter.
    Search,
    /// Something new.
    Plus,
    /// Pause.
    Pause,
    /// Go on.
    Play,
    /// Give up, or take away.
    Cross,
    /// Do it again.
    Again,
    /// Earlier in a row.
    Up,
    /// Whatever stands in front of a name.
    Sign(Sign),
}

/// Paints an icon around a point.
pub(crate) fn paint_icon(painter: &Painter, icon: Icon, centre: Pos2, colour: Color32) {
    let pen = Pen {
        painter,
        centre,
        colour,
    };
    match icon {
        Icon::Transfers => {
            pen.arrow((-3.0, 6.0), (-3.0, -6.0));
            pen.arrow((3.5, -6.0), (3.5, 6.0));
        }
        Icon::Compare => {
            for (y, length) in [(-5.0, 14.0), (0.0, 10.0), (5.0, 5.0)] {
                pen.bar((-7.0, y - 1.25), (length, 2.5));
            }
        }
        Icon::RoundTrips => {
            pen.arrow((-7.0, -3.5), (7.0, -3.5));
            pen.arrow((7.0, 3.5), (-7.0, 3.5));
        }
        Icon::History => {
            pen.circle((0.0, 0.0), 7.0);
            pen.line(&[(0.0, -4.0), (0.0, 0.5), (3.2, 2.2)]);
        }
        Icon::Settings => {
            for (y, knob) in [(-4.0, 2.5), (4.0, -2.5)] {
                pen.line(&[(-7.5, y), (knob - 2.2, y)]);
                pen.line(&[(knob + 2.2, y), (7.5, y)]);
                pen.circle((knob, y), 2.2);
            }
        }
        Icon::Help => {
            pen.circle((0.0, 0.0), 7.0);
            pen.line(&[
                (-2.0, -1.6),
                (-1.6, -3.0),
                (0.0, -3.8),
                (1.6, -3.0),
                (2.0, -1.6),
                (1.2, -0.4),
                (0.0, 0.4),
                (0.0, 1.4),
            ]);
            pen.dot((0.0, 3.6), 1.0);
        }
        Icon::Search => {
            pen.circle((-1.2, -1.2), 4.2);
            pen.line(&[(2.0, 2.0), (5.6, 5.6)]);
        }
        Icon::Plus => {
            pen.line(&[(-5.5, 0.0), (5.5, 0.0)]);
            pen.line(&[(0.0, -5.5), (0.0, 5.5)]);
        }
        Icon::Pause => {
            pen.line(&[(-2.5, -4.5), (-2.5, 4.5)]);
            pen.line(&[(2.5, -4.5), (2.5, 4.5)]);
        }
        Icon::Play => pen.closed(&[(-3.0, -4.5), (4.5, 0.0), (-3.0, 4.5)]),
        Icon::Cross => {
            pen.line(&[(-4.0, -4.0), (4.0, 4.0)]);
            pen.line(&[(-4.0, 4.0), (4.0, -4.0)]);
        }
        Icon::Again => {
            pen.arc(4.6, -40.0, 240.0);
            pen.line(&[(4.8, -6.2), (3.6, -2.9), (0.4, -4.0)]);
        }
        Icon::Up => pen.arrow((0.0, 5.0), (0.0, -5.0)),
        Icon::Sign(sign) => paint_sign(&pen, sign),
    }
}

fn paint_sign(pen: &Pen<'_>, sign: Sign) {
    match sign {
        Sign::Sends => pen.arrow((0.0, 5.0), (0.0, -5.0)),
        Sign::Receives => pen.arrow((0.0, -5.0), (0.0, 5.0)),
        Sign::Both => {
            pen.arrow((-2.8, 5.0), (-2.8, -5.0));
            pen.arrow((2.8, -5.0), (2.8, 5.0));
        }
        Sign::Paused => {
            pen.line(&[(-2.0, -4.0), (-2.0, 4.0)]);
            pen.line(&[(2.0, -4.0), (2.0, 4.0)]);
        }
        Sign::Waits => pen.circle((0.0, 0.0), 3.5),
        Sign::Interrupted => pen.closed(&[(0.0, -4.5), (5.0, 4.0), (-5.0, 4.0)]),
        Sign::Failed => pen.dot((0.0, 0.0), 4.0),
        Sign::Verified | Sign::Done => pen.line(&[(-4.5, 0.5), (-1.5, 3.5), (4.5, -3.5)]),
        Sign::Stopped => pen.line(&[(-4.0, 0.0), (4.0, 0.0)]),
    }
}

/// The colour of a sign: green is verified, red failed and yellow interrupted, and everything else is grey or ink.
#[must_use]
pub(crate) fn sign_colour(sign: Sign, palette: &theme::Palette) -> Color32 {
    match sign {
        Sign::Sends | Sign::Receives | Sign::Both => palette.text,
        Sign::Paused | Sign::Waits => palette.weak,
        Sign::Interrupted => palette.interrupted,
        Sign::Failed => palette.failed,
        Sign::Verified => palette.verified,
        Sign::Done | Sign::Stopped => palette.neutral,
    }
}

/// The program's mark: two lanes of three blocks, of which not all have come yet.
pub(crate) fn paint_mark(painter: &Painter, centre: Pos2, palette: &theme::Palette) {
    let quiet = |colour: Color32| colour.gamma_multiply(0.28);
    let lanes = [
        [quiet(palette.receiver), palette.receiver, palette.receiver],
        [palette.sender, palette.sender, quiet(palette.sender)],
    ];
    for (y, lane) in [-5.0, 5.0].into_iter().zip(lanes) {
        for (x, colour) in [-8.0, 0.0, 8.0].into_iter().zip(lane) {
            let block = Rect::from_center_size(centre + vec2(x, y), vec2(6.0, 8.0));
            painter.rect_filled(block, 1.5, colour);
        }
    }
}

/// A button that is only an icon. `name` is what a screen reader says. It is painted where `is_seen`, and whenever the
/// keyboard or the pointer is on it.
pub(crate) fn icon_button(ui: &mut Ui, id: Id, icon: Icon, name: &str, sense: Sense, is_seen: bool) -> Response {
    let (_, rect) = ui.allocate_space(vec2(BUTTON, BUTTON));
    let response = ui.interact(rect, id, sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let palette = theme::palette(ui);
    let is_pointed_at = response.hovered() || response.has_focus();
    if is_seen || is_pointed_at {
        if is_pointed_at {
            ui.painter().rect_filled(rect, RADIUS, palette.hover);
        }
        focus_ring(ui, &response, rect);
        let colour = if is_pointed_at { palette.text } else { palette.weak };
        paint_icon(ui.painter(), icon, rect.center(), colour);
    }
    response
}

/// Draws lines around a centre.
struct Pen<'a> {
    painter: &'a Painter,
    centre: Pos2,
    colour: Color32,
}

impl Pen<'_> {
    fn at(&self, (x, y): (f32, f32)) -> Pos2 {
        self.centre + vec2(x, y)
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|point| self.at(*point)).collect();
        let stroke = PathStroke::new(LINE, self.colour);
        self.painter.add(PathShape::line(points, stroke));
    }

    fn closed(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|point| self.at(*point)).collect();
        self.painter
            .add(Shape::convex_polygon(points, self.colour, Stroke::NONE));
    }

    /// An arrow along one of the axes.
    fn arrow(&self, from: (f32, f32), to: (f32, f32)) {
        const HEAD: f32 = 3.2;
        self.line(&[from, to]);
        let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
        let is_upright = (to.0 - from.0).abs() < 0.1;
        let (left, right) = if is_upright {
            ((to.0 - HEAD, to.1 - dy * HEAD), (to.0 + HEAD, to.1 - dy * HEAD))
        } else {
            ((to.0 - dx * HEAD, to.1 - HEAD), (to.0 - dx * HEAD, to.1 + HEAD))
        };
        self.line(&[left, to, right]);
    }

    fn circle(&self, centre: (f32, f32), radius: f32) {
        let stroke = Stroke::new(LINE, self.colour);
        self.painter.circle_stroke(self.at(centre), radius, stroke);
    }

    fn dot(&self, centre: (f32, f32), radius: f32) {
        self.painter.circle_filled(self.at(centre), radius, self.colour);
    }

    fn bar(&self, corner: (f32, f32), (width, height): (f32, f32)) {
        let rect = Rect::from_min_size(self.at(corner), vec2(width, height));
        self.painter.rect_filled(rect, 1.0, self.colour);
    }

    /// A part of a circle, from one angle in degrees over so many further, against the clock.
    fn arc(&self, radius: f32, from: f32, length: f32) {
        const STEPS: u8 = 20;
        let point = |step: u8| {
            let angle = (from - length * f32::from(step) / f32::from(STEPS)).to_radians();
            (radius * angle.cos(), radius * angle.sin())
        };
        let points: Vec<(f32, f32)> = (0..=STEPS).map(point).collect();
        self.line(&points);
    }
}
